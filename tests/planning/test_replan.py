"""Planning the rest of a job again, by hand and against planning it anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import BadInput, NoFeasibleWindow
from gridtide.model import Series
from gridtide.planning.decide.response import Code, Plan
from gridtide.planning.errors import OverBudget
from gridtide.planning.planner import plan
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Cost, Job, Kind, PowerProfile
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.regions import CandidateRegion, CandidateRegions, Moves
from gridtide.planning.problem.state import Progress
from gridtide.planning.replanner import replan
from tests.examples import examples
from tests.planning.settings import CI, HOUR, MINUTE, T0, at


def hourly(*values: float | None, zone: str = "DE") -> Series:
    return Series.regular(zone, CI, T0, HOUR, values)


def hours(found: Plan) -> list[tuple[float, float]]:
    return [((s.start - T0) / HOUR, (s.end - T0) / HOUR) for s in found.slots]


def test_a_job_that_has_not_started_is_planned_anew_within_the_same_deadline() -> None:
    first = plan(Job(HOUR), hourly(9, 3, 2, 9, 1), Bounds(slack=3 * HOUR), now=T0)
    assert hours(first) == [(2, 3)]
    again = replan(first, Progress(T0 + HOUR), hourly(9, 3, 8, 5, 1))
    assert hours(again) == [(1, 2)]
    # The deadline followed from slack at 00:00, so hour 4 stays out of reach.
    later = replan(first, Progress(T0 + 2 * HOUR), hourly(9, 3, 8, 5, 1))
    assert hours(later) == [(3, 4)]


def test_an_unbroken_job_that_runs_runs_on() -> None:
    first = plan(Job(3 * HOUR), hourly(1, 2, 9, 9, 9, 9), now=T0)
    again = replan(
        first, Progress(T0 + HOUR, done=HOUR, running=True), hourly(1, 99, 99, 1, 1, 1)
    )
    assert (hours(again), again.reason.code) == ([(1, 3)], Code.NO_CHOICE)
    assert again.kwh == pytest.approx(2)


def test_a_pausing_job_takes_the_cheapest_slots_for_what_is_left() -> None:
    job = Job(3 * HOUR, Kind.INTERRUPTIBLE)
    first = plan(job, hourly(1, 9, 2, 9, 3, 9), now=T0)
    assert hours(first) == [(0, 1), (2, 3), (4, 5)]
    again = replan(first, Progress(T0 + 2 * HOUR, done=HOUR), hourly(1, 9, 8, 2, 3, 9))
    assert hours(again) == [(3, 5)]


def test_running_on_is_free_and_starting_again_is_not() -> None:
    job = Job(2 * HOUR, Kind.SEGMENTS, restart_cost=Cost(kwh=1), pause_cost=Cost(kwh=1))
    first = plan(job, hourly(5, 5, 5, 5), now=T0)
    forecast = hourly(5, 7, 3, 9)
    running = Progress(T0 + HOUR, done=HOUR, running=True, running_for=HOUR)
    stays = replan(first, running, forecast)
    # On: 7 g. A pause in that slot takes 7 g and a restart 3 g besides the 3 g of the run.
    assert (hours(stays), stays.grams) == ([(1, 2)], pytest.approx(7))
    stopped = replan(first, Progress(T0 + HOUR, done=HOUR), forecast)
    # It stands still already: 3 g and the restart's 3 g, less than 7 g and 7 g.
    assert (hours(stopped), stopped.grams) == ([(2, 3)], pytest.approx(6))
    cheap = hourly(5, 70, 0.5, 9)
    off = replan(first, running, cheap)
    assert (hours(off), off.grams) == ([(1, 2)], pytest.approx(70))
    little = Job(2 * HOUR, Kind.SEGMENTS, restart_cost=Cost(kwh=0.1), pause_cost=Cost(kwh=0.1))
    goes = replan(plan(little, hourly(5, 5, 5, 5), now=T0), running, cheap)
    assert (hours(goes), goes.grams) == ([(2, 3)], pytest.approx(7 + 0.05 + 0.5))


def test_segments_that_are_used_up_count() -> None:
    job = Job(3 * HOUR, Kind.SEGMENTS, max_segments=2)
    first = plan(job, hourly(1, 9, 2, 2, 9, 1), now=T0)
    forecast = hourly(1, 9, 2, 9, 9, 1)
    stopped = replan(first, Progress(T0 + HOUR, done=HOUR), forecast)
    assert len(hours(stopped)) == 1
    running = replan(first, Progress(T0 + HOUR, done=HOUR, running=True), forecast)
    assert len(hours(running)) <= 2
    with pytest.raises(NoFeasibleWindow, match="allow more or shorter segments"):
        replan(first, Progress(T0 + HOUR, done=HOUR, segments=2), forecast)


def test_a_segment_runs_its_least_before_it_may_pause() -> None:
    job = Job(4 * HOUR, Kind.SEGMENTS, min_segment=2 * HOUR)
    first = plan(job, hourly(1, 1, 9, 9, 1, 1), now=T0)
    assert hours(first) == [(0, 2), (4, 6)]
    forecast = hourly(1, 8, 9, 9, 1, 1, 1)
    soon = Progress(T0 + HOUR, done=HOUR, running=True, running_for=HOUR)
    assert hours(replan(first, soon, forecast)) == [(1, 2), (4, 6)]


def test_only_at_a_checkpoint_may_it_pause() -> None:
    job = Job(3 * HOUR, Kind.SEGMENTS, checkpoints=(HOUR,))
    first = plan(job, hourly(1, 9, 9, 1, 1, 1), now=T0)
    assert hours(first) == [(0, 1), (3, 5)]
    forecast = hourly(1, 9, 9, 1, 1, 1)
    at_mark = Progress(T0 + HOUR, done=HOUR, running=True, running_for=HOUR)
    assert hours(replan(first, at_mark, forecast)) == [(3, 5)]
    past = Progress(
        T0 + HOUR, done=HOUR + 15 * MINUTE, running=True, running_for=HOUR + 15 * MINUTE
    )
    assert hours(replan(first, past, forecast)) == [(1, 2.75)]
    before = Progress(T0 + HOUR, done=HOUR / 2, running=True, running_for=HOUR / 2)
    assert hours(replan(first, before, forecast)) == [(1, 1.5), (3, 5)]


def test_stopping_takes_its_time_right_now() -> None:
    job = Job(
        3 * HOUR, Kind.SEGMENTS, pause_cost=Cost(0.5, HOUR / 2), restart_cost=Cost(0, HOUR / 2)
    )
    first = plan(job, hourly(1, 1, 1, 1, 1, 1), now=T0)
    running = Progress(T0 + HOUR, done=HOUR, running=True, running_for=HOUR)
    again = replan(first, running, hourly(1, 9, 9, 9, 1, 1, 1))
    # Half an hour to save at 1 kW, half to load at nothing before 04:00, then two hours.
    assert [(s.power_kw, (s.start - T0) / HOUR, (s.end - T0) / HOUR) for s in again.slots] == [
        (1.0, 1, 1.5),
        (0.0, 3.5, 4),
        (1.0, 4, 6),
    ]
    assert again.grams == pytest.approx(4.5 + 2)
    used = Job(3 * HOUR, Kind.SEGMENTS, min_segment=HOUR, max_segments=2)
    twice = Progress(T0 + 2 * HOUR, done=2 * HOUR, segments=2)
    with pytest.raises(NoFeasibleWindow, match="allow more or shorter segments"):
        replan(plan(used, hourly(1, 1, 1, 1, 1), now=T0), twice, hourly(1, 1, 1, 1, 1))


def test_a_segment_before_a_gap_did_not_run_on_over_it() -> None:
    # Minute for minute of free time is work: an hour up to the gap, and all after it.
    job = Job(4 * HOUR, Kind.SEGMENTS, min_segment=HOUR, max_segments=2)
    forecast = hourly(1, 1, None, 1, 1)
    first = plan(job, hourly(1, 1, 1, 1, 1), now=T0)
    progress = Progress(T0 + HOUR, done=HOUR, running=True, running_for=HOUR)
    assert hours(replan(first, progress, forecast)) == [(1, 2), (3, 5)]


def test_what_is_too_short_for_a_segment_is_run_on_or_is_one_segment() -> None:
    job = Job(4 * HOUR, Kind.SEGMENTS, min_segment=2 * HOUR)
    first, forecast = plan(job, hourly(*[1] * 6), now=T0), hourly(1, 1, 1, 9, 1, 1)
    running = Progress(T0 + 3 * HOUR, done=3 * HOUR, running=True, running_for=3 * HOUR)
    assert hours(replan(first, running, forecast)) == [(3, 4)]
    state = Progress(T0 + 3 * HOUR, done=3 * HOUR)
    assert hours(replan(first, state, forecast)) == [(4, 5)]


def test_a_rest_that_draws_nothing_is_refused_with_what_to_do() -> None:
    job = Job(2 * HOUR, power=PowerProfile(((HOUR, 4.0), (HOUR, 0.0))))
    first = plan(job, hourly(1, 1, 1), now=T0)
    with pytest.raises(BadInput, match="draw no energy"):
        replan(first, Progress(T0 + HOUR, done=HOUR), hourly(1, 1, 1))


def test_progress_counts_from_the_beginning_of_the_job_however_often_it_is_planned() -> None:
    job = Job(3 * HOUR, Kind.SEGMENTS, max_segments=3)
    first = plan(job, hourly(1, 9, 9, 9, 9, 9, 9, 9), Bounds(slack=4 * HOUR), now=T0)
    second = replan(first, Progress(T0 + HOUR, done=HOUR), hourly(1, 8, 9, 1, 9, 9, 9, 1))
    assert hours(second) == [(1, 2), (3, 4)]
    state = Progress(T0 + 4 * HOUR, done=2 * HOUR, segments=2)
    third = replan(second, state, hourly(1, 9, 9, 1, 9, 8, 7, 1))
    # The deadline is still 7 h after the first question, so hour 7 stays out of reach.
    assert hours(third) == [(6, 7)]
    with pytest.raises(BadInput, match="all 3:00:00 of work is done, so nothing is left"):
        replan(third, replace(state, done=3 * HOUR), hourly(1))


def test_a_region_s_newest_forecast_holds_until_there_is_a_newer_one() -> None:
    job = Job(2 * HOUR, Kind.INTERRUPTIBLE)
    first = plan(job, two_regions(Moves.FOLLOW), now=T0)
    second = replan(first, Progress(T0), {"FR": hourly(9, 9, 0.5, 0.5)})
    assert (second.region, hours(second)) == ("FR", [(2, 4)])
    third = replan(second, Progress(T0), {"DE": hourly(7, 7, 7, 7)})
    assert (third.region, hours(third)) == ("FR", [(2, 4)])


def test_a_job_that_has_not_started_is_planned_just_as_it_would_be_at_first() -> None:
    # Unbroken it may start off the clock, which a limited job that has started may not.
    job = Job(2 * HOUR, Kind.SEGMENTS, min_segment=HOUR)
    forecast = hourly(1, 1, 1, 9, 9)
    moment = T0 + 7 * MINUTE
    again = replan(plan(job, forecast, now=T0), Progress(moment), forecast)
    asked_anew = plan(job, forecast, now=moment)
    assert again.start == moment
    assert replace(again, problem=None) == replace(asked_anew, problem=None)


def test_the_profile_goes_on_where_it_stood() -> None:
    profile = PowerProfile(((HOUR, 4.0), (HOUR, 1.0)))
    job = Job(3 * HOUR, Kind.INTERRUPTIBLE, power=profile)
    first = plan(job, hourly(1, 1, 1, 1, 1), now=T0)
    half = replan(first, Progress(T0 + HOUR, done=HOUR / 2), hourly(9, 9, 1, 1, 1, 1))
    assert [(s.power_kw, (s.end - s.start) / HOUR) for s in half.slots] == [(4, 0.5), (1, 2)]
    late = replan(first, Progress(T0 + HOUR, done=2.5 * HOUR), hourly(9, 9, 1, 1, 1, 1))
    assert [(s.power_kw, (s.end - s.start) / HOUR) for s in late.slots] == [(1, 0.5)]


def test_of_odd_progress_none_is_lost_or_rounded() -> None:
    job = Job(4 * HOUR, Kind.SEGMENTS, min_segment=HOUR)
    first = plan(job, hourly(1, 1, 1, 1, 1, 1), now=T0)
    seconds = timedelta(seconds=77)
    running = Progress(T0 + HOUR + seconds, done=HOUR + seconds, running=True, running_for=HOUR)
    again = replan(first, running, hourly(1, 1, 1, 1, 1, 1))
    assert hours(again) == [(pytest.approx(1 + 77 / 3600), 4)]
    stopped = replan(first, Progress(T0 + HOUR, done=HOUR + seconds), hourly(*[1] * 6))
    left = sum((s.end - s.start for s in stopped.slots), timedelta(0))
    assert left == 3 * HOUR - seconds


def test_progress_of_a_job_with_checkpoints_is_rounded_so_that_no_work_is_lost() -> None:
    job = Job(4 * HOUR, Kind.SEGMENTS, checkpoints=(2 * HOUR,))
    first = plan(job, hourly(1, 1, 1, 1, 1, 1), now=T0)
    seconds = timedelta(seconds=77)
    running = Progress(T0 + HOUR + seconds, done=HOUR + seconds, running=True, running_for=HOUR)
    again = replan(first, running, hourly(1, 1, 1, 1, 1, 1))
    # By 01:05, when the plan begins, 1:05 are done.
    assert hours(again) == [(pytest.approx(1 + 1 / 12), 4)]


def test_a_budget_is_less_what_was_emitted() -> None:
    goal = Goal(budget_grams=10)
    first = plan(Job(2 * HOUR, Kind.INTERRUPTIBLE), hourly(5, 5, 1, 1), goal=goal, now=T0)
    assert hours(first) == [(0, 2)]
    done = Progress(T0 + HOUR, done=HOUR, grams=8)
    again = replan(first, done, hourly(8, 5, 1, 1))
    assert again.end <= T0 + 3 * HOUR
    assert again.grams == pytest.approx(2)
    with pytest.raises(OverBudget):
        replan(first, Progress(T0 + HOUR, done=HOUR, grams=9.9), hourly(8, 5, 1, 1))


def two_regions(*moves: Moves) -> CandidateRegions:
    pair = (
        CandidateRegion("DE", Outlook(hourly(1, 2, 9, 9))),
        CandidateRegion("FR", Outlook(hourly(9, 9, 5, 5))),
    )
    return CandidateRegions(pair, moves=moves[0] if moves else Moves.ONE)


def test_the_segments_of_a_job_that_runs_and_stops_are_those_to_come() -> None:
    job = Job(2 * HOUR, Kind.SEGMENTS, restart_cost=Cost(0.1))
    running = Progress(T0 + HOUR, done=HOUR, running=True, running_for=HOUR)
    new: dict[str, Any] = {"DE": hourly(1, 9, 1, 9), "FR": hourly(50, 50, 50, 50)}
    for moves in Moves:
        stops = replan(plan(job, two_regions(moves), now=T0), running, new)
        assert (hours(stops), stops.segments) == ([(2, 3)], 1)
        on = replan(stops, running, new | {"DE": hourly(1, 1, 1, 9)})
        assert (hours(on), on.segments) == ([(1, 2)], 1)


def test_a_started_job_stays_in_its_region_unless_it_may_follow() -> None:
    job = Job(2 * HOUR, Kind.INTERRUPTIBLE)
    new: dict[str, Any] = {"DE": hourly(1, 7, 9, 9), "FR": hourly(9, 9, 1, 5)}
    progress = Progress(T0 + HOUR, done=HOUR, region="DE")
    one = replan(plan(job, two_regions(), now=T0), progress, new)
    assert (one.region, hours(one)) == ("DE", [(1, 2)])
    follow = replan(plan(job, two_regions(Moves.FOLLOW), now=T0), progress, new)
    assert (follow.region, hours(follow)) == ("FR", [(2, 3)])
    fresh = replan(plan(job, two_regions(), now=T0), Progress(T0 + HOUR), {"FR": new["FR"]})
    assert (fresh.region, fresh.left_out) == ("FR", ())


@pytest.mark.parametrize("kind", [Kind.INTERRUPTIBLE, Kind.SEGMENTS])
def test_where_it_ran_counts_before_where_the_plan_begins(kind: Kind) -> None:
    new: dict[str, Any] = {"DE": hourly(9, 7, 9, 9), "FR": hourly(9, 8, 1, 5)}
    first = plan(Job(2 * HOUR, kind), two_regions(), now=T0)
    assert first.region == "DE"
    elsewhere = replan(first, Progress(T0 + HOUR, done=HOUR, region="FR"), new)
    assert (elsewhere.region, hours(elsewhere)) == ("FR", [(2, 3)])
    unnamed = replan(first, Progress(T0 + HOUR, done=HOUR), new)
    assert (unnamed.region, hours(unnamed)) == ("DE", [(1, 2)])


@pytest.mark.parametrize(
    ("progress", "forecast", "message"),
    [
        (Progress(T0, done=2 * HOUR), {"DE": hourly(1)}, "all 2:00:00 of work is done"),
        (Progress(T0), hourly(1), "give a forecast by region"),
        (
            Progress(T0),
            {"NO": hourly(1)},
            "unknown region NO; give forecasts of regions of the plan: DE, FR",
        ),
    ],
)
def test_what_cannot_be_replanned_is_refused(
    progress: Progress,
    forecast: Any,  # noqa: ANN401
    message: str,
) -> None:
    first = plan(Job(2 * HOUR), two_regions(), now=T0)
    with pytest.raises(BadInput, match=message):
        replan(first, progress, forecast)


def test_a_plan_from_json_asks_for_a_new_one() -> None:
    read = Plan.from_json(plan(Job(HOUR), hourly(1, 2), now=T0).to_json())
    with pytest.raises(BadInput, match="ask for a new plan of the work that is left"):
        replan(read, Progress(T0), hourly(1, 2))


@pytest.mark.parametrize(
    "members",
    [{"done": -HOUR}, {"running_for": -HOUR}, {"segments": 0}, {"grams": float("nan")}],
)
def test_progress_that_cannot_be_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=r"give 0 or more|give 1 or more|grams is nan"):
        Progress(T0, **members)


RATES = st.lists(st.integers(0, 9).map(float), min_size=6, max_size=6)


@examples(60)
@given(RATES, st.integers(1, 5), st.integers(0, 4), st.sampled_from(list(Kind)[:3]))
def test_with_the_same_forecast_the_rest_of_a_plan_is_the_best_rest(
    rates: list[float], work: int, gone: int, kind: Kind
) -> None:
    more: dict[str, Any] = {"restart_cost": Cost(0.5)} if kind is Kind.SEGMENTS else {}
    first = plan(Job(work * HOUR, kind, **more), hourly(*rates), now=T0)
    moment = at(60 * gone)
    before = [s for s in first.slots if s.start < moment]
    done = sum((min(s.end, moment) - s.start for s in before), timedelta(0))
    if done >= work * HOUR:
        gone, moment, before, done = 0, T0, [], timedelta(0)
    running = bool(before) and before[-1].end > moment
    rest = replan(
        first,
        Progress(moment, done=done, running=running, running_for=done),
        hourly(*rates),
    )
    left = [
        ((max(s.start, moment) - T0) / HOUR, (s.end - T0) / HOUR)
        for s in first.slots
        if s.end > moment
    ]
    emitted = sum(rates[hour] for start, end in left for hour in range(int(start), int(end)))
    # Its first start is a restart if it ran before, and none at all if it runs.
    restarts = left if done and not running else left[1:]
    overhead_costs = 0.5 * sum(rates[int(start)] for start, _ in restarts) if more else 0.0
    assert rest.grams == pytest.approx(emitted + overhead_costs)
