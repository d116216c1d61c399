"""The search for a window keeps what it found for a length: the same answers as without.

The oracle tries every start at which the mean can turn, one by one.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from gridtide.model import Quality, Series, Signal, Slot
from gridtide.slots import KEPT, LONGEST_KEPT, Run

T0 = datetime(2026, 3, 1, tzinfo=UTC)
SECOND = 1_000_000
STEPS = (300 * SECOND, 900 * SECOND, 1800 * SECOND, 3600 * SECOND)


def search_every_corner(
    run: Run, first: int, last: int, duration: int, *, lower_is_cleaner: bool
) -> tuple[int, int]:
    """Integral and start of the cleanest window; ties go to the earliest start."""
    corners = {first, last, *run.edges, *(edge - duration for edge in run.edges)}
    starts = sorted(start for start in corners if first <= start <= last)
    totals = [run.upto(start + duration) - run.upto(start) for start in starts]
    best = min(totals) if lower_is_cleaner else max(totals)
    return best, starts[totals.index(best)]


def draw_run(draw: random.Random, *, regular: bool, count: int) -> Run:
    """A run of slots; every second one has few different values, so that ties are common."""
    step = draw.choice(STEPS)
    lengths = [step if regular else draw.choice([7 * SECOND, *STEPS]) for _ in range(count)]
    few = draw.random() < 0.5
    slots, clock = [], T0
    for length in lengths:
        end = clock + timedelta(microseconds=length)
        value = float(draw.randint(-2, 3)) if few else draw.uniform(-100, 500)
        slots.append(Slot(clock, end, value, Quality.FORECAST))
        clock = end
    (run,) = Series("DE", Signal.CI_LIFECYCLE_CONSUMED, tuple(slots)).runs
    return run


def draw_question(draw: random.Random, run: Run, durations: list[int]) -> tuple[int, int, int]:
    """First and last start, and the length; on edges, off them, and at the bounds."""
    duration = draw.choice(durations)
    low, high = run.edges[0], run.edges[-1] - duration
    first = draw.choice([low, draw.randint(low, high), draw.choice(run.edges)])
    first = min(first, high)
    return first, draw.choice([high, draw.randint(first, high), first]), duration


@pytest.mark.parametrize("regular", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_the_same_window_as_from_every_corner(seed: int, *, regular: bool) -> None:
    draw = random.Random(f"{seed} {regular}")  # noqa: S311  # no secret
    for _ in range(40):
        run = draw_run(draw, regular=regular, count=draw.randint(1, 40))
        whole = run.edges[-1] - run.edges[0]
        durations = [draw.randint(1, whole), draw.choice(run.edges[1:]) - run.edges[0], whole]
        for _ in range(20):
            first, last, duration = draw_question(draw, run, durations)
            lower = draw.random() < 0.5
            found = run.cleanest(first, last, duration, lower_is_cleaner=lower)
            assert found == search_every_corner(
                run, first, last, duration, lower_is_cleaner=lower
            )


@pytest.mark.parametrize("regular", [False, True])
def test_the_same_window_of_a_history_too_long_to_keep(*, regular: bool) -> None:
    draw = random.Random(7)  # noqa: S311  # no secret
    run = draw_run(draw, regular=regular, count=LONGEST_KEPT + 5)
    for _ in range(30):
        first, last, duration = draw_question(draw, run, [draw.randint(1, 90_000 * SECOND)])
        found = run.cleanest(first, last, duration, lower_is_cleaner=True)
        assert found == search_every_corner(run, first, last, duration, lower_is_cleaner=True)
    assert not run._kept


def test_what_is_kept_is_bounded_by_the_slots_of_the_run() -> None:
    draw = random.Random(8)  # noqa: S311  # no secret
    run = draw_run(draw, regular=True, count=72)
    for duration in range(SECOND, 2000 * SECOND, SECOND):
        first, last = run.edges[0], run.edges[-1] - duration
        run.cleanest(first, last, duration, lower_is_cleaner=True)
        kept = sum(len(starts) for starts, _ in run._kept.values())
        assert kept <= (KEPT + 2) * len(run.values)
    assert kept > 0


@pytest.mark.parametrize("regular", [False, True])
def test_minima_fall_from_the_left_and_do_not_fall_on(*, regular: bool) -> None:
    draw = random.Random(9)  # noqa: S311  # no secret
    run = draw_run(draw, regular=regular, count=60)
    duration = 5000 * SECOND
    run.cleanest(run.edges[0], run.edges[-1] - duration, duration, lower_is_cleaner=True)
    starts, _ = run._kept[duration, True]
    assert starts[-1] == run.edges[-1] - duration
    assert all(one < two for one, two in pairwise(starts))

    def total(start: int) -> int:
        return run.upto(start + duration) - run.upto(start)

    for start in starts[:-1]:
        assert total(start - 1) > total(start) <= total(start + 1)
