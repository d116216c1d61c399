"""Sums of a mix: what several codes say of one fuel, and totals that cannot be. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

# A store that charges is no generation, so it cannot make a total negative.
STORAGE: Final = ("hydro_storage", "battery_storage")


def total(value: pl.Expr) -> pl.Expr:
    """The sum over the codes of one fuel and slot; null where one of them is null.

    A code that consumes (storage that charges, a plant's own use) is no negative generation of
    another: beside one that generates it counts as 0, so that 100 MW of ``OTH`` beside -80 MW
    of ``UES`` are 100 MW. Where no code generates, the sum is their net consumption.
    """
    generates = (value > 0).any()
    known = value.is_not_null().all()
    return (
        pl.when(known & generates)
        .then(value.clip(lower_bound=0).sum())
        .when(known)
        .then(value.sum())
    )


def without_negative_totals(mix: pl.DataFrame, slot: Sequence[str]) -> tuple[pl.DataFrame, int]:
    """`mix` with all fuels unknown where they are negative in total, and how many such slots.

    A grid does not generate less than nothing, so something in such a slot is wrong, and it is
    not known what. Where a fuel is null the total is not known, and nothing is judged.

    Args:
        mix: `fuel` and `value` in MW.
        slot: the columns that name a slot.
    """
    value = pl.col("value")
    charging = pl.col("fuel").is_in(STORAGE) & (value < 0)
    total = pl.when(~charging).then(value).sum().over(slot)
    known = value.is_not_null().all().over(slot)
    marked = mix.with_columns(((total < 0) & known).alias("wrong"))
    count = marked.filter("wrong").select(slot).n_unique()
    return marked.with_columns(value=pl.when(~pl.col("wrong")).then("value")).drop(
        "wrong"
    ), count
