"""Which spans of a source are due, and which days of a zone need no further request. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import polars as pl

from gridtide_pipelines.ingest.source import Span

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The first refresh of an empty store goes this far back: enough for a weekly pattern and for
# the errors that the intervals are made from, and few enough requests for a free key.
FIRST_REACH = timedelta(days=60)

DAY = timedelta(days=1)
SERIES = ("zone", "signal")
ZoneDay = tuple[str, date]


def split_span(start: datetime, end: datetime, length: timedelta) -> list[Span]:
    """Return the spans of a fixed grid that touch ``[start, end)``, oldest first, cut at `end`.

    The grid is fixed, so that every refresh requests the same spans, of whole days where
    `length` is.
    """
    first = EPOCH + (start - EPOCH) // length * length
    cells = []
    while first < end:
        cells.append(Span(first, min(first + length, end)))
        first += length
    return cells


@dataclass(slots=True)
class AnsweredDays:
    """What the responses of one span covered: slots by series, and days of refused values."""

    slots: list[pl.DataFrame] = field(default_factory=list)
    refused: set[ZoneDay] = field(default_factory=set)

    def add(self, observations: pl.DataFrame, refused: Iterable[tuple[str, datetime]]) -> None:
        """Add what one group of responses was normalized to.

        A slot counts once, however often it came.
        """
        known = pl.col("value").is_not_null()
        self.slots.append(observations.select(*SERIES, "slot_start", "slot_end", known))
        for zone, start in refused:
            self.refused |= {(end, start.date()) for end in zone.split("->")}

    def covered(self) -> dict[ZoneDay, timedelta]:
        """Return the time with values in each day of each zone, by the series that has least.

        A fuel that came for half a day leaves half of it open; so does one that is named
        without a value. A flow counts for both its ends.
        """
        if not self.slots:
            return {}
        value = (pl.col("slot_end") - pl.col("slot_start")).filter("value").sum()
        days = (
            pl.concat(self.slots)
            .group_by(*SERIES, "slot_start")
            .agg(pl.col("slot_end").min(), pl.col("value").any())
            .group_by(*SERIES, pl.col("slot_start").dt.date().alias("day"))
            .agg(value.alias("covered"), pl.col("value").any())
            .with_columns(pl.col("zone").str.split("->"))
            .explode("zone")
            .group_by("zone", "day")
            .agg(pl.col("covered").min(), pl.col("value").any())
            .filter("value")
        )
        return {(zone, day): time for zone, day, time, _ in days.iter_rows()}

    def complete(self, zones: Collection[str], days: Collection[date]) -> list[ZoneDay]:
        """Return the days of each zone in which every series has a value at every time."""
        covered = self.covered()
        return [
            (zone, day)
            for zone in zones
            for day in days
            if covered.get((zone, day), timedelta(0)) >= DAY
        ]

    def silent(self, zones: Collection[str], days: Collection[date]) -> list[ZoneDay]:
        """Return the days of each zone that have gaps or nothing at all.

        Not those of which all values were refused: a publisher that says something wrong
        will say something else.
        """
        covered = self.covered()
        return [
            (zone, day)
            for zone in zones
            for day in days
            if covered.get((zone, day), timedelta(0)) < DAY
            and ((zone, day) in covered or (zone, day) not in self.refused)
        ]


def final_days(span: Span, *, refetch: timedelta, now: datetime) -> list[date]:
    """Return the UTC days wholly within `span` that its source has stopped revising."""
    first = datetime.combine(span.start.astimezone(UTC).date(), datetime.min.time(), UTC)
    first += DAY if first < span.start else timedelta(0)
    days = []
    while first + DAY <= span.end and first + DAY + refetch <= now:
        days.append(first.date())
        first += DAY
    return days


def open_part(
    span: Span, zones: Collection[str], settled: Mapping[str, Collection[date]]
) -> tuple[Span, tuple[str, ...]] | None:
    """Return the part of `span` that is still to be requested, and its zones.

    None if all is settled.

    One request serves many zones, so it reaches from the first open day of any of them to
    the last.
    """
    days = _days(span)
    unsettled = {
        zone: [day for day in days if day not in known]
        for zone in sorted(zones)
        for known in [settled.get(zone, ())]
    }
    asked = tuple(zone for zone, left in unsettled.items() if left)
    if not asked:
        return None
    first = min(unsettled[zone][0] for zone in asked)
    last = max(unsettled[zone][-1] for zone in asked)
    start = max(span.start, datetime.combine(first, datetime.min.time(), UTC))
    end = min(span.end, datetime.combine(last, datetime.min.time(), UTC) + DAY)
    return Span(start, end), asked


def _days(span: Span) -> list[date]:
    """Return the UTC days that `span` touches."""
    day, days = span.start.astimezone(UTC).date(), []
    while datetime.combine(day, datetime.min.time(), UTC) < span.end:
        days.append(day)
        day += DAY
    return days
