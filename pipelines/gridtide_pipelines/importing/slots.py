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
from gridtide_pipelines.summing import without_negative_totals

DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
DAY = timedelta(days=1)

# So many equal steps in a row that are longer than a slot are no gaps but slots of that length.
# Where the times alone tell the length two will do.
COARSE = 12
COARSE_UNTOLD = 2
# With more implausible values than this the unit of the file is wrong, not an hour.
ODD_PART = 0.01


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
            between whole seconds; a stretch of the file, or a fuel, of longer slots.
    """
    length = _resolution(table, resolution)
    _refuse_coarse(table, length, told=resolution is not None)
    per_hour = timedelta(hours=1) / length if table.energy else 1.0
    shift = length if label is Label.END else timedelta(0)
    return table.rows.select(
        (pl.col("label") - shift).alias("slot_start"),
        (pl.col("label") - shift + length).alias("slot_end"),
        "fuel",
        pl.col("value") * per_hour,
    )


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


def without_bad_values(name: str, slots: pl.DataFrame) -> tuple[pl.DataFrame, int, int]:
    """`slots` with a gap where a value cannot be, or where generation is negative in total.

    Returns:
        The slots, how many values were implausible, and how many slots had a negative total.

    Raises:
        BadInput: more than `ODD_PART` of the values lie outside `POWER`.
    """
    low, high = POWER
    fits = pl.col("value").is_between(low, high)
    odd = slots.filter(~fits).sort("slot_start", "fuel")
    if len(odd) > ODD_PART * len(slots):
        start, fuel, value = odd.select("slot_start", "fuel", "value").row(0)
        raise BadInput(
            f"{name}: {fuel} at {format_time(start)} is {value:g} MW, more than any grid has; "
            f"give MW, not kW or W ({len(odd)} of {len(slots)} values)"
        )
    slots = slots.with_columns(value=pl.when(fits).then("value"))
    found, negative = without_negative_totals(slots, ["slot_start", "slot_end"])
    return found, len(odd), negative


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


def _refuse_coarse(table: Table, length: timedelta, *, told: bool) -> None:
    """Check that no stretch of the file, and no fuel in it, comes in longer slots.

    Raises:
        BadInput: one does; says from when.
    """
    labels = table.rows["label"].unique().sort()
    found = [("rows", labels, COARSE if told else COARSE_UNTOLD)]
    known = table.rows.drop_nulls("value").sort("label")
    for (fuel,), rows in known.group_by("fuel", maintain_order=True):
        found.append((f"values of {fuel}", rows["label"], COARSE))
    for what, times, most in found:
        steps = pl.DataFrame({"from": times[:-1], "step": times.diff()[1:]})
        runs = steps.with_columns(run=pl.col("step").rle_id())
        runs = runs.group_by("run", maintain_order=True).agg(
            pl.col("from").first(), pl.col("step").first(), pl.len()
        )
        coarse = runs.filter(
            pl.col("step") > length,
            (pl.col("len") >= most) | ((pl.col("len") == len(steps)) & (pl.col("len") > 1)),
        )
        if not coarse.is_empty():
            start, step = coarse.select("from", "step").row(0)
            raise BadInput(
                f"{table.name}: from {format_time(start)} on {what} are {step} apart, but a "
                f"slot would be {length}; split the file where the spacing changes and import "
                "each part by itself"
            )
