"""Of what several bodies state of one thing keep the newest. Pure.

The rules are those of `summing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

CONFLICT: Final = "conflict"
MANY: Final = 5000  # rows; fewer are hashed sooner than compared


def newest(
    rows: pl.DataFrame, key: Sequence[str], order: Sequence[str] = ("body",)
) -> pl.DataFrame:
    """Return one row for each `key`: what its newest body says, null in a conflict.

    Args:
        rows: the columns of `key` and `order`, value, flag, and others, which are kept.
        order: columns that say which of two rows is newer.
    """
    if _is_once(rows, key):
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


def _is_once(rows: pl.DataFrame, key: Sequence[str]) -> bool:
    """Say whether no two rows are alike in `key`, by what is quickest to see."""
    many = rows.height > MANY and {"start", "signal"}.issubset(key)
    if many and _rises(rows["start"], rows["signal"]):
        return True
    # Rows whose hashes differ are different; rows with one hash may be alike.
    if pl.DataFrame([rows[each] for each in key]).hash_rows().n_unique() == rows.height:
        return True
    return bool(rows.select(pl.struct(key).n_unique()).item() == rows.height)


def _rises(first: pl.Series, second: pl.Series) -> bool:
    """Say whether each row is after the one before it: by `first`, then by `second`."""
    after = first[1:] > first[:-1]
    if after.all(ignore_nulls=False):
        return True
    alike = first[1:] == first[:-1]
    return bool((after | (alike & (second[1:] > second[:-1]))).all(ignore_nulls=False))
