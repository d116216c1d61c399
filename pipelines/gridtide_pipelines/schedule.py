"""Which spans of time a refresh asks a source for. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The first refresh of an empty home goes this far back: enough for a weekly pattern and for
# the errors that the intervals are made from, and few enough requests for a free key.
FIRST_REACH = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Span:
    """``[start, end)``; `whole` is the end of the grid cell it is part of.

    A span is asked in cells of a fixed grid, so that the same cell has the same name in
    every run and an interrupted backfill resumes where it stopped.
    """

    start: datetime
    end: datetime
    whole: datetime

    def settles_at(self, refetch: timedelta) -> datetime:
        """When a retrieval is final: the cell is over and past its source's revisions."""
        return self.whole + refetch


def grid(start: datetime, end: datetime, cell: timedelta) -> list[Span]:
    """The cells of the grid that touch ``[start, end)``, oldest first, cut off at `end`."""
    first = EPOCH + (start - EPOCH) // cell * cell
    cells = []
    while first < end:
        cells.append(Span(first, min(first + cell, end), first + cell))
        first += cell
    return cells


def due(spans: Collection[Span], settled: Collection[datetime]) -> list[Span]:
    """The spans whose start is not among the settled ones."""
    return [span for span in spans if span.start not in settled]
