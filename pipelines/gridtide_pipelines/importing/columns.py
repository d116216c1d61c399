"""Cells of text or typed columns to rows of times and values, by the layout of a file."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from gridtide.errors import BadInput
from gridtide_pipelines.importing.content import ROW, ZONE
from gridtide_pipelines.importing.layouts import Hints, Layout
from gridtide_pipelines.importing.numbers import Mark, NumberFormat, plain
from gridtide_pipelines.importing.times import TimeFormat, as_utc
from gridtide_store.vocabulary import GENERATION, LOAD

UNEXPECTED = "n/e"
# As spreadsheets write them in English, German, French, Spanish and Italian.
TRUE = (
    "true",
    "1",
    "yes",
    "wahr",
    "ja",
    "vrai",
    "oui",
    "verdadero",
    "s\u00ed",
    "vero",
    "s\u00ec",
)
FALSE = ("false", "0", "no", "falsch", "nein", "faux", "non", "falso")
WALL = pl.Datetime("us")
# There were hardly grids before, and no prices are published for later.
YEARS = (1900, 2200)
LONGEST = 200  # characters of a time, or of both ends of a slot


class Conversion:
    """How the cells of one file become rows: looked at first, then converted.

    Attributes:
        aware: whether the times of the file name instants.
        example: the first time.
        energy: whether power is given as energy in the slot.
        mark: the sign before decimals.
    """

    def __init__(self, name: str, layout: Layout, hints: Hints, separator: str) -> None:
        self.name, self.layout = name, layout
        self.numbers = NumberFormat(name, separator, hints.decimal or layout.mark)
        self.times = TimeFormat(f"{name}, {layout.time}", hints.time_format, layout.day_first)
        self.aware = False
        self.example = ""
        self.mark = Mark.POINT
        self._known: dict[str, datetime] = {}
        # Columns, or fuels of a long file, of which some cell is not n/e.
        self._expected: set[str | None] = set()
        energy = {
            value.unit.energy
            for value in layout.values
            if not value.signal or value.signal.startswith((GENERATION, LOAD))
        }
        if len(energy) > 1:
            raise BadInput(
                f"{name} has columns of power and of energy; import them one after the other, "
                "the others left out with --ignore"
            )
        self.energy = True in energy

    def look(self, chunk: pl.DataFrame) -> None:
        """Take one chunk into account.

        Raises:
            BadInput: times in two formats, or values that are not numbers.
        """
        layout = self.layout
        for value in layout.values:
            cells = chunk[value.column]
            if not (cells.dtype.is_numeric() or cells.dtype in (pl.String, pl.Null)):
                raise BadInput(
                    f"{self.name}: {value.column} is {cells.dtype}, not numbers; write numbers"
                )
            if cells.dtype == pl.String:
                self.numbers.look(cells)
            text = cells.cast(pl.String).str.to_lowercase()
            expected = (text != UNEXPECTED).fill_null(value=True)
            if layout.fuel is None:
                self._expected |= {value.column} if expected.any() else set()
            else:
                names = chunk[layout.fuel].cast(pl.String).str.to_lowercase()
                self._expected |= set(names.filter(expected).unique())
        times = self._times(chunk)
        if times.dtype == pl.String:
            self._refuse_long(times, chunk[ROW])
            self.times.look(times.drop_nulls().unique(maintain_order=True))

    def _refuse_long(self, times: pl.Series, rows: pl.Series) -> None:
        """Check that no cell is longer than any time: what looks for times takes long in it."""
        if (odd := (times.str.len_chars() > LONGEST).arg_true()).len():
            raise BadInput(
                f"{self.where(rows[odd[0]])} begins with {times[odd[0]][:40]!r} and is longer "
                "than any time; mend the row, or name another --time-column"
            )

    def settle(self) -> None:
        """Decide how numbers and times are read.

        Raises:
            BadInput: there are two ways.
        """
        self.mark = self.numbers.mark()
        self.times.check()

    @property
    def order(self) -> str:
        """How dates are written, where it is not year first."""
        if form := self.times.given or self.times.counted:
            return f", {form}"
        if self.times.day_first is None:
            return ""
        return ", day first" if self.times.day_first else ", month first"

    def where(self, row: int) -> str:
        """Name a cell of times, for messages."""
        return f"{self.name}, row {row}, {self.layout.time}"

    def convert(self, chunk: pl.DataFrame) -> pl.DataFrame:
        """Return ``row``, ``zone``, ``label``, ``was``, ``value``, ``estimated``.

        ``was`` is the column, or the name of the fuel in a long file; labels are in UTC where
        `aware`, else wall-clock times.

        Raises:
            BadInput: a cell that is not a time or not a number; says which.
        """
        layout = self.layout
        head = pl.DataFrame(
            [
                chunk[ROW].alias("row"),
                chunk[ZONE].alias("zone"),
                self._checked(self._labels(self._times(chunk), chunk[ROW]), chunk),
                self._estimated(chunk),
            ]
        )
        values = [
            self._numbers(chunk, value.column) * value.unit.factor for value in layout.values
        ]
        if layout.fuel is not None:
            was = chunk[layout.fuel].cast(pl.String).str.to_lowercase().alias("was")
            long = head.with_columns(was, values[0].alias("value"))
            expected = pl.Series("was", sorted(filter(None, self._expected)), pl.String)
            long = long.filter(
                pl.col("was").is_null() | pl.col("was").is_in(expected.implode())
            ).with_columns(pl.col("was").fill_null("(none)"))
        else:
            named = [
                value.alias(each.column)
                for each, value in zip(layout.values, values, strict=True)
                if each.column in self._expected
            ]
            # A column may be called as one of ours.
            places = {f"value {i}": series.name for i, series in enumerate(named)}
            wide = head.with_columns(
                series.alias(place) for place, series in zip(places, named, strict=True)
            )
            long = wide.unpivot(
                index=head.columns, on=list(places), variable_name="was", value_name="value"
            ).with_columns(pl.col("was").replace(places))
        return long.select(
            "row", "zone", "label", "was", pl.col("value").cast(pl.Float64), "estimated"
        )

    def _estimated(self, chunk: pl.DataFrame) -> pl.Series:
        column = self.layout.estimated
        if column is None:
            return pl.Series("estimated", [False], pl.Boolean).new_from_index(0, len(chunk))
        cells = chunk[column].cast(pl.String).str.to_lowercase()
        known = cells.is_null() | cells.is_in([*TRUE, *FALSE])
        if not known.all():
            odd = (~known).arg_true()[0]
            raise BadInput(
                f"{self.name}, row {chunk[ROW][odd]}, {column} is {chunk[column][odd]!r}, "
                "neither true nor false; write one of them, or leave the cell empty for false"
            )
        return cells.is_in(list(TRUE)).fill_null(value=False).alias("estimated")

    def _times(self, chunk: pl.DataFrame) -> pl.Series:
        """Return the cells of times; days with the cell of their clock behind them."""
        days, clock = chunk[self.layout.time], self.layout.clock
        if days.dtype.is_integer():
            days = days.cast(pl.String)
        if clock is None:
            return days
        both = pl.concat_str([pl.col("day"), pl.col("clock")], separator=" ")
        parts = pl.DataFrame({"day": days, "clock": chunk[clock]}).cast(pl.String)
        # A spreadsheet writes a day as the midnight at its beginning.
        day = pl.col("day").str.replace(r"[ T]0?0:00(:00(\.0+)?)?$", "")
        return parts.with_columns(day).select(both.alias(days.name)).to_series()

    def _checked(self, labels: pl.Series, chunk: pl.DataFrame) -> pl.Series:
        """Return `labels` of years that may be, so that no time zone takes one out of range.

        Raises:
            BadInput: one is of another; says which.
        """
        years = labels.dt.year()
        if (odd := (~years.is_between(*YEARS)).arg_true()).len():
            raise BadInput(
                f"{self.where(chunk[ROW][odd[0]])} is {self._times(chunk)[odd[0]]!s}, in "
                f"the year {years[odd[0]]}; correct it, or say how times are written: "
                "--time-format '%d.%m.%y %H:%M'"
            )
        return labels

    def _labels(self, column: pl.Series, rows: pl.Series) -> pl.Series:
        kind = column.dtype
        if (empty := column.is_null().arg_true()).len():
            raise BadInput(
                f"{self.where(rows[empty[0]])} is empty; every row needs a time; remove a row "
                "of totals, units or remarks"
            )
        if isinstance(kind, pl.Datetime) and kind.time_zone is not None:
            self.aware = True
            return (
                column.dt.convert_time_zone("UTC")
                .dt.replace_time_zone(None)
                .cast(WALL)
                .alias("label")
            )
        if isinstance(kind, pl.Datetime) or kind == pl.Date:
            self.example = self.example or f"{column[0]}"
            return column.cast(WALL).alias("label")
        if kind != pl.String:
            raise BadInput(
                f"{self.name}: {column.name} is {kind}, not times; write 2021-01-01T00:00Z"
            )
        found = self.times.all_as_given(column) if self.times.given else None
        if found is None and not self.times.given:
            found = self.times.all_alike(column)
        if found is not None:
            self.example = self.example or column[0]
            return self._labels(found.alias(column.name), rows)
        for i, text in enumerate(column):
            if text not in self._known:
                self.example = self.example or text
                at = self.times.parse(text, self.where(rows[i]))
                if at.tzinfo is not None:
                    self.aware = True
                    at = as_utc(at)
                self._known[text] = at
        return pl.Series("label", [self._known[text] for text in column], WALL)

    def _numbers(self, chunk: pl.DataFrame, name: str) -> pl.Series:
        """Parse numbers; what is empty or NaN is null."""
        column = chunk[name]
        text = (
            chunk.select(plain(name, self.mark)).to_series()
            if column.dtype == pl.String
            else column
        )
        numbers = text.cast(pl.Float64, strict=False)
        bad = (numbers.is_null() & text.is_not_null()) | numbers.is_infinite().fill_null(
            value=False
        )
        if (at := bad.arg_true()).len():
            raise BadInput(
                f"{self.name}, row {chunk[ROW][at[0]]}, {name} is {column[at[0]]!r}, not a "
                f"number with a decimal {self.mark}; leave the cell empty where the value is "
                "not known, write no unit into it, or name the sign before decimals: --decimal "
                "comma or point"
            )
        return numbers.fill_nan(None)
