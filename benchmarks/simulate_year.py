"""A year of policies for one zone and one job a day: CPU time, beside a floor.

    python benchmarks/simulate_year.py [--data FOLDER --zone DE] [--fail]

Without ``--data`` the zone is two years of made-up hours. The floor is the least that the
question takes: the same forecasts made again with nothing planned on them. With ``--fail`` a
missed bound is an exit code of 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from gridtide.planning import Job, Kind
from gridtide_pipelines.forecast.models import chain
from gridtide_pipelines.policies.backtest import simulate
from gridtide_pipelines.policies.cases import Forecasting, from_files
from gridtide_pipelines.policies.policies import make_policies

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST = datetime(2021, 1, 1, tzinfo=UTC)
JOB = Job(4 * HOUR, Kind.INTERRUPTIBLE)
COMES = [(FIRST + DAY * i, FIRST + DAY * i + 28 * HOUR) for i in range(363)]
BOUND = 5.0
PLANNED_ONCE = ("now", "night", "best-window", "pause")


def main() -> int:
    """Print a row for each question; 1 with ``--fail`` when a bound is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder with <ZONE>.parquet of 2020 and 2021")
    parser.add_argument("--zone", default="DE")
    parser.add_argument("--fail", action="store_true", help="exit with 1 over a bound")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = options.data or made_up(Path(made), options.zone)
        missed = False
        print(f"{'one zone, 363 jobs':<44}{'CPU s':>8}{'floor':>8}{'bound':>8}")
        runs = [
            ("weekly: now, night, best-window, pause", "weekly", PLANNED_ONCE, BOUND),
            ("naive: the same", "naive", PLANNED_ONCE, BOUND),
            ("weekly: replan, new forecasts every 6 h", "weekly", ("replan",), BOUND),
            ("prophet, fitted monthly: best-window", "prophet", ("best-window",), BOUND),
        ]
        for what, model, policies, bound in runs:
            spent = year(folder, options.zone, model, policies)
            floor = forecasts(folder, options.zone, model)
            missed |= spent > bound
            print(f"{what:<44}{spent:>8.2f}{floor:>8.2f}{bound:>8.2f}")
    return int(missed and options.fail)


def made_up(folder: Path, zone: str) -> Path:
    """Two years of a day and a week that repeat, and noise."""
    hour = np.arange(-366 * 24, 365 * 24)
    day = 60 * np.sin(2 * np.pi * hour / 24) + 30 * np.sin(2 * np.pi * hour / 168)
    noise = np.random.default_rng(20210101).normal(0, 25, len(hour))
    pl.DataFrame(
        {
            "ts_utc": [FIRST + HOUR * int(i) for i in hour],
            "ci_lifecycle_g_per_kwh": 300 + day + noise,
        }
    ).write_parquet(folder / f"{zone}.parquet")
    return folder


def forecasting(model: str) -> Forecasting:
    """As `gridtide simulate --model` asks for it."""
    return Forecasting(chain(model), frozenset(), 6 * HOUR)


def year(folder: Path, zone: str, model: str, policies: tuple[str, ...]) -> float:
    """CPU seconds of a year, reading the file included."""

    def run() -> None:
        span = COMES[0][0], COMES[-1][1]
        cases = from_files(folder, [zone], *span, forecasting(model), warn=print)
        (outcome,) = simulate(cases, make_policies(policies, JOB), COMES)
        assert len(outcome.scored) == len(COMES) * len(policies), outcome.left_out[:1]

    return timed(run)


def forecasts(folder: Path, zone: str, model: str) -> float:
    """CPU seconds of the forecasts of a year alone."""
    span = COMES[0][0], COMES[-1][1]
    (case,) = from_files(folder, [zone], *span, forecasting(model), warn=print)

    def run() -> None:
        for at, _ in COMES:
            case.issues.at(at)

    return timed(run)


def timed(run: Callable[[], None]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    run()
    return time.process_time() - start


if __name__ == "__main__":
    sys.exit(main())
