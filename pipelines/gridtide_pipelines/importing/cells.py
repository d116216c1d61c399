"""Read CSV in its dialects as cells of text: separators, encodings, number formats. Pure."""

from __future__ import annotations

import csv
import io
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from gridtide.errors import BadInput

SEPARATORS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
GZIP: Final = b"\x1f\x8b"
# A year of quarter hours of twenty fuels is 5 MB; more than this is not a table of generation.
MOST_BYTES: Final = 1 << 30
# How spreadsheets and tools write that they have no value.
NO_VALUE: Final = ("", "-", "--", "n/a", "na", "#n/a", "n/e", "null", "none", "nan")

# Groups of thousands are set apart by a space or an apostrophe in some countries.
SPACES: Final = "[ \u00a0\u2009\u202f'\u2019]"
SPACED: Final = rf"^[+-]?\d{{1,3}}({SPACES}\d{{3}})+([.,]\d+)?$"
BOTH_POINT = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d+|[+-]?\d{1,3}(,\d{3}){2,}")
BOTH_COMMA = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+|[+-]?\d{1,3}(\.\d{3}){2,}")
EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
GROUPED_COMMA = re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?")


@dataclass(frozen=True, slots=True)
class Cells:
    """One file: cells of text, blank ones null, and the row of each as a spreadsheet counts."""

    frame: pl.DataFrame
    rows: pl.Series
    separator: str


def unpack(name: str, content: bytes) -> bytes:
    """Return `content`, decompressed if it is gzip.

    Raises:
        BadInput: not whole, or more than `MOST_BYTES`.
    """
    if not content.startswith(GZIP):
        return content
    reader = zlib.decompressobj(wbits=31)
    try:
        found = reader.decompress(content, MOST_BYTES)
    except zlib.error as error:
        raise BadInput(f"{name} is not a whole gzip file ({error}); fetch it again") from error
    if reader.unconsumed_tail:
        raise BadInput(f"{name} unpacks to more than {MOST_BYTES >> 20} MB; split it")
    if not reader.eof:
        raise BadInput(f"{name} is a gzip file that is cut short; fetch it again")
    return found


def read_cells(name: str, content: bytes, known: Iterable[str], shapes: str) -> Cells:
    """Read the cells of a CSV file.

    Lines before the header that are empty, comments (``#``) or name the separator (``sep=;``)
    are passed over, as are rows without any value and columns without name and value.

    Args:
        known: names of columns that tell a header, for the separator.
        shapes: what the file needs, for messages.

    Raises:
        BadInput: it cannot be read; says which row and what to do.
    """
    text, separator, skipped = _body(_text(name, content), known)
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise BadInput(f"{name} cannot be read as CSV ({error}); mend it") from error
    header = [column.strip() for column in records[0]] if records else []
    if not any(header):
        raise BadInput(f"{name} is empty; it needs {shapes}")
    if twice := sorted({c for c in header if c and header.count(c) > 1}):
        raise BadInput(f"{name} has two columns {', '.join(twice)}; remove one of each")
    width = max(i for i, column in enumerate(header) if column) + 1
    kept, rows = [], []
    for row, record in enumerate(records[1:], start=skipped + 2):
        cells = [cell.strip() for cell in record]
        if not any(cells):
            continue
        _refuse_width(name, row, cells, header[:width], separator)
        kept.append([cell or None for cell in cells[:width]])
        rows.append(row)
    columns = list(zip(*kept, strict=True)) or [()] * width
    nameless = [i for i in range(width) if not header[i] and any(columns[i])]
    if nameless:
        raise BadInput(f"{name}: column {nameless[0] + 1} has no name; name or remove it")
    named = {header[i]: columns[i] for i in range(width) if header[i]}
    frame = pl.DataFrame(named, schema=dict.fromkeys(named, pl.String))
    return Cells(frame, pl.Series("row", rows, pl.UInt32), separator)


def plain_numbers(name: str, cells: Cells, columns: Sequence[str]) -> pl.DataFrame:
    """Return cells with the numbers in `columns` written with a decimal point and nothing else.

    What is not a number in the format of the file stays as it is. Cells that mean "no value"
    are null.

    Raises:
        BadInput: numbers in two formats, or in one that may be either.
    """
    frame = cells.frame.with_columns(
        pl.when(~pl.col(c).str.to_lowercase().is_in(NO_VALUE)).then(pl.col(c)) for c in columns
    ).with_columns(
        pl.when(pl.col(c).str.contains(SPACED))
        .then(pl.col(c).str.replace_all(SPACES, ""))
        .otherwise(pl.col(c))
        for c in columns
    )
    unusual = {
        cell
        for column in columns
        for cell in frame[column].drop_nulls().unique()
        if "," in cell or cell.count(".") > 1
    }
    if not unusual:
        return frame
    point = next(filter(BOTH_POINT.fullmatch, sorted(unusual)), None) or _decimal_mark(
        frame, columns
    )
    comma = next(
        (
            cell
            for cell in sorted(unusual)
            if BOTH_COMMA.fullmatch(cell)
            or (DECIMAL_COMMA.fullmatch(cell) and not EITHER.fullmatch(cell))
        ),
        None,
    )
    if cells.separator == "," and not (comma and BOTH_COMMA.fullmatch(comma)):
        comma = None  # a decimal comma there is a cell that somebody quoted, or a mistake
    either = next(filter(EITHER.fullmatch, sorted(unusual)), None)
    if point and comma:
        raise BadInput(
            f"{name} writes numbers in two formats, {point!r} and {comma!r}; write all with a "
            "decimal point and no separator of thousands"
        )
    if either and not point and not comma:
        raise BadInput(
            f"{name}: {either!r} may be thousands or a decimal comma; write numbers with a "
            "decimal point and no separator of thousands"
        )
    if comma:
        for column in columns:
            for cell in frame[column].drop_nulls().unique():
                if "." in cell and not GROUPED_COMMA.fullmatch(cell):
                    raise BadInput(
                        f"{name} writes numbers in two formats, {comma!r} and {cell!r}; write "
                        "all with a decimal point and no separator of thousands"
                    )
        return frame.with_columns(
            pl.col(c).str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
            for c in columns
        )
    grouped = r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$"
    return frame.with_columns(
        pl.when(pl.col(c).str.contains(grouped))
        .then(pl.col(c).str.replace_all(",", "", literal=True))
        .otherwise(pl.col(c))
        for c in columns
    )


def _decimal_mark(frame: pl.DataFrame, columns: Sequence[str]) -> str | None:
    """Return a number whose mark can only be the decimal one."""
    for column in columns:
        cells = frame[column].filter(
            frame[column].str.contains(r"^[+-]?\d+\.(\d{1,2}|\d{4,})$")
        )
        if len(cells):
            return str(cells[0])
    return None


def _text(name: str, content: bytes) -> str:
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff")) or content[1:2] == b"\0"
    try:
        if not wide:
            return content.decode("utf-8-sig")
        text = content.decode("utf-16-le" if content[1:2] == b"\0" else "utf-16")
        if "\n" in text or "\r" in text:
            return text
    except UnicodeDecodeError as error:
        raise BadInput(f"{name} is neither Parquet nor CSV in UTF-8; convert it") from error
    raise BadInput(f"{name} is neither Parquet nor CSV in UTF-8; convert it")


def _body(text: str, known: Iterable[str]) -> tuple[str, str, int]:
    """Return the text from its header on, its separator, and the number of rows before it."""
    skipped, separator, rest = 0, "", text
    while rest:
        line, end, after = _line(rest)
        told = re.fullmatch(r"sep=(.)", line.strip("\r\n \"'"), re.IGNORECASE)
        if told or (separator == "" and line.startswith("sep=\t")):
            separator, rest = (told[1] if told else "\t"), after
        elif not line.strip() or line.lstrip().startswith("#"):
            skipped, rest = skipped + 1, after
        else:
            break
        if not end:
            break
    first = _line(rest)[0]

    def fits(candidate: str) -> tuple[int, int]:
        fields = [field.strip(" \"'").lower() for field in first.split(candidate)]
        return sum(field in known or field.startswith("gen_") for field in fields), len(fields)

    return rest, separator or max(SEPARATORS, key=fits), skipped


def _line(text: str) -> tuple[str, str, str]:
    """Split off the first line: the line, its end, and what comes after."""
    match = re.search(r"\r\n|\n|\r", text)
    if match is None:
        return text, "", ""
    return text[: match.start()], match[0], text[match.end() :]


def _refuse_width(
    name: str, row: int, cells: Sequence[str], header: Sequence[str], separator: str
) -> None:
    if len(cells) < len(header):
        raise BadInput(
            f"{name}, row {row} is cut short: {len(cells)} cells for {len(header)} columns; "
            "complete it, with nothing between the separators where a value is not known"
        )
    if any(cells[len(header) :]):
        between = SEPARATORS.get(separator, repr(separator))
        raise BadInput(
            f"{name} cannot be read as CSV: row {row} has {len(cells)} cells for {len(header)} "
            f"columns separated by {between}; mend it, or if "
            "numbers have decimal commas, separate the cells by semicolons"
        )
