"""Rows of a reproduction as lines for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import floor, log10

from gridtide_pipelines.reproduction.figures import Reproduction, Row, Value, Verdict, counts

UNKNOWN = "-"


def lines(paper: Reproduction, rows: Sequence[Row]) -> Iterator[str]:
    """What the command prints for one paper: a head, a line for each figure, the counts."""
    yield f"{paper.name}: {paper.title}"
    yield f"  {paper.citation}"
    if paper.original and counts(rows)[Verdict.NO_DATA]:
        yield f"  public original of the series: {paper.original}"
    cells = [(row.label, *shown(row), row.unit, str(row.verdict), row.note) for row in rows]
    head = ("figure", "printed", "ours", "difference", "unit", "verdict", "note")
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
    for label, printed, ours, difference, unit, verdict, note in (head, *cells):
        line = (
            f"  {label:{widths[0]}}  {printed:>{widths[1]}}  {ours:>{widths[2]}}  "
            f"{difference:>{widths[3]}}  {unit:{widths[4]}}  {verdict:{widths[5]}}  {note}"
        )
        yield line.rstrip()
    yield f"{paper.name}: {summary(rows)}"


def summary(rows: Sequence[Row]) -> str:
    """The counts in words."""
    found = counts(rows)
    return f"{len(rows)} figures: " + ", ".join(f"{found[each]} {each}" for each in Verdict)


def shown(row: Row) -> tuple[str, str, str]:
    """Printed value, ours and the difference, with the digits that matter."""
    digits = _digits(row)
    difference = row.difference
    return (
        _number(row.printed, None),
        _number(row.ours, digits),
        ""
        if difference is None
        else f"{_unsigned_zero(round(difference, digits)):+.{digits}f}",
    )


def _digits(row: Row) -> int:
    """Two digits more than the tolerance has, at most seven."""
    if not row.tolerance:
        return 0 if isinstance(row.printed, float) and row.printed.is_integer() else 2
    return min(7, max(0, 2 - floor(log10(row.tolerance))))


def _number(value: Value, digits: int | None) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return value
    return (
        f"{value:.12g}"
        if digits is None
        else f"{_unsigned_zero(round(value, digits)):.{digits}f}"
    )


def _unsigned_zero(value: float) -> float:
    """`value`, 0 where it is -0: nothing is less than nothing."""
    return value + 0.0
