"""From labels to slots: resolution, mean power, and what no slot can be. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum

import polars as pl

from gridtide.errors import BadInput
from gridtide.model import format_time
from gridtide_pipelines.importing.stretches import MANY, slot_lengths
from gridtide_pipelines.importing.tables import Table
from gridtide_pipelines.ingest.normalize import POWER
from gridtide_pipelines.ingest.summing import without_negative_totals

DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
DAY = timedelta(days=1)

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

    Without a `resolution` it is the spacing of the labels, stretch by stretch. Energy becomes
    mean power over its own slot; a null value stays a gap.

    Raises:
        BadInput: labels that do not fit the resolution, may be read in two ways, or are too
            few to tell it; a time between whole seconds; a fuel that comes in longer slots.
    """
    labels = table.rows["label"].unique().sort()
    ends = label is Label.END
    lengths = slot_lengths(table.name, labels, ends=ends, given=resolution)
    rows = table.rows.join(
        pl.DataFrame([labels, lengths]), on="label", how="left", maintain_order="left"
    )
    _refuse_coarse(table.name, rows, ends=ends)
    length = pl.col("length")
    start = pl.col("label") - length if ends else pl.col("label")
    hours = length.dt.total_seconds() / 3600 if table.energy else 1.0
    return rows.select(
        start.alias("slot_start"),
        (start + length).alias("slot_end"),
        "fuel",
        pl.col("value") / hours,
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


def _refuse_coarse(name: str, rows: pl.DataFrame, *, ends: bool) -> None:
    """Check that no fuel comes in longer slots than the rows it stands in.

    Raises:
        BadInput: one does; says from when.
    """
    known = rows.drop_nulls("value").sort("label")
    for (fuel,), mine in known.group_by("fuel", maintain_order=True):
        lengths = mine["length"]
        steps = pl.DataFrame(
            {
                "from": mine["label"][:-1],
                "step": mine["label"].diff()[1:],
                "length": lengths[1:] if ends else lengths[:-1],
            }
        )
        runs = steps.with_columns(run=pl.struct("step", "length").rle_id())
        runs = runs.group_by("run", maintain_order=True).agg(
            pl.col("from", "step", "length").first(), pl.len()
        )
        coarse = runs.filter(
            pl.col("step") > pl.col("length"),
            (pl.col("len") >= MANY) | ((pl.col("len") == len(steps)) & (pl.col("len") > 1)),
        )
        if not coarse.is_empty():
            start, step, length = coarse.select("from", "step", "length").row(0)
            raise BadInput(
                f"{name}: from {format_time(start)} on values of {fuel} are {step} apart, but "
                f"the slots of the rows are {length}; split the file by resolution and import "
                "each part by itself"
            )
