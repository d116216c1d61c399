"""What pruning leaves out: states of no schedule within the limit, so nothing changes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import combinations
from math import inf

import pytest

from gridtide.planning.solvers import price_search
from gridtide.planning.solvers.pruning import Pruning
from gridtide.planning.solvers.time_grid import Units

SEEDS = range(6)


def draw_units(draw: random.Random, count: int) -> Units:
    """Units with breaks and overheads; mostly of few costs, so that ties are common."""
    few = draw.random() < 0.6
    third = 3 if draw.random() < 0.3 else 1  # overheads are whole numbers or thirds
    free = draw.random() < 0.2

    def value(low: int, high: int) -> float:
        return float(draw.randint(low, high) if few else round(draw.uniform(low, high) * 1e9))

    def overheads() -> list[float]:
        return [0.0 if free else draw.choice([0.0, value(0, 3) / third]) for _ in range(count)]

    running = draw.random() < 0.3
    return Units(
        costs=[value(-2, 5) for _ in range(count)],
        breaks=[draw.random() < 0.15 for _ in range(count)],
        pause=overheads(),
        restart=overheads(),
        first=[inf if running else draw.choice([0.0, value(0, 3)]) for _ in range(count)],
        running=running,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_units_are_chosen_as_without_pruning(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(price_search, "LEAST_PRUNED", 1)
    draw = random.Random(seed)  # noqa: S311  # no secret
    for _ in range(150):
        units = draw_units(draw, draw.randint(1, 40))
        work = draw.randint(1, len(units.costs))
        exact = price_search._cheapest_of(units, work, None)
        assert price_search.cheapest(units, work) == exact


def schedules(units: Units, work: int) -> Iterator[tuple[float, list[bool], list[bool]]]:
    """Cost of each schedule, in which units it runs, and in which it is paused."""
    count = len(units.costs)
    for chosen in combinations(range(count), work):
        runs = [u in chosen for u in range(count)]
        begun, on, cost = units.running, units.running, 0.0
        pauses = [False] * count
        for u in range(chosen[-1] + 1):
            if begun and on and not (runs[u] and not units.breaks[u]):
                cost, on = cost + units.pause[u], False
            if runs[u]:
                if not on:
                    cost += units.restart[u] if begun else units.first[u]
                begun = on = True
                cost += units.costs[u]
            else:
                pauses[u] = begun
        yield cost, runs, pauses


@pytest.mark.parametrize("seed", SEEDS)
def test_no_state_of_a_schedule_within_the_limit_is_left_out(seed: int) -> None:
    draw = random.Random(f"limit {seed}")  # noqa: S311  # no secret
    for _ in range(25):
        units = draw_units(draw, draw.randint(1, 8))
        work = draw.randint(1, len(units.costs))
        found = sorted(schedules(units, work), key=lambda each: each[0])
        assert found[0][0] == pytest.approx(price_search.cheapest(units, work)[0])
        limit = draw.choice(found)[0]
        useful = Pruning(units, work).within(limit)
        for cost, runs, pauses in found:
            if cost <= limit < inf:
                assert all(may for may, does in zip(useful.runs, runs, strict=True) if does)
                assert all(may for may, does in zip(useful.pauses, pauses, strict=True) if does)


def test_most_units_of_a_daily_wave_are_left_out() -> None:
    draw = random.Random(4)  # noqa: S311  # no secret
    costs = [float(100 * abs(u % 96 - 48) + draw.randint(0, 300)) for u in range(288)]
    none = [0.0] * 288
    units = Units(costs, [True] + [False] * 287, [300.0] * 288, [300.0] * 288, none)
    pruning = Pruning(units, 32)
    least, _ = price_search._cheapest_of(units, 32, None)
    assert pruning.expected >= least
    assert sum(pruning.within(pruning.expected).runs) < 100
