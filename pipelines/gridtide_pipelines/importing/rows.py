"""Rows of a file to one row for each time and signal of a zone. Pure."""

from __future__ import annotations

import polars as pl

from gridtide.errors import BadInput
from gridtide_pipelines.importing.layouts import SYNONYMS, WIDE, Layout, listed
from gridtide_pipelines.importing.published import HOUR
from gridtide_pipelines.ingest.merges import merge
from gridtide_pipelines.ingest.source import READING
from gridtide_pipelines.ingest.sources import eia_bulk
from gridtide_pipelines.ingest.summing import total
from gridtide_store.vocabulary import FUELS, GENERATION, INSTANT, generation

UNKNOWN = generation("unknown")


def without_repeats(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Drop rows that repeat another.

    Raises:
        BadInput: two rows for one fuel and time that differ.
    """
    key = ["zone", "label", "was"]
    rows = rows.unique([*key, "value", "estimated"], keep="first", maintain_order=True)
    twice = rows.filter(pl.struct(key).is_duplicated()).sort("label", "was", "row")
    if not twice.is_empty():
        first, second = twice["row"].head(2)
        raise BadInput(
            f"{name}: rows {first} and {second} are both {twice['was'][0]} at "
            f"{twice['label'][0]:%Y-%m-%dT%H:%M:%SZ} and differ ({len(twice)} such rows); "
            "remove the one that is wrong, or if the time of day is in another column, name "
            "that: --clock-column"
        )
    return rows


def to_signals(
    name: str, rows: pl.DataFrame, layout: Layout, zone: str
) -> tuple[pl.DataFrame, list[str]]:
    """Return one row for each label and signal, and the names of columns without any value.

    Of two names of one fuel, one without any value says nothing. An empty cell is unknown from
    the first row on, also before the first value and where a fuel has none at all: the file
    lists the fuel, and a mix without it would read as clean where it is what burns. In a
    `sparse` layout every zone has every column, and one counts from its first value on.

    Raises:
        BadInput: a name that is no fuel; two names of one; no value at all.
    """
    rows = rows.with_columns(signal=_signals(name, rows, layout))
    if layout.sparse:
        first = pl.col("label").filter(pl.col("value").is_not_null()).min().over("zone", "was")
        rows = rows.filter(pl.col("label") >= first)
    group = ["zone", "signal"]
    said = (
        rows.filter(pl.col("value").is_not_null())
        .group_by(group)
        .agg(pl.col("was").unique().sort())
    )
    if said.is_empty():
        raise BadInput(f"{name} has no values: every cell of generation is empty")
    if not layout.joined:
        for signal, was in said.select("signal", "was").iter_rows():
            plain = all(_is_plain(each, layout) for each in was)
            if signal != UNKNOWN and len(was) > 1 and plain:
                fuel = signal.removeprefix(GENERATION)
                raise BadInput(f"{name}: {listed(was)} are all {fuel}; keep one of them")
    silent = rows.join(said, on=group, how="anti")
    # A part that is not known leaves the sum unknown, unless the file never says it.
    rows = rows.join(said.explode("was"), on=[*group, "was"])
    kept = ["zone", "label", "signal", "value", "estimated"]
    summed = (
        pl.concat([rows.select(kept), silent.select(kept)])
        .group_by("zone", "label", "signal")
        .agg(total(pl.col("value")).alias("value"), pl.col("estimated").any())
    )
    if layout.sparse:
        summed = _merged(summed, zone)
    found = summed.select("label", "signal", "value", "estimated").sort("signal", "label")
    return found, silent["was"].unique().sort().to_list()


def _signals(name: str, rows: pl.DataFrame, layout: Layout) -> pl.Expr:
    """Return the signal of each row by what it is called in the file."""
    called = sorted(rows["was"].unique())
    if layout.fuel is None:
        signals = {value.column: value.signal for value in layout.values}
    else:
        found = {each: layout.signal_of(each) for each in called}
        if odd := [each for each, signal in found.items() if signal is None]:
            there = listed([*FUELS, *SYNONYMS])
            raise BadInput(
                f"{name}: no fuel {listed([each.lower() for each in odd])}; there are {there}; "
                f"say which of them it is: --map FUEL={odd[0]!r}"
            )
        signals = {each: signal for each, signal in found.items() if signal is not None}
    return pl.col("was").replace_strict(signals, return_dtype=pl.String)


def _is_plain(name: str, layout: Layout) -> bool:
    """Say whether a name is one of ours for a fuel, so that another one repeats it."""
    word = name.strip().lower()
    return bool(WIDE.fullmatch(name)) or (
        word not in layout.names and (word in FUELS or word in SYNONYMS)
    )


def _merged(rows: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Return the rows of `zone` with authorities merged into it as in EIA's own data."""
    readings = rows.select(
        "zone",
        "signal",
        start=pl.col("label") - HOUR,
        end=pl.col("label"),
        value="value",
        quality=pl.lit("measured"),
        issued_at=pl.lit(None, INSTANT),
        flag=pl.lit(None, pl.String),
        body=pl.lit(0, READING["body"]),
        estimated="estimated",
    )
    merged = merge(readings, eia_bulk.SOURCE.name).filter(pl.col("zone") == zone)
    return merged.select(
        "zone",
        label="end",
        signal="signal",
        value=pl.when(pl.col("flag").is_null()).then("value"),
        estimated="estimated",
    )
