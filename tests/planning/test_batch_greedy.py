"""Jobs of a batch placed one by one, by hand: ties, order, and power to the last worker."""

from __future__ import annotations

import pytest

from gridtide.model import Series
from gridtide.planning.batch.capacity import Cap, Member
from gridtide.planning.batch.greedy import place_all, place_one_by_one
from gridtide.planning.decide.candidate import Site
from gridtide.planning.decide.candidates import each_alone
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Job, Kind
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.regions import CandidateRegion, CandidateRegions
from gridtide.planning.problem.scaling import Elastic
from gridtide.planning.problem.state import PlanningProblem
from tests.planning.settings import CI, HOUR, T0, us


def member(number: int, job: Job, *values: list[float], deadline: int = 99) -> Member:
    """A job that may run in regions A, B and so on, each of its own values."""
    bounds = Bounds(deadline=T0 + deadline * HOUR)
    places = tuple(
        CandidateRegion(name, Outlook(Series.regular(name, CI, T0, HOUR, each)))
        for name, each in zip("ABC", values, strict=False)
    )
    problem = PlanningProblem(job, CandidateRegions(places), bounds, Goal(), T0, 0)
    sites = tuple(Site.of(place, job, bounds, Goal(), T0) for place in places)
    alone, _ = each_alone(problem, sites, None)
    value, least = min(each.value for each in alone), min(each.least for each in alone)
    return Member(number, problem, sites, None, value, least)


def test_of_equal_regions_the_one_named_first_has_the_job() -> None:
    found = place_all([member(0, Job(HOUR), [300, 100], [100, 300], [100, 300])], {})
    assert found is not None
    # All three count 100 g: A in its second hour, B and C in their first.
    assert found[0].shares[0].site.region.name == "A"


@pytest.mark.parametrize(("kw", "cap"), [(0.1, 0.3), (0.7, 2.1), (1.1, 3.3)])
def test_a_cap_of_just_three_workers_carries_three(kw: float, cap: float) -> None:
    # 0.3 / 0.1 is below 3 in binary.
    job = Job(3 * HOUR, Kind.ELASTIC, workers=Elastic(4), power=kw)
    found = place_one_by_one([member(0, job, [100, 300, 300])], {"A": Cap(kw=cap)})
    assert found is not None
    assert [part.workers for part in found[0].shares[0].parts] == [3.0]


def test_those_that_must_end_first_are_placed_first_where_the_best_leaves_no_time() -> None:
    # The first has the least slack and its best in the only hour that the second can have.
    long, short = (
        member(0, Job(2 * HOUR), [200, 100, 300], deadline=3),
        member(1, Job(HOUR), [300, 100], deadline=1),
    )
    found = place_one_by_one([long, short], {"A": Cap(jobs=1)})
    assert found is not None
    starts = [found[k].shares[0].parts[0].start for k in (0, 1)]
    assert starts == [us(60), us(0)]


def test_the_job_with_the_least_slack_is_placed_first() -> None:
    # The second, placed first, would take the hour at 100 g that is all the first can afford.
    tight, loose = (
        member(0, Job(HOUR), [100, 900], deadline=2),
        member(1, Job(HOUR), [100, 200, 900, 900], deadline=4),
    )
    found = place_all([loose, tight], {"A": Cap(jobs=1)})
    assert found is not None
    assert [found[k].value for k in (0, 1)] == [pytest.approx(100), pytest.approx(200)]


def test_jobs_in_order_of_their_ends_still_wait_for_cheap_hours() -> None:
    # By slack the first takes hours 0 and 1 and leaves the second none. By end the second comes
    # first, and the third still waits for the hour at 10 g.
    values = [100.0, 110.0, 300.0, 500.0, 500.0, 500.0, 10.0]
    members = [
        member(0, Job(2 * HOUR), values, deadline=3),
        member(1, Job(HOUR), values, deadline=2),
        member(2, Job(HOUR), values, deadline=7),
    ]
    found = place_all(members, {"A": Cap(jobs=1)})
    assert found is not None
    assert [found[k].start for k in range(3)] == [us(60), us(0), us(360)]


def test_where_no_order_of_cheapest_plans_fits_each_job_is_placed_early() -> None:
    # An hour and a half of three each: the cheapest start of either leaves the other no time.
    members = [member(k, Job(1.5 * HOUR), [900, 100, 900]) for k in (0, 1)]
    found = place_all(members, {"A": Cap(jobs=1)})
    assert found is not None
    assert sorted(found[k].start for k in (0, 1)) == [us(0), us(90)]


def test_a_region_is_worth_a_move_only_where_it_saves_more_than_the_data_costs() -> None:
    # B saves 10 g; half a kWh of moving, half of it at either end, costs 47.5 g.
    job = Job(HOUR)
    regions = tuple(
        CandidateRegion(name, Outlook(Series.regular(name, CI, T0, HOUR, [value])))
        for name, value in (("A", 100.0), ("B", 90.0))
    )
    where = CandidateRegions(regions, current_region="A", data_gb=1, kwh_per_gb=0.5)
    problem = PlanningProblem(job, where, Bounds(), Goal(), T0, 0)
    sites = tuple(Site.of(each, job, Bounds(), Goal(), T0) for each in regions)
    found = place_all([Member(0, problem, sites, sites[0], 100.0, 100.0)], {})
    assert found is not None
    assert found[0].site.region.name == "A"
