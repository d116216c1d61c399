"""Read CSV bodies of publishers without trusting them. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Final

import polars as pl

LONGEST_HEADER: Final = 64 * 1024  # bytes; a body of one line has as many columns as commas
LONGEST_TAIL: Final = 4 * 1024  # bytes in which the last line is looked for first
MOST_COLUMNS: Final = 1000
MARKUP: Final = re.compile(rb"\s*<", re.DOTALL)
BLANKS: Final = re.compile(r"\s+")


def read_csv(
    content: bytes,
    columns: Collection[str],
    *,
    separator: str = ",",
    encoding: str = "utf-8",
    skip: int = 0,
    line_ends: bool = False,
) -> pl.DataFrame:
    """Return a CSV body as text, under the names of its header with single blanks.

    Args:
        columns: names that the header must have; it may have others.
        encoding: of the body; a byte order mark is accepted.
        skip: lines before the header.
        line_ends: whether the publisher ends each row with a line end: a last row without one
            may be cut within its last number, and is left out.

    Raises:
        ValueError: a column is missing, the last row is cut short, or the body is in another
            encoding.
        PolarsError: it is not CSV, or a row has more fields than the header.
    """
    if encoding != "utf-8" or content.startswith((b"\xff\xfe", b"\xfe\xff")):
        name = "utf-16" if encoding == "utf-8" else encoding
        content = content.decode(name).encode()
    content = content.removeprefix(b"\xef\xbb\xbf")
    header = content.split(b"\n", skip + 1)[skip : skip + 1]
    if not header or not header[0].strip():
        raise ValueError("a body without a header line")
    if MARKUP.match(content):
        raise ValueError("markup where a table was expected")
    if len(header[0]) > LONGEST_HEADER:
        raise ValueError(f"a header line of {len(header[0])} bytes")
    if (columns_there := header[0].count(separator.encode()) + 1) > MOST_COLUMNS:
        raise ValueError(f"a table of {columns_there} columns; at most {MOST_COLUMNS} are read")
    frame = pl.read_csv(content, separator=separator, infer_schema=False, skip_lines=skip)
    if frame.height:
        tail = content[-LONGEST_TAIL:].rstrip()
        last = (tail if b"\n" in tail else content.rstrip()).rpartition(b"\n")[2]
        check_last(last, frame.width, separator=separator)
        if line_ends and not content.endswith(b"\n"):
            frame = frame.head(-1)
    names = {name: BLANKS.sub(" ", name.strip()) for name in frame.columns}
    if any(name != clean for name, clean in names.items()):
        frame = frame.rename(names)
    if missing := sorted(set(columns) - set(frame.columns)):
        raise ValueError(f"columns missing: {', '.join(missing)}")
    if not all(column.null_count() for column in frame):
        return frame  # no row is empty
    return frame.filter(~pl.all_horizontal(pl.all().is_null()))


def first_column(table: pl.DataFrame, names: Iterable[str]) -> str:
    """Return the first of `names` that is a column of `table`.

    Raises:
        ValueError: none of them is.
    """
    for name in names:
        if name in table.columns:
            return name
    raise ValueError(f"none of the columns {', '.join(names)}")


def check_last(line: bytes, width: int, *, separator: str = ",") -> None:
    """Check that the last line has as many fields as the header.

    A body that was cut ends within a number, which would pass for a smaller one.

    Raises:
        ValueError: it has fewer.
    """
    if len(next(csv.reader([line.decode()], delimiter=separator), ())) < width:
        raise ValueError("the last row has fewer fields than the header: the body is cut short")


@lru_cache(maxsize=256)
def number_of(column: str, *, decimal: str = ".", thousands: str = ",") -> pl.Expr:
    """Return a column of text as numbers; blank is null.

    Args:
        decimal: the sign before decimals.
        thousands: the sign between groups of three digits.
    """
    text = pl.col(column).str.strip_chars().str.replace_all(thousands, "", literal=True)
    if decimal != ".":
        text = text.str.replace(decimal, ".", literal=True)
    return pl.when(text != "").then(text).cast(pl.Float64, strict=True).alias(column)
