"""Appending revised rows to a large store, beside a plain insert of the same rows.

    python benchmarks/store_append.py

264,000 rows (400 zones, 660 hours) with new values are appended to 17.5 million, five times
over; each time all of them differ from the newest belief. The floor, in the same run, is
DuckDB inserting the same rows from a Parquet file without asking what is there.
"""

from __future__ import annotations

import statistics
import time

import polars as pl
from synthetic import arguments, filled, machine, megabytes, observed, say

from gridtide_store.appending import insert
from gridtide_store.store import Store

ROUNDS = 5
SPAN = 660


def main() -> None:
    """Print the table."""
    options = arguments(__doc__)
    machine()
    with filled(options.zones, options.hours) as store:
        say("slots", f"{options.zones * options.hours:,}")
        say("live.duckdb, exact values", megabytes(store.home.live))
        first = options.hours - SPAN
        ours = []
        for revision in range(1, ROUNDS + 1):
            rows = pl.concat(
                observed(zone, first, SPAN, revision=revision) for zone in range(options.zones)
            )
            began = time.perf_counter()
            added = store.append(rows)
            ours.append(time.perf_counter() - began)
            assert added == len(rows)
        again = timed(store, rows)
        floor = [plain(store, rows, batch) for batch in range(ROUNDS)]
        say("rows appended", f"{len(rows):,}")
        say("append, each round", "  ".join(f"{one:.3f}" for one in ours))
        say("append, median of 5", f"{statistics.median(ours):.3f} s", "< 0.4 s")
        say("append of rows that are all there", f"{again:.3f} s")
        say("floor: plain insert, median of 5", f"{statistics.median(floor):.3f} s")


def timed(store: Store, rows: pl.DataFrame) -> float:
    """Seconds to find that nothing is new."""
    began = time.perf_counter()
    assert store.append(rows) == 0
    return time.perf_counter() - began


def plain(store: Store, rows: pl.DataFrame, batch: int) -> float:
    """Seconds to insert the rows as they are into a table of the same columns."""
    store.connection.execute(
        "CREATE TABLE IF NOT EXISTS plain AS FROM observation WITH NO DATA"
    )
    numbered = rows.select(
        pl.col("zone").rank("dense").cast(pl.Int32),
        "slot_start",
        "slot_end",
        "value",
        "quality",
        "known_at",
        "retrieval_id",
        batch=pl.lit(batch, pl.Int64),
    )
    began = time.perf_counter()
    insert(store.connection, numbered, "plain", scratch=store.scratch)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
