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
