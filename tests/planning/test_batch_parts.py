"""The parts of a batch's search by hand: slots, workers, what others hold, and prices."""

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
from gridtide.planning.problem.job import Cost, Job, Kind, PowerProfile
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.regions import CandidateRegion, CandidateRegions
from gridtide.planning.problem.scaling import Elastic
from gridtide.planning.problem.state import PlanningProblem
from gridtide.planning.solvers.solution import Part, Solution
from tests.planning.settings import CI, HOUR, T0, us


def member(
    number: int,
    job: Job,
    values: Sequence[float],
    pue: float = 1.0,
    bounds: Bounds | None = None,
) -> Member:
    bounds = bounds or Bounds()
    place = CandidateRegion(
        "DE", Outlook(Series.regular("DE", CI, T0, HOUR, list(values))), pue=pue
    )
    problem = PlanningProblem(job, CandidateRegions((place,)), bounds, Goal(), T0, 0)
    site = Site.of(place, job, bounds, Goal(), T0)
    alone, _ = each_alone(problem, [site], None)
    return Member(number, problem, (site,), None, alone[0].value, alone[0].least)


def placed(members: Sequence[Member], caps: dict[str, Cap]) -> dict[int, Candidate]:
    found = solve_on_grid(members, caps)
    assert found is not None
    assert found.candidates is not None
    return found.candidates


def workers_of(choice: Candidate) -> list[float | None]:
    return [part.workers for part in choice.shares[0].parts]


def test_a_ramp_comes_up_from_none_and_down_to_none() -> None:
    job = Job(4 * HOUR, Kind.ELASTIC, workers=Elastic(2, ramp=1))
    for values in ([300, 200, 100], [100, 200, 300]):
        # 2 workers at an edge would be cheaper: 1, 1, 2.
        found = placed([member(0, job, values)], {"DE": Cap(kw=5)})[0]
        assert (workers_of(found), found.value) == ([1, 2, 1], pytest.approx(800))


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


def test_where_no_whole_slot_is_free_the_grid_begins_with_the_free_time() -> None:
    late = Bounds(earliest=T0 + HOUR / 4, deadline=T0 + 2.25 * HOUR)
    found = placed([member(0, Job(2 * HOUR), [100, 200, 300], bounds=late)], {})
    assert found[0].start == us(15)
    assert found[0].value == pytest.approx(75 + 200 + 75)


def test_a_bound_holds_for_schedules_off_the_slots_too() -> None:
    # On the slots only the hour at 300 g is free; off them half of it is enough.
    late = Bounds(earliest=T0 + HOUR / 2, deadline=T0 + 2.5 * HOUR)
    found = solve_on_grid([member(0, Job(HOUR), [100, 300, 100], bounds=late)], {})
    assert found is not None
    assert found.least <= 200 + 1e-6


def test_slots_are_cut_where_a_job_is_shorter() -> None:
    half = Job(HOUR / 2)
    members = [member(k, half, [100, 400]) for k in range(2)]
    found = placed(members, {"DE": Cap(jobs=1)})
    assert sum(each.value for each in found.values()) == pytest.approx(100)


def test_a_profile_that_may_pause_is_not_proven_by_a_run_without_one() -> None:
    # Paused over the hour at 900 g it emits 100 + 200 g; the programme runs it on end.
    power = PowerProfile(((HOUR, 1.0), (HOUR, 2.0)))
    job = Job(2 * HOUR, Kind.INTERRUPTIBLE, power=power)
    found = solve_on_grid([member(0, job, [100, 900, 100])], {"DE": Cap(jobs=1)})
    assert found is not None
    assert found.least <= 300 + 1e-6


def test_a_shortest_segment_between_slots_takes_the_longer() -> None:
    job = Job(2 * HOUR, Kind.SEGMENTS, min_segment=1.5 * HOUR)
    found = placed([member(0, job, [100, 300, 100, 300])], {"DE": Cap(jobs=1)})
    assert found[0].value == pytest.approx(400)


def test_a_ramp_with_a_minimum_may_do_more_than_the_work() -> None:
    job = Job(3 * HOUR, Kind.ELASTIC, workers=Elastic(2, minimum=2, ramp=2))
    found = placed([member(0, job, [100, 300])], {"DE": Cap(kw=2)})
    assert (workers_of(found[0]), found[0].value) == ([2], pytest.approx(800))


def held(number: int, *parts: Part) -> dict[int, Candidate]:
    """A job that is placed already, in these parts."""
    (site,) = member(number, Job(HOUR), [100, 200, 300]).sites
    return {number: Candidate.at(site, Solution(0.0, parts))}


@pytest.mark.parametrize(
    ("others", "cap"),
    [
        (held(1, Part(us(0), us(30), 3.0), Part(us(30), us(60), 1.0)), Cap(kw=4)),
        (held(1, Part(us(15), us(45), 1.0)), Cap(jobs=1)),
        (held(1, Part(us(0), us(60), 1.0)) | held(2, Part(us(0), us(60), 1.0)), Cap(jobs=2)),
    ],
    ids=["at its highest power", "inside a slot", "two of them"],
)
def test_others_hold_all_they_use_of_a_slot(others: dict[int, Candidate], cap: Cap) -> None:
    job = member(0, Job(HOUR, power=2.0), [100, 200, 300])
    found = solve_together([job], {"DE": cap}, others, us(60) - us(0), 5.0)
    assert found is not None
    assert found[0].start == us(60)
    assert not exceeds_caps({"DE": cap}, found | others)
