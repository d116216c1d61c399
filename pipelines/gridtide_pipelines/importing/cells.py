"""Read CSV in its dialects as cells of text, chunk by chunk. polars reads the cells."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import polars as pl

from gridtide.errors import BadInput
from gridtide_pipelines.importing.content import ROW, Content

SEPARATORS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# Records by which the separator is found.
SAMPLE: Final = 50
LONGEST_RECORD: Final = 1 << 20  # characters
MOST_COLUMNS: Final = 5000
DIGIT: Final = re.compile(r"[+-]?[.,]?\d")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written.

    Attributes:
        encoding: if it is named by the user.
        header: the names of its columns; "" for one without a name.
        row: of the header, as a spreadsheet counts; rows before it are passed over.
        width: columns up to the last one with a name.
    """

    separator: str
    header: tuple[str, ...]
    row: int
    width: int
    encoding: str | None = None

    @property
    def names(self) -> list[str]:
        """Return the columns that have a name, in order."""
        return [name for name in self.header if name]


Record = tuple[int, str]


def find_dialect(
    content: Content,
    known: Collection[str],
    needs: str,
    *,
    separator: str | None = None,
    encoding: str | None = None,
) -> Dialect:
    """Return the dialect of a CSV file.

    Lines before the header that are empty, comments (``#``), titles of one cell, or name the
    separator (``sep=;``) are passed over. A header may itself begin with ``#``.

    Args:
        known: names of columns, in lower case, that tell a header.
        needs: what the file needs, for messages.
        separator: if it is given by the user.

    Raises:
        BadInput: no header, or one with a name twice.
    """
    sample: list[Record] = []
    comments: list[Record] = []
    for row, record in islice(_records(content, encoding), 2 * SAMPLE):
        stated = re.fullmatch(r"sep=(.)", record.strip(" \"'"), re.IGNORECASE)
        if not sample and (stated or record.startswith("sep=\t")):
            separator = separator or (stated[1] if stated else "\t")
        elif _is_comment(record):
            comments += [] if sample else [(row, record)]
        elif record.strip():
            sample.append((row, record))
    if not sample:
        raise BadInput(f"{content.name} is empty; it needs {needs}")
    if form := _no_table(sample[0][1]):
        raise BadInput(f"{content.name} is {form}, not a table; download or save it as CSV")
    for row, comment in reversed(comments):
        if names_in := _header_of_comment(comment, sample[0][1], separator):
            sample.insert(0, (row, names_in))
            break
    if separator is None:
        separator = max(SEPARATORS, key=lambda each: _fit(sample, each, known))
    split = [(row, _split(record, separator)) for row, record in sample]
    header = _header([record for _, record in split], known)
    row = next(row for row, record in split if record is header)
    names = tuple(" ".join(name.split()) for name in header)
    if not any(names):
        raise BadInput(f"{content.name} is empty; it needs {needs}")
    if len(names) > MOST_COLUMNS:
        raise BadInput(f"{content.name} has {len(names)} columns; at most {MOST_COLUMNS}")
    if twice := sorted({each for each in names if each and names.count(each) > 1}):
        raise BadInput(f"{content.name} has two columns {', '.join(twice)}; rename one of each")
    width = max(i for i, name in enumerate(names) if name) + 1
    return Dialect(separator, names[:width], row, width, encoding)


def read_cells(
    content: Content, dialect: Dialect, columns: Sequence[str], passed: Counter[str]
) -> Iterator[pl.DataFrame]:
    """Yield the cells of `columns`, blank ones null, and `ROW`, the row of each.

    Rows without any value, comments and remarks are passed over and counted in `passed`.

    Raises:
        BadInput: a row with more or fewer cells than the header; says which.
    """
    nameless = [i for i, name in enumerate(dialect.header) if not name]
    places = [dialect.header.index(name) for name in columns]
    for records in _chunks(_records(content, dialect.encoding)):
        rows, lines = [], []
        for row, record in records:
            if row <= dialect.row:
                continue
            if record[:1].isdigit():  # as nearly all rows begin, and none of the others
                rows.append(row)
                lines.append(record)
            elif not record.strip(dialect.separator + ' "\t'):
                passed["empty rows"] += 1
            elif _is_comment(record):
                passed["comments"] += 1
            elif _is_remark(record, dialect.separator):
                passed["remarks"] += 1
            else:
                rows.append(row)
                lines.append(record)
        if not lines:
            continue
        _check_widths(content.name, dialect, rows, lines)
        try:
            frame = pl.read_csv(
                io.BytesIO("\n".join(lines).encode()),
                has_header=False,
                separator=dialect.separator,
                infer_schema=False,
                truncate_ragged_lines=True,
            )
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            first = str(error).partition("\n")[0][:120]
            raise BadInput(
                f"{content.name} cannot be read as CSV between rows {rows[0]} and {rows[-1]} "
                f"({first}); correct it"
            ) from error
        if len(frame) != len(rows):
            raise BadInput(
                f"{content.name} cannot be read as CSV between rows {rows[0]} and {rows[-1]}: "
                "quotes do not come in pairs; correct it"
            )
        cells = [frame.columns[i] for i in (*places, *nameless)]
        frame = frame.select(pl.col(cells).str.strip_chars())
        frame = frame.select(pl.when(pl.col(each) != "").then(pl.col(each)) for each in cells)
        for i, column in zip(nameless, cells[len(places) :], strict=True):
            if frame[column].null_count() < len(frame):
                raise BadInput(f"{content.name}: column {i + 1} has no name; name or remove it")
        yield frame.select(
            pl.Series(ROW, rows, pl.UInt32),
            *(pl.col(cell).alias(name) for cell, name in zip(cells, columns, strict=False)),
        )


def _records(content: Content, encoding: str | None) -> Iterator[Record]:
    """Yield each record with its row; a quoted cell may have several lines."""
    row, rest, open_ = 0, "", ""
    for text in content.text(encoding):
        lines = (rest + text).split("\n")
        rest = lines.pop()
        for line in lines:
            joined = f"{open_}\n{line}" if open_ else line
            if '"' in joined and joined.count('"') % 2:
                open_ = joined
                if len(open_) > LONGEST_RECORD:
                    break
                continue
            open_ = ""
            row += 1
            yield row, joined
        if max(len(open_), len(rest)) > LONGEST_RECORD:
            raise BadInput(
                f"{content.name} cannot be read as CSV: row {row + 1} does not end; a "
                "quote may be missing in it"
            )
    last = f"{open_}\n{rest}" if open_ else rest
    if last:
        yield row + 1, last


def _chunks(records: Iterator[Record], most: int = 100_000) -> Iterator[list[Record]]:
    while chunk := list(islice(records, most)):
        yield chunk


def _is_comment(record: str) -> bool:
    return record.lstrip().startswith("#")


def _is_remark(record: str, separator: str) -> bool:
    """Say whether a row is a sentence in its first cell and nothing else, as below a table."""
    text = record.strip(separator + ' "\t')
    if text[:1].isdigit() or " " not in text or f'"{separator}"' in text:
        return False
    if separator in text and '"' not in record:
        return False
    cells = [cell for cell in _split(record, separator) if cell.strip()]
    return len(cells) == 1 and record.lstrip(' "\t').startswith(text[:1])


def _split(record: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([record], delimiter=separator), [])
    except csv.Error:
        return record.split(separator)


def _fit(sample: Sequence[Record], separator: str, known: Collection[str]) -> tuple[float, ...]:
    """Return how well a separator fits: names that are known, equal rows, columns."""
    split = [_split(record, separator) for _, record in sample[:SAMPLE]]
    header = _header(split, known)
    names = [_folded(name) for name in header]
    hits = sum(name in known or name.startswith("gen_") for name in names)
    alike = sum(len(record) == len(header) for record in split) / len(split)
    return hits, alike if len(header) > 1 else 0.0, len(header)


def _header(records: Sequence[list[str]], known: Collection[str]) -> list[str]:
    """Return the record with most names that are known, else the first of several cells.

    Titles have one cell, and some files have a row of other names above that of columns.
    """
    several = [each for each in records if sum(bool(cell.strip()) for cell in each) > 1]
    if not several:
        return records[0]
    return max(several, key=lambda each: sum(_folded(cell) in known for cell in each))


def _folded(name: str) -> str:
    return " ".join(name.strip(" \"'").split()).lower()


def _no_table(record: str) -> str:
    """Return what a file is by its first record, if that is of no table."""
    begins = record.lstrip().lower()
    if begins.startswith(("<html", "<!doctype", "<?xml")):
        return "a page of HTML or XML"
    return "JSON" if re.match(r"\{\s*\"|\[\s*[\[{\"]", begins) else ""


def _header_of_comment(comment: str, first: str, separator: str | None) -> str | None:
    """Return the names in a comment before the first record; None where it has none.

    It has as many cells as that record, which has times or numbers, and none of these itself.
    """
    names = comment.lstrip().lstrip("#").strip(" ")
    for sign in [separator] if separator else SEPARATORS:
        cells, values = _split(names, sign), _split(first, sign)
        if not cells[0].strip():
            cells[0], names = "#", f"#{names}"
        data = [any(DIGIT.match(cell.strip(" \"'")) for cell in row) for row in (cells, values)]
        if len(cells) == len(values) > 1 and data == [False, True]:
            return names
    return None


def _check_widths(
    name: str, dialect: Dialect, rows: Sequence[int], lines: Sequence[str]
) -> None:
    """Check that every record has as many cells as there are columns.

    Raises:
        BadInput: one has fewer, or more with a value.
    """
    separator, width = dialect.separator, dialect.width
    for row, line in zip(rows, lines, strict=True):
        if '"' not in line and line.count(separator) == width - 1:
            continue
        cells = _split(line, separator)
        if len(cells) < width:
            raise BadInput(
                f"{name}, row {row} is cut short: {len(cells)} cells for {width} columns; "
                "complete it, with nothing between the separators where a value is not known"
            )
        if any(cell.strip() for cell in cells[width:]):
            between = SEPARATORS.get(separator, repr(separator))
            raise BadInput(
                f"{name} cannot be read as CSV: row {row} has {len(cells)} cells for {width} "
                f"columns separated by {between}; mend it, or if numbers have decimal commas, "
                "separate the cells by semicolons; --separator names another one"
            )
