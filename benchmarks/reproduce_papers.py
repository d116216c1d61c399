"""CPU time of each reproduction on the recorded series, beside plain loops for one of them.

    GRIDTIDE_RECORDED_DATA=FOLDER python benchmarks/reproduce_papers.py [--fail]

FOLDER holds the series under ``data``; without it there is little to measure, and it says so.
With ``--fail`` a missed bound is an exit code of 1.
The loops are the protocol of Let's Wait Awhile word for word, on a few jobs and one draw; their
time is scaled up to all jobs, draws, regions and deadlines: what it would take without numpy.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from gridtide_pipelines.reproduce.figures import Verdict, counts
from gridtide_pipelines.reproduce.papers import lets_wait_awhile, reproductions

BOUNDS = {"lets-wait-awhile": 10.0}  # CPU seconds
ALL = 60.0
SAMPLE = 40  # jobs that the loops do
T = TypeVar("T")
PER_DRAW = (
    3 * 2 * 21
)  # regions, deadlines, and forecasts: the truth, and ten draws of two errors


def main() -> int:
    """Print one row a paper; 1 with ``--fail`` when a bound is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--fail", action="store_true", help="exit with 1 over a bound")
    options = parser.parse_args()
    folder = os.environ.get("GRIDTIDE_RECORDED_DATA")
    data = Path(folder) if folder else None
    if data is None:
        print("GRIDTIDE_RECORDED_DATA is not set: what needs a series says no data")
    total, missed = 0.0, False
    for name, paper in reproductions().items():
        rows, seconds = measured(lambda paper=paper: paper.run(data))
        total += seconds
        found = counts(rows)
        bound = BOUNDS.get(name)
        missed |= bound is not None and seconds > bound
        limit = "" if bound is None else f" (bound {bound:g} s)"
        print(
            f"{name:18} {seconds:6.2f} s CPU  {found[Verdict.PASS]:5} pass "
            f"{found[Verdict.FAIL]:3} fail {found[Verdict.NO_DATA]:5} no data{limit}"
        )
    print(f"{'all':18} {total:6.2f} s CPU (bound {ALL:g} s)")
    if data is not None:
        seconds = loops(data)
        said = "s CPU for the jobs of lets-wait-awhile, scaled up"
        print(f"{'plain loops':18} {seconds:6.0f} {said}")
    return 1 if options.fail and (missed or total > ALL) else 0


def measured(work: Callable[[], T]) -> tuple[T, float]:
    """What `work` gives, and the CPU seconds it takes."""
    began = time.process_time()
    result = work()
    return result, time.process_time() - began


def loops(data: Path) -> float:
    """CPU seconds that plain loops over all jobs and draws would take."""
    truth = lets_wait_awhile.read_series(data / lets_wait_awhile.SERIES)["DE"].tolist()
    jobs = lets_wait_awhile.read_jobs(data / lets_wait_awhile.JOBS)
    every = len(jobs.starts) // SAMPLE
    sample = [
        (int(start), int(length), int(slack))
        for start, length, slack in zip(
            jobs.starts[::every],
            jobs.lengths[::every],
            jobs.slacks["semi_weekly"][::every],
            strict=True,
        )
    ]

    def sampled() -> None:
        for start, length, slack in sample:
            starts = range(start, start + slack + 2)
            min(starts, key=lambda s, length=length: sum(truth[s : s + length]))
            window = range(start, start + length + slack + 1)
            sorted(window, key=truth.__getitem__)[:length]

    _, seconds = measured(sampled)
    return seconds * len(jobs.starts) / len(sample) * PER_DRAW


if __name__ == "__main__":
    sys.exit(main())
