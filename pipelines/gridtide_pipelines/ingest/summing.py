"""Sum the readings that fall on one signal and slot: units, plants, codes, ties. Pure."""

from __future__ import annotations

from typing import Final

import polars as pl

from gridtide_pipelines.ingest.source import READING

KEY: Final = ("zone", "signal", "start", "end", "quality", "issued_at")


def sum_codes(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` of READING with one row for each signal and slot, the sum of its rows.

    It is null where one of them is null: leave out before what is only idle. Flags are joined.
    """
    value = pl.col("value")
    return (
        frame.group_by(KEY, maintain_order=True)
        .agg(
            pl.when(value.is_not_null().all()).then(value.sum()).alias("value"),
            pl.col("flag").drop_nulls().unique(maintain_order=True).str.join(";"),
            pl.col("body").max(),
        )
        .with_columns(pl.col("flag").replace("", None))
        .select(READING.names())
    )
