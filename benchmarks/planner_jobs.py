"""The planners in pure Python: CPU time for one question over 72 h at 15 minutes.

    python benchmarks/planner_jobs.py
    python benchmarks/planner_jobs.py --fail   # exit code 1 where a bar is missed

Each row: the question, our time, the bar it is held to, and a floor, the least work that any
answer takes: for the cheapest slots a sort of the values and a sum; for pieces, one pass over
all slots for each unit of work that adds and compares, as an exact programme does at the least.
Curves are prepared (cells cut, cells sorted) outside the time, as a service keeps them; `plan`
is from a series on, with its savings, alternatives and sentences. Times are the best of many
rounds, CPU time of this process.

Below that, whole questions at a full hour and at an odd second, with their ratio.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import inf, pi, sin

from gridtide.model import Series, Signal
from gridtide.planning import Bounds, Cost, Elastic, Job, Kind, plan, replan
from gridtide.planning.batch.capacity import Cap
from gridtide.planning.batch.schedule import Request, plan_batch
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import PowerProfile
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.opening_hours import Weekly
from gridtide.planning.problem.state import Progress
from gridtide.planning.solvers import elastic as elastic_jobs
from gridtide.planning.solvers import exact_segments, interruptible, unbroken
from gridtide.planning.solvers.costs import Curve, curve
from gridtide.slots import to_instant

START = datetime(2026, 3, 1, tzinfo=UTC)
STEP = timedelta(minutes=15)
SLOTS = 288
HOUR = timedelta(hours=1)
COSTS = {"restart_cost": Cost(0.1), "pause_cost": Cost(0.1)}


@dataclass(frozen=True)
class Case:
    """One question: how to ask it, its bar in microseconds if it has one, and its floor."""

    name: str
    ask: Callable[[], object]
    bar: float | None = None
    floor: Callable[[], object] | None = None


def main() -> int:
    """Print one row per question; 1 with ``--fail`` when a bar is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--fail", action="store_true", help="exit with 1 over a bar")
    parser.add_argument("--rounds", type=int, default=25, help="best of this many")
    options = parser.parse_args()
    missed = 0
    print(f"{'question':44} {'us':>10} {'bar':>8} {'floor':>10}")
    for case in cases():
        ours = measured(case.ask, options.rounds)
        floor = f"{measured(case.floor, options.rounds):10.1f}" if case.floor else f"{'-':>10}"
        bar = f"{case.bar:8.0f}" if case.bar else f"{'-':>8}"
        print(f"{case.name:44} {ours:10.1f} {bar} {floor}")
        missed += case.bar is not None and ours > case.bar
    print(f"\n{'question, ms':44} {'full hour':>10} {'odd second':>10} {'ratio':>6}")
    for name, at_hour, at_second in pairs():
        full, odd = (measured(ask, options.rounds // 5) / 1e3 for ask in (at_hour, at_second))
        print(f"{name:44} {full:10.2f} {odd:10.2f} {odd / full:6.1f}")
    return 1 if missed and options.fail else 0


def measured(ask: Callable[[], object], rounds: int) -> float:
    """Microseconds of CPU, the best of `rounds`, each of as many calls as take a while."""
    calls = 1
    while (spent := timed(ask, calls)) < 0.005:
        calls *= 4
    return min(spent, *(timed(ask, calls) for _ in range(rounds))) / calls * 1e6


def timed(ask: Callable[[], object], calls: int) -> float:
    """Seconds of CPU for `calls` calls."""
    begins = time.process_time()
    for _ in range(calls):
        ask()
    return time.process_time() - begins


def cases() -> list[Case]:
    """All questions, on one curve of a day's wave and noise."""
    series = wave()
    values = [slot.value or 0.0 for slot in series.slots]
    whole = prepared(series, START)
    odd = prepared(series, START + timedelta(minutes=7, microseconds=1))
    bounds = Bounds(deadline=START + 72 * HOUR)
    eight = Job(8 * HOUR, Kind.INTERRUPTIBLE)
    elastic = Job(8 * HOUR, Kind.ELASTIC, workers=Elastic(4))
    return [
        Case("unbroken, 8 h", lambda: unbroken.cheapest(whole, Job(8 * HOUR))),
        Case("cheapest slots, 8 h", picking(whole, 32), 20, sorting(values, 32)),
        Case("cheapest slots, 24 h", picking(whole, 96), 20, sorting(values, 96)),
        Case("cheapest slots, 8 h, as spans", lambda: interruptible.cheapest(whole, eight)),
        Case("pieces that cost, 8 h", laying(whole, 8), 2_000, sweeping(values, 32)),
        Case("pieces that cost, 24 h", laying(whole, 24), 4_000, sweeping(values, 96)),
        Case("pieces that cost, 8 h, at most 2", laying(whole, 8, max_segments=2)),
        Case("pieces that cost, 8 h, from an odd start", laying(odd, 8)),
        Case("pieces of 1 h or more, 8 h", laying(whole, 8, min_segment=HOUR)),
        Case(
            "pieces of 1 h or more, 8 h, at most 3",
            laying(whole, 8, min_segment=HOUR, max_segments=3),
        ),
        Case("elastic to 4 x, 8 h", lambda: elastic_jobs.cheapest(whole, elastic, Elastic(4))),
        Case("plan, unbroken, 8 h", lambda: plan(Job(8 * HOUR), series, bounds, now=START)),
        Case("plan, cheapest slots, 8 h", lambda: plan(eight, series, bounds, now=START)),
    ]


def pairs() -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
    """Questions by name, each at a full hour and at an odd second."""
    series, odd = wave(), timedelta(minutes=7, seconds=13, microseconds=1)
    bounds = Bounds(deadline=START + 72 * HOUR)
    marks = (2 * HOUR, 4 * HOUR, 6 * HOUR)
    jobs = {
        "pieces that cost": Job(8 * HOUR, Kind.SEGMENTS, **COSTS),
        "pieces of 1 h or more": Job(8 * HOUR, Kind.SEGMENTS, min_segment=HOUR, **COSTS),
        "checkpoints": Job(8 * HOUR, Kind.SEGMENTS, checkpoints=marks, **COSTS),
        "power profile": Job(
            8 * HOUR, Kind.INTERRUPTIBLE, power=PowerProfile(((2 * HOUR, 3), (6 * HOUR, 1)))
        ),
    }

    def planned(job: Job, late: timedelta, opening: str = "") -> Callable[[], object]:
        within = replace(bounds, opening=Weekly.parse("UTC", opening) if opening else None)
        return lambda: plan(job, series, within, now=START + late)

    def again(job: Job, late: timedelta, *, running: bool) -> Callable[[], object]:
        first, done = plan(job, series, bounds, now=START), HOUR + late
        ran = done if running else timedelta(0)
        at = Progress(START + done, done=done, running=running, running_for=ran)
        return lambda: replan(first, at, series)

    def together(late: timedelta) -> Callable[[], object]:
        jobs_of_four = [Request(jobs["pieces that cost"], series, Bounds(slack=12 * HOUR))] * 4
        return lambda: plan_batch(jobs_of_four, {"DE": Cap(jobs=2)}, now=START + late)

    none = timedelta(0)
    for name, job in jobs.items():
        yield f"plan, {name}", planned(job, none), planned(job, odd)
        hours = "Mon-Sun 08:00-18:00", "Mon-Sun 08:07-18:07"
        yield (
            f"plan, {name}, opening hours",
            planned(job, none, hours[0]),
            planned(job, none, hours[1]),
        )
        yield (
            f"replan, {name}, running",
            again(job, none, running=True),
            again(job, odd, running=True),
        )
        yield (
            f"replan, {name}, standing still",
            again(job, none, running=False),
            again(job, odd, running=False),
        )
    yield "batch of 4, pieces, at most 2 at once", together(none), together(odd)


def wave() -> Series:
    """A day's wave and noise over all slots."""
    draw = random.Random(20260301)  # noqa: S311  # a curve, not a secret
    values = [250 + 120 * sin(i / 96 * 2 * pi) + draw.uniform(-30, 30) for i in range(SLOTS)]
    return Series.regular("DE", Signal.CI_LIFECYCLE_CONSUMED, START, STEP, values)


def prepared(series: Series, first: datetime) -> Curve:
    """The series from `first` on, cut and sorted."""
    made = curve(Outlook(series), Goal(), [(to_instant(first), to_instant(START + 72 * HOUR))])
    assert made.intervals.order
    return made


def picking(curve: Curve, slots: int) -> Callable[[], object]:
    """Pick this many whole slots."""
    intervals, work = curve.intervals, slots * 15 * 60_000_000
    return lambda: interruptible.pick(intervals, work)


def laying(curve: Curve, hours: int, **limits: object) -> Callable[[], object]:
    """Lay a job in pieces, 0.2 kWh a pause."""
    job = Job(hours * HOUR, Kind.SEGMENTS, **COSTS, **limits)
    return lambda: exact_segments.cheapest(curve, job)


def sorting(values: list[float], count: int) -> Callable[[], object]:
    """Sort and add up."""
    return lambda: sum(sorted(values)[:count])


def sweeping(values: list[float], work: int) -> Callable[[], object]:
    """Add to and compare each state of a programme once, in plain loops over rows."""

    def sweep() -> float:
        on = off = [0.0] + [inf] * work
        for value in values:
            pairs = zip(on, off, strict=False)
            on = [inf, *(x + value if x < y else y + value for x, y in pairs)][: work + 1]
        return on[-1]

    return sweep


if __name__ == "__main__":
    sys.exit(main())
