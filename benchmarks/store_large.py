"""Refreshing a store of 100 million rows, beside the same on one of a million.

    python benchmarks/store_large.py [--fail]

Simulated: 135 zones with generation by fuel, load, a flow, and the intensity and carbon-free
share derived from them, hourly: monthly insertions as a backfill makes them, and daily ones of
the last 60 days, each from 135 retrievals. The store is published. Three days later a real
refresh fetches those three days (one group of requests a zone), derives, forecasts with the
weekly model and publishes, and does so again an hour later. Each step is a process of its
own, whose CPU time and largest memory the operating system measures. The floor is the same on
the small store, in the same run. It takes about 4 GB in a temporary folder (`TMPDIR` says
where) and some minutes. With --fail it ends with 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from synthetic import HOUR, machine, megabytes, say

from gridtide.clock import Clock
from gridtide_pipelines.derive.factors import factor_set
from gridtide_pipelines.ingest.fetch import Fetcher
from gridtide_pipelines.ingest.source import Source
from gridtide_pipelines.ingest.sources import simulated
from gridtide_pipelines.refresh import publish_home, refresh
from gridtide_pipelines.simulation.grid import Grid
from gridtide_pipelines.simulation.zones import GRIDS
from gridtide_store import catalogue
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.opening import write_note
from gridtide_store.settings import Settings
from gridtide_store.snapshot import Snapshot
from gridtide_store.store import Store

DAY = timedelta(days=1)
ZONES, SMALL, LARGE = 135, 1_000_000, 100_000_000
SPAN = 3 * DAY
NOW = datetime(2026, 6, 30, tzinfo=UTC)
# Hours of one insertion, as a backfill makes it, and as the refreshes of the last days do.
MONTH, LATELY, RECENT = 30 * 24, 24, 60 * 24
DERIVED = ("ci_lifecycle_produced", "ci_direct_produced", "cfe_produced")
MOST_CPU, MOST_MB = 120.0, 1000.0
# CPU seconds to judge the old raw responses of one turn; the small store has none so old.
MOST_PRUNE = 10.0
# What must not grow with the whole store may take that many times as long on the large one.
MOST_GROWTH = 3.0

FILL = """
    INSERT INTO observation
    SELECT id, moment, moment + INTERVAL 1 HOUR,
        CASE WHEN starts_with(signal, 'cfe') THEN round(0.5 + 0.4 * shape, 6)
            WHEN starts_with(signal, 'ci') THEN round(300 + 200 * shape, 4)
            ELSE round(3000 + 2000 * shape + 50 * random(), 1) END,
        'simulated', moment + INTERVAL 75 MINUTE, $1 * 1000 + id % 135, $1
    FROM (
        SELECT *, $2::TIMESTAMPTZ + to_hours(h) AS moment,
            sin((h + id) * 0.2618) * sin((h + id) * 0.000717) AS shape
        FROM series, range($3, $4) t(h)
    ) ORDER BY {order}
"""
RETRIEVED = """
    INSERT INTO retrieval BY NAME
    SELECT $1 * 1000 + i AS id, 'simulated' AS source, '/generation' AS address,
        $2::TIMESTAMPTZ + to_hours($4) AS known_at, sha256(($1 * 1000 + i)::TEXT)
        AS body_sha256, ($4 - $3) * 1000 AS body_bytes, 'generation' AS kind,
        ($4 - $3) * 200 AS stored_bytes
    FROM range(135) t(i)
"""
COVER = """
    INSERT INTO extent
    SELECT series, count(*), min(slot_start), max(slot_end), max(known_at), true
    FROM observation GROUP BY series
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=LARGE)
    parser.add_argument("--small", type=int, default=SMALL)
    parser.add_argument("--fail", action="store_true")
    parser.add_argument("--step", nargs=2, metavar=("NAME", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        name, folder = options.step
        sys.stdout.write(json.dumps(measure(name, DataDirectory(Path(folder)), options.rows)))
        return
    machine()
    found = {rows: steps(rows) for rows in (options.small, options.rows)}
    missed = show(*found.values())
    sys.exit(1 if missed and options.fail else 0)


def steps(rows: int) -> dict[str, dict[str, float]]:
    """What each step took on a store of `rows` rows, each in a process of its own."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        for name in STEPS:
            command = [sys.executable, __file__, "--step", name, str(home), "--rows", str(rows)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
            found[name] = json.loads(done.stdout)
            say(f"{rows:,}: {name}", "  ".join(f"{k} {v:,.2f}" for k, v in found[name].items()))
        say(f"{rows:,}: live.duckdb", megabytes(home / "live.duckdb"))
        newest = max((home / "snapshots").iterdir(), key=lambda path: path.stat().st_mtime)
        for path in sorted(newest.iterdir()):
            say(f"{rows:,}: {path.name}", f"{megabytes(path)}, {path.stat().st_nlink} links")
    return found


def measure(name: str, home: DataDirectory, rows: int) -> dict[str, float]:
    """Run one step; its own numbers, CPU seconds and the most memory at a time in MB."""
    own = STEPS[name](home, rows)
    mine, theirs = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1000
    return {
        "cpu": sum(one.ru_utime + one.ru_stime for one in (mine, theirs)),
        "MB": max(peak, theirs.ru_maxrss / 1000),
        **own,
    }


def build(home: DataDirectory, rows: int) -> dict[str, float]:
    """A store of about `rows` rows that ends three days before NOW."""
    grids = _grids()
    names = [
        (zone, signal, "simulated")
        for zone, grid in grids.items()
        for signal in (*(f"generation_{fuel}" for fuel in grid.capacity_mw), "load")
    ]
    keys = list(grids)
    names += [(f"{a}->{b}", "flow", "simulated") for a, b in pairwise(keys)]
    source = f"derived@{factor_set().name}/simulated"
    names += [(zone, signal, source) for zone in grids for signal in DERIVED]
    hours = rows // len(names)
    start = NOW - SPAN - hours * HOUR
    with writer_lock(home, "benchmark", NOW), Store.open(home) as store:
        store.keep("simulated", "/generation", b"{}", NOW - SPAN)
        connection = store.connection
        connection.executemany(
            "INSERT INTO series VALUES (?, ?, ?, ?)",
            [(number, *each) for number, each in enumerate(names)],
        )
        recent = max(hours - RECENT, 0)
        months = [(first, min(first + MONTH, recent)) for first in range(0, recent, MONTH)]
        days = [(first, min(first + LATELY, hours)) for first in range(recent, hours, LATELY)]
        for batch, (low, high) in enumerate([*months, *days], start=1):
            order = "moment, id" if (low, high) in days else "id, moment"
            connection.execute(FILL.format(order=order), [batch, start, low, high])
            connection.execute(RETRIEVED, [batch, start, low, high])
            write_note(connection, "batch", batch)
        connection.execute(COVER)
        store.mark_derived(factor_set().name, store.cut)
        Ledger(home.ledger)
    return {"series": len(names), "rows": hours * len(names)}


def publish(home: DataDirectory, _rows: int) -> dict[str, float]:
    """The first publication of all years."""
    clock = Clock(NOW - SPAN)
    with writer_lock(home, "benchmark", NOW), Store.open(home) as store:
        publish_home(store, Ledger(home.ledger), home, clock)
    return {}


def bring_up_to_date(home: DataDirectory, _rows: int, now: datetime = NOW) -> dict[str, float]:
    """A real refresh of the three days before `now`; CPU seconds of each stage."""
    stages: dict[str, float] = {}
    seen = ["gather", _cpu()]  # with opening the store and planning, before the first progress

    def progress(what: str, _done: int, _of: int) -> None:
        stage = what.split()[0]
        if stage != seen[0]:
            _close(stages, seen)
            seen[0] = stage

    settings = Settings(home.root, now=now, workers=1)
    with writer_lock(home, "benchmark", now), Fetcher(settings, environ={}) as fetch:
        report = refresh(
            home,
            settings,
            Clock(now),
            sources=[_source()],
            zones=(),
            since=now - SPAN,
            model="weekly",
            fetch=fetch,
            progress=progress,
        )
    _close(stages, seen)
    assert report.exit_code == 0, report.failed
    return {
        **stages,
        "rows": sum(step.rows for step in report.steps),
        "derived": report.derived_rows,
    }


def later(home: DataDirectory, rows: int) -> dict[str, float]:
    """The refresh of an hour later."""
    return bring_up_to_date(home, rows, NOW + HOUR)


def read(home: DataDirectory, _rows: int) -> dict[str, float]:
    """Milliseconds of what commands and servers read: series, opening, 72 h now and as of."""
    found = {}
    with writer_lock(home, "benchmark", NOW), Store.open(home) as store:
        found["series_ms"] = _least(store.series)
        zone = next(iter(_grids()))
        found["history_ms"] = _least(
            lambda: store.history(zone, DERIVED[0], NOW - SPAN, NOW, as_of=NOW)
        )
        found["covered_ms"] = _least(lambda: store.covered("simulated", NOW - SPAN, NOW))
    folder = home.snapshots / home.current.read_text().strip()
    found["open_ms"] = _least(lambda: Snapshot.open(folder).close())
    with Snapshot.open(folder) as snapshot:
        for what, as_of in (("read_ms", None), ("as_of_ms", NOW - DAY)):
            found[what] = _least(
                lambda as_of=as_of: snapshot.observations(
                    zone, DERIVED[0], NOW - SPAN, NOW, as_of=as_of
                )
            )
    return found


STEPS = {
    "build": build,
    "publish": publish,
    "refresh": bring_up_to_date,
    "hourly": later,
    "read": read,
}


def show(small: dict[str, dict[str, float]], large: dict[str, dict[str, float]]) -> bool:
    """Print the bars; whether one is missed."""
    bars = [
        ("refresh of three days, CPU s", large["refresh"]["cpu"], MOST_CPU),
        ("refresh of three days, most memory, MB", large["refresh"]["MB"], MOST_MB),
        ("first publication, most memory, MB", large["publish"]["MB"], MOST_MB),
        ("hourly refresh, most memory, MB", large["hourly"]["MB"], MOST_MB),
        ("refresh of three days, prune, CPU s", large["refresh"]["prune"], MOST_PRUNE),
        ("hourly refresh, prune, CPU s", large["hourly"]["prune"], MOST_PRUNE),
    ]
    for step, value in (
        ("refresh", "cpu"),
        ("hourly", "cpu"),
        ("hourly", "publish"),
        ("read", "series_ms"),
        ("read", "read_ms"),
    ):
        growth = large[step][value] / max(small[step][value], 1e-9)
        bars.append((f"{step}, {value}: times the small store", growth, MOST_GROWTH))
    for what, value, most in bars:
        say(what, f"{value:,.2f}", f"< {most:g}{'' if value < most else '  MISSED'}")
    return any(value >= most for _, value, most in bars)


def _grids() -> dict[str, Grid]:
    """Simulated grids under the names of real zones, so that each has its sun."""
    zones = list(catalogue.load().zones)[:ZONES]
    return {
        zone: replace(GRIDS[i % len(GRIDS)], zone=zone, step=HOUR)
        for i, zone in enumerate(sorted(zones))
    }


def _source() -> Source:
    """The simulated source with as many zones, one group of requests for each."""
    grids = _grids()
    simulated.BY_ZONE.update(grids)
    return replace(
        simulated.SOURCE,
        zones=frozenset(grids),
        max_span=SPAN,
        requests=lambda query: [
            group
            for zone in query.zones
            for group in simulated.requests(replace(query, zones=(zone,)))
        ],
    )


def _close(stages: dict[str, float], seen: list[Any]) -> None:
    now = _cpu()
    stages[seen[0]] = stages.get(seen[0], 0.0) + now - seen[1]
    seen[1] = now


def _cpu() -> float:
    spent = [
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    return sum(one.ru_utime + one.ru_stime for one in spent)


def _least(work: Callable[[], object], times: int = 5) -> float:
    """Least milliseconds of some calls."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append((time.perf_counter() - began) * 1000)
    return min(found)


if __name__ == "__main__":
    main()
