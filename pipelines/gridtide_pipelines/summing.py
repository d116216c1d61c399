"""What several codes or columns say of one fuel, as one value of it. Pure."""

from __future__ import annotations

import polars as pl


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
