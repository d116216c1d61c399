"""Plans by price against brute force: below 0, slots of other lengths, several regions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from gridtide.errors import BadInput, NoCommonSignal, NoFeasibleWindow
from gridtide.model import Series
from gridtide.planning.batch.capacity import Cap
from gridtide.planning.batch.schedule import Request, plan_batch
from gridtide.planning.decide.response import Code
from gridtide.planning.planner import plan
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.costs import CostSeries
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Job, Kind
from gridtide.planning.problem.objective import Goal, Objective
from gridtide.planning.problem.regions import CandidateRegion, CandidateRegions, Moves
from gridtide.planning.problem.scaling import Elastic
from tests.examples import examples
from tests.planning.settings import CI, HOUR, T0

QUARTER = HOUR / 4
HOURS = 3
UNITS = 4 * HOURS
EUR = "EUR/kWh"
COST = Goal(Objective.COST)
BOTH = Goal(Objective.WEIGHTED, carbon_price=80)

Rates = list[float]


def region(
    name: str, carbon: Sequence[float], prices: Sequence[float | None], unit: str = EUR
) -> CandidateRegion:
    """A region whose hours of carbon and slots of price share the same three hours."""
    series = Series.regular(name, CI, T0, HOUR, carbon)
    costs = CostSeries.regular(unit, T0, HOURS * HOUR / len(prices), prices)
    return CandidateRegion(name, Outlook(series), costs=costs)


@st.composite
def sites(draw: st.DrawFn) -> CandidateRegion:
    carbon = draw(st.lists(st.integers(0, 500).map(float), min_size=HOURS, max_size=HOURS))
    count = draw(st.sampled_from([3, 6, 12]))  # slots of 60, 30 or 15 minutes
    price = st.integers(-40, 40).map(lambda each: each / 100)
    prices = draw(st.lists(price, min_size=count, max_size=count))
    return region(draw(st.sampled_from("ABC")), carbon, prices)


def rates(site: CandidateRegion, goal: Goal) -> Rates:
    """The cost of a kWh in each quarter of an hour."""
    assert site.costs is not None
    grams = [slot.value or 0.0 for slot in site.outlook.expected.slots for _ in range(4)]
    slots = site.costs.slots
    euros = [slot.value or 0.0 for slot in slots for _ in range(UNITS // len(slots))]
    carbon = 0.0 if goal.carbon_price is None else goal.carbon_price / 1e6
    return [cost + carbon * gram for cost, gram in zip(euros, grams, strict=True)]


def schedules(job: Job) -> Iterator[tuple[int, ...]]:
    """Every choice of quarters of an hour that the job may run in."""
    count = job.duration // QUARTER
    for chosen in combinations(range(UNITS), count):
        breaks = [i for i, (one, other) in enumerate(pairwise(chosen), 1) if other > one + 1]
        lengths = [b - a for a, b in pairwise([0, *breaks, count])]
        if job.kind is Kind.UNBROKEN and breaks:
            continue
        if job.max_segments and len(lengths) > job.max_segments:
            continue
        if job.min_segment and min(lengths) * QUARTER < job.min_segment:
            continue
        yield chosen


JOBS = [
    Job(5 * QUARTER, power=4),
    Job(5 * QUARTER, Kind.INTERRUPTIBLE, power=4),
    Job(5 * QUARTER, Kind.SEGMENTS, power=4, min_segment=2 * QUARTER, max_segments=2),
]


@examples(20)
@given(site=sites(), job=st.sampled_from(JOBS), goal=st.sampled_from([COST, BOTH]))
def test_the_plan_costs_as_little_as_any_schedule(
    site: CandidateRegion, job: Job, goal: Goal
) -> None:
    found = plan(job, CandidateRegions((site,)), goal=goal, now=T0)
    by_quarter = rates(site, goal)
    least = min(sum(by_quarter[i] for i in chosen) for chosen in schedules(job))
    assert found.grams is not None
    assert found.cost is not None
    carbon = 0.0 if goal.carbon_price is None else goal.carbon_price * found.grams / 1e6
    # 4 kW for a quarter of an hour are 1 kWh.
    assert found.cost + carbon == pytest.approx(least, abs=1e-6)
    assert found.cost_unit == "EUR"


@examples(20)
@given(one=sites(), other=sites(), goal=st.sampled_from([COST, BOTH]))
def test_the_best_region_is_the_one_with_the_least_cost(
    one: CandidateRegion, other: CandidateRegion, goal: Goal
) -> None:
    there = [region("X", [0.0] * 3, [0.0] * 3), one]
    if other.name != one.name:
        there.append(other)
    job = JOBS[0]
    found = plan(job, CandidateRegions(tuple(there)), goal=goal, now=T0)
    least = {
        each.name: min(sum(rates(each, goal)[i] for i in chosen) for chosen in schedules(job))
        for each in there
    }
    assert least[found.region] == pytest.approx(min(least.values()), abs=1e-9)


SPEEDS = {1: 1.0, 2: 1.6, 3: 1.9}
WORKERS = Elastic(3, throughput=tuple((float(n), each) for n, each in SPEEDS.items()))


@examples(20)
@given(site=sites(), work=st.sampled_from([QUARTER, HOUR, 3 * HOUR]))
def test_an_elastic_job_divides_its_time_as_a_linear_programme_would(
    site: CandidateRegion, work: timedelta
) -> None:
    job = Job(work, Kind.ELASTIC, workers=WORKERS)
    found = plan(job, CandidateRegions((site,)), goal=COST, now=T0)
    by_quarter = rates(site, COST)
    options = [(i, n) for i in range(UNITS) for n in SPEEDS]
    exact = linprog(
        [by_quarter[i] * n for i, n in options],
        A_ub=np.array([[float(i == unit) for i, _ in options] for unit in range(UNITS)]),
        b_ub=[0.25] * UNITS,
        A_eq=[[SPEEDS[n] for _, n in options]],
        b_eq=[work / HOUR],
    )
    assert found.cost == pytest.approx(exact.fun, abs=1e-6)


@examples(10)
@given(site=sites(), lengths=st.lists(st.integers(1, 3), min_size=2, max_size=2))
def test_a_batch_under_a_cap_states_a_bound_below_any_schedule(
    site: CandidateRegion, lengths: list[int]
) -> None:
    where = CandidateRegions((site,))
    jobs = [Job(each * QUARTER, Kind.INTERRUPTIBLE, power=4) for each in lengths]
    found = plan_batch(
        [Request(job, where) for job in jobs], {site.name: Cap(jobs=1)}, COST, now=T0
    )
    # One at a time: together they take as many of the cheapest quarters.
    least = sum(sorted(rates(site, COST))[: sum(lengths)])
    assert found.exact
    assert (found.total, found.least) == pytest.approx((least, least), abs=1e-5)


def test_the_plan_ends_where_the_price_is_no_longer_known() -> None:
    site = region("A", [1, 1, 1], [0.3, 0.2, None])
    found = plan(Job(HOUR), CandidateRegions((site,)), goal=COST, now=T0)
    assert found.start == T0 + HOUR
    assert "No forecast and price are known yet after 2026-03-01T02:00:00Z." in (
        found.what_would_change
    )
    with pytest.raises(NoFeasibleWindow, match=r"to 2026-03-01T02:00:00Z"):
        plan(Job(3 * HOUR), CandidateRegions((site,)), goal=COST, now=T0)


def test_currencies_are_never_mixed() -> None:
    euros, pounds = region("A", [1] * 3, [1] * 3), region("B", [1] * 3, [1] * 3, "GBP/kWh")
    with pytest.raises(NoCommonSignal, match=r"EUR/kWh \(A\), GBP/kWh \(B\); name regions of"):
        CandidateRegions((euros, pounds))
    requests = [Request(Job(HOUR), CandidateRegions((each,))) for each in (euros, pounds)]
    with pytest.raises(NoCommonSignal, match="only be compared in one unit"):
        plan_batch(requests, {}, COST, now=T0)


def test_a_goal_with_costs_that_nobody_gives_is_refused() -> None:
    series = Series.regular("A", CI, T0, HOUR, [1, 2])
    with pytest.raises(BadInput, match="A: goal cost has no cost of a kWh here; give costs in"):
        plan(Job(HOUR), series, goal=COST, now=T0)


def test_a_saving_below_a_cost_of_0_is_of_its_amount() -> None:
    where = CandidateRegions((region("A", [1] * 3, [-0.1, -0.3, 0.0]),))
    found = plan(Job(HOUR), where, goal=COST, now=T0)
    assert (found.cost, found.saving_now) == (pytest.approx(-0.3), pytest.approx(2))
    eager = Goal(Objective.COST, min_saving=0.5)
    assert plan(Job(HOUR), where, goal=eager, now=T0).reason.code is Code.BEST
    # Nothing is a fraction of 0, and yet it is worth waiting for.
    free = CandidateRegions((region("A", [1] * 3, [0.0, -0.3, 0.0]),))
    found = plan(Job(HOUR), free, goal=eager, now=T0)
    assert (found.reason.code, found.saving_now) == (Code.BEST, None)
    level = CandidateRegions((region("A", [1] * 3, [0.0, 0.1, 0.0]),))
    assert plan(Job(HOUR), level, goal=eager, now=T0).start == T0


def test_a_price_below_0_does_not_reward_moves() -> None:
    paid = tuple(region(name, [1] * 3, [-0.5] * 3) for name in "AB")
    where = CandidateRegions(
        paid, current_region="A", data_gb=100, kwh_per_gb=1, moves=Moves.FOLLOW
    )
    found = plan(Job(2 * HOUR, Kind.INTERRUPTIBLE), where, Bounds(), COST, now=T0)
    assert {slot.region for slot in found.slots} == {"A"}
    assert (found.kwh, found.cost) == (pytest.approx(2), pytest.approx(-1))
