"""A store of many made-up zones for the benchmarks, and what they ran on."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.publish import Rebase, publish
from gridtide_store.store import Store
from gridtide_store.vocabulary import FORECAST, OBSERVATION

START = datetime(2021, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SIGNAL = "ci_lifecycle_produced"
ZONES = 400
HOURS = 5 * 8760
END = START + HOUR * HOURS

NEVER = Rebase(age=timedelta(days=10_000), rows=1 << 60)


def arguments(description: str | None) -> argparse.Namespace:
    """``--zones`` and ``--hours``, by default 400 zones and 5 years: 17.5 million slots."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--zones", type=int, default=ZONES)
    parser.add_argument("--hours", type=int, default=HOURS)
    return parser.parse_args()


@contextmanager
def filled(zones: int, hours: int) -> Iterator[Store]:
    """A store of `zones` x `hours` slots in a temporary folder, written zone by zone.

    A day and a year, noise that lasts for hours, and noise that does not, in double
    precision; known a quarter of an hour after the slot, as a live source is.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = DataDirectory(Path(folder) / "home")
        with writer_lock(home, "benchmark", START), Store.open(home) as store:
            began = time.perf_counter()
            for zone in range(zones):
                store.append(observed(zone, 0, hours))
            store.connection.execute("CHECKPOINT live")
            say("store written", f"{time.perf_counter() - began:.1f} s")
            yield store


def observed(zone: int, first: int, count: int, *, revision: int = 0) -> pl.DataFrame:
    """`count` hours of one zone from hour `first`; another `revision` has other values."""
    draw = np.random.default_rng([zone, revision, first])
    hour = np.arange(first, first + count)
    lasting = np.convolve(draw.normal(0, 4, count + 23), np.ones(24) / 5, "valid")
    value = (
        50 + zone + 120 * np.sin(hour / 24 * 2 * np.pi) + 60 * np.sin(hour / 8760 * 2 * np.pi)
    )
    value = np.abs(value + lasting + draw.normal(0, 2, count))
    start = pl.lit(START) + pl.duration(hours=pl.col("hour"))
    late = timedelta(minutes=15) + timedelta(days=3) * revision
    return (
        pl.DataFrame({"hour": hour, "value": value})
        .select(
            zone=pl.lit(f"ZONE-{zone:03d}"),
            signal=pl.lit(SIGNAL),
            source=pl.lit("synthetic"),
            slot_start=start,
            slot_end=start + HOUR,
            value="value",
            quality=pl.lit("simulated"),
            known_at=start + HOUR + late,
            retrieval_id=pl.lit(1, pl.Int64),
        )
        .cast(OBSERVATION)
    )


def forecast(zones: int, issued_at: datetime) -> pl.DataFrame:
    """72 hourly steps for each zone."""
    draw = np.random.default_rng(7)
    step = np.tile(np.arange(72), zones)
    p50 = np.round(300 + draw.normal(0, 60, 72 * zones), 2)
    start = pl.lit(issued_at) + pl.duration(hours=pl.col("step"))
    return (
        pl.DataFrame({"zone": np.repeat(np.arange(zones), 72), "step": step, "p50": p50})
        .select(
            zone=pl.format("ZONE-{}", pl.col("zone").cast(pl.String).str.zfill(3)),
            signal=pl.lit(SIGNAL),
            model=pl.lit("weekly@1"),
            issued_at=pl.lit(issued_at),
            slot_start=start,
            slot_end=start + HOUR,
            p10=pl.col("p50") - 20,
            p50="p50",
            p90=pl.col("p50") + 20,
            known_at=pl.lit(issued_at),
            source=pl.lit("synthetic"),
            simulated=pl.lit(value=True),
        )
        .cast(FORECAST)
    )


def published(store: Store, moment: datetime, *, rebase: Rebase = NEVER) -> tuple[Path, float]:
    """Publish; the snapshot's folder and the seconds it took."""
    ledger = Ledger(store.home.ledger)
    began = time.perf_counter()
    name = publish(
        store, ledger, store.home, moment, replay=False, trust=lambda zone: (), rebase=rebase
    )
    return store.home.snapshots / name, time.perf_counter() - began


def milliseconds(work: Callable[[], object], times: int) -> list[float]:
    """How long each of `times` calls took, sorted."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append((time.perf_counter() - began) * 1000)
    return sorted(found)


def spread(found: list[float]) -> str:
    """Median and 99th percentile of `milliseconds`."""
    return (
        f"p50 {statistics.median(found):6.2f} ms   p99 {found[int(len(found) * 0.99)]:6.2f} ms"
    )


def megabytes(path: Path) -> str:
    """Size of a file."""
    return f"{path.stat().st_size / 1e6:.1f} MB"


def say(what: str, measured: str, bar: str = "") -> None:
    """One line of the table, at once."""
    sys.stdout.write(f"{what:<52} {measured}{f'   (bar: {bar})' if bar else ''}\n")
    sys.stdout.flush()


def machine() -> None:
    """What it ran on: the same numbers mean nothing without it."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    say("machine", f"{os.cpu_count()} cores, {platform.machine()}, load {load}")
    say(
        "versions",
        f"python {platform.python_version()}, duckdb {duckdb.__version__}, "
        f"polars {pl.__version__}, numpy {np.__version__}",
    )
