"""Slots of several files as one, and compared with the store; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from gridtide.errors import BadInput
from gridtide.model import format_time

ROW = ("fuel", "slot_start", "slot_end")
FOLLOWING = timedelta(microseconds=1)


def unite(names: Sequence[str], slots: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """All slots with the number of their file; what two files say alike comes once.

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
            f"{names[one]} and {names[other]} differ on {row['fuel']} at "
            f"{format_time(row['slot_start'])} ({len(clash)} such slots); import one of them "
            "only, or the newer one afterwards with --known-at now"
        )
    return rows


def _overlaps(slots: pl.DataFrame) -> pl.DataFrame:
    """Slots that begin before the one before them has ended, and `before`, its file."""
    before = pl.col("slot_end", "file").shift().over("fuel")
    return (
        slots.sort("fuel", "slot_start", "slot_end")
        .with_columns(
            before.name.map(lambda name: {"slot_end": "until", "file": "before"}[name])
        )
        .filter(pl.col("slot_start") < pl.col("until"))
    )


def refuse_mixed_slots(incoming: pl.DataFrame, stored: pl.DataFrame) -> None:
    """Check that a source keeps one grid of slots: half hours must not lie across hours.

    Raises:
        BadInput: a slot overlaps a stored one of other length.
    """
    staying = stored.join(incoming, on=["signal", "slot_start"], how="anti")
    both = [
        frame.select(pl.col("signal").alias("fuel"), "slot_start", "slot_end", file=pl.lit(i))
        for i, frame in enumerate((incoming, staying))
    ]
    clash = _overlaps(pl.concat(both)).filter(pl.col("file") != pl.col("before"))
    if not clash.is_empty():
        row = clash.row(0, named=True)
        raise BadInput(
            f"{incoming['source'][0]} [{incoming['zone'][0]}] {row['fuel']}: the slot from "
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
            f"{format_time(row['slot_start'])}: {_power(row['value'])} differs from "
            f"{_power(row['value_before'])} known since {format_time(row['known_at_before'])} "
            f"({len(clash)} such rows); store it as a revision with --known-at now, or under "
            "another name with --source"
        )
    return both.drop(f"{name}_before" for name in before)


def _power(value: float | None) -> str:
    return "no value" if value is None else f"{value} MW"
