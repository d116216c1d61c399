"""What a question may take: no longer than an answer is worth, and said so beforehand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gridtide.errors import BadInput, NoFeasibleWindow
from gridtide.model import Series
from gridtide.planning.errors import TooFine
from gridtide.planning.planner import plan
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.job import Cost, Job, Kind, PowerProfile
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.scaling import Elastic
from gridtide.planning.solvers import exact_segments
from tests.planning.settings import CI, HOUR, MINUTE, T0, Setting, solved_by

SECOND = timedelta(seconds=1)


def uneven(slots: int, step: timedelta) -> Series:
    """Values that go up and down, so that many segments are worth something."""
    return Series.regular("DE", CI, T0, step, [float(i * 7919 % 101) for i in range(slots)])


def setting(slots: int, step: timedelta) -> Setting:
    return Setting(uneven(slots, step), [(0, slots * (step // MINUTE))])


RESTART = Cost(kwh=0.5)


def test_ten_days_of_five_minutes_are_planned_with_the_segments_counted() -> None:
    curve = setting(2880, 5 * MINUTE).curve
    requested = {"restart_cost": RESTART, "max_segments": 2}
    found = exact_segments.cheapest(curve, Job(2 * HOUR, Kind.SEGMENTS, **requested))  # type: ignore[arg-type]  # the test passes what the type refuses
    # The same with a shortest segment of one slot, which is no limit.
    other = exact_segments.cheapest(
        curve,
        Job(2 * HOUR, Kind.SEGMENTS, min_segment=5 * MINUTE, **requested),  # type: ignore[arg-type]  # the test passes what the type refuses
    )
    assert found.cost == pytest.approx(other.cost)
    assert found.segments <= 2


@pytest.mark.slow
def test_too_many_paths_are_refused_with_what_to_give() -> None:
    curve = setting(864, 5 * MINUTE).curve
    job = Job(8 * HOUR + SECOND, Kind.SEGMENTS, restart_cost=RESTART, max_segments=9)
    with pytest.raises(TooFine, match="follows over 400,000 paths; give earliest, deadline"):
        exact_segments.cheapest(curve, job)


def test_a_most_beyond_all_segments_costs_no_more_than_none() -> None:
    job = Job(8 * HOUR, Kind.SEGMENTS, min_segment=HOUR, max_segments=10**9)
    curve = setting(288, 15 * MINUTE).curve
    without = Job(8 * HOUR, Kind.SEGMENTS, min_segment=HOUR)
    assert (
        exact_segments.cheapest(curve, job).cost == exact_segments.cheapest(curve, without).cost
    )
    few = Job(HOUR, Kind.SEGMENTS, max_segments=10**9, restart_cost=RESTART)
    found = solved_by({"MOST_ROWS": 0}, curve, few)
    assert found.cost == pytest.approx(exact_segments.cheapest(curve, few).cost)


def test_a_short_job_in_fine_steps_over_a_long_time_is_refused() -> None:
    # Few units of work, but a quarter of a second each over ten days.
    power = PowerProfile(((SECOND / 4, 1.0), (SECOND / 4, 2.0)))
    job = Job(SECOND, Kind.INTERRUPTIBLE, power=power)
    with pytest.raises(TooFine, match="whole minutes or longer, a nearer deadline"):
        exact_segments.cheapest(setting(240, HOUR).curve, job)


@pytest.mark.slow
def test_a_plan_is_answered_where_only_another_would_take_too_many_steps() -> None:
    # By the deadline 1,440 x 480 units of a minute; a day later too many with four pieces.
    series = uneven(288, 15 * MINUTE)
    job = Job(8 * HOUR + MINUTE, Kind.SEGMENTS, min_segment=HOUR, max_segments=5)
    found = plan(job, series, Bounds(deadline=T0 + 48 * HOUR), now=T0)
    assert "takes too many steps to compute" in found.what_would_change


def test_segments_begin_at_any_second() -> None:
    series = Series.regular("DE", CI, T0, HOUR, [1.0, 9.0, 1.0, 9.0])
    now = T0 + 17 * SECOND
    apart = plan(Job(1.5 * HOUR, Kind.SEGMENTS, restart_cost=Cost(0.1)), series, now=now)
    assert (apart.start, apart.segments) == (now, 2)
    short = Job(59 * MINUTE, Kind.SEGMENTS, restart_cost=Cost(0.1))
    assert plan(short, Series.regular("DE", CI, T0, HOUR, [1, 9]), now=now).start == now


def test_slack_does_not_grow_by_the_wait_for_the_clock() -> None:
    now = T0 + 2 * MINUTE
    series = Series.regular("DE", CI, T0, MINUTE, [9.0] * 60 + [0.0] * 10)
    job = Job(HOUR, Kind.SEGMENTS, min_segment=MINUTE)
    found = plan(job, series, Bounds(slack=timedelta(0)), now=now)
    assert (found.start, found.end) == (now, now + HOUR)


def test_segments_keep_to_odd_bounds_in_whole_minutes() -> None:
    odd = timedelta(minutes=6, seconds=20)
    series = Series.regular("DE", CI, T0, MINUTE, [1.0] * 7 + [5.0] * 20 + [1.0] * 13)
    job = Job(12 * MINUTE, Kind.SEGMENTS, min_segment=MINUTE)
    bounds = Bounds(earliest=T0 + odd, deadline=T0 + 39 * MINUTE + SECOND)
    found = plan(job, series, bounds, now=T0)
    assert (found.start, found.end) == (T0 + 27 * MINUTE, T0 + 39 * MINUTE)
    whole = plan(Job(32 * MINUTE, Kind.SEGMENTS, min_segment=MINUTE), series, bounds, now=T0)
    # Only without a pause may it use the second before the end, cleaner than that at 7 minutes.
    assert (whole.start, whole.end) == (T0 + 7 * MINUTE + SECOND, T0 + 39 * MINUTE + SECOND)
    with pytest.raises(NoFeasibleWindow):
        plan(Job(33 * MINUTE, Kind.SEGMENTS, min_segment=MINUTE), series, bounds, now=T0)


def test_a_deadline_before_the_clock_leaves_the_run_without_a_pause() -> None:
    now = T0 + 2 * MINUTE
    job = Job(MINUTE, Kind.SEGMENTS, min_segment=MINUTE)
    found = plan(job, uneven(60, MINUTE), Bounds(deadline=T0 + 4 * MINUTE), now=now)
    assert now <= found.start < found.end <= T0 + 4 * MINUTE


def test_an_elastic_job_over_in_less_than_a_microsecond_takes_one() -> None:
    job = Job(timedelta(microseconds=1), Kind.ELASTIC, workers=Elastic(4.5))
    found = plan(job, uneven(3, HOUR), now=T0)
    assert found.end - found.start == timedelta(microseconds=1)


def test_a_ramp_takes_a_job_that_a_solver_can_tell_from_none() -> None:
    pytest.importorskip("scipy")
    workers = Elastic(4.5, ramp=2, fractional_workers=True)
    second = plan(Job(SECOND, Kind.ELASTIC, workers=workers), uneven(3, HOUR), now=T0)
    assert second.kwh == pytest.approx(1 / 3600, rel=1e-3)
    with pytest.raises(BadInput, match="with a ramp give a second or more"):
        plan(Job(SECOND / 2, Kind.ELASTIC, workers=workers), uneven(3, HOUR), now=T0)


def test_steps_of_throughput_beyond_all_use_are_refused() -> None:
    table = tuple((float(i), 1 + (i - 1) / (i + 1)) for i in range(1, 1001))
    series = uneven(1100, 5 * MINUTE)
    for ramp in (None, 500.0):
        job = Job(HOUR, Kind.ELASTIC, workers=Elastic(1000, ramp=ramp, throughput=table))
        with pytest.raises(TooFine, match="nearer deadline"):
            plan(job, series, now=T0)


def test_a_question_of_many_regions_is_refused_before_it_is_worked_on() -> None:
    # 288 x 96 states of a quarter of an hour, six segments and 500 regions, a budget besides.
    series = uneven(288, 15 * MINUTE)
    job = Job(24 * HOUR, Kind.SEGMENTS, min_segment=HOUR, max_segments=6)
    regions = {f"R{i}": series for i in range(500)}
    with pytest.raises(TooFine, match=r"over 500 regions takes .* ask for fewer regions"):
        plan(job, regions, now=T0)
    few = {name: regions[name] for name in list(regions)[:100]}
    with pytest.raises(TooFine, match="over 100 regions"):
        plan(job, few, goal=Goal(budget_grams=1), now=T0)
