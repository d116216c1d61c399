"""Slots that are not over yet: a price is known before its slot, no other value is. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import polars as pl

from gridtide.errors import BadInput
from gridtide.model import format_time
from gridtide_pipelines.importing.layouts import fuel_of
from gridtide_store.vocabulary import INSTANT, PRICE

# Tariffs are fixed a year ahead at most; a price beyond is a mistake in the times.
MOST_AHEAD: Final = timedelta(days=366)


def without_future(name: str, slots: pl.DataFrame, now: datetime) -> tuple[pl.DataFrame, int]:
    """Return the slots that are over by `now` or have a price, and how many are left out.

    What is left out lies ahead and has no value.

    Raises:
        BadInput: a value other than a price ends later; a price more than `MOST_AHEAD` later.
    """
    ahead, priced = pl.col("slot_end") > now, pl.col("signal").str.starts_with(PRICE)
    known = pl.col("value").is_not_null()
    late = slots.filter(ahead, ~priced, known).sort("slot_end")
    if not late.is_empty():
        signal = fuel_of(late["signal"][0])
        raise BadInput(
            f"{name}: the slot of {signal} that ends {format_time(late['slot_end'][0])} is not "
            f"over at {format_time(now)}, so its value is not an observation; check --label "
            "and --timezone, or remove the rows that lie ahead, and columns of forecasts by "
            "--ignore; prices alone may lie ahead"
        )
    far = slots.filter(priced, known, pl.col("slot_end") > now + MOST_AHEAD).sort("slot_end")
    if not far.is_empty():
        raise BadInput(
            f"{name}: the price of the slot that ends {format_time(far['slot_end'][0])} lies "
            f"more than a year after {format_time(now)}; correct the times, or remove such rows"
        )
    return slots.filter(~ahead | (priced & known)), (
        slots.filter(ahead, ~(priced & known))["slot_start"].n_unique()
    )


def knowledge_time(now: datetime) -> pl.Expr:
    """Return when a row is known that is labelled with its slot: at its end.

    A price that lies ahead is known by `now`.
    """
    priced = pl.col("signal").str.starts_with(PRICE)
    return (
        pl.when(priced)
        .then(pl.min_horizontal("slot_end", pl.lit(now, INSTANT)))
        .otherwise("slot_end")
    )
