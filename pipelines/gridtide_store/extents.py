"""What the observations of each series cover, kept by every insertion.

A summary of `observation` (table ``extent``): what is read from it takes as long on a store of
many years as on a new one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import duckdb
import polars as pl

from gridtide.model import Quality, utc
from gridtide_store.database import columns, frame
from gridtide_store.trust import REACH
from gridtide_store.vocabulary import input_of

EXTENT: Final = (
    "series",
    "rows",
    "first_start",
    "last_end",
    "newest_known_at",
    "simulated",
)
# How far from the end that a series had the first or last slot with a value is searched for
# when that one lost its value; then four times as far, and so on.
WINDOW: Final = timedelta(days=30)

# The same from all observations of some series; the newest revision of each slot counts.
COMPUTED: Final = """
    SELECT series, count(*) AS rows,
        min(slot_start) FILTER (rank = 1 AND value IS NOT NULL) AS first_start,
        max(slot_end) FILTER (rank = 1 AND value IS NOT NULL) AS last_end,
        max(known_at) AS newest_known_at, bool_or(quality = 'simulated') AS simulated
    FROM (
        SELECT series, slot_start, slot_end, value, known_at, quality, row_number() OVER (
            PARTITION BY series, slot_start ORDER BY known_at DESC) AS rank
        FROM observation WHERE series BETWEEN ? AND ?
    ) GROUP BY series
"""


def series(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return zone, signal, source, first_start, last_end, rows, newest_known_at of each series.

    The first and last slot are those with a value; null where a series has none.
    """
    return frame(
        columns(
            connection,
            "SELECT zone, signal, source, first_start, last_end, rows, newest_known_at FROM "
            "extent JOIN series ON series.id = extent.series ORDER BY zone, signal, source",
        )
    )


def publishers(connection: duckdb.DuckDBPyConnection) -> dict[str, bool]:
    """Return the publishers of the observations by name, and whether they are simulated."""
    found = columns(
        connection,
        "SELECT source, coalesce(bool_or(simulated), false) AS simulated FROM series "
        "LEFT JOIN extent ON extent.series = series.id GROUP BY source ORDER BY source",
    )
    kinds: dict[str, bool] = {}
    for source, simulated in zip(*(found[name].tolist() for name in found), strict=True):
        name = input_of(str(source))
        kinds[name] = kinds.get(name, False) or bool(simulated)
    return kinds


def newest_known_at(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """Return the latest knowledge time of any observation or run."""
    found = columns(
        connection,
        "SELECT max(known_at) AS newest FROM "
        "(SELECT newest_known_at AS known_at FROM extent UNION ALL SELECT known_at FROM run)",
    )
    newest = frame(found)["newest"][0]
    return utc(newest) if newest else None


def extend(
    connection: duckdb.DuckDBPyConnection, fresh: pl.DataFrame, replaced: pl.DataFrame
) -> pl.DataFrame:
    """Return what the series of `fresh` cover now that these rows are in `observation`.

    Args:
        connection: with the live file in use.
        fresh: the rows that were inserted, with `series`.
        replaced: the revisions that some of them replaced, as `old_start`, `old_end` and
            `old_value`, with `series`, `slot_end` and `value` of the new one.

    Returns:
        Columns `EXTENT`: the rows that take the place of those stored for these series.
    """
    valued = pl.col("value").is_not_null()
    added = fresh.group_by("series").agg(
        pl.len().cast(pl.Int64).alias("rows"),
        pl.col("slot_start").filter(valued).min().alias("first_start"),
        pl.col("slot_end").filter(valued).max().alias("last_end"),
        pl.col("known_at").max().alias("newest_known_at"),
        (pl.col("quality") == str(Quality.SIMULATED)).any().alias("simulated"),
    )
    stored = frame(
        columns(
            connection,
            "SELECT * FROM extent WHERE series IN (SELECT unnest(?::INTEGER[]))",
            [added["series"].to_list()],
        )
    )
    if stored.is_empty():
        return added.select(EXTENT)
    merged = (
        pl.concat([stored.select(EXTENT), added.select(EXTENT)], how="vertical_relaxed")
        .group_by("series")
        .agg(
            pl.col("rows").sum(),
            pl.col("first_start").min(),
            pl.col("last_end").max(),
            pl.col("newest_known_at").max(),
            pl.col("simulated").any(),
        )
    )
    ends = replaced.filter(pl.col("old_value").is_not_null()).join(stored, on="series")
    lost = ends.filter(
        (pl.col("value").is_null() & (pl.col("old_start") == pl.col("first_start")))
        | (
            (pl.col("value").is_null() | (pl.col("slot_end") < pl.col("old_end")))
            & (pl.col("old_end") == pl.col("last_end"))
        )
    )
    return _search_ends(connection, merged, lost["series"].unique().to_list())


def _search_ends(
    connection: duckdb.DuckDBPyConnection, extents: pl.DataFrame, lost: list[int]
) -> pl.DataFrame:
    """Return `extents`; for the series in `lost` the first and last slot are searched for.

    What `extents` says of them is no narrower than what they cover.
    """
    reach = WINDOW
    while lost:
        wanted = extents.filter(pl.col("series").is_in(lost))
        # Both ends are there: a value was lost.
        near_low: datetime = max(wanted["first_start"].to_list()) + reach
        near_high: datetime = min(wanted["last_end"].to_list()) - reach
        found = _ends(connection, lost, near_low, near_high).rename(
            {"first_start": "found_start", "last_end": "found_end"}
        )
        everything = near_low >= near_high
        joined = wanted.join(found, on="series", how="left")
        # A slot that starts before the window may end in it.
        sure = (pl.col("found_start") < near_low) & (pl.col("found_end") > near_high + REACH)
        done = joined.filter(pl.lit(value=everything) | sure.fill_null(value=False))
        extents = extents.update(
            done.select("series", first_start="found_start", last_end="found_end"),
            on="series",
            include_nulls=True,
        )
        lost = sorted(set(lost) - set(done["series"].to_list()))
        reach *= 4
    return extents.select(EXTENT)


def _ends(
    connection: duckdb.DuckDBPyConnection, numbers: list[int], before: datetime, after: datetime
) -> pl.DataFrame:
    """Return the first and last slot with a value among those that start near either end."""
    return frame(
        columns(
            connection,
            """
            SELECT series, min(slot_start) AS first_start, max(slot_end) AS last_end FROM (
                SELECT series, slot_start, slot_end, value FROM observation
                WHERE series IN (SELECT unnest(?::INTEGER[]))
                AND (slot_start < ? OR slot_start >= ?)
                QUALIFY row_number() OVER (
                    PARTITION BY series, slot_start ORDER BY known_at DESC) = 1
            ) WHERE value IS NOT NULL GROUP BY series
            """,
            [numbers, before, after],
        )
    )
