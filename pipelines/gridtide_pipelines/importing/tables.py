"""Read a Parquet or CSV file, wide or long, as one long table. Pure.

Wide: ``ts_utc`` and ``gen_<fuel>_mwh``, the energy in each slot. Long: ``zone``, ``start``,
``fuel``, ``mw``, the mean power. What neither shape knows is ignored and named.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from gridtide.errors import BadInput
from gridtide.model import parse_time
from gridtide_pipelines.importing.cells import Cells, plain_numbers, read_cells, unpack
from gridtide_pipelines.ingest.summing import total
from gridtide_store import catalogue
from gridtide_store.vocabulary import FUELS, INSTANT

WIDE = re.compile(r"gen_(\w+)_mwh", re.IGNORECASE)
LONG = ("zone", "start", "fuel", "mw")

# Other words for our fuels; ``other`` is what a publisher could not or would not name.
SYNONYMS = {"nat_gas": "gas", "natural_gas": "gas", "other": "unknown"}

SHAPES = "ts_utc and gen_<fuel>_mwh (wide), or zone, start, fuel and mw (long)"


@dataclass(frozen=True, slots=True)
class Table:
    """What one file says of one zone.

    Attributes:
        name: of the file, for messages.
        rows: ``label`` (UTC), ``fuel`` (one of `FUELS`), ``value``; null is a gap. One row
            for each label and fuel.
        energy: whether values are MWh in the slot; else they are mean MW.
        ignored: columns that say nothing about generation.
        empty: columns, or fuels of a long file, that are named but have no value in any row.
    """

    name: str
    rows: pl.DataFrame
    energy: bool
    ignored: tuple[str, ...]
    empty: tuple[str, ...] = ()


def read_table(name: str, content: bytes, zone: str) -> Table:
    """Read the rows of `zone` in a file.

    Raises:
        BadInput: not Parquet or CSV, or cut short; a column that is missing or no fuel; a
            time without offset; a value that is not a number; two rows for one slot; nothing
            for this zone. Each says which row and what to do.
    """
    content = unpack(name, content)
    parquet = content[:4] == b"PAR1"
    cells, at = _parquet(name, content) if parquet else _csv(name, content)
    if cells.is_empty():
        raise BadInput(f"{name} has no rows; its columns are {', '.join(cells.columns)}")
    wide = "ts_utc" in cells.columns
    long = not wide and not set(LONG).isdisjoint(cells.columns)
    if not wide and not long:
        raise BadInput(f"{name} has the columns {_list(cells.columns)}; it needs {SHAPES}")
    rows = _wide(name, cells, at) if wide else _long(name, cells, at, zone)
    used = {"ts_utc", *filter(WIDE.fullmatch, cells.columns)} if wide else set(LONG)
    summed, empty = _one_a_fuel(name, rows)
    return Table(
        name=name,
        rows=summed,
        energy=wide,
        ignored=tuple(column for column in cells.columns if column not in used),
        empty=tuple(empty),
    )


def _parquet(name: str, content: bytes) -> tuple[pl.DataFrame, pl.Series]:
    """Read all cells, and their rows counted from 1."""
    try:
        cells = pl.read_parquet(io.BytesIO(content))
        return cells, pl.Series("row", range(1, len(cells) + 1), pl.UInt32)
    # polars panics on some broken files; a panic is not an Exception.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        first = str(error).partition("\n")[0][:120]
        raise BadInput(
            f"{name} is not a whole Parquet file ({first}); fetch or write it again"
        ) from error


def _csv(name: str, content: bytes) -> tuple[pl.DataFrame, pl.Series]:
    """Read all cells as text, blank ones null, and their rows."""
    cells = read_cells(name, content, ("ts_utc", *LONG), SHAPES)
    cells = _without_unexpected(cells)
    there = cells.frame.columns
    values = [column for column in there if column == "mw" or WIDE.fullmatch(column)]
    return plain_numbers(name, cells, values), cells.rows


def _without_unexpected(cells: Cells) -> Cells:
    """Drop fuels that are ``n/e`` in every row: ENTSO-E expects none of the zone."""
    frame = cells.frame
    unexpected = [
        column
        for column in filter(WIDE.fullmatch, frame.columns)
        if len(frame)
        and (_says_unexpected(pl.col(column)).pipe(frame.select).to_series().all())
    ]
    if not {"zone", "fuel", "mw"} <= set(frame.columns):
        return replace(cells, frame=frame.drop(unexpected))
    kept = frame.select(~_says_unexpected(pl.col("mw")).all().over("zone", "fuel")).to_series()
    return replace(cells, frame=frame.filter(kept), rows=cells.rows.filter(kept))


def _says_unexpected(cell: pl.Expr) -> pl.Expr:
    return (cell.str.to_lowercase() == "n/e").fill_null(value=False)


def _wide(name: str, cells: pl.DataFrame, at: pl.Series) -> pl.DataFrame:
    columns = list(filter(WIDE.fullmatch, cells.columns))
    if not columns:
        raise BadInput(
            f"{name} has ts_utc but no column gen_<fuel>_mwh; it has {_list(cells.columns)}"
        )
    labels = _times(name, cells["ts_utc"], at)
    numbers = [_numbers(name, cells[column], at) for column in columns]
    # "row" and "was" say in an error where a value stood.
    return (
        pl.DataFrame([at, labels.alias("label"), *numbers])
        .unpivot(index=["row", "label"], on=columns, variable_name="was", value_name="value")
        .with_columns(fuel=pl.col("was").str.to_lowercase().str.extract(WIDE.pattern))
    )


def _long(name: str, cells: pl.DataFrame, at: pl.Series, zone: str) -> pl.DataFrame:
    if missing := [column for column in LONG if column not in cells.columns]:
        raise BadInput(
            f"{name} lacks {_list(missing)}; it has {_list(cells.columns)} and needs {SHAPES}"
        )
    names = cells["zone"].cast(pl.String)
    keys = {text: _key(text) for text in names.unique().drop_nulls()}
    if zone not in keys.values():
        there = _list(sorted(keys)) if keys else "none"
        raise BadInput(f"{name} has no rows of {zone}; its zones are {there}")
    mine = (names.replace_strict(keys, default=None) == zone).fill_null(value=False)
    cells, at = cells.filter(mine), at.filter(mine)
    return pl.DataFrame(
        [
            at,
            _times(name, cells["start"], at).alias("label"),
            cells["fuel"].cast(pl.String).str.to_lowercase().alias("was"),
            _numbers(name, cells["mw"], at).alias("value"),
        ]
    ).with_columns(fuel=pl.col("was").fill_null("(none)"))


def _key(text: str) -> str:
    """Return the key of the zone that `text` names, else `text` itself."""
    found = catalogue.load().find(text)
    return found.key if found else text


def _one_a_fuel(name: str, rows: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Return one row for each label and fuel, and the names of fuels without any value.

    ``other`` and ``unknown`` are added up. Of two names of one fuel, one without any value says
    nothing. An empty cell is unknown from the first row on, also before the first value and
    where a fuel has none at all: the file lists the fuel, and a mix without it would read as
    clean where it is what burns.
    """
    odd = sorted(set(rows["fuel"].unique()) - set(FUELS) - set(SYNONYMS))
    if odd:
        raise BadInput(f"{name}: no fuel {_list(odd)}; there are {_list([*FUELS, *SYNONYMS])}")
    rows = _once(name, rows)
    rows = rows.with_columns(pl.col("fuel").replace(SYNONYMS))
    said = (
        rows.filter(pl.col("value").is_not_null())
        .group_by("fuel")
        .agg(pl.col("was").unique().sort())
    )
    if said.is_empty():
        raise BadInput(f"{name} has no values: every cell of generation is empty")
    for fuel, was in said.iter_rows():
        if fuel != "unknown" and len(was) > 1:
            raise BadInput(f"{name}: {_list(was)} are all {fuel}; keep one of them")
    silent = rows.join(said, on="fuel", how="anti")
    # A part that is not known leaves the sum unknown, unless the file never says it.
    rows = rows.join(said.explode("was"), on=["fuel", "was"])
    rows = pl.concat(
        [rows.select("label", "fuel", "value"), silent.select("label", "fuel", "value")]
    )
    summed = rows.group_by("label", "fuel").agg(total(pl.col("value")).alias("value"))
    return summed.sort("fuel", "label"), silent["was"].unique().sort().to_list()


def _once(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Drop rows that repeat another.

    Raises:
        BadInput: two rows for one fuel and time that differ.
    """
    rows = rows.unique(["label", "was", "value"], keep="first", maintain_order=True)
    twice = rows.filter(pl.struct("label", "was").is_duplicated()).sort("label", "was", "row")
    if not twice.is_empty():
        first, second = twice["row"].head(2)
        raise BadInput(
            f"{name}: rows {first} and {second} are both {twice['was'][0]} at "
            f"{twice['label'][0]:%Y-%m-%dT%H:%M:%SZ} and differ ({len(twice)} such rows); "
            "remove the one that is wrong"
        )
    return rows


def _times(name: str, column: pl.Series, rows: pl.Series) -> pl.Series:
    """Parse instants in UTC; a time that names no instant is refused."""
    kind = column.dtype
    if isinstance(kind, pl.Datetime) and kind.time_zone is not None:
        times = column.dt.convert_time_zone("UTC").cast(INSTANT)
        if (empty := times.is_null().arg_true()).len():
            raise BadInput(
                f"{_cell(name, column, rows, empty[0])} is empty; every row needs a time"
            )
        return times
    if isinstance(kind, pl.Datetime) or kind == pl.Date:
        raise BadInput(
            f"{name}: {column.name} has no time zone, so it names no instant; store it as UTC "
            f"(polars: .dt.replace_time_zone('UTC'); pandas: .dt.tz_localize('UTC'))"
        )
    if kind != pl.String:
        raise BadInput(f"{name}: {column.name} is {kind}, not times; write 2021-01-01T00:00Z")
    known: dict[str | None, datetime] = {}
    for i, text in enumerate(column):
        if text not in known:
            where = _cell(name, column, rows, i)
            if text is None:
                raise BadInput(f"{where} is empty; every row needs a time")
            known[text] = parse_time(text, name=where)
    return pl.Series(column.name, [known[text] for text in column], INSTANT)


def _numbers(name: str, column: pl.Series, rows: pl.Series) -> pl.Series:
    """Parse numbers; what is empty or NaN is null."""
    if not (column.dtype.is_numeric() or column.dtype in (pl.String, pl.Null)):
        raise BadInput(f"{name}: {column.name} is {column.dtype}, not numbers")
    numbers = column.cast(pl.Float64, strict=False)
    bad = (numbers.is_null() & column.is_not_null()) | numbers.is_infinite().fill_null(
        value=False
    )
    if (at := bad.arg_true()).len():
        raise BadInput(
            f"{_cell(name, column, rows, at[0])} is {column[at[0]]!r}, not a number; leave "
            "the cell empty where the value is not known"
        )
    return numbers.fill_nan(None)


def _cell(name: str, column: pl.Series, rows: pl.Series, position: int) -> str:
    return f"{name}, row {rows[position]}, {column.name}"


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:20])
    return shown if len(names) <= 20 else f"{shown} and {len(names) - 20} more"
