"""`best_window` against climate-aware-task-scheduler (CATS) 1.2.1: CPU time in one run.

    python -m venv peer && peer/bin/pip install ./sdk . climate-aware-task-scheduler==1.2.1
    peer/bin/python benchmarks/windows_vs_cats.py [--fail]

Whoever measures installs the peer, which the project does not depend on; where it is missing
there is nothing to measure. With ``--fail`` a ratio under its bar is an exit code of 1.

Question: the cleanest 4 h within 48 h of values at 30-minute steps. Both sides prepare their
series once, outside the measurement. CATS joins point values by straight lines and looks at
starts one step apart from the job's first start; ours are means over slots and any start
counts. They are given the same curve: from the same 97 points ours gets, slot by slot, the
mean of CATS' own line over each step from the first start on. A run of whole slots then has
the same mean under both definitions, the starts CATS looks at are the edges of our slots, and
no start off an edge can be better. So start and mean must agree, and the script asserts it.

Rows: the first start on a point (whole slots); 10 minutes after one; the same with our series
prepared anew from its slots each time; the general search, with the last slot given as two
quarter hours so that the slots are not all of one length; and 400 zones at once, as the service
answers them with numpy, a zone against CATS' one.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from math import isclose

import numpy as np

from gridtide.model import Quality, Series, Signal, Slot
from gridtide.windows import best_window
from gridtide_pipelines.reproduce.planners.unbroken import best_whole
from gridtide_pipelines.reproduce.planners.whole_steps import prepare_sums

try:
    from cats.forecast import PointEstimate, WindowedForecast
except ImportError:
    print("CATS is not installed here, see the head of this file: nothing to measure")
    sys.exit("--fail" in sys.argv)

START = datetime(2026, 3, 1, tzinfo=UTC)
STEP = timedelta(minutes=30)
STEPS = 96
ZONES = 400
JOB = timedelta(hours=4)
SIGNAL = Signal.CI_LIFECYCLE_CONSUMED


def main() -> int:
    """Print one row per case; 1 with ``--fail`` when a ratio is under its bar."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--fail", action="store_true", help="exit with 1 under a bar")
    parser.add_argument("--rounds", type=int, default=15, help="best of this many")
    options = parser.parse_args()
    draw = random.Random(20260301)  # noqa: S311  # a curve, not a secret
    points = [PointEstimate(draw.uniform(50, 500), START + i * STEP) for i in range(STEPS + 1)]
    on_point, off_point = START, START + timedelta(minutes=10)
    whole, off = series_of(points, on_point), series_of(points, off_point)
    uneven = last_slot_in_two(whole)
    cases = [
        ("whole slots", on_point, whole, prepared(whole, on_point), 20.0),
        ("10 min into a step", off_point, off, prepared(off, off_point), 20.0),
        ("whole, from slots", on_point, whole, from_slots(whole), 10.0),
        ("general search", on_point, uneven, prepared(uneven, on_point), None),
        ("one of 400 zones", on_point, whole, many_zones(whole), 300.0),
    ]
    missed = False
    for name, first, series, ours, bar in cases:
        zones = ZONES if "zones" in name else 1
        peer, spent = measure(points, first, series, options.rounds, ours)
        ratio = peer / (spent / zones)
        missed |= bar is not None and ratio < bar
        limit = "" if bar is None else f" (bar {bar:g}x)"
        print(
            f"{name:20} CATS {peer:7.1f} us  gridtide {spent / zones:7.2f} us  "
            f"{ratio:6.1f}x{limit}"
        )
    return 1 if missed and options.fail else 0


def series_of(points: Sequence[PointEstimate], first: datetime) -> Series:
    """CATS' line through `points` as our means over whole steps from `first` on."""
    part = (first - points[0].datetime) / STEP
    values = [one.value for one in points]

    def line(position: float) -> float:
        i = min(int(position), STEPS - 1)
        return values[i] + (values[i + 1] - values[i]) * (position - i)

    means = []
    for i in range(STEPS if part == 0 else STEPS - 1):
        corner = i + 1  # the one point inside the step, or its end
        before, after = corner - (i + part), part
        means.append(
            before * (line(i + part) + line(corner)) / 2
            + after * (line(corner) + line(corner + part)) / 2
        )
    return Series.regular("GB", SIGNAL, first, STEP, means)


def last_slot_in_two(series: Series) -> Series:
    """The same values, in slots that differ in length."""
    *most, last = series.slots
    middle = last.start + STEP / 2
    halves = (
        Slot(last.start, middle, last.value, Quality.FORECAST),
        Slot(middle, last.end, last.value, Quality.FORECAST),
    )
    return Series(series.zone, series.signal, (*most, *halves))


def prepared(series: Series, first: datetime) -> Callable[[], object]:
    """The answer on a series that is kept."""
    return lambda: best_window(series, JOB, earliest=first)


def many_zones(series: Series) -> Callable[[], object]:
    """The answers for as many zones at once, `series` the first of them, prepared and kept."""
    values = np.random.default_rng(20260301).uniform(50, 500, (ZONES, len(series.slots)))
    values[0] = [slot.value for slot in series.slots]
    sums = prepare_sums(values)
    starts, _ = best_whole(sums, JOB // STEP)
    for row, start in zip(values.tolist(), starts.tolist(), strict=True):
        zone = Series.regular("GB", SIGNAL, series.slots[0].start, STEP, row)
        assert best_window(zone, JOB).start == zone.slots[start].start
    return lambda: best_whole(sums, JOB // STEP)


def from_slots(series: Series) -> Callable[[], object]:
    """The answer with the series made and prepared anew from its slots each time."""
    zone, signal, slots = series.zone, series.signal, series.slots
    return lambda: best_window(Series(zone, signal, slots), JOB)


def measure(
    points: list[PointEstimate],
    first: datetime,
    series: Series,
    rounds: int,
    ours: Callable[[], object],
) -> tuple[float, float]:
    """CPU microseconds of one answer of CATS and of ours, each the best of `rounds`."""

    def theirs() -> object:
        return min(WindowedForecast(points, JOB // timedelta(minutes=1), first))

    expected, found = min(WindowedForecast(points, 240, first)), best_window(series, JOB)
    assert expected.start == found.start, (expected, found)
    assert isclose(expected.value, found.mean, rel_tol=1e-9), (expected, found)
    # Alternating, so that a busy machine slows both alike.
    pairs = [(cpu(theirs, 20), cpu(ours, 200)) for _ in range(rounds)]
    return min(peer for peer, _ in pairs), min(mine for _, mine in pairs)


def cpu(answer: Callable[[], object], times: int) -> float:
    """CPU microseconds of one call, the mean of `times`."""
    began = time.process_time_ns()
    for _ in range(times):
        answer()
    return (time.process_time_ns() - began) / times / 1000


if __name__ == "__main__":
    sys.exit(main())
