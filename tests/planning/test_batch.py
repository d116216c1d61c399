"""Batches under a cap, against every way there is in small settings, and by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import NoFeasibleWindow
from gridtide.model import Series
from gridtide.planning.batch.capacity import Cap, Member, exceeds_caps, free_under_cap
from gridtide.planning.batch.rounding import Taken, round_to_schedule
from gridtide.planning.batch.schedule import BatchPlan, Request, plan_batch
from gridtide.planning.decide.candidate import Site
from gridtide.planning.decide.candidates import decide
from gridtide.planning.decide.response import Code, Plan
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Cost, Job, Kind, PowerProfile
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.regions import CandidateRegion, CandidateRegions
from gridtide.planning.problem.scaling import Elastic
from gridtide.planning.solvers.elastic import Increment
from gridtide.planning.solvers.solution import Part
from tests.examples import examples
from tests.planning.settings import CI, HOUR, T0, us


def hourly(*values: float | None, zone: str = "DE") -> Series:
    return Series.regular(zone, CI, T0, HOUR, values)


def one(values: Sequence[float], kind: Kind = Kind.INTERRUPTIBLE, hours: float = 1) -> Request:
    return Request(Job(hours * HOUR, kind), hourly(*values))


def most_at_once(found: BatchPlan, region: str) -> tuple[int, float]:
    """The most jobs and the most power at any moment in a region."""
    slots = [
        (each.start, each.end, each.power_kw, i)
        for i, plan in enumerate(found.plans)
        for each in plan.slots
        if each.region == region
    ]
    moments = [
        [(kw, i) for start, end, kw, i in slots if start <= moment < end]
        for moment in {start for start, *_ in slots}
    ]
    return (
        max((len(now) for now in moments), default=0),
        max((sum(kw for kw, _ in now) for now in moments), default=0.0),
    )


def hours_of(plan: Plan) -> timedelta:
    return sum((slot.end - slot.start for slot in plan.slots), timedelta(0))


def schedules_of(job: tuple[Kind, int, int, int], values: list[float]) -> list[tuple[int, ...]]:
    """Every set of whole hours in which a job (kind, work, first, last) can run."""
    kind, work, first, last = job
    hours = range(first, min(last, len(values)))
    if kind is Kind.UNBROKEN:
        return [tuple(range(h, h + work)) for h in hours if h + work <= hours.stop]
    return list(combinations(hours, work))


def least(
    values: list[float], jobs: list[tuple[Kind, int, int, int]], cap: int
) -> float | None:
    """The least over all combinations of whole hours, at most `cap` jobs in each."""
    best = None
    for combined in product(*(schedules_of(job, values) for job in jobs)):
        counts = [sum(hour in way for way in combined) for hour in range(len(values))]
        if max(counts) <= cap:
            cost = sum(values[hour] for way in combined for hour in way)
            best = cost if best is None else min(best, cost)
    return best


@st.composite
def job_lists(draw: st.DrawFn, kinds: list[Kind]) -> list[tuple[Kind, int, int, int]]:
    found = []
    for _ in range(draw(st.integers(1, 4))):
        first = draw(st.integers(0, 2))
        work = draw(st.integers(1, 2))
        found.append(
            (draw(st.sampled_from(kinds)), work, first, draw(st.integers(first + work, 6)))
        )
    return found


RATES = st.lists(st.integers(0, 9).map(float), min_size=6, max_size=6)


def requested(values: list[float], jobs: list[tuple[Kind, int, int, int]]) -> list[Request]:
    return [
        Request(
            Job(work * HOUR, kind),
            hourly(*values),
            Bounds(earliest=T0 + first * HOUR, deadline=T0 + last * HOUR),
        )
        for kind, work, first, last in jobs
    ]


@examples(80)
@given(RATES, job_lists([Kind.INTERRUPTIBLE]), st.integers(1, 2))
def test_jobs_that_may_pause_under_a_cap_on_their_number_are_placed_best(
    values: list[float], jobs: list[tuple[Kind, int, int, int]], cap: int
) -> None:
    # Whole hours are enough: the programme is a flow.
    expected = least(values, jobs, cap)
    if expected is None:
        with pytest.raises(NoFeasibleWindow):
            plan_batch(requested(values, jobs), {"DE": Cap(jobs=cap)}, now=T0)
        return
    found = plan_batch(requested(values, jobs), {"DE": Cap(jobs=cap)}, now=T0)
    assert found.exact
    assert found.total == pytest.approx(expected, abs=1e-6)
    assert found.least == pytest.approx(expected, abs=1e-6)
    assert most_at_once(found, "DE")[0] <= cap
    for plan, (_, work, first, last) in zip(found.plans, jobs, strict=True):
        assert hours_of(plan) == work * HOUR
        assert plan.start >= T0 + first * HOUR
        assert plan.end <= T0 + last * HOUR
    assert sum(plan.grams or 0.0 for plan in found.plans) == pytest.approx(expected, abs=1e-6)


@examples(80)
@given(RATES, job_lists([Kind.UNBROKEN, Kind.INTERRUPTIBLE]), st.integers(1, 2))
def test_the_bound_holds_and_what_is_called_exact_is(
    values: list[float], jobs: list[tuple[Kind, int, int, int]], cap: int
) -> None:
    expected = least(values, jobs, cap)
    found = attempted(requested(values, jobs), cap)
    if isinstance(found, str):
        assert expected is None
        return
    assert most_at_once(found, "DE")[0] <= cap
    assert found.total >= found.least - 1e-6
    assert expected is None or expected >= found.least - 1e-6
    assert not found.exact or expected is None or found.total <= expected + 1e-6


def attempted(requests: list[Request], cap: int) -> BatchPlan | str:
    """The plans, or what the error says."""
    try:
        return plan_batch(requests, {"DE": Cap(jobs=cap)}, now=T0)
    except NoFeasibleWindow as error:
        return str(error)


def test_a_cap_spreads_jobs_over_the_hours_by_hand() -> None:
    # Three jobs of 2 h, one at a time, six hours: all of them, 1 + 2 + ... + 6.
    found = plan_batch([one((1, 2, 3, 4, 5, 6), hours=2)] * 3, {"DE": Cap(jobs=1)}, now=T0)
    assert (found.total, found.exact, found.method) == (pytest.approx(21), True, "programme")
    assert found.sentence == "Proven optimal, by a programme."
    codes = sorted(plan.reason.code for plan in found.plans)
    assert codes.count(Code.CAPPED) >= 2
    capped = next(plan for plan in found.plans if plan.reason.code is Code.CAPPED)
    assert "in what the cap leaves" in capped.reason.sentence


def test_a_slot_is_shared_out_so_that_the_cap_holds_at_every_moment() -> None:
    # Three jobs of 40 minutes in the one hour at 1 g, two at a time: just full.
    jobs = [one((1, 99), hours=2 / 3)] * 3
    found = plan_batch(jobs, {"DE": Cap(jobs=2)}, now=T0)
    assert (found.total, found.exact) == (pytest.approx(2), True)
    assert most_at_once(found, "DE") == (2, 2.0)
    assert [hours_of(plan) for plan in found.plans] == [timedelta(minutes=40)] * 3


def test_a_cap_on_power_counts_jobs_of_one_power() -> None:
    jobs = [Request(Job(HOUR, Kind.INTERRUPTIBLE, power=4.0), hourly(1, 2, 3))] * 3
    found = plan_batch(jobs, {"DE": Cap(kw=9)}, now=T0)
    assert (found.total, found.exact) == (pytest.approx(4 * (1 + 1 + 2)), True)
    assert most_at_once(found, "DE") == (2, 8.0)


def test_elastic_jobs_share_a_cap_on_power_exactly() -> None:
    # Two jobs of 2 kWh each at up to 3 kW, 4 kW in all: 4 kWh in the hour at 1 g.
    jobs = [Request(Job(2 * HOUR, Kind.ELASTIC, workers=Elastic(3)), hourly(5, 1, 5))] * 2
    found = plan_batch(jobs, {"DE": Cap(kw=4)}, now=T0)
    assert (found.total, found.exact, found.method) == (pytest.approx(4), True, "programme")
    assert most_at_once(found, "DE")[1] <= 4 + 1e-6
    less = plan_batch(jobs, {"DE": Cap(kw=3)}, now=T0)
    assert less.total == pytest.approx(3 + 5)


def test_jobs_of_different_power_are_searched_and_proven_best() -> None:
    jobs = [
        Request(Job(HOUR, Kind.INTERRUPTIBLE, power=power), hourly(1, 2, 3))
        for power in (6.0, 6.0, 3.0)
    ]
    found = plan_batch(jobs, {"DE": Cap(kw=10)}, now=T0)
    # By hand: one of 6 kW and the one of 3 kW at 1 g, the other at 2 g. On average the hour at
    # 1 g holds 10 kWh; but of the two of 6 kW one runs at any moment.
    assert (found.total, found.least) == (pytest.approx(9 + 12), pytest.approx(9 + 12))
    assert (found.exact, found.method) == (True, "search")
    assert found.sentence == "Proven optimal, by a search."


def test_where_the_best_for_one_leaves_no_room_both_are_placed_early() -> None:
    jobs = [one((9, 1, 9), Kind.UNBROKEN, 1.5)] * 2
    found = plan_batch(jobs, {"DE": Cap(jobs=1)}, now=T0)
    assert sorted(plan.start for plan in found.plans) == [T0, T0 + 1.5 * HOUR]


def test_all_kinds_fit_beside_each_other() -> None:
    profile = PowerProfile(((HOUR, 1.0), (HOUR, 2.0)))
    values = (5, 1, 4, 2, 6, 3, 7, 8)
    jobs = [
        Request(Job(2 * HOUR, power=profile), hourly(*values)),
        Request(Job(2 * HOUR, Kind.SEGMENTS, restart_cost=Cost(0.1)), hourly(*values)),
        Request(Job(2 * HOUR, Kind.SEGMENTS, min_segment=HOUR), hourly(*values)),
        Request(Job(2 * HOUR, Kind.ELASTIC, workers=Elastic(2, 1)), hourly(*values)),
        Request(Job(HOUR), hourly(*values)),
    ]
    found = plan_batch(jobs, {"DE": Cap(jobs=2, kw=3.5)}, now=T0 + timedelta(seconds=30))
    assert most_at_once(found, "DE") <= (2, 3.5)
    assert found.least <= found.total
    assert found.plans[0].kwh == pytest.approx(3)


@pytest.mark.parametrize("kind", list(Kind)[:3])
def test_a_batch_of_profiles_alone_is_laid(kind: Kind) -> None:
    job = Job(2 * HOUR, kind, power=PowerProfile(((HOUR, 1.0), (HOUR, 2.0))))
    found = plan_batch([Request(job, hourly(5, 1, 4, 9))] * 2, {"DE": Cap(jobs=1)}, now=T0)
    # By hand: one hour of each at a time, and all four hours are filled.
    assert found.total == pytest.approx(5 + 2 * 1 + 4 + 2 * 9)
    assert found.least <= found.total


def test_the_power_of_pauses_is_not_taken_for_that_of_the_job() -> None:
    # It has no time to pause; its pauses would draw as much as the other job does.
    job = Job(2 * HOUR, Kind.SEGMENTS, pause_cost=Cost(3.0, HOUR))
    jobs = [
        Request(job, hourly(1, 2)),
        Request(Job(HOUR, power=3.0), hourly(1, 2), Bounds(earliest=T0 + HOUR)),
    ]
    found = plan_batch(jobs, {"DE": Cap(kw=4)}, now=T0)
    assert (found.total, found.exact) == (pytest.approx(1 + 2 + 3 * 2), True)


def test_each_job_goes_to_the_region_with_room() -> None:
    def pair() -> CandidateRegions:
        return CandidateRegions(
            (
                CandidateRegion("DE", Outlook(hourly(2, 2))),
                CandidateRegion("FR", Outlook(hourly(1, 5, zone="FR"))),
            )
        )

    jobs = [Request(Job(HOUR), pair()) for _ in range(3)]
    found = plan_batch(jobs, {"FR": Cap(jobs=1), "DE": Cap(jobs=1)}, now=T0)
    assert sorted((plan.region, plan.start) for plan in found.plans) == [
        ("DE", T0),
        ("DE", T0 + HOUR),
        ("FR", T0),
    ]
    assert (found.total, found.exact) == (pytest.approx(5), True)


def test_without_a_cap_every_job_has_its_best() -> None:
    found = plan_batch([one((3, 1, 2)), one((3, 1, 2), Kind.UNBROKEN)], {}, now=T0)
    assert (found.total, found.exact) == (pytest.approx(2), True)
    assert all(plan.reason.code is Code.BEST for plan in found.plans)


def test_jobs_that_may_pause_have_their_best_where_no_cap_is_reached() -> None:
    found = plan_batch([one((3, 1, 2), hours=1.5)] * 2, {"DE": Cap(jobs=2)}, now=T0)
    assert (found.total, found.exact, found.method) == (pytest.approx(4), True, "programme")


def test_a_job_stays_in_one_region_though_the_bound_splits_it() -> None:
    pair = CandidateRegions(
        (
            CandidateRegion("DE", Outlook(hourly(1, 9))),
            CandidateRegion("FR", Outlook(hourly(9, 1, zone="FR"))),
        )
    )
    found = plan_batch([Request(Job(2 * HOUR, Kind.INTERRUPTIBLE), pair)], {}, now=T0)
    assert (found.total, found.least) == (pytest.approx(10), pytest.approx(10))
    assert len({slot.region for slot in found.plans[0].slots}) == 1


def test_elastic_jobs_that_slow_down_share_power_exactly() -> None:
    # Speed 1 at one worker, 1.5 at two. Both jobs at once: 2 h of work each in two hours at 2
    # kW are one worker each; with 3 kW one of them gets further workers where they are cheap.
    workers = Elastic(2, throughput=((1, 1), (2, 1.5)))
    jobs = [Request(Job(2 * HOUR, Kind.ELASTIC, workers=workers), hourly(1, 3, 3))] * 2
    found = plan_batch(jobs, {"DE": Cap(kw=3)}, now=T0)
    # 3 kWh at 1 g do 2.5 h of work; the other 1.5 h are first workers at 3 g.
    assert (found.total, found.exact) == (pytest.approx(3 + 4.5), True)


def test_a_job_is_taken_out_and_placed_again_where_that_is_better() -> None:
    # The two that must end by 03:00 only fit side by side, so all three are placed early, the
    # third at 03:00; then it finds the hour at 1 g.
    values = (9, 1, 9, 9, 9, 1)
    early = Bounds(deadline=T0 + 3 * HOUR)
    pair = [Request(Job(1.5 * HOUR), hourly(*values), early)] * 2
    found = plan_batch([*pair, one(values, Kind.UNBROKEN)], {"DE": Cap(jobs=1)}, now=T0)
    assert found.plans[2].start == T0 + 5 * HOUR
    assert found.total == pytest.approx(9 + 0.5 + 0.5 + 9 + 1)


def test_choices_that_break_a_cap_are_seen() -> None:
    found = [plan_batch([one((1, 2))], {}, now=T0).plans[0].problem for _ in range(2)]
    candidates = {i: decide(problem).candidate for i, problem in enumerate(found) if problem}
    assert exceeds_caps({"DE": Cap(jobs=1)}, candidates)
    assert exceeds_caps({"DE": Cap(kw=1.5)}, candidates)
    assert not exceeds_caps({"DE": Cap(jobs=2, kw=2)}, candidates)


def test_shares_that_do_not_add_up_to_the_work_are_no_plan() -> None:
    problem = plan_batch([one((1, 2))], {}, now=T0).plans[0].problem
    assert problem is not None
    site = decide(problem).candidate.site
    member = Member(0, problem, (site,), None, 1.0, 1.0)
    taken = Taken(member, site, us(0), us(60), Increment(0, 1, 1), variable=0, hours=0.5)
    assert round_to_schedule([member], [taken], {"DE": None}) is None
    whole = round_to_schedule([member], [replace(taken, hours=1.0)], {"DE": None})
    assert whole is not None
    assert whole[0].value == pytest.approx(1)


def test_a_batch_reads_back_from_its_json() -> None:
    found = plan_batch([one((3, 1, 2))] * 2, {"DE": Cap(jobs=1)}, now=T0)
    wire = found.to_json()
    assert "question" not in wire["plans"][0]
    assert BatchPlan.from_json(wire).to_json() == wire


def test_a_job_has_all_the_time_that_other_jobs_leave() -> None:
    job = Job(HOUR, Kind.SEGMENTS, min_segment=HOUR / 2)
    place = CandidateRegion("DE", Outlook(hourly(1, 1)))
    site = Site.of(place, job, Bounds(), Goal(), T0)
    other = [Part(us(7) + 3, us(62) + 5, 1.0)]
    left = free_under_cap(site, Cap(jobs=1), 1.0, [other])
    assert [(each.start, each.end) for each in left.stretches] == [
        (us(0), us(7) + 3),
        (us(62) + 5, us(120)),
    ]


@pytest.mark.parametrize("ramp", [1, 2, 3, None])
@pytest.mark.parametrize("kilowatts", [1, 2.5, 3])
def test_an_elastic_job_is_kept_to_the_workers_that_a_cap_carries(
    ramp: int | None, kilowatts: float
) -> None:
    job = Job(6 * HOUR, Kind.ELASTIC, workers=Elastic(4, ramp=ramp))
    made = plan_batch(
        [Request(job, hourly(*[300, 200, 100, 250] * 4), Bounds(slack=6 * HOUR))],
        {"DE": Cap(kw=kilowatts)},
        now=T0,
    )
    jobs, power = most_at_once(made, "DE")
    assert jobs == 1
    assert power <= kilowatts
    assert sum((s.end - s.start) / HOUR * s.power_kw for s in made.plans[0].slots) >= 6


@pytest.mark.parametrize("late", [1, 3, 4.5, 59 + 59 / 60])
@pytest.mark.parametrize("count", [1, 2])
def test_jobs_of_segments_use_all_of_the_time_from_an_odd_moment_on(
    late: float, count: int
) -> None:
    job = Job(2 * HOUR, Kind.SEGMENTS, min_segment=HOUR)
    free_under_cap = Bounds(slack=2 * (count - 1) * HOUR)
    made = plan_batch(
        [Request(job, hourly(*[300, 200, 100, 250] * 2), free_under_cap)] * count,
        {"DE": Cap(jobs=1)},
        now=T0 + timedelta(minutes=late),
    )
    assert most_at_once(made, "DE")[0] == 1
    assert [hours_of(plan) for plan in made.plans] == [2 * HOUR] * count
    # The jobs take all of the time there is, so any schedule is the best.
    values = [300, 200, 100, 250] * 2
    upto = [sum(values[:k]) for k in range(9)]
    part = late / 60
    end = 2 * count
    assert made.total == pytest.approx(
        upto[end] - upto[0] + part * (values[end] - values[0]), rel=1e-9
    )
    assert made.least <= made.total * (1 + 1e-9)
