"""The numpy planners over 400 zones, beside the SDK's own planner zone by zone: CPU time.

    python benchmarks/reproduce_twin.py [--fail]

Zones have 72 h of quarter hours, known throughout and prepared once on both sides, as a server
keeps them. Answers are compared before the clock runs. With ``--fail`` a missed bound is an
exit code of 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np

from gridtide.model import Series, Signal
from gridtide.planning.solvers import price_search
from gridtide.planning.solvers.costs import Intervals
from gridtide.planning.solvers.interruptible import pick
from gridtide.planning.solvers.time_grid import Units
from gridtide.windows import best_window
from gridtide_pipelines.reproduce.planners.cheapest import cheapest_slots
from gridtide_pipelines.reproduce.planners.segments import cheapest
from gridtide_pipelines.reproduce.planners.unbroken import best_any, best_whole
from gridtide_pipelines.reproduce.planners.whole_steps import prepare_sums

ZONES, SLOTS = 400, 288
START, STEP = datetime(2026, 3, 1, tzinfo=UTC), timedelta(minutes=15)
QUARTER = 900_000_000  # microseconds
SIGNAL = Signal.CI_LIFECYCLE_CONSUMED
JOB, ODD_JOB = timedelta(hours=4), timedelta(hours=3, minutes=50)
LATER = timedelta(minutes=7)


def main() -> int:
    """Print one row per question; 1 with ``--fail`` when a bound is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--fail", action="store_true", help="exit with 1 over a bound")
    options = parser.parse_args()
    values = np.random.default_rng(20260301).uniform(50, 500, (ZONES, SLOTS))
    series = [Series.regular("DE", SIGNAL, START, STEP, row.tolist()) for row in values]
    sums = prepare_sums(values)
    agree(values, series)
    cells = [
        Intervals([*range(SLOTS)], [*range(1, SLOTS + 1)], [round(v * 1e9) for v in row])
        for row in values.tolist()
    ]
    for each in cells:
        pick(each, 1)  # sorts once, as the SDK keeps it

    touching, free = [True] + [False] * (SLOTS - 1), [0.0] * SLOTS
    costs = [float(round(value * 1e9)) for value in values[0]]
    units = Units(costs, touching, free, [60e9] * SLOTS, free)
    assert cheapest(units, 96)[0] == price_search.cheapest(units, 96)[0]

    def whole() -> object:
        return best_whole(sums, 16)

    def odd() -> object:
        return best_any(
            sums, QUARTER, ODD_JOB // STEP * QUARTER + 300_000_000, first=420_000_000
        )

    questions = [
        ("whole slots, 400 zones", whole, lambda: best_window(series[0], JOB), 150.0),
        (
            "any minutes, 400 zones",
            odd,
            lambda: best_window(series[0], ODD_JOB, earliest=START + LATER),
            500.0,
        ),
        (
            "pieces, 24 h, restarts",
            lambda: cheapest(units, 96),
            lambda: price_search.cheapest(units, 96),
            1500.0,
        ),
        (
            "the same, at most 4",
            lambda: cheapest(units, 96, most=4),
            None,
            4000.0,
        ),
        (
            "the same, of 2 h or more",
            lambda: cheapest(units, 96, most=4, shortest=8),
            None,
            15000.0,
        ),
        (
            "32 cheapest, one zone",
            lambda: cheapest_slots(values[:1], 32),
            lambda: pick(cells[0], 32),
            20.0,
        ),
    ]
    missed = False
    for name, ours, of_sdk, bound in questions:
        mine = cpu(ours)
        zones = ZONES if "400" in name else 1
        missed |= mine > bound
        line = f"{name:24} {mine:7.1f} us (bound {bound:g})"
        if of_sdk is not None:
            theirs = cpu(of_sdk)
            line += f"  SDK a zone {theirs:7.1f} us, {zones * theirs / mine:6.1f}x"
        print(line)
    return 1 if missed and options.fail else 0


def agree(values: np.ndarray, series: list[Series]) -> None:
    """The answers to be timed are the SDK's."""
    starts, _ = best_whole(prepare_sums(values), 16)
    for each, start in zip(series, starts, strict=True):
        assert best_window(each, JOB).start == START + int(start) * STEP
    starts, means = best_any(prepare_sums(values), QUARTER, 13_800_000_000, first=420_000_000)
    for each, start, mean in zip(series, starts, means, strict=True):
        window = best_window(each, ODD_JOB, earliest=START + LATER)
        assert window.start == START + timedelta(microseconds=int(start))
        assert abs(window.mean - mean) < 1e-6


def cpu(answer: Callable[[], object]) -> float:
    """CPU microseconds of one call, the best of ten rounds of some 20 ms."""
    answer()
    began = time.process_time_ns()
    answer()
    times = max(1, 20_000_000 // max(1, time.process_time_ns() - began))
    found = []
    for _ in range(10):
        began = time.process_time_ns()
        for _ in range(times):
            answer()
        found.append((time.process_time_ns() - began) / times / 1000)
    return min(found)


if __name__ == "__main__":
    sys.exit(main())
