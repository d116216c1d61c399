"""Segments against every list of segments there is, in small settings; and by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import NoFeasibleWindow
from gridtide.model import Quality, Series, Slot
from gridtide.planning.errors import TooFine
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Cost, Job, Kind, PowerProfile
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.state import JobState
from gridtide.planning.solvers import (
    exact_segments,
    interruptible,
    price_search,
    time_grid,
    unbroken,
)
from gridtide.planning.solvers.costs import Curve, curve
from gridtide.planning.solvers.solution import Solution
from tests.examples import examples
from tests.planning.settings import (
    CI,
    HOUR,
    MINUTE,
    POWER,
    PROGRAMMES,
    T0,
    Rules,
    Setting,
    least_cost,
    minutes_of,
    settings,
    solved_by,
    us,
)

KWH = st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1), Fraction(3)])
MOST = st.sampled_from([None, None, 1, 2, 3])
# A few powers in kW, as weights of POWER.
WEIGHTS = st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(2), Fraction(0)])


def agrees(solution: Solution, expected: Fraction) -> bool:
    return solution.cost == pytest.approx(float(expected), rel=1e-12, abs=1e-12)


def counted(setting: Setting, solution: Solution) -> Fraction:
    """What a draft counts, from its own parts and energy alone."""
    total = Fraction(0)
    for start, end, kwh in solution.draws:
        inside = [rate for m, rate in setting.rates.items() if start <= us(m) < end]
        total += Fraction(kwh) * sum(inside, Fraction(0)) / len(inside)
    return total


def profile(weights: list[Fraction]) -> PowerProfile:
    return PowerProfile(tuple((MINUTE, float(weight) * POWER) for weight in weights))


@examples(200)
@given(settings(), st.integers(1, 8))
def test_no_other_slots_are_cheaper_than_the_picked(setting: Setting, work: int) -> None:
    expected = least_cost(setting, Rules(work))
    job = Job(work * MINUTE, Kind.INTERRUPTIBLE, power=POWER)
    if expected is None:
        with pytest.raises(NoFeasibleWindow):
            interruptible.cheapest(setting.curve, job)
        return
    solution = interruptible.cheapest(setting.curve, job)
    assert agrees(solution, expected)
    assert len(set(minutes_of(solution))) == work
    assert float(counted(setting, solution)) == pytest.approx(float(expected))


@examples(400)
@given(settings(), st.lists(WEIGHTS, min_size=1, max_size=6).filter(any))
def test_no_start_is_cheaper_along_a_power_profile(
    setting: Setting, weights: list[Fraction]
) -> None:
    expected = least_cost(setting, Rules(len(weights), most=1, weights=weights))
    job = Job(len(weights) * MINUTE, power=profile(weights))
    if expected is None:
        with pytest.raises(NoFeasibleWindow):
            unbroken.cheapest(setting.curve, job)
        return
    solution = unbroken.cheapest(setting.curve, job)
    assert agrees(solution, expected)
    assert float(counted(setting, solution)) == pytest.approx(float(expected))
    assert len(set(minutes_of(solution))) == len(weights)


@examples(500)
@given(settings(), st.integers(1, 8), KWH, KWH, MOST, st.sampled_from(PROGRAMMES))
def test_no_segments_are_cheaper_when_pauses_cost_energy(
    setting: Setting,
    work: int,
    pause: Fraction,
    restart: Fraction,
    most: int | None,
    programme: dict[str, int],
) -> None:
    rules = Rules(work, most=most, pause_kwh=pause, restart_kwh=restart)
    expected = least_cost(setting, rules)
    job = Job(
        work * MINUTE,
        Kind.SEGMENTS,
        power=POWER,
        max_segments=most,
        pause_cost=Cost(float(pause)),
        restart_cost=Cost(float(restart)),
    )
    if expected is None:
        with pytest.raises(NoFeasibleWindow):
            solved_by(programme, setting.curve, job)
        return
    solution = solved_by(programme, setting.curve, job)
    assert agrees(solution, expected)
    assert float(counted(setting, solution)) == pytest.approx(float(expected))
    assert len(set(minutes_of(solution))) == work
    assert most is None or solution.segments <= most


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    work = draw(st.integers(1, 7))
    marks = draw(st.none() | st.frozensets(st.integers(1, 6), max_size=3))
    inside = None if marks is None else tuple(sorted(mark for mark in marks if mark < work))
    return Rules(
        work,
        least=draw(st.integers(1, work)),
        most=draw(MOST),
        pause_kwh=draw(KWH),
        pause_time=draw(st.integers(0, 2)),
        restart_kwh=draw(KWH),
        restart_time=draw(st.integers(0, 2)),
        marks=inside or None,
        weights=draw(st.just([]) | st.lists(WEIGHTS, min_size=work, max_size=work).filter(any)),
    )


def job_under(rules: Rules) -> Job:
    return Job(
        rules.work * MINUTE,
        Kind.SEGMENTS,
        power=profile(list(rules.weights)) if rules.weights else POWER,
        min_segment=rules.least * MINUTE,
        max_segments=rules.most,
        pause_cost=Cost(float(rules.pause_kwh), rules.pause_time * MINUTE),
        restart_cost=Cost(float(rules.restart_kwh), rules.restart_time * MINUTE),
        checkpoints=tuple(mark * MINUTE for mark in rules.marks or ()),
    )


@examples(600)
@given(settings(), rules())
def test_no_segments_are_cheaper_under_all_limits(setting: Setting, rules: Rules) -> None:
    expected = least_cost(setting, rules)
    job = job_under(rules)
    if expected is None:
        with pytest.raises(NoFeasibleWindow):
            exact_segments.cheapest(setting.curve, job)
        return
    solution = exact_segments.cheapest(setting.curve, job)
    assert agrees(solution, expected)
    assert float(counted(setting, solution)) == pytest.approx(float(expected))
    lost = (solution.segments - 1) * (rules.pause_time + rules.restart_time)
    assert len(set(minutes_of(solution))) == rules.work + lost
    assert rules.most is None or solution.segments <= rules.most


def hourly(*values: float) -> Setting:
    series = Series.regular("DE", CI, T0, HOUR, values)
    return Setting(series, [(0, 60 * len(values))])


def test_a_pause_is_taken_where_it_pays_and_only_there() -> None:
    # 2 h at 1 kW: apart 1 + 1 = 2 and a restart at 1 g; together 1 + 4 = 5.
    setting = hourly(1, 4, 1, 9)
    apart = exact_segments.cheapest(
        setting.curve, Job(2 * HOUR, Kind.SEGMENTS, restart_cost=Cost(kwh=2.9))
    )
    assert (apart.cost, apart.segments) == (pytest.approx(4.9), 2)
    together = exact_segments.cheapest(
        setting.curve, Job(2 * HOUR, Kind.SEGMENTS, restart_cost=Cost(kwh=3.1))
    )
    assert (together.cost, together.segments) == (pytest.approx(5), 1)


def test_a_step_of_the_profile_meets_a_slot_off_the_start() -> None:
    # Half an hour at 1 kW, then half an hour at 9 kW: the second half hour is the one at 1 g.
    setting = Setting(Series.regular("DE", CI, T0, HOUR / 2, [5, 4, 1, 4, 5, 5]), [(0, 180)])
    power = PowerProfile(((HOUR / 4, 1.0), (HOUR / 2, 9.0)))
    solution = unbroken.cheapest(setting.curve, Job(0.75 * HOUR, power=power))
    assert solution.start == us(45)
    assert solution.cost == pytest.approx(4 / 4 + 9 / 2)


def test_a_profile_starts_with_a_slot_where_none_of_its_steps_ends_with_one() -> None:
    # All starts from 01:00 to 01:10 lie in the hour at 1 g; the first of them counts.
    power = PowerProfile(((25 * MINUTE, 2.0), (25 * MINUTE, 1.0)))
    solution = unbroken.cheapest(hourly(9, 1, 9).curve, Job(50 * MINUTE, power=power))
    assert solution.start == us(60)


def test_the_trace_back_pays_for_the_restart_it_takes() -> None:
    # After the hour at 0 g: on with the three that end with 0.9 g, 1 + 1.5 + 0.9 and 1 for the
    # restart at 1 g. Up to the last of them 1.1 + 1 would be less than 1 + 1 + 1.5, but a
    # restart there takes 0.9 more.
    series = Series.regular("DE", CI, T0, HOUR, [0, None, 1.1, 1, 1.5, 0.9])
    job = Job(4 * HOUR, Kind.SEGMENTS, restart_cost=Cost(1))
    solution = exact_segments.cheapest(Setting(series, [(0, 360)]).curve, job)
    assert solution.cost == pytest.approx(1 + 1 + 1.5 + 0.9)
    assert [(p.start, p.end) for p in solution.parts] == [(us(0), us(60)), (us(180), us(360))]


def test_the_time_of_a_pause_needs_room_right_after_the_segment() -> None:
    # The first hour ends at a gap, with no time to save, so the job stops half an hour sooner.
    series = Series.regular("DE", CI, T0, HOUR, [0, None, 1, 2])
    job = Job(2 * HOUR, Kind.SEGMENTS, pause_cost=Cost(0, HOUR / 2))
    solution = exact_segments.cheapest(Setting(series, [(0, 240)]).curve, job)
    assert [(p.start, p.end, p.power_kw) for p in solution.parts] == [
        (us(0), us(30), 1.0),
        (us(30), us(60), 0.0),
        (us(120), us(210), 1.0),
    ]


def test_the_time_of_a_checkpoint_is_placed_beside_the_work() -> None:
    # Three hours of work, half an hour to save and to load, 3 kWh each. By hand:
    # 1.5 h of work and saving at 1 g, nothing at 90 g, loading and 1.5 h of work at 2 g.
    setting = hourly(1, 1, 90, 2, 2)
    job = Job(
        3 * HOUR,
        Kind.SEGMENTS,
        min_segment=HOUR,
        pause_cost=Cost(3, HOUR / 2),
        restart_cost=Cost(3, HOUR / 2),
    )
    solution = exact_segments.cheapest(setting.curve, job)
    spans = [(part.start, part.end, part.power_kw) for part in solution.parts]
    assert spans == [
        (us(0), us(90), 1.0),
        (us(90), us(120), 6.0),
        (us(180), us(210), 6.0),
        (us(210), us(300), 1.0),
    ]
    assert solution.cost == pytest.approx(1.5 + 3 + 6 + 3)


def from_odd(setting: Setting, first: int) -> Curve:
    end = (setting.series.slots[-1].end - T0) / MINUTE
    return curve(Outlook(setting.series), Goal(), [(first, us(end))])


def test_times_too_fine_to_be_exact_are_refused_with_what_to_do() -> None:
    setting = hourly(*[1.0] * 72)
    job = Job(8 * HOUR, Kind.SEGMENTS, min_segment=HOUR)
    assert exact_segments.cheapest(setting.curve, job).cost == pytest.approx(8)
    with pytest.raises(TooFine, match="give them in whole minutes"):
        exact_segments.cheapest(from_odd(setting, us(0) + 1), job)


def test_an_odd_start_is_used_to_the_microsecond() -> None:
    # 2 h of work from 00:20 and a microsecond on: the 40 minutes left of the first hour less
    # that, the other hour at 1 g, and the rest at 2 g rather than at 9 g for one restart less.
    odd = from_odd(hourly(1, 9, 1, 9, 2), us(20) + 1)
    third = us(20) + 1 - us(0)
    cheap = exact_segments.cheapest(
        odd, Job(2 * HOUR, Kind.SEGMENTS, restart_cost=Cost(kwh=0.1))
    )
    assert [(part.start, part.end) for part in cheap.parts] == [
        (us(20) + 1, us(60)),
        (us(120), us(180)),
        (us(240), us(240) + third),
    ]
    assert cheap.cost == pytest.approx(2 / 3 + 1 + 2 / 3 + 0.1 + 0.2, rel=1e-8)
    # At 1.5 kWh a restart: the later two whole hours with one between them, 1 + 2 + 1.5 x 2.
    dear = exact_segments.cheapest(
        odd, Job(2 * HOUR, Kind.SEGMENTS, restart_cost=Cost(kwh=1.5))
    )
    assert dear.cost == pytest.approx(6)
    assert [part.start for part in dear.parts] == [us(120), us(240)]


def test_too_few_segments_for_the_gaps_are_refused_with_what_to_allow() -> None:
    setting = Setting(Series.regular("DE", CI, T0, HOUR, [1, None, 1, None, 1]), [(0, 300)])
    with pytest.raises(NoFeasibleWindow, match="allow more or shorter segments, or a later"):
        exact_segments.cheapest(setting.curve, Job(3 * HOUR, Kind.SEGMENTS, max_segments=2))
    with pytest.raises(NoFeasibleWindow, match="no unbroken run of 3 h"):
        exact_segments.cheapest(setting.curve, Job(3 * HOUR, Kind.SEGMENTS, max_segments=1))
    assert (
        exact_segments.cheapest(
            setting.curve, Job(3 * HOUR, Kind.SEGMENTS, max_segments=3)
        ).segments
        == 3
    )
    assert price_search.cheapest(time_grid.Units([1.0], [False], [0.0], [0.0], [0.0]), 2) == (
        inf,
        [],
    )


def test_long_segments_take_a_price_above_any_slot_s() -> None:
    # Three segments of two hours are free; two of them take two hours at 9 g beside them.
    setting = hourly(0, 0, 9, 9, 9, 0, 0, 9, 9, 9, 0, 0)
    solution = exact_segments.cheapest(
        setting.curve, Job(6 * HOUR, Kind.SEGMENTS, max_segments=2)
    )
    assert (solution.cost, solution.segments) == (pytest.approx(18), 2)


def test_intervals_that_add_up_to_too_many_sums_are_refused() -> None:
    slots, clock = [], T0
    for i in range(16):
        step = MINUTE + timedelta(microseconds=2**i)
        slots.append(Slot(clock, clock + step, float(i * 7 % 5), Quality.FORECAST))
        clock += step
    setting = Setting(Series("DE", CI, tuple(slots)), [(0, 16)])
    job = Job(8 * MINUTE + timedelta(microseconds=1), Kind.SEGMENTS, restart_cost=Cost(0.001))
    with pytest.raises(TooFine, match="in whole minutes"):
        exact_segments.cheapest(setting.curve, job)


def test_a_cap_on_segments_holds_where_no_price_on_segments_finds_it() -> None:
    # Three segments 1 + 1 + 1, two 1 + 2 + 2.7, one 1 + 5 + 1. A price of up to 2 a segment
    # leaves three the best, one of 2 or more leaves one, so a price alone never finds two.
    setting = hourly(1, 5, 1, 5, 1, 99, 2, 2.7)
    found = [
        exact_segments.cheapest(setting.curve, Job(3 * HOUR, Kind.SEGMENTS, max_segments=most))
        for most in (3, 2, 1)
    ]
    assert [solution.cost for solution in found] == pytest.approx([3, 5.7, 7])
    assert [solution.segments for solution in found] == [3, 2, 1]


def test_a_running_job_may_stop_at_once_and_still_run_every_unit_apart() -> None:
    # The segment that runs counts: with it 2 h of work in three, apart at 1 g each.
    setting = hourly(9, 1, 9, 1)
    state = JobState(us(0), started=True, running=True, ran=us(60) - us(0), segments=1)
    job = Job(2 * HOUR, Kind.SEGMENTS, min_segment=HOUR, max_segments=3)
    found = exact_segments.cheapest(setting.curve, job, state)
    assert found.cost == pytest.approx(2)
    assert [part.start for part in found.parts] == [us(60), us(180)]
    two = replace(job, max_segments=2)
    assert exact_segments.cheapest(setting.curve, two, state).cost == pytest.approx(10)


def test_a_bound_that_is_the_optimum_itself_cuts_nothing_off() -> None:
    # The first three hours on end: 16.61. In binary that is above what the search adds up to.
    job = Job(3 * HOUR, Kind.SEGMENTS, power=1.1, restart_cost=Cost(1.1))
    found = solved_by(PROGRAMMES[-1], hourly(5.1, 9.0, 1.0, 9.1, 7.1).curve, job)
    assert (found.cost, found.segments) == (pytest.approx(16.61), 1)
