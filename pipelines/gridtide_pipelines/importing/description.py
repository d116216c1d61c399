"""Say how a file was understood: for a preview, and what a user should know of an import."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import polars as pl

from gridtide.model import format_time
from gridtide_pipelines.importing.files import File
from gridtide_pipelines.importing.layouts import fuel_of, listed


def describe(file: File, zone: str) -> dict[str, object]:
    """Return how a file is understood for one zone, as in ``--json``."""
    start, end = file.bounds
    slots = file.slots
    spans = slots.select("slot_start", "slot_end").unique().sort("slot_start")
    lengths = (spans["slot_end"] - spans["slot_start"]).unique().sort().to_list()
    unknown = slots.filter(pl.col("value").is_null()).group_by("signal").len().sort("signal")
    return {
        "file": file.name,
        "zone": zone,
        **file.table.understood,
        "label": str(file.label),
        "columns": columns_of(file),
        "from": format_time(start),
        "to": format_time(end),
        "slots": len(spans),
        "minutes": [length / timedelta(minutes=1) for length in lengths],
        "missing_slots": _missing(spans),
        "unknown_values": dict(unknown.iter_rows()),
        "estimated_values": int(slots["estimated"].sum()),
        "implausible_values": file.implausible,
        "negative_slots": file.negative,
        "left_out": dict(file.left_out),
        "ignored_columns": list(file.table.ignored),
        "empty_columns": list(file.table.empty),
    }


def columns_of(file: File) -> dict[str, str]:
    """Return what each column of values, or name of a fuel, is, with its unit."""
    layout = file.table.layout
    if layout.fuel is not None:
        found = sorted(file.slots["signal"].unique())
        return {layout.values[0].column: ", ".join(map(fuel_of, found))}
    return {
        value.column: f"{fuel_of(value.signal)}, {value.unit.name}" for value in layout.values
    }


def describe_lines(file: File, zone: str) -> Iterator[str]:
    """Yield the same as lines."""
    yield f"{file.name}, as {zone}"
    for name, value in describe(file, zone).items():
        if name in ("file", "zone") or value in ({}, [], 0):
            continue
        words = name.replace("_", " ")
        if isinstance(value, dict):
            yield f"  {words}:"
            yield from (f"    {key}: {fact}" for key, fact in value.items())
        elif isinstance(value, list):
            each = [f"{fact:g}" if isinstance(fact, float) else fact for fact in value]
            yield f"  {words}: {', '.join(each)}"
        else:
            yield f"  {words}: {value}"


def remarks(file: File, zone: str) -> Iterator[str]:
    """Yield what a user should know of a file that was imported."""
    table = file.table
    if table.ignored:
        yield f"ignored columns: {listed(table.ignored)}"
    if file.left_out:
        parts = ", ".join(f"{count} {reason}" for reason, count in file.left_out.items())
        yield f"{file.name}: left out {parts}"
    if table.empty:
        yield (
            f"{file.name}: no row has a value of {', '.join(table.empty)}, so what depends on "
            f"it is unknown; if {zone} has no such fuel, remove it"
        )


def _missing(spans: pl.DataFrame) -> int:
    """Return how many slots are missing between the first and the last."""
    gaps = spans.with_columns(
        gap=(pl.col("slot_start") - pl.col("slot_end").shift()).dt.total_seconds(),
        length=(pl.col("slot_end") - pl.col("slot_start")).dt.total_seconds(),
    )
    return int(gaps.select((pl.col("gap") // pl.col("length")).sum()).item() or 0)
