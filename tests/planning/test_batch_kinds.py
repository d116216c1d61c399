"""Random batches of every kind of job against an integer programme of the tests' own."""

from __future__ import annotations

import pytest

from gridtide.model import Series
from gridtide.planning.batch import Request, plan_batch
from gridtide.planning.bounds import Bounds
from gridtide.planning.crowd import Cap
from gridtide.planning.elasticity import Elastic
from gridtide.planning.job import Job, Kind
from tests.planning.hourly_batches import best, breaks, drawn, planned
from tests.planning.worlds import CI, HOUR, T0


def compared(seeds: range) -> tuple[list[str], list[float]]:
    """What is wrong in any batch, and how far each is over what it proves, a fraction."""
    wrong, gaps = [], []
    for seed in seeds:
        batch = drawn(seed)
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
            if found.total > expected * 1.01:
                wrong.append(f"{seed}: {found.total} is above {expected}")
        gaps.append((found.total - found.least) / found.total)
    return wrong, gaps


def test_no_feasible_batch_of_any_kinds_is_refused() -> None:
    wrong, gaps = compared(range(40))
    assert wrong == []
    assert sum(gaps) / len(gaps) < 0.01


@pytest.mark.slow
def test_no_feasible_batch_of_any_kinds_of_hundreds_is_refused() -> None:
    # A thousand take five minutes: the same holds for range(1300).
    wrong, gaps = compared(range(40, 240))
    assert wrong == []
    assert sum(gaps) / len(gaps) < 0.01


def test_a_ramp_holds_its_sizes_over_whole_slots_beside_jobs_that_end_within_one() -> None:
    series = Series.regular("DE", CI, T0, HOUR, [100, 150, 100, 400, 400])
    short = Request(Job(HOUR / 2), series, Bounds(deadline=T0 + HOUR / 2))
    slow = Request(Job(4 * HOUR, Kind.ELASTIC, chips=Elastic(3, ramp=1)), series)
    found = plan_batch([short, slow], {"DE": Cap(kw=2)}, now=T0)
    # By hand: beside the short one 1 worker at most in the first slot, then 2 and 1.
    assert found.total == pytest.approx(50 + 1 * 100 + 2 * 150 + 1 * 100)
    assert [slot.chips for slot in found.plans[1].slots] == [1, 2, 1]
    assert found.exact


def test_jobs_with_a_ramp_share_what_the_cap_leaves_of_each_slot() -> None:
    # Both would have 1, 2, 1 workers, or 1 throughout: 8 kWh at 200 g on average either way.
    series = Series.regular("DE", CI, T0, HOUR, [100, 200, 300, 200])
    slow = Request(Job(4 * HOUR, Kind.ELASTIC, chips=Elastic(2, ramp=1)), series)
    found = plan_batch([slow, slow], {"DE": Cap(kw=3)}, now=T0)
    assert (found.total, found.exact) == (pytest.approx(1600), True)
    sizes = sorted([slot.chips for slot in plan.slots] for plan in found.plans)
    assert sizes == [[1], [1, 2, 1]]
