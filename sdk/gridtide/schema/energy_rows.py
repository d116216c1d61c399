"""Rows of metered energy as JSON: read and written by the ten thousand.

Most rows are as plain as they come, so each way has a short one for these beside the one that
looks at whatever is there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from gridtide.accounting.emissions import Row
from gridtide.model import format_time
from gridtide.planning.problem.magnitudes import FIRST, LARGEST, LAST
from gridtide.schema.decoding import Member, Shape
from gridtide.schema.forms import MOMENT_OR_DATE, NUMBER, Form, list_of
from gridtide.values import read_list, read_moment, read_number, refuse

MOST_ROWS = 100_000


def _row(start: datetime, end: datetime, kwh: float) -> Row:
    return start, end, kwh


ROW = Shape(
    "EnergyRow",
    "Energy drawn evenly from start to before end.",
    {
        "start": Member(MOMENT_OR_DATE, "the start; a date is its start, UTC", required=True),
        "end": Member(MOMENT_OR_DATE, "the end; a date is its start, UTC", required=True),
        "kwh": Member(NUMBER, "energy in kWh", required=True),
    },
    _row,
)
_LIST_OF_ROWS = list_of(ROW.form, MOST_ROWS)


def _read_rows(value: object, where: str) -> tuple[Row, ...]:
    """The rows of a list, each as `ROW` reads it."""
    if isinstance(value, list) and len(value) <= MOST_ROWS:
        rows = tuple(row for each in value if (row := _plain(each)) is not None)
        if len(rows) == len(value):
            return rows
    return _LIST_OF_ROWS.read(value, where)


def _plain(row: object) -> Row | None:
    """The row that an object of three plain values is; ``None``: `ROW` must look at it."""
    if type(row) is not dict or len(row) != 3:
        return None
    try:
        start, end = map(datetime.fromisoformat, (row["start"], row["end"]))
        kwh = row["kwh"]
    except (KeyError, TypeError, ValueError):
        return None
    if not (start.tzinfo is end.tzinfo is UTC and type(kwh) in (float, int)):
        return None
    known = FIRST <= start < LAST and FIRST <= end < LAST and -LARGEST <= kwh <= LARGEST
    return (start, end, float(kwh)) if known else None


def rows_of(rows: Iterable[Row], name: str) -> tuple[Row, ...]:
    """Rows as they may be given, checked as far as JSON needs it; a date is its start, UTC.

    Raises:
        BadInput: not triples of two aware times and a number.
    """
    return read_list(_row_of, rows, name)


def _row_of(row: object, name: str) -> Row:
    members = () if isinstance(row, str) or not isinstance(row, Iterable) else tuple(row)
    if len(members) != 3:
        refuse(row, name, "(start, end, kWh) with aware times")
    start, end, kwh = members
    if type(kwh) is float and isfinite(kwh):
        plain = type(start) is type(end) is datetime
        if plain and start.tzinfo is end.tzinfo is UTC:
            return start, end, kwh  # most by far, and nothing is to be read
    return (
        read_moment(start, f"{name}.start", day=True),
        read_moment(end, f"{name}.end", day=True),
        read_number(kwh, f"{name}.kwh"),
    )


def rows_to_json(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The JSON objects of rows."""
    found: list[dict[str, Any]] = []
    reached, text = None, ""
    for start, end, kwh in rows:
        # Mostly where the row before it ended; a time takes longest to write.
        begins = text if start == reached else format_time(start)
        reached, text = end, format_time(end)
        found.append({"start": begins, "end": text, "kwh": kwh})
    return found


ROWS = Form(_read_rows, _LIST_OF_ROWS.schema, rows_to_json)
