"""Read a Parquet or CSV file as one long table of the signals of one zone.

A file is looked at twice: to see how its numbers and times are written, then to convert them. A
large one is read twice for that, chunk by chunk, so memory holds the rows of the zone and one
chunk, however large the file is; the columns that are read of a Parquet file are one chunk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from gridtide.errors import BadInput
from gridtide_pipelines.importing.cells import SEPARATORS, Dialect, find_dialect, read_cells
from gridtide_pipelines.importing.columns import Conversion
from gridtide_pipelines.importing.content import PARQUET, ZIP, ZONE, Content
from gridtide_pipelines.importing.layouts import Hints, Label, Layout, listed
from gridtide_pipelines.importing.local import read_timezone, to_utc
from gridtide_pipelines.importing.numbers import has_numbers
from gridtide_pipelines.importing.parquet import parquet_columns, read_parquet
from gridtide_pipelines.importing.recognize import NEEDS, find_layout, known_names
from gridtide_pipelines.importing.rows import to_signals, without_repeats
from gridtide_pipelines.ingest.merges import with_parts
from gridtide_pipelines.ingest.sources import eia_bulk
from gridtide_store import catalogue
from gridtide_store.names import Certainty
from gridtide_store.vocabulary import INSTANT

# With more values of one zone an import would take more than 2 GB: 4.8 million took 3.1.
MOST_VALUES = 3_000_000
# Bytes of a file that are not read a second time.
MOST_KEPT = 128 << 20


@dataclass(frozen=True, slots=True)
class Table:
    """What one file says of one zone.

    Attributes:
        name: of the file, for messages.
        rows: ``label`` (UTC), ``signal``, ``value``, ``estimated``; a null value is a gap. One
            row for each label and signal.
        energy: whether generation and load are MWh in the slot; else they are mean MW.
        ignored: columns that are not read.
        empty: columns, or fuels of a long file, that are named but have no value in any row.
        layout: what the columns mean.
        left_out: how many rows were left out, by reason.
        understood: how the file is written, by topic, for people.
        label: what the times name, where the file tells.
        both_ends: whether times have both ends of a slot, of which the start is read.
    """

    name: str
    rows: pl.DataFrame
    energy: bool
    ignored: tuple[str, ...]
    empty: tuple[str, ...] = ()
    layout: Layout = Layout("wide", "ts_utc", ())  # noqa: RUF009  # it is frozen
    left_out: dict[str, int] = field(default_factory=dict)
    understood: dict[str, str] = field(default_factory=dict)
    label: Label | None = None
    both_ends: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """A file whose columns are known; `dialect` is None where it is Parquet."""

    content: Content
    columns: list[str]
    dialect: Dialect | None

    def chunks(self, columns: Sequence[str], passed: Counter[str]) -> Iterator[pl.DataFrame]:
        """Yield the cells of `columns` with `ROW`, chunk by chunk."""
        if self.dialect is None:
            return read_parquet(self.content, columns)
        return read_cells(self.content, self.dialect, columns, passed)


def open_table(content: Content, hints: Hints) -> Opened:
    """Return the file with its columns.

    Raises:
        BadInput: not Parquet or CSV, or without columns.
    """
    if content.starts_with(PARQUET):
        return Opened(content, parquet_columns(content), None)
    if content.starts_with(ZIP):
        raise BadInput(
            f"{content.name} is a ZIP archive or a workbook such as .xlsx; unpack it, or save "
            "its sheet as CSV"
        )
    dialect = find_dialect(
        content,
        known_names(hints),
        NEEDS,
        separator=hints.separator,
        encoding=hints.encoding,
    )
    return Opened(content, dialect.names, dialect)


def read_table(
    content: Content, zone: str, hints: Hints | None = None, label: Label | None = None
) -> Table:
    """Read the rows of `zone` in a file.

    Args:
        label: what the times name, if the user says; ends of slots are written in two ways.

    Raises:
        BadInput: not Parquet or CSV, or cut short; a column that is missing or no fuel; a
            time without offset; a value that is not a number; two rows for one slot; nothing
            for this zone. Each says which row and what to do.
    """
    hints = hints or Hints()
    name = content.name
    opened = open_table(content, hints)
    layout = find_layout(name, opened.columns, hints)
    zones = _Zones(layout, zone)
    separator = opened.dialect.separator if opened.dialect else ","
    conversion = Conversion(name, layout, hints, separator)
    passed: Counter[str] = Counter()
    seen, size = 0, 0
    kept: list[pl.DataFrame] = []
    for chunk in opened.chunks([*layout.columns, *layout.unmapped], passed):
        _refuse_unmapped(name, layout, chunk)
        conversion.look(zones.keep(chunk))
        seen, size = seen + 1, size + int(chunk.estimated_size())
        kept = [*kept, chunk] if size <= MOST_KEPT else []
    if not seen:
        raise BadInput(f"{name} has no rows; its columns are {listed(opened.columns)}")
    zones.refuse_none(name)
    conversion.settle()
    chunks: Iterable[pl.DataFrame] = kept
    if len(kept) < seen:
        passed.clear()
        chunks = opened.chunks(layout.columns, passed)
    rows, count = [], 0
    for chunk in chunks:
        rows.append(conversion.convert(zones.keep(chunk, passed)))
        count += len(rows[-1])
        if count > MOST_VALUES:
            raise BadInput(
                f"{name} has more than {MOST_VALUES} values of {zone}, which is too much to "
                "import at once; split the file by years"
            )
    found = pl.concat(rows)
    stated = Label.START if conversion.times.ranges else layout.label
    ends = (label or stated) is Label.END
    found, timezone = _in_utc(name, found, layout, hints, conversion, passed, ends=ends)
    before = found["row"].n_unique()
    found = without_repeats(name, found)
    passed["rows that repeat another"] += before - found["row"].n_unique()
    rows_of_zone, empty = to_signals(name, found, layout, zone)
    return Table(
        name=name,
        rows=rows_of_zone,
        energy=conversion.energy,
        ignored=tuple(each for each in opened.columns if each not in layout.columns),
        empty=tuple(empty),
        layout=layout,
        left_out={reason: count for reason, count in sorted(passed.items()) if count},
        understood=_understood(opened, layout, conversion, timezone),
        label=stated,
        both_ends=conversion.times.ranges,
    )


class _Zones:
    """The rows of a file that are of one zone."""

    def __init__(self, layout: Layout, zone: str) -> None:
        self.zone, self.column = zone, layout.zone
        # What EIA has as an authority of its own may be a part of the zone.
        self.wanted = set(with_parts([zone], eia_bulk.SOURCE.name)) if layout.sparse else {zone}
        self.keys: dict[str, str] = {}
        self.any = layout.zone is None

    def keep(self, chunk: pl.DataFrame, passed: Counter[str] | None = None) -> pl.DataFrame:
        """Return the rows of the zone and its parts, with `ZONE`, their key."""
        if self.column is None:
            return chunk.with_columns(pl.lit(self.zone).alias(ZONE))
        names = chunk[self.column].cast(pl.String)
        for text in names.unique().drop_nulls():
            self.keys.setdefault(text, _key(text))
        keys = names.replace_strict(self.keys, default=None, return_dtype=pl.String)
        mine = keys.is_in(list(self.wanted)).fill_null(value=False)
        if passed is not None:
            passed["rows of other zones"] += len(chunk) - int(mine.sum())
        self.any = self.any or bool(mine.any())
        return chunk.with_columns(keys.alias(ZONE)).filter(mine)

    def refuse_none(self, name: str) -> None:
        """Check that some row is of the zone.

        Raises:
            BadInput: none is.
        """
        if not self.any:
            there = listed(sorted(self.keys)) if self.keys else "none"
            raise BadInput(f"{name} has no rows of {self.zone}; its zones are {there}")


def _key(text: str) -> str:
    """Return the key of the zone that `text` names, else `text` itself.

    What lies nearly all in a zone is that zone, as its publishers write it: DE_LU is DE.
    """
    zones, name = catalogue.load(), text.rpartition("|")[2]  # as ENTSO-E has it: BZN|DE-LU
    if found := zones.find(name):
        return found.key
    meaning = zones.names.find(name)
    if meaning is not None and meaning.certainty is Certainty.MOSTLY:
        return meaning.zones[0]
    return catalogue.own_zone(text) or text


def _refuse_unmapped(name: str, layout: Layout, chunk: pl.DataFrame) -> None:
    """Check that no column of numbers is left out by oversight.

    Raises:
        BadInput: one is: a mix without one of its fuels would read as cleaner than it is.
    """
    odd = [
        column
        for column in layout.unmapped
        if chunk[column].dtype.is_numeric()
        or (chunk[column].dtype == pl.String and has_numbers(chunk[column]))
    ]
    if odd:
        raise BadInput(
            f"{name}: it is not said what {listed(odd)} are; map each (--map FUEL={odd[0]!r}), "
            f"or leave them out: --ignore {odd[0]!r}, or --ignore '*' for all"
        )


def _in_utc(
    name: str,
    rows: pl.DataFrame,
    layout: Layout,
    hints: Hints,
    conversion: Conversion,
    passed: Counter[str],
    *,
    ends: bool,
) -> tuple[pl.DataFrame, str]:
    """Return `rows` with labels in UTC, and how their time zone is known."""
    if conversion.aware:
        return rows.with_columns(pl.col("label").dt.replace_time_zone("UTC")), "as written"
    given = hints.timezone
    if layout.timezone and given and read_timezone(given) != layout.timezone:
        raise BadInput(
            f"{name}: {layout.time} is in {layout.timezone} by its name; leave out --timezone"
        )
    if (timezone := layout.timezone or given) is None:
        raise BadInput(
            f"{conversion.where(rows['row'][0])} {conversion.example!r} has no UTC offset; "
            "name the time zone of the file: --timezone Europe/Berlin, or UTC"
        )
    label = rows["label"]
    if label[0] > label[-1]:
        rows = rows.reverse()  # newest first: the order tells which hour comes twice
    placed = to_utc(name, rows, read_timezone(timezone), ends=ends)
    passed["times that may be either of two, once while clocks go back"] += placed.unsure
    passed["rows that repeat another"] += placed.repeated
    return placed.rows.with_columns(pl.col("label").cast(INSTANT)), timezone


def _understood(
    opened: Opened, layout: Layout, conversion: Conversion, timezone: str
) -> dict[str, str]:
    said = {"layout": layout.title}
    if (dialect := opened.dialect) is not None:
        said["separator"] = SEPARATORS.get(dialect.separator, repr(dialect.separator))
        said["encoding"] = dialect.encoding or opened.content.encoding()
        said["compression"] = "gzip" if opened.content.packed else "none"
        said["header"] = f"row {dialect.row}"
        said["decimals after"] = f"a {conversion.mark}"
    said["times"] = f"{layout.time}, {timezone}" + conversion.order
    return said
