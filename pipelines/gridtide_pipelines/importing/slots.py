"""Labels to slots, slots of several files merged and compared with the store. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import polars as pl

from gridtide.errors import BadInput
from gridtide.model import format_time
from gridtide.values import read_written_length
from gridtide_pipelines.importing.layouts import Label, fuel_of
from gridtide_pipelines.importing.stretches import MANY, slot_lengths
from gridtide_pipelines.importing.tables import Table
from gridtide_pipelines.ingest.normalize import PLAUSIBLE
from gridtide_pipelines.ingest.parsing import without_negative_totals
from gridtide_store.vocabulary import GENERATION, LOAD, unit_of

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)

# With more implausible values than this the unit of the file is wrong, not an hour.
ODD_PART = 0.01

ROW = ("signal", "slot_start", "slot_end")
FOLLOWING = timedelta(microseconds=1)


def parse_resolution(text: str) -> timedelta:
    """Return the length of a slot, written as any length: ``PT1H``, ``30min``, ``1``.

    Raises:
        BadInput: not a length, or not whole seconds above 0 and up to a day.
    """
    length = read_written_length(text, "--resolution")
    if not timedelta(0) < length <= DAY or length % SECOND:
        raise BadInput(
            f"--resolution {text!r}: must be whole seconds, at most a day; write PT1H, PT30M "
            "or PT15M"
        )
    return length


def to_slots(table: Table, label: Label, resolution: timedelta | None) -> pl.DataFrame:
    """Turn rows into slots: ``slot_start``, ``slot_end`` (UTC), ``signal``, ``value``, others.

    Without a `resolution` it is the spacing of the labels, stretch by stretch. Energy becomes
    mean power (MW) over its own slot; a null value stays a gap.

    Raises:
        BadInput: labels that do not fit the resolution, are ambiguous, or are too
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
    value = pl.col("value")
    if table.energy:
        hours = length.dt.total_seconds() / 3600
        value = pl.when(_is_power()).then(value / hours).otherwise(value)
    return rows.select(
        start.alias("slot_start"),
        (start + length).alias("slot_end"),
        "signal",
        value,
        *(["estimated"] if "estimated" in rows.columns else []),
    )


def _is_power() -> pl.Expr:
    signal = pl.col("signal")
    return signal.str.starts_with(GENERATION) | (signal == LOAD)


def without_bad_values(name: str, slots: pl.DataFrame) -> tuple[pl.DataFrame, int, int]:
    """Return `slots` with a gap where a value is implausible or the total is negative.

    Returns:
        The slots, how many values were implausible, and how many slots had a negative total.

    Raises:
        BadInput: more than `ODD_PART` of the values are not `PLAUSIBLE`.
    """
    fits = pl.col("value").is_null()
    for prefix, (low, high) in PLAUSIBLE:
        mine = pl.col("signal").str.starts_with(prefix)
        fits |= mine & pl.col("value").is_between(low, high)
    odd = slots.filter(~fits).sort("slot_start", "signal")
    if len(odd) > ODD_PART * len(slots):
        start, signal, value = odd.select("slot_start", "signal", "value").row(0)
        unit = unit_of(signal)
        why = "more than any grid has; give MW, not kW or W"
        raise BadInput(
            f"{name}: {fuel_of(signal)} at {format_time(start)} is {value:g} {unit}, "
            f"{why if unit == 'MW' else 'which no grid has; check its unit'} "
            f"({len(odd)} of {len(slots)} values)"
        )
    slots = slots.with_columns(value=pl.when(fits).then("value"))
    mine = pl.col("signal").str.starts_with(GENERATION)
    mix = slots.filter(mine).with_columns(fuel=pl.col("signal").str.strip_prefix(GENERATION))
    if mix.is_empty():
        return slots, len(odd), 0
    found, negative = without_negative_totals(mix, ["slot_start", "slot_end"])
    return pl.concat([found.select(slots.columns), slots.filter(~mine)]), len(odd), negative


def _refuse_coarse(name: str, rows: pl.DataFrame, *, ends: bool) -> None:
    """Check that no fuel comes in longer slots than the rows it stands in.

    Raises:
        BadInput: one does; says from when.
    """
    known = rows.drop_nulls("value").sort("label")
    for (signal,), mine in known.group_by("signal", maintain_order=True):
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
                f"{name}: from {format_time(start)} on values of {fuel_of(str(signal))} are "
                f"{step} apart, but the slots of the rows are {length}; split the file by "
                "resolution and import each part by itself"
            )


def unite(names: Sequence[str], slots: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the slots of all files with the number of their file, equal ones once.

    A gap of one file contradicts nothing: where another gives the value, that stands.

    Raises:
        BadInput: files that contradict each other.
    """
    rows = pl.concat(
        [frame.with_columns(file=pl.lit(i, pl.Int64)) for i, frame in enumerate(slots)]
    ).unique([*ROW, "value"], keep="first", maintain_order=True)
    given = pl.col("value").is_not_null()
    rows = rows.filter(given | ~given.any().over(ROW))
    clash = _overlaps(rows)
    if not clash.is_empty():
        row = clash.row(0, named=True)
        one, other = sorted((row["file"], row["before"]))
        raise BadInput(
            f"{names[one]} and {names[other]} differ on {fuel_of(row['signal'])} at "
            f"{format_time(row['slot_start'])} ({len(clash)} such slots); import one of them "
            "only, or the newer one afterwards with --known-at now"
        )
    return rows


def _overlaps(slots: pl.DataFrame) -> pl.DataFrame:
    """Return slots that begin before the one before them has ended, with `before`, its file."""
    before = pl.col("slot_end", "file").shift().over("signal")
    return (
        slots.sort("signal", "slot_start", "slot_end")
        .with_columns(
            before.name.map(lambda name: {"slot_end": "until", "file": "before"}[name])
        )
        .filter(pl.col("slot_start") < pl.col("until"))
    )


def refuse_mixed_slots(incoming: pl.DataFrame, stored: pl.DataFrame) -> None:
    """Check that a source keeps one resolution: half hours must not overlap stored hours.

    Raises:
        BadInput: a slot overlaps a stored one of other length.
    """
    staying = stored.join(incoming, on=["signal", "slot_start"], how="anti")
    both = [
        frame.select("signal", "slot_start", "slot_end", file=pl.lit(i))
        for i, frame in enumerate((incoming, staying))
    ]
    clash = _overlaps(pl.concat(both)).filter(pl.col("file") != pl.col("before"))
    if not clash.is_empty():
        row = clash.row(0, named=True)
        raise BadInput(
            f"{incoming['source'][0]} [{incoming['zone'][0]}] {row['signal']}: the slot from "
            f"{format_time(row['slot_start'])} overlaps a stored one of other length; check "
            "--label and --resolution, or import under another name with --source"
        )


def newest(revisions: pl.DataFrame) -> pl.DataFrame:
    """Keep the revision of each signal and slot that is known latest."""
    return revisions.sort("known_at").unique(["signal", "slot_start"], keep="last")


def drop_stored(
    incoming: pl.DataFrame, revisions: pl.DataFrame, imported: Sequence[int]
) -> pl.DataFrame:
    """Drop the rows that say nothing new because an earlier import stored them.

    A row is stored if a revision of its slot has its value and is not known earlier, however
    it was revised since. A gap is dropped where its file was imported before: another file
    has filled it in between.

    Args:
        incoming: rows as they would be stored, with `file`.
        revisions: every stored revision of their slots.
        imported: numbers of the files that were imported before.
    """
    slot = ["signal", "slot_start", "slot_end"]
    stored = incoming.join(
        revisions.select(*slot, "value", known_until="known_at"),
        on=[*slot, "value"],
        how="inner",
        nulls_equal=True,
    ).filter(pl.col("known_at") <= pl.col("known_until"))
    fresh = incoming.join(
        stored, on=[*slot, "value"], how="anti", nulls_equal=True, maintain_order="left"
    )
    filled = fresh.filter(pl.col("value").is_null(), pl.col("file").is_in(imported)).join(
        revisions.drop_nulls("value"), on=slot, how="semi"
    )
    return fresh.join(filled, on=[*slot, "file"], how="anti", maintain_order="left")


def compare(incoming: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Keep the rows of `incoming` that differ from the newest stored revision.

    A value that fills a gap of an earlier file contradicts nothing, so it counts as known just
    after the gap.

    Raises:
        BadInput: a row differs without being known later.
    """
    before = ["slot_end", "value", "known_at"]
    both = incoming.join(
        stored.select("signal", "slot_start", pl.col(before).name.suffix("_before")),
        on=["signal", "slot_start"],
        how="left",
        maintain_order="left",
    )
    differs = pl.col("value").ne_missing(pl.col("value_before")) | (
        pl.col("slot_end") != pl.col("slot_end_before")
    )
    fills = (
        pl.col("value_before").is_null()
        & pl.col("value").is_not_null()
        & (pl.col("slot_end") == pl.col("slot_end_before"))
        & (pl.col("known_at") == pl.col("known_at_before"))
    )
    both = both.filter(pl.col("known_at_before").is_null() | differs).with_columns(
        known_at=pl.when(fills).then(pl.col("known_at") + FOLLOWING).otherwise("known_at"),
    )
    clash = both.filter(pl.col("known_at") <= pl.col("known_at_before"))
    if not clash.is_empty():
        row = clash.row(0, named=True)
        raise BadInput(
            f"{row['source']} [{row['zone']}] {row['signal']}, slot from "
            f"{format_time(row['slot_start'])}: {_stated(row, 'value')} differs from "
            f"{_stated(row, 'value_before')} known since {format_time(row['known_at_before'])} "
            f"({len(clash)} such rows); store it as a revision with --known-at now, or under "
            "another name with --source"
        )
    return both.drop(f"{name}_before" for name in before)


def _stated(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    return "no value" if value is None else f"{value} {unit_of(row['signal'])}"
