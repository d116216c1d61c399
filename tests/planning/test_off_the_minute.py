"""Jobs, moments and slack that are no whole minutes: the same order holds between kinds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import BadInput, NoFeasibleWindow
from gridtide.model import Quality, Series, Slot
from gridtide.planning.decide.response import Plan
from gridtide.planning.planner import plan
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.job import Cost, Job, Kind, PowerProfile
from gridtide.planning.problem.scaling import Elastic
from gridtide.planning.problem.state import Progress
from gridtide.planning.replanner import replan
from tests.examples import examples
from tests.planning.settings import CI, HOUR, MINUTE, T0, at

SECONDS = 20  # all lengths and moments are multiples


def span(of: int) -> timedelta:
    return of * timedelta(seconds=SECONDS)


def jobs(work: timedelta, *, profiled: bool) -> dict[str, Job]:
    """From what may do least to what may do most: each can do what the one before does."""
    if profiled:
        power = PowerProfile(((work / 2, 2.0), (work / 2, 1.0)))
        return {
            "unbroken": Job(work, power=power),
            "interruptible": Job(work, Kind.INTERRUPTIBLE, power=power),
        }
    cost = Cost(0.01)
    return {
        "unbroken": Job(work),
        "long pieces": Job(
            work, Kind.SEGMENTS, min_segment=min(work, MINUTE), restart_cost=cost
        ),
        "segments": Job(work, Kind.SEGMENTS, restart_cost=cost),
        "interruptible": Job(work, Kind.INTERRUPTIBLE),
        "once": Job(work, Kind.ELASTIC, workers=Elastic(1)),
        "twice": Job(work, Kind.ELASTIC, workers=Elastic(2)),
    }


@st.composite
def forecasts(draw: st.DrawFn) -> Series:
    slots, clock = [], 0
    for length in draw(st.lists(st.integers(1, 6), min_size=4, max_size=10)):
        clock += draw(st.sampled_from([0, 0, 0, 0, 1]))
        slots.append(Slot(at(clock), at(clock + length), draw(RATE), Quality.FORECAST))
        clock += length
    return Series("DE", CI, tuple(slots))


RATE = st.one_of(*[st.integers(0, 9).map(float)] * 9, st.none())


def planned(job: Job, series: Series, slack: timedelta, moment: timedelta) -> Plan | None:
    try:
        return plan(job, series, Bounds(slack=slack), now=T0 + moment)
    except NoFeasibleWindow:
        return None


@examples(150)
@given(
    forecasts(),
    st.integers(1, 24),
    st.integers(0, 40),
    st.sampled_from([0, 0, 1, 3, 15]),
    st.sampled_from(["one power", "steps"]),
)
def test_who_may_do_more_is_never_worse(
    series: Series, work: int, slack: int, moment: int, power: str
) -> None:
    least: Plan | None = None
    for name, job in jobs(span(work), profiled=power == "steps").items():
        found = planned(job, series, span(slack), span(moment))
        if least is not None:
            assert found is not None, name
            assert (found.grams or 0.0) <= (least.grams or 0.0) + 1e-12, name
        least = found or least
        if found is not None:
            assert found.start >= T0 + span(moment)
            assert found.end <= T0 + span(moment + work + slack)


@examples(150)
@given(
    forecasts(),
    st.integers(1, 24),
    st.integers(0, 30),
    st.integers(0, 10),
    st.sampled_from([0, 0, 1, 3, 15]),
    st.sampled_from(["unbroken", "long pieces", "segments", "interruptible", "twice"]),
)
def test_more_slack_is_never_worse_and_none_saves_nothing(
    series: Series, work: int, slack: int, more: int, moment: int, name: str
) -> None:
    job = jobs(span(work), profiled=False)[name]
    less = planned(job, series, span(slack), span(moment))
    wide = planned(job, series, span(slack + more), span(moment))
    if less is not None:
        assert wide is not None
        assert (wide.grams or 0.0) <= (less.grams or 0.0) + 1e-12
    none = planned(job, series, timedelta(0), span(moment))
    if none is not None and name != "twice":
        assert not none.saving_now


@pytest.mark.parametrize("gone", [1, 2.5, 5, 7, 11])
def test_a_job_that_runs_as_planned_may_run_on_where_minutes_do_not_fit(gone: float) -> None:
    series = Series.regular("DE", CI, T0, HOUR, [1.0, 3.0])
    for job in (
        Job(12.5 * MINUTE, Kind.SEGMENTS, max_segments=2),
        Job(12.5 * MINUTE, Kind.SEGMENTS, min_segment=MINUTE),
    ):
        first = plan(job, series, Bounds(slack=timedelta(0)), now=T0)
        ran = gone * MINUTE
        state = Progress(T0 + ran, done=ran, running=True, running_for=ran)
        rest = replan(first, state, series)
        assert (rest.start, rest.end) == (T0 + ran, T0 + 12.5 * MINUTE)
        assert rest.grams == pytest.approx((12.5 - gone) / 60)
        late = Progress(T0 + ran, done=ran - MINUTE / 2, running=True)
        with pytest.raises((NoFeasibleWindow, BadInput), match=r"ask for|must have ended"):
            replan(first, late, series)


def test_a_job_of_odd_seconds_without_slack_runs_at_once() -> None:
    # 12.5 min from a full hour on: taken inwards to whole minutes the time is too short.
    series = Series.regular("DE", CI, T0, HOUR, [3.0, 1.0])
    for job in (
        Job(12.5 * MINUTE, Kind.SEGMENTS, max_segments=2),
        Job(12.5 * MINUTE, Kind.SEGMENTS, min_segment=MINUTE),
    ):
        found = plan(job, series, Bounds(slack=timedelta(0)), now=T0)
        assert (found.start, found.end) == (T0, T0 + 12.5 * MINUTE)
        assert found.grams == pytest.approx(3 * 12.5 / 60)
