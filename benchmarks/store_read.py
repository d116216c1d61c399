"""Reading 72 hours of one zone from a large snapshot, beside the bare query.

    python benchmarks/store_read.py

17.5 million slots (400 zones, 5 years, hourly, one signal) are published as a base, then
264,000 of them are revised and published as a delta. The floor, in the same run, is DuckDB
answering the same question from the same file, without merging, rounding or as-of.
"""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import polars as pl
from synthetic import (
    END,
    HOUR,
    SIGNAL,
    START,
    arguments,
    filled,
    machine,
    megabytes,
    milliseconds,
    observed,
    published,
    say,
    spread,
)

from gridtide_store.database import attach, columns, connect
from gridtide_store.snapshot import Snapshot

READS = 1000
SPAN = 660


def main() -> None:
    """Print the table."""
    options = arguments(__doc__)
    machine()
    with filled(options.zones, options.hours) as store:
        say("slots", f"{options.zones * options.hours:,}")
        folder, seconds = published(store, END)
        say("publish with a new base", f"{seconds:.1f} s")
        say("live.duckdb, exact values", megabytes(store.home.live))
        base = sum(path.stat().st_size for path in folder.glob("base-*.duckdb"))
        say("base by year, with quality and known_at", f"{base / 1e6:.1f} MB", "< 60")
        bare(folder, options.zones, options.hours)
        with Snapshot.open(folder) as snapshot:
            say("72 h", ask(snapshot, options.zones, 0, options.hours), "p50 < 2 ms")
        first = options.hours - SPAN
        store.append(
            pl.concat(observed(zone, first, SPAN, revision=1) for zone in range(options.zones))
        )
        folder, seconds = published(store, END + HOUR)
        say("publish with 264,000 revised rows in the delta", f"{seconds:.2f} s")
        say("delta.duckdb", megabytes(folder / "delta.duckdb"))
        opened = milliseconds(lambda: Snapshot.open(folder).close(), 5)
        say("opening it", f"{opened[2]:.0f} ms")
        with Snapshot.open(folder) as snapshot:
            revised = ask(snapshot, options.zones, first, options.hours)
            say("72 h, all of them revised in the delta", revised, "p50 < 3 ms")
            anywhere = ask(snapshot, options.zones, 0, options.hours)
            say("72 h, anywhere, with a delta", anywhere, "p50 < 3 ms")
            past = ask(snapshot, options.zones, first, options.hours, as_of=-24)
            say("72 h as of the day before, with a delta", past)


def ask(snapshot: Snapshot, zones: int, low: int, high: int, as_of: int | None = None) -> str:
    """72 hours of a random zone from a random hour in ``[low, high - 72)``."""
    draw = random.Random(1)  # noqa: S311  # the same questions each time
    moment = None if as_of is None else START + HOUR * (high + as_of)

    def read() -> None:
        start = START + HOUR * draw.randrange(low, high - 72 + (as_of or 0))
        zone = f"ZONE-{draw.randrange(zones):03d}"
        found = snapshot.observations(zone, SIGNAL, start, start + 72 * HOUR, as_of=moment)
        assert len(found.value) == 72

    return spread(milliseconds(read, READS))


def bare(folder: Path, zones: int, hours: int) -> None:
    """The floor: the query alone, and the dearest part of any query."""
    draw = random.Random(1)  # noqa: S311  # the same questions each time
    connection = connect(folder)
    connection.execute("SET threads = 1")
    for path in folder.glob("base-*.duckdb"):
        attach(connection, path, path.stem.replace("-", "_"), read_only=True)

    def read() -> None:
        start = START + HOUR * draw.randrange(hours - 72)
        columns(
            connection.cursor(),
            "SELECT slot_start, length_us, value, quality, known_us "  # noqa: S608  # a year
            f"FROM base_{start.year}.belief "
            "WHERE series = ? AND slot_start >= ? AND slot_start < ?",
            [draw.randrange(zones), start, start + timedelta(hours=72)],
        )

    say("floor: the bare query", spread(milliseconds(read, READS)))
    say(
        "floor: SELECT ?",
        spread(milliseconds(lambda: columns(connection.cursor(), "SELECT ? AS a", [1]), READS)),
    )
    connection.close()


if __name__ == "__main__":
    main()
