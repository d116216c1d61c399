"""Random batches of every kind of job against an integer programme of the tests' own."""

from __future__ import annotations

from random import Random

import pytest

from gridtide.errors import NoFeasibleWindow
from gridtide.model import Series
from gridtide.planning.batch.capacity import Cap
from gridtide.planning.batch.schedule import Request, plan_batch
from gridtide.planning.errors import NoScheduleFound
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.job import Job, Kind
from gridtide.planning.problem.scaling import Elastic
from tests.planning.batch_oracle import best
from tests.planning.hourly_batches import breaks, draws, planned
from tests.planning.settings import CI, HOUR, T0


def compared(seeds: range, near: float = 1.01) -> tuple[list[str], list[float]]:
    """What is wrong in any batch, and how far each is over what it proves, a fraction."""
    wrong, gaps = [], []
    for seed in seeds:
        batch = draws(seed)
        expected, found = best(batch), planned(batch)
        if isinstance(found, str):
            if expected is not None:
                wrong.append(f"{seed}: refused ({found})")
            continue
        wrong += [f"{seed}: {each}" for each in breaks(batch, found)]
        if expected is not None:
            if found.least > expected * (1 + 1e-5):
                wrong.append(f"{seed}: least {found.least} is above {expected}")
            if found.exact and found.total > expected * (1 + 1e-5):
                wrong.append(f"{seed}: {found.total} is called exact, {expected} is there")
            if found.total > expected * near:
                wrong.append(f"{seed}: {found.total} is above {expected}")
        gaps.append((found.total - found.least) / found.total)
    return wrong, gaps


def test_no_feasible_batch_of_any_kinds_is_refused() -> None:
    wrong, gaps = compared(range(25))
    assert wrong == []
    assert sum(gaps) / len(gaps) < 0.01


@pytest.mark.slow
def test_no_feasible_batch_of_more_kinds_is_refused() -> None:
    # A thousand take five minutes: the same was seen for range(1300).
    wrong, gaps = compared(range(25, 65))
    assert wrong == []
    assert sum(gaps) / len(gaps) < 0.01


def test_a_ramp_holds_its_workers_over_whole_slots_beside_jobs_that_end_within_one() -> None:
    series = Series.regular("DE", CI, T0, HOUR, [100, 150, 100, 400, 400])
    short = Request(Job(HOUR / 2), series, Bounds(deadline=T0 + HOUR / 2))
    slow = Request(Job(4 * HOUR, Kind.ELASTIC, workers=Elastic(3, ramp=1)), series)
    found = plan_batch([short, slow], {"DE": Cap(kw=2)}, now=T0)
    # By hand: beside the short one 1 worker at most in the first slot, then 2 and 1.
    assert found.total == pytest.approx(50 + 1 * 100 + 2 * 150 + 1 * 100)
    assert [slot.workers for slot in found.plans[1].slots] == [1, 2, 1]
    assert found.exact


def test_jobs_with_a_ramp_share_what_the_cap_leaves_of_each_slot() -> None:
    # Both would have 1, 2, 1 workers, or 1 throughout: 8 kWh at 200 g on average either way.
    series = Series.regular("DE", CI, T0, HOUR, [100, 200, 300, 200])
    slow = Request(Job(4 * HOUR, Kind.ELASTIC, workers=Elastic(2, ramp=1)), series)
    found = plan_batch([slow, slow], {"DE": Cap(kw=3)}, now=T0)
    assert (found.total, found.exact) == (pytest.approx(1600), True)
    sizes = sorted([slot.workers for slot in plan.slots] for plan in found.plans)
    assert sizes == [[1], [1, 2, 1]]


def packed(seed: int, lanes: int) -> tuple[list[Request], dict[str, Cap]]:
    """Jobs in two days of quarters that are cut from `lanes` full lanes, a tenth left out."""
    random, step, slots = Random(seed), HOUR / 4, 192  # noqa: S311
    values = [random.uniform(50, 400) for _ in range(slots)]
    series = Series.regular("DE", CI, T0, step, values)
    found = []
    for _ in range(lanes):
        at = 0
        while at < slots:
            work = min(slots - at, random.randint(4, 32))
            first, last = max(0, at - random.randint(0, 40)), at + work + random.randint(0, 40)
            kind = random.choice([Kind.UNBROKEN, Kind.UNBROKEN, Kind.INTERRUPTIBLE])
            bounds = Bounds(earliest=T0 + first * step, deadline=T0 + min(slots, last) * step)
            if random.random() < 0.9:
                found.append(Request(Job(work * step, kind, power=2.0), series, bounds))
            at += work
    return found, {"DE": Cap(kw=2.0 * lanes)}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_batch_too_large_for_one_programme_is_placed_where_it_just_fits(seed: int) -> None:
    requests, caps = packed(seed, 10)
    assert len(requests) > 80
    found = plan_batch(requests, caps, now=T0)
    for moment in {slot.start for plan in found.plans for slot in plan.slots}:
        now = [s for plan in found.plans for s in plan.slots if s.start <= moment < s.end]
        assert len(now) <= 10
    assert found.least <= found.total <= found.least * 1.05
    assert found.sentence.startswith(("Found by a search, at most", "Proven optimal"))


@pytest.mark.parametrize(
    "seeds", [range(6), pytest.param(range(6, 14), marks=pytest.mark.slow)]
)
def test_prices_and_mending_alone_refuse_no_feasible_batch(
    monkeypatch: pytest.MonkeyPatch, seeds: range
) -> None:
    # As for batches that are too large for one programme on a grid.
    monkeypatch.setattr("gridtide.planning.batch.integer_program.MOST_VARIABLES", 0)
    wrong, gaps = compared(seeds, near=1.1)
    assert wrong == []
    assert sum(gaps) / len(gaps) < 0.03


def test_an_elastic_job_runs_on_fewer_workers_under_a_cap_on_power() -> None:
    # Three workers draw 9 kW, over the cap of 8: two run, 4 h of work in two hours of 100 g.
    series = {
        "A": Series.regular("A", CI, T0, HOUR, [100, 300]),
        "B": Series.regular("B", CI, T0, HOUR, [300, 100]),
    }
    job = Job(4 * HOUR, Kind.ELASTIC, power=3.0, workers=Elastic(3))
    caps = {"A": Cap(kw=8), "B": Cap(kw=8)}
    found = plan_batch([Request(job, series)], caps, now=T0)
    assert found.total == pytest.approx(2 * 3 * 100 + 2 * 3 * 300)
    assert {slot.workers for slot in found.plans[0].slots} == {2}
    alone = plan_batch([Request(job, series["A"])], {"A": Cap(kw=8)}, now=T0)
    assert alone.total == pytest.approx(found.total)


def test_infeasible_is_said_only_where_it_is_proven() -> None:
    job = Request(Job(2 * HOUR), Series.regular("DE", CI, T0, HOUR, [1, 2, 3]))
    with pytest.raises(NoFeasibleWindow) as caught:
        plan_batch([job] * 2, {"DE": Cap(jobs=1)}, now=T0)
    assert not isinstance(caught.value, NoScheduleFound)
    assert all(code == "no_feasible_window" for code in [caught.value.code])
