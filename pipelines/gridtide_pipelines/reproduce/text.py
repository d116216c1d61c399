"""Rows of a reproduction as lines for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import floor, log10

from gridtide_pipelines.reproduce.figures import (
    Kind,
    Reproduction,
    Row,
    Value,
    Verdict,
    counts,
    counts_by_kind,
    not_reproduced,
)

UNKNOWN = "-"
HEAD = (
    "figure",
    "kind",
    "printed",
    "reference",
    "ours",
    "difference",
    "unit",
    "verdict",
    "note",
)
NUMBERS = {"printed", "reference", "ours", "difference"}


def lines(paper: Reproduction, rows: Sequence[Row]) -> Iterator[str]:
    """What the command prints for one paper: a head, a line for each figure, the counts."""
    yield f"{paper.name}: {paper.title}"
    yield f"  {paper.citation}"
    if paper.original and counts(rows)[Verdict.NO_DATA]:
        yield f"  public original of the series: {paper.original}"
    cells = [
        (row.label, str(row.kind), *shown(row), row.unit, str(row.verdict), row.note)
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(HEAD, *cells, strict=True)]
    for line in (HEAD, *cells):
        padded = (
            f"{cell:>{width}}" if name in NUMBERS else f"{cell:{width}}"
            for name, cell, width in zip(HEAD, line, widths, strict=True)
        )
        yield f"  {'  '.join(padded)}".rstrip()
    for why, figures in not_reproduced(rows).items():
        yield f"  not reproduced: {figures} figures of the authors: {why}"
    yield f"{paper.name}: {summary(rows)}"


def summary(rows: Sequence[Row]) -> str:
    """The counts in words, kind by kind."""
    found = counts_by_kind(rows)
    return "; ".join(f"{kind}: {_counted(found[kind])}" for kind in Kind)


def _counted(found: Mapping[Verdict, int]) -> str:
    return ", ".join(f"{found[each]} {each}" for each in Verdict)


def shown(row: Row) -> tuple[str, str, str, str]:
    """Printed value, other reference, ours and the difference, with the digits that matter."""
    digits = _digits(row)
    difference = row.difference
    return (
        _number(row.printed, None),
        _number(row.reference, None),
        _number(row.ours, digits),
        ""
        if difference is None
        else f"{_unsigned_zero(round(difference, digits)):+.{digits}f}",
    )


def _digits(row: Row) -> int:
    """Two digits more than the tolerance has, at most seven."""
    if not row.tolerance:
        return 0 if isinstance(row.expected, float) and row.expected.is_integer() else 2
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
