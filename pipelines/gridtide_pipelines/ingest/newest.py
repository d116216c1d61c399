"""Of what several bodies state of one thing keep the newest. Pure.

The rules are those of `summing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

CONFLICT: Final = "conflict"


def newest(
    rows: pl.DataFrame, key: Sequence[str], order: Sequence[str] = ("body",)
) -> pl.DataFrame:
    """Return one row for each `key`: what its newest body says, null in a conflict.

    Args:
        rows: the columns of `key` and `order`, value, flag, and others, which are kept.
        order: columns that say which of two rows is newer.
    """
    if rows.select(pl.struct(key).n_unique()).item() == rows.height:
        return rows
    last = pl.all_horizontal(pl.col(each) == pl.col(each).last() for each in order)
    differ = pl.col("value").filter(last).n_unique() > 1
    flag = pl.concat_str("flag", pl.lit(CONFLICT), separator=";", ignore_nulls=True)
    return (
        rows.sort(order, maintain_order=True)
        .group_by(key, maintain_order=True)
        .agg(pl.exclude(*key).last(), differ.alias("differ"))
        .with_columns(
            value=pl.when(~pl.col("differ")).then("value"),
            flag=pl.when("differ").then(flag).otherwise("flag"),
        )
        .select(rows.columns)
    )
