"""Which spans of time a refresh asks a source for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The first refresh of an empty home goes this far back: enough for a weekly pattern and for
# the errors that the intervals are made from, and few enough requests for a free key.
FIRST_REACH = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Span:
    """``[start, end)``."""

    start: datetime
    end: datetime


def grid(start: datetime, end: datetime, length: timedelta) -> list[Span]:
    """The cells of the grid that touch ``[start, end)``, oldest first, cut off at `end`.

    A fixed grid, so that every run asks in the same pieces, of whole days where `length` is.
    """
    first = EPOCH + (start - EPOCH) // length * length
    cells = []
    while first < end:
        cells.append(Span(first, min(first + length, end)))
        first += length
    return cells
