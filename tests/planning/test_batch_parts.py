"""The parts of a batch's search by hand: slots, sizes, what others hold, and prices."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gridtide.model import Series
from gridtide.planning.batch.capacity import Cap, Member, exceeds_caps, members_over_caps
from gridtide.planning.batch.column_generation import Columns
from gridtide.planning.batch.integer_program import grid_of, solve_on_grid, solve_together
from gridtide.planning.decide.candidate import Candidate, Site
from gridtide.planning.decide.candidates import each_alone
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Cost, Job, Kind
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.regions import CandidateRegion, CandidateRegions
from gridtide.planning.problem.scaling import Elastic
from gridtide.planning.problem.state import PlanningProblem
from tests.planning.settings import CI, HOUR, T0


def member(number: int, job: Job, values: Sequence[float], pue: float = 1.0) -> Member:
    place = CandidateRegion(
        "DE", Outlook(Series.regular("DE", CI, T0, HOUR, list(values))), pue=pue
    )
    problem = PlanningProblem(job, CandidateRegions((place,)), Bounds(), Goal(), T0, 0)
    site = Site.of(place, job, Bounds(), Goal(), T0)
    alone, _ = each_alone(problem, [site], None)
    return Member(number, problem, (site,), None, alone[0].value, alone[0].least)


def placed(members: Sequence[Member], caps: dict[str, Cap]) -> dict[int, Candidate]:
    found = solve_on_grid(members, caps)
    assert found is not None
    assert found.candidates is not None
    return found.candidates


def sizes(choice: Candidate) -> list[float | None]:
    return [part.workers for part in choice.shares[0].parts]


def test_a_ramp_comes_up_from_none_and_down_to_none() -> None:
    job = Job(4 * HOUR, Kind.ELASTIC, workers=Elastic(2, ramp=1))
    for values in ([300, 200, 100], [100, 200, 300]):
        # 2 workers at an edge would be cheaper: 1, 1, 2.
        found = placed([member(0, job, values)], {"DE": Cap(kw=5)})[0]
        assert (sizes(found), found.value) == ([1, 2, 1], pytest.approx(800))


@pytest.mark.parametrize(("kwh", "expected"), [(0.5, 250), (3.0, 400)])
@pytest.mark.parametrize("what", ["restart_cost", "pause_cost"])
def test_a_pause_is_weighed_by_what_it_costs(what: str, kwh: float, expected: float) -> None:
    # 200 g and the pause, in the cleaner slot beside it; or 400 g without.
    job = Job(2 * HOUR, Kind.SEGMENTS, **{what: Cost(kwh)})  # type: ignore[arg-type]  # the test passes what the type refuses
    found = placed([member(0, job, [100, 300, 100])], {"DE": Cap(jobs=1)})[0]
    assert found.value == pytest.approx(expected)


@pytest.mark.parametrize("cap", [Cap(jobs=1), Cap(kw=1.5)])
def test_jobs_are_placed_into_what_others_hold_of_a_cap(cap: Cap) -> None:
    one, other = (member(i, Job(HOUR), [300, 100, 200]) for i in range(2))
    first = placed([one], {"DE": cap})
    second = solve_together([other], {"DE": cap}, first, grid_of([one, other])[0], 5.0)
    assert second is not None
    assert second[1].value == pytest.approx(200)
    assert not exceeds_caps({"DE": cap}, first | second)


def test_without_those_over_a_cap_the_rest_keeps_to_it() -> None:
    members = [
        member(i, Job(HOUR, power=kw), [300, 100]) for i, kw in enumerate((1.0, 2.0, 1.0))
    ]
    candidates = placed(members, {})
    for cap in (Cap(jobs=2), Cap(kw=2), Cap(kw=3)):
        out = members_over_caps({"DE": cap}, candidates)
        rest = {number: each for number, each in candidates.items() if number not in out}
        assert out == {1}
        assert not exceeds_caps({"DE": cap}, rest)


def test_no_price_proves_more_than_there_is() -> None:
    # Three jobs of 2 h, two at a time, in 3 h: one pauses for 1 kWh at 100 g, 1,100 g in all.
    job = Job(2 * HOUR, Kind.SEGMENTS, restart_cost=Cost(1.0))
    members = [member(i, job, [100, 300, 100]) for i in range(3)]
    # A cap of 2 kW holds two jobs of 1 kW: it is one on their number.
    for cap in (Cap(kw=2), Cap(jobs=2)):
        columns = Columns(members, {"DE": cap})
        bounds = []
        for price in (0, 25, 50, 75, 100, 200):
            prices = {("DE", "jobs", k): float(price) * (k != 1) for k in range(3)}
            bounds.append(columns.solve_at_prices(prices)[0])
        assert max(bounds) <= 1100 + 1e-6
        assert bounds[0] == pytest.approx(900)


@pytest.mark.parametrize(
    ("cap", "what", "second", "price", "expected"),
    [(Cap(kw=4), "kw", 3.0, 150.0, 1500.0), (Cap(jobs=1), "jobs", 4.0, 600.0, 1800.0)],
)
def test_the_right_prices_prove_the_best(
    cap: Cap, what: str, second: float, price: float, expected: float
) -> None:
    # One at a time, PUE 1.5: 4 kWh at 100 g, those of the second at 200 g.
    jobs = [Job(HOUR, power=kw) for kw in (4.0, second)]
    members = [member(i, job, [100, 200], pue=1.5) for i, job in enumerate(jobs)]
    columns = Columns(members, {"DE": cap})
    bound, plans = columns.solve_at_prices({("DE", what, 0): price, ("DE", what, 1): 0.0})
    assert bound == pytest.approx(expected)
    assert [choice.value for _, choice in plans] == [
        pytest.approx(150 * kw) for kw in (4.0, second)
    ]


def test_whole_slots_prove_nothing_of_a_job_that_may_end_within_one() -> None:
    # 2 workers or none, 3 h of work: half of the second hour is enough, 500 g and not 800.
    job = Job(3 * HOUR, Kind.ELASTIC, workers=Elastic(2, minimum=2))
    found = solve_on_grid([member(0, job, [100, 300])], {"DE": Cap(kw=2)})
    assert found is not None
    assert found.candidates is not None
    assert found.candidates[0].value == pytest.approx(500)
    assert found.least == pytest.approx(500)
