"""From labels to slots: resolution, mean power, and what no slot can be. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum

import polars as pl

from gridtide.errors import BadInput
from gridtide.model import format_time
from gridtide_pipelines.importing.tables import Table
from gridtide_pipelines.normalize import POWER

DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
DAY = timedelta(days=1)

# A store that charges is no generation, so it cannot make a total negative.
STORAGE = ("hydro_storage", "battery_storage")


class Label(StrEnum):
    """What a file's times name: the start or the end of the slot."""

    START = "start"
    END = "end"


def parse_resolution(text: str) -> timedelta:
    """The length of a slot, written in ISO 8601: ``PT1H``, ``PT30M``, ``PT15M``.

    Raises:
        BadInput: written otherwise, zero, or longer than a day.
    """
    match = DURATION.fullmatch(text.strip().upper())
    parts = [int(part or 0) for part in match.groups()] if match else [0]
    length = timedelta(
        **dict(zip(("days", "hours", "minutes", "seconds"), parts, strict=False))
    )
    if not timedelta(0) < length <= DAY:
        raise BadInput(
            f"resolution {text!r} is none from a second to a day; write PT1H, PT30M or PT15M"
        )
    return length


def to_slots(table: Table, label: Label, resolution: timedelta | None) -> pl.DataFrame:
    """The file's rows as slots: ``slot_start``, ``slot_end`` (UTC), ``fuel``, ``value`` in MW.

    Without a `resolution` it is the commonest spacing of the labels. Energy becomes mean
    power; a null value stays a gap.

    Raises:
        BadInput: labels that do not fit the resolution, or too few to tell it; a time
            between whole seconds; a slot whose total generation is negative.
    """
    length = _resolution(table, resolution)
    per_hour = timedelta(hours=1) / length if table.energy else 1.0
    shift = length if label is Label.END else timedelta(0)
    slots = table.rows.select(
        (pl.col("label") - shift).alias("slot_start"),
        (pl.col("label") - shift + length).alias("slot_end"),
        "fuel",
        pl.col("value") * per_hour,
    )
    _refuse_negative_totals(table.name, slots)
    return slots


def refuse_future(name: str, slots: pl.DataFrame, now: datetime) -> None:
    """Check that every slot is over by `now`: nothing is measured before it happened.

    Raises:
        BadInput: a slot that ends later.
    """
    late = slots.filter(pl.col("slot_end") > now).sort("slot_end")
    if not late.is_empty():
        raise BadInput(
            f"{name}: the slot that ends {format_time(late['slot_end'][0])} is not over at "
            f"{format_time(now)}; check --label, or remove the rows that lie ahead"
        )


def refuse_implausible(name: str, slots: pl.DataFrame) -> None:
    """Check that every value can be a power in MW, as of what a source reports.

    Raises:
        BadInput: a value outside `POWER`.
    """
    low, high = POWER
    odd = slots.filter(~pl.col("value").is_between(low, high)).sort("slot_start", "fuel")
    if not odd.is_empty():
        start, fuel, value = odd.select("slot_start", "fuel", "value").row(0)
        raise BadInput(
            f"{name}: {fuel} at {format_time(start)} is {value:g} MW, more than any grid has; "
            "give MW, not kW or W"
        )


def _resolution(table: Table, given: timedelta | None) -> timedelta:
    labels = table.rows["label"].unique().sort()
    if (odd := labels.filter(labels.dt.microsecond() != 0)).len():
        raise BadInput(f"{table.name}: {odd[0]} is not on a whole second; round the times")
    steps = labels.diff().drop_nulls()
    if steps.is_empty():
        if given is None:
            raise BadInput(f"{table.name} has one slot only; say its length: --resolution PT1H")
        return given
    commonest = steps.value_counts(sort=True)
    most = commonest.filter(pl.col("count") == commonest["count"][0])["label"].min()
    length = given or most
    assert isinstance(length, timedelta)  # noqa: S101  # a column of durations gives one
    wrong = steps.to_physical() % (length // timedelta(microseconds=1)) != 0
    if wrong.any():
        at = wrong.arg_true()[0]
        raise BadInput(
            f"{table.name}: from {format_time(labels[at])} to {format_time(labels[at + 1])} is "
            f"no whole number of slots of {length}; mend the times, or split the file by "
            "resolution and import each with its --resolution"
        )
    if (steps > length).all() and len(steps) > 1:
        raise BadInput(
            f"{table.name}: rows are {most!s} apart, so slots of {length} would leave a gap "
            "after each; leave out --resolution, or name the true one"
        )
    return length


def _refuse_negative_totals(name: str, slots: pl.DataFrame) -> None:
    charging = pl.col("fuel").is_in(STORAGE) & (pl.col("value") < 0)
    totals = (
        slots.group_by("slot_start")
        .agg(
            pl.col("value").filter(~charging).sum().alias("total"),
            # Where a fuel is a gap the total is not known.
            pl.col("value").is_not_null().all().alias("known"),
        )
        .filter((pl.col("total") < 0) & pl.col("known"))
        .sort("slot_start")
    )
    if not totals.is_empty():
        raise BadInput(
            f"{name}: total generation in the slot from {format_time(totals['slot_start'][0])} "
            f"is {totals['total'][0]:g} MW ({len(totals)} such slots); a grid does not "
            "generate less than nothing: check the signs, or remove those rows"
        )
