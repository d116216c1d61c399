"""`plan` in one place: what it comes to, its goals and limits, and what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import BadInput, NoFeasibleWindow
from gridtide.model import Quality, Series, Signal, Slot
from gridtide.planning.decide.candidates import decide
from gridtide.planning.decide.response import Code, Plan
from gridtide.planning.planner import plan
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.costs import CostSeries
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Cost, Job, Kind, PowerProfile
from gridtide.planning.problem.objective import Goal, Objective, Quantile
from gridtide.planning.problem.opening_hours import Weekly
from gridtide.planning.problem.scaling import Elastic
from tests.examples import examples
from tests.planning.settings import CFE, CI, HOUR, MINUTE, T0, Setting, at, settings

KINDS = st.sampled_from(["unbroken", "interruptible", "segments", "elastic"])


def hourly(*values: float | None, signal: Signal = CI) -> Series:
    return Series.regular("DE", signal, T0, HOUR, values)


def job_of(kind: str, duration: timedelta, power: float = 1.0) -> Job:
    more: dict[str, Any] = {
        "segments": {"restart_cost": Cost(0.5), "max_segments": 3},
        "elastic": {"workers": Elastic(2)},
    }
    return Job(duration, Kind(kind), power=power, **more.get(kind, {}))


def value(found: Plan) -> float:
    """What a plan counts: grams, or kWh that are not carbon-free."""
    return found.kwh * (1 - found.mean) if found.grams is None else found.grams


def planned(job: Job, setting: Setting, end: int, goal: Goal | None = None) -> Plan | None:
    blackouts = tuple((at(a), at(b)) for a, b in shut(setting))
    bounds = Bounds(deadline=at(end), blackouts=blackouts)
    try:
        return plan(job, setting.series, bounds, goal, now=at(setting.spans[0][0]))
    except NoFeasibleWindow:
        return None


def shut(setting: Setting) -> list[tuple[int, int]]:
    return [(a, b) for (_, a), (b, _) in pairwise(setting.spans)]


@examples(120)
@given(settings().filter(lambda setting: setting.spans), st.integers(1, 6))
def test_pausing_is_never_worse_than_not_and_elastic_never_worse_than_pausing(
    setting: Setting, work: int
) -> None:
    end = setting.spans[-1][1]
    found = {kind: planned(job_of(kind, work * MINUTE), setting, end) for kind in Kind}
    costs = {kind: value(each) for kind, each in found.items() if each is not None}
    order = [
        kind for kind in ("elastic", "interruptible", "segments", "unbroken") if kind in costs
    ]
    for better, worse in pairwise(order):
        assert costs[better] <= costs[worse] + 1e-12
    assert "unbroken" not in costs or len(costs) == 4


@examples(120)
@given(
    settings().filter(lambda setting: setting.spans),
    st.integers(1, 5),
    KINDS,
    st.integers(0, 6),
)
def test_more_slack_is_never_worse(setting: Setting, work: int, kind: str, cut: int) -> None:
    first, last = setting.spans[0][0], setting.spans[-1][1]
    less = planned(job_of(kind, work * MINUTE), setting, max(first + 1, last - cut))
    more = planned(job_of(kind, work * MINUTE), setting, last)
    assert less is None or (more is not None and value(more) <= value(less) + 1e-12)


@st.composite
def without_slack(draw: st.DrawFn) -> tuple[Series, int, int]:
    """A series without gaps, and a start and a length of a job that lie inside it."""
    slots: list[Slot] = []
    clock = 0
    for length in draw(st.lists(st.integers(1, 7), min_size=1, max_size=6)):
        rate = float(draw(st.integers(0, 5)))
        slots.append(Slot(at(clock), at(clock + length), rate, Quality.FORECAST))
        clock += length
    start = draw(st.integers(0, clock - 1))
    return Series("DE", CI, tuple(slots)), start, draw(st.integers(1, clock - start))


@examples(100)
@given(without_slack(), st.sampled_from([Kind.UNBROKEN, Kind.INTERRUPTIBLE, Kind.SEGMENTS]))
def test_without_slack_nothing_is_saved(case: tuple[Series, int, int], kind: Kind) -> None:
    series, now, work = case
    job = job_of(kind, work * MINUTE)
    found = plan(job, series, Bounds(slack=timedelta(0)), now=at(now))
    # There is nothing to save from where every rate is 0.
    assert found.saving_now == (0 if found.grams else None)
    assert found.saving_median == (pytest.approx(0, abs=1e-12) if found.grams else None)
    assert found.reason.code is Code.NO_CHOICE
    assert (found.start, found.end) == (at(now), at(now + work))


def test_a_plan_comes_to_what_a_hand_calculation_says() -> None:
    # 2 h at 2 kW: 1 + 3 g/kWh, 2 kWh each.
    forecast = Outlook(
        hourly(9, 1, 3, 8),
        p10=hourly(8, 0.5, 2, 7),
        p90=hourly(10, 2, 5, 9),
        issued_at=T0 - HOUR,
        model="weekly@1",
    )
    found = plan(Job(2 * HOUR, power=2.0), forecast, now=T0)
    assert (found.region, found.start, found.end) == ("DE", T0 + HOUR, T0 + 3 * HOUR)
    assert (found.kwh, found.grams, found.mean) == pytest.approx((4, 8, 2))
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((5, 14))
    # Starts on edges count 20, 8 and 22 g: at once 20, the median 20, the worst 22.
    savings = (found.saving_now, found.saving_median, found.saving_worst)
    assert savings == pytest.approx((12 / 20, 12 / 20, 14 / 22))
    assert (found.issued_at, found.model) == (T0 - HOUR, "weekly@1")
    assert found.reason.code is Code.BEST
    assert found.reason.sentence == (
        "Run in DE from 2026-03-01T01:00:00Z to 2026-03-01T03:00:00Z, at 2 gCO2e/kWh: 60.0% "
        "less carbon than at once, 60.0% less carbon than the median start."
    )


def test_the_median_of_an_even_number_of_starts_is_between_two() -> None:
    # Starts at 1, 3, 5 and 9 g: the median is 4 g.
    found = plan(Job(HOUR), hourly(9, 3, 1, 5), now=T0)
    assert found.saving_median == pytest.approx(3 / 4)
    assert found.saving_worst == pytest.approx(8 / 9)


def test_carbon_free_share_is_maximised_and_saved_in_points() -> None:
    found = plan(Job(HOUR), hourly(0.4, 0.9, 0.2, signal=CFE), now=T0)
    assert (found.start, found.grams, found.mean) == (T0 + HOUR, None, pytest.approx(0.9))
    savings = (found.saving_now, found.saving_median, found.saving_worst)
    assert savings == pytest.approx((0.5, 0.5, 0.7))
    assert "0.5 more of it carbon-free than at once" in found.reason.sentence


def test_the_cheapest_plan_still_says_its_grams() -> None:
    costs = CostSeries.regular("EUR", T0, HOUR, [0.3, 0.2, -0.1, 0.4])
    found = plan(Job(HOUR), hourly(1, 2, 9, 4), goal=Goal(Objective.COST, costs), now=T0)
    assert (found.start, found.grams) == (T0 + 2 * HOUR, pytest.approx(9))
    assert (found.cost, found.cost_unit) == (pytest.approx(-0.1), "EUR")
    assert found.saving_now == pytest.approx((0.3 + 0.1) / 0.3)
    # At 0.2 EUR a gram 0.3 + 0.2 is the least; at 50 EUR a tonne the grams hardly matter.
    dear = Goal(Objective.WEIGHTED, costs, carbon_weight=0.2, cost_weight=1.0)
    assert plan(Job(HOUR), hourly(1, 2, 9, 4), goal=dear, now=T0).start == T0
    cheap = Goal(Objective.WEIGHTED, costs, carbon_weight=5e-5, cost_weight=1.0)
    assert plan(Job(HOUR), hourly(1, 2, 9, 4), goal=cheap, now=T0).start == T0 + 2 * HOUR


@pytest.mark.parametrize("unit", ["EUR", "EUR/kWh"])
def test_a_total_cost_is_in_the_unit_of_money_however_the_cost_of_a_kwh_is_named(
    unit: str,
) -> None:
    costs = CostSeries.regular(unit, T0, HOUR, [0.3, 0.1])
    found = plan(
        Job(2 * HOUR, Kind.INTERRUPTIBLE), hourly(1, 1), goal=Goal("cost", costs), now=T0
    )
    assert (found.cost, found.cost_unit) == (pytest.approx(0.4), "EUR")
    one = plan(Job(HOUR), hourly(1, 1), goal=Goal("cost", costs), now=T0)
    assert "were 0.2 EUR/kWh worse than forecast" in one.what_would_change


def test_an_unbroken_job_of_the_smallest_power_has_the_cheapest_start() -> None:
    found = plan(Job(HOUR, power=1e-12), hourly(3, 2, None, 1, 4), now=T0)
    assert (found.start, found.saving_median) == (T0 + 3 * HOUR, pytest.approx(1 - 1 / 2.5))
    profile = PowerProfile(((HOUR / 2, 1e-12), (HOUR / 2, 2e-12)))
    assert plan(Job(HOUR, power=profile), hourly(3, 2, None, 1, 4), now=T0).start == found.start


def test_robust_takes_what_the_dirty_quantile_says_and_counts_the_expected() -> None:
    forecast = Outlook(hourly(5, 4, 3), p10=hourly(5, 1, 1), p90=hourly(5, 6, 9))
    robust = plan(Job(HOUR), forecast, goal=Goal(quantile=Quantile.P90), now=T0)
    assert (robust.start, robust.grams) == (T0, pytest.approx(5))
    assert plan(Job(HOUR), forecast, now=T0).start == T0 + 2 * HOUR


def test_now_may_be_best_and_says_so() -> None:
    found = plan(Job(HOUR), hourly(1, 9, 8), now=T0)
    assert (found.reason.code, found.saving_now) == (Code.NOW_IS_BEST, 0)
    assert found.reason.sentence.endswith("nothing within the bounds is better.")


def test_alternatives_come_best_first_and_apart() -> None:
    found = plan(Job(HOUR), hourly(5, 1, 6, 2, 7, 3, 9), now=T0, alternatives=2)
    assert [each.start for each in found.alternatives] == [T0 + 3 * HOUR, T0 + 5 * HOUR]
    assert [each.grams for each in found.alternatives] == pytest.approx([2, 3])
    assert found.alternatives[0].saving_now == pytest.approx(3 / 5)
    assert found.alternatives[0].what == "start at 2026-03-01T03:00:00Z"
    assert found.what_would_change.startswith(
        "To start at 2026-03-01T03:00:00Z would be as good if the chosen time were 1 gCO2e/kWh "
        "worse than forecast."
    )
    assert plan(Job(HOUR), hourly(5, 1, 6), now=T0, alternatives=0).alternatives == ()


def test_running_at_once_is_valued_by_the_quantile_that_decides() -> None:
    forecast = Outlook(hourly(1, 2, 9), p10=hourly(1, 1, 9), p90=hourly(8, 3, 9))
    found = plan(Job(HOUR), forecast, goal=Goal(quantile=Quantile.P90), now=T0)
    assert (found.start, found.alternatives[0].what) == (T0 + HOUR, "run at once")
    assert found.alternatives[0].grams == pytest.approx(1)
    assert "if the chosen time were 5 gCO2e/kWh worse" in found.what_would_change


def test_a_pausing_job_names_the_unbroken_run_and_sooner_ends() -> None:
    series = hourly(9, 2, 9, 3, 9, 9, 1, 9)
    found = plan(Job(2 * HOUR, Kind.INTERRUPTIBLE), series, now=T0, alternatives=9)
    assert found.grams == pytest.approx(3)
    whats = {each.what: each.grams for each in found.alternatives}
    assert whats == {
        "end by 2026-03-01T05:15:00Z": pytest.approx(5),
        # The hour at 2 g, half of that at 3 g, and half an hour at 9 g.
        "end by 2026-03-01T03:30:00Z": pytest.approx(8),
        "run unbroken": pytest.approx(10),
        "run at once": pytest.approx(11),
    }


def test_what_a_later_deadline_would_save_is_said() -> None:
    series = hourly(9, 8, *[7] * 4, 1, 9, 9)
    found = plan(Job(HOUR), series, Bounds(deadline=T0 + 2 * HOUR), now=T0)
    assert found.what_would_change.endswith("Ending up to 24 h later would save another 87.5%.")
    flat = plan(Job(HOUR), hourly(9, 8, 8, 8), Bounds(slack=HOUR), now=T0)
    assert flat.what_would_change.endswith("Ending up to 24 h later would save nothing more.")
    unknown = plan(Job(HOUR), hourly(9, 8), Bounds(slack=HOUR), now=T0)
    assert unknown.what_would_change.endswith("known yet after 2026-03-01T02:00:00Z.")


def test_opening_hours_make_a_pausing_job_wait_and_an_unbroken_one_impossible() -> None:
    bounds = Bounds(opening=Weekly.parse("UTC", "daily 00:00-01:00,02:00-03:00"))
    pausing = plan(Job(2 * HOUR, Kind.INTERRUPTIBLE), hourly(1, 0, 2), bounds, now=T0)
    assert [(each.start, each.end) for each in pausing.slots] == [
        (T0, T0 + HOUR),
        (T0 + 2 * HOUR, T0 + 3 * HOUR),
    ]
    assert (pausing.segments, pausing.saving_now, pausing.saving_median) == (2, 0, None)
    with pytest.raises(NoFeasibleWindow, match="unbroken for at most 1 h"):
        plan(Job(2 * HOUR), hourly(1, 0, 2), bounds, now=T0)


@pytest.mark.parametrize(
    ("job", "series", "bounds", "message"),
    [
        (
            Job(9 * HOUR),
            hourly(1, 2, 3),
            Bounds(),
            "unbroken for at most 3 h.*a later deadline",
        ),
        (
            Job(2 * HOUR),
            hourly(1, None, 3),
            Bounds(),
            "no unbroken run of 2 h within the bounds.*or let the job pause",
        ),
        (
            Job(HOUR),
            hourly(1, None, 3),
            Bounds(earliest=T0 + HOUR, deadline=T0 + 2 * HOUR),
            "no value is known at a time when the job may run",
        ),
        (
            Job(9 * HOUR, Kind.INTERRUPTIBLE),
            hourly(1, None, 3),
            Bounds(),
            "no time for a job of 9 h within the bounds.* for 2 h in all",
        ),
        (
            Job(2 * HOUR, Kind.SEGMENTS, min_segment=2 * HOUR),
            hourly(1, None, 3),
            Bounds(),
            "allow more or shorter segments, or a later deadline",
        ),
        (Job(HOUR), Series("DE", CI, ()), Bounds(), "bring the forecast up to date"),
    ],
)
def test_no_plan_says_what_prevents_it(
    job: Job, series: Series, bounds: Bounds, message: str
) -> None:
    with pytest.raises(NoFeasibleWindow, match=message):
        plan(job, series, bounds, now=T0)


def test_contradictory_bounds_are_bad_input() -> None:
    with pytest.raises(BadInput, match="deadline before start"):
        plan(Job(HOUR), hourly(1, 2), Bounds(deadline=T0 - HOUR), now=T0)


def test_segments_start_and_end_at_any_moment() -> None:
    job = Job(2 * HOUR, Kind.SEGMENTS, min_segment=HOUR / 2)
    now = T0 + timedelta(minutes=1, microseconds=7)
    split = plan(
        Job(1.5 * HOUR, Kind.SEGMENTS, min_segment=HOUR / 2), hourly(1, 9, 1, 9), now=now
    )
    assert [each.start for each in split.slots] == [now, T0 + 2 * HOUR]
    assert split.grams == pytest.approx(1.5)
    through = plan(job, hourly(1, 2, 3), now=now)
    assert (through.start, through.end) == (now, now + 2 * HOUR)
    tight = plan(job, hourly(1, 2, 3), Bounds(deadline=now + 2 * HOUR), now=now)
    assert tight.start == now
    odd = plan(job, hourly(1, 9, 1, 1, 1), Bounds(slack_fraction=1 / 3), now=T0)
    assert [each.end for each in odd.slots] == [T0 + HOUR, T0 + 160 * MINUTE]
    with pytest.raises(NoFeasibleWindow):
        plan(job, hourly(1, 2, 3), Bounds(deadline=now + HOUR), now=now)


def test_other_jobs_start_to_the_microsecond() -> None:
    exact = plan(Job(HOUR), hourly(1, 2, 3), now=T0 + timedelta(microseconds=7))
    assert exact.start == T0 + timedelta(microseconds=7)


def test_a_profile_keeps_its_order_through_pauses() -> None:
    profile = PowerProfile(((HOUR, 1.0), (HOUR, 3.0)))
    found = plan(Job(2 * HOUR, Kind.INTERRUPTIBLE, power=profile), hourly(2, 9, 1, 9), now=T0)
    assert [(each.start, each.power_kw) for each in found.slots] == [
        (T0, 1.0),
        (T0 + 2 * HOUR, 3.0),
    ]
    assert found.grams == pytest.approx(2 + 3)


def test_at_once_is_as_soon_as_an_unbroken_job_fits() -> None:
    # The first stretch is too short: at once is 02:00, at 4 + 6 g.
    found = plan(Job(2 * HOUR), hourly(1, None, 4, 6, 2, 3), now=T0)
    assert found.saving_now == pytest.approx(5 / 10)
    # One that may pause starts in it.
    pausing = plan(Job(2 * HOUR, Kind.INTERRUPTIBLE), hourly(1, None, 4, 6, 2, 3), now=T0)
    assert pausing.saving_now == pytest.approx(2 / 5)


def test_an_elastic_job_with_a_ramp_is_planned() -> None:
    workers = Elastic(2, ramp=1, fractional_workers=True)
    found = plan(Job(2 * HOUR, Kind.ELASTIC, workers=workers), hourly(9, 2, 1, 2), now=T0)
    # x in the clean hour takes x - 1 on either side: x + 2 (x - 1) = 2, so x = 4/3.
    assert [each.workers for each in found.slots] == pytest.approx([1 / 3, 4 / 3, 1 / 3])
    assert found.grams == pytest.approx(4 / 3 + 2 * 2 / 3)
    # Whole workers: one in the clean hour and one beside it.
    whole = Job(2 * HOUR, Kind.ELASTIC, workers=Elastic(2, ramp=1))
    found = plan(whole, hourly(9, 2, 1, 2), now=T0)
    assert {each.workers for each in found.slots} == {1}
    assert found.grams == pytest.approx(3)


def test_quantiles_with_a_gap_make_no_interval() -> None:
    forecast = Outlook(hourly(1, 2), p10=hourly(None, 1), p90=hourly(2, 3))
    assert plan(Job(HOUR), forecast, now=T0).interval is None


def test_a_cost_that_is_unknown_for_a_part_is_unknown() -> None:
    found = plan(Job(2 * HOUR), hourly(1, 2), now=T0)
    assert found.problem is not None
    candidate = decide(found.problem).candidate
    (share,) = candidate.shares
    assert candidate.cost is None

    for values, cost in (([0.5, None], None), ([0.5, 1.0], 1.5)):
        site = replace(share.site, costs=CostSeries.regular("EUR", T0, HOUR, values))
        assert replace(candidate, shares=(replace(share, site=site),)).cost == cost


def test_a_plan_reads_back_from_its_json() -> None:
    workers = Job(2 * HOUR, Kind.ELASTIC, workers=Elastic(2))
    found = plan(workers, Outlook(hourly(3, 1, 2), issued_at=T0, model="m@1"), now=T0)
    wire = found.to_json()
    assert "question" not in wire
    assert wire["slots"][0]["workers"] == 2.0
    assert wire["reason"]["code"] == "best"
    back = Plan.from_json(wire)
    assert back.to_json() == wire
    assert back.problem is None


def test_unknown_slots_beyond_the_forecast_are_not_planned_on() -> None:
    slots = (
        Slot(T0, T0 + HOUR, 5.0, Quality.FORECAST),
        Slot(T0 + HOUR, T0 + 2 * HOUR, None, Quality.FORECAST),
    )
    found = plan(Job(HOUR), Series("DE", CI, slots), now=T0)
    assert found.start == T0
