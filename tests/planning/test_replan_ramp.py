"""Elastic jobs with a ramp planned again while they run: no step is beyond the ramp."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gridtide.errors import BadInput, NoFeasibleWindow
from gridtide.model import Series
from gridtide.planning.decide.response import Plan
from gridtide.planning.planner import plan
from gridtide.planning.problem.job import Job, Kind
from gridtide.planning.problem.scaling import Elastic
from gridtide.planning.problem.state import Progress
from gridtide.planning.replanner import replan
from tests.examples import examples
from tests.planning.settings import CI, HOUR, MINUTE, T0

CHIPS = Elastic(4, ramp=1)


def hourly(*values: float) -> Series:
    return Series.regular("DE", CI, T0, HOUR, values)


def workers_at(found: Plan, moment: datetime) -> float:
    sizes = [s.workers or 0.0 for s in found.slots if s.start <= moment < s.end]
    return sizes[0] if sizes else 0.0


def sizes(found: Plan, hours: int) -> list[float]:
    """In the middle of each of the first hours."""
    return [workers_at(found, T0 + hour * HOUR + HOUR / 2) for hour in range(hours)]


def worked(found: Plan, until: datetime) -> timedelta:
    spans = ((min(s.end, until) - s.start, s.workers or 0.0) for s in found.slots)
    return sum((span * workers for span, workers in spans if span > 0 * HOUR), timedelta(0))


def running(found: Plan, moment: datetime, **members: Any) -> Progress:  # noqa: ANN401
    return Progress(moment, done=worked(found, moment), running=True, **members)


RATES = st.lists(st.integers(0, 9).map(float), min_size=8, max_size=8)


@examples(80)
@given(
    RATES, RATES, st.integers(2, 12), st.integers(1, 7 * 12), st.sampled_from([1.0, 0.5, 2.0])
)
def test_no_step_is_beyond_the_ramp_as_a_plan_is_made_anew(
    before: list[float], after: list[float], work: int, twelfths: int, step: float
) -> None:
    """Also within a slot, and though nobody says at which size it runs."""
    workers, moment = (
        Elastic(4, ramp=step, fractional_workers=step < 1),
        T0 + twelfths * 5 * MINUTE,
    )
    first = plan(Job(work * HOUR / 2, Kind.ELASTIC, workers=workers), hourly(*before), now=T0)
    ran = workers_at(first, moment - MINUTE)
    assume(ran > 1e-6 and worked(first, moment) < work * HOUR / 2 - MINUTE)
    try:
        rest = replan(first, running(first, moment), hourly(*after))
    except NoFeasibleWindow:
        # What is left of the day is too short to come up or down, by the hours alone.
        left = 8 - twelfths // 12
        assert left * step < ran or work / 2 > left
        return
    edges = [moment, *(T0 + hour * HOUR for hour in range(twelfths // 12 + 1, 8))]
    found = [ran, *(workers_at(rest, edge) for edge in edges), 0.0]
    assert all(abs(one - two) <= step + 1e-6 for one, two in pairwise(found))


@examples(60)
@given(
    st.lists(st.integers(0, 9).map(float), min_size=5, max_size=5),
    st.integers(1, 8),
    st.integers(1, 3),
)
def test_no_schedule_of_whole_workers_costs_less_than_the_rest_of_a_ramp(
    values: list[float], work: int, now: int
) -> None:
    """Every list of whole sizes that keeps to the ramp and does the work, tried."""
    workers = Elastic(3, ramp=1)
    job = Job((work + 1) * HOUR, Kind.ELASTIC, workers=workers)
    first = plan(job, hourly(*[1.0] * 12), now=T0)
    schedules_of = [
        sum(size * value for size, value in zip(way, values, strict=True))
        for way in product(range(4), repeat=5)
        if sum(way) >= work
        and all(abs(one - two) <= 1 for one, two in pairwise([now, *way, 0]))
    ]
    progress = Progress(T0, done=HOUR, running=True, workers=now)
    if not schedules_of:
        with pytest.raises(NoFeasibleWindow):
            replan(first, progress, hourly(*values))
        return
    assert (replan(first, progress, hourly(*values)).grams or 0.0) <= min(schedules_of) + 1e-6


def test_it_ramps_up_from_its_present_workers_and_from_none_where_it_is_paused() -> None:
    # 9 h of work are left. On 3 workers, x + 1, x, x - 1, x - 2 with x = 2.75 takes the most
    # of the clean hours that can still come down by one an hour.
    workers = Elastic(4, ramp=1, fractional_workers=True)
    job = Job(10 * HOUR, Kind.ELASTIC, workers=workers)
    first = plan(job, hourly(*[5.0] * 10), now=T0)
    at, done = T0, HOUR
    news = hourly(1, 1, 2, 3, 9, 9, 9, 9)
    told = replan(first, Progress(at, done=done, running=True, workers=3), news)
    assert sizes(told, 5) == pytest.approx([3.75, 2.75, 1.75, 0.75, 0])
    assert told.grams == pytest.approx(3.75 + 2.75 + 2 * 1.75 + 3 * 0.75)
    state = replan(first, Progress(at, done=done), news)
    assert sizes(state, 1)[0] <= 1
    assert (told.grams or 0.0) < (state.grams or 0.0)


def test_where_the_plan_has_it_paused_a_job_that_runs_is_at_its_base() -> None:
    job = Job(8 * HOUR, Kind.ELASTIC, workers=Elastic(4, base=2, ramp=2))
    first = plan(job, hourly(9, 9, *[1.0] * 8), now=T0)
    assert workers_at(first, T0) == 0
    early = Progress(T0 + HOUR / 2, done=HOUR, running=True)
    news = hourly(1, 1, *[9.0] * 8)
    assert replan(first, early, news) == replan(
        first, Progress(early.at, done=HOUR, running=True, workers=2), news
    )
    # 2 and the ramp of 2 are all 4 workers at once.
    assert workers_at(replan(first, early, news), early.at) == pytest.approx(4)


def test_of_two_slots_that_meet_the_one_it_ran_in_counts() -> None:
    first = plan(
        Job(4 * HOUR, Kind.ELASTIC, workers=Elastic(2, ramp=1)), hourly(9, 2, 1, 3, 9), now=T0
    )
    assert sizes(first, 5) == pytest.approx([0, 1, 2, 1, 0])
    moment = T0 + 2 * HOUR
    rest = replan(first, running(first, moment), hourly(9, 2, 1, 1, 1))
    assert workers_at(rest, moment) <= 2 + 1e-6
    told = replan(first, running(first, moment, workers=1.0), hourly(9, 2, 1, 1, 1))
    assert rest == told


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"running": True, "workers": 0.0}, "a job that runs is on more than 0 workers"),
        ({"running": False, "workers": 2.0}, "one that does not is on 0"),
        ({"running": True, "workers": -1.0}, "give 0 or more"),
        ({"running": True, "workers": float("nan")}, "workers is nan, which is not finite"),
    ],
)
def test_impossible_workers_are_refused(members: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Progress(T0, done=HOUR, **members)


def test_workers_that_the_job_cannot_have_are_refused() -> None:
    elastic = Job(4 * HOUR, Kind.ELASTIC, workers=Elastic(4, 2, base=2, ramp=2))
    first, news = plan(elastic, hourly(*[1.0] * 9), now=T0), hourly(*[1.0] * 9)
    for size in (1.0, 5.0):
        with pytest.raises(BadInput, match="runs on 2 to 4; give the workers it has now"):
            replan(first, Progress(T0, done=HOUR, running=True, workers=size), news)
    whole = plan(Job(4 * HOUR), news, now=T0)
    with pytest.raises(BadInput, match="of kind unbroken and not elastic"):
        replan(whole, Progress(T0, done=HOUR, running=True, workers=1.0), news)
    still = Progress(T0 + HOUR, done=HOUR, workers=0.0)
    assert replan(whole, still, news) == replan(whole, Progress(still.at, done=HOUR), news)
