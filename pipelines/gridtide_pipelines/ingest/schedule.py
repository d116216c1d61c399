"""Which spans of a source are due, and which days of a zone were answered. Pure.

What is requested and settled at a time is a day (UTC) of a zone. The youngest days are
requested at every refresh, those of an older tier when a boundary of the tier has passed since
the last answer, and once more when the publisher has stopped revising them. Boundaries are
spread, so that hourly refreshes take a few older days each, and a nightly one takes all.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from gridtide_pipelines.ingest.source import Kind, Query, Source, Span
from gridtide_store.records import DayAnswer

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The first refresh of an empty store goes this far back: enough for a weekly pattern and for
# the errors that the intervals are made from, and few enough requests for a free key.
FIRST_REACH = timedelta(days=60)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
# Multiples of it modulo 1 lie far apart, however many there are.
GOLDEN = (math.sqrt(5) - 1) / 2
ZoneDay = tuple[str, date]
Answers = Mapping[str, Mapping[date, DayAnswer]]


def start_of(day: date) -> datetime:
    """Return the first moment of a UTC day."""
    return datetime.combine(day, datetime.min.time(), UTC)


def is_recent(query: Query, age: timedelta) -> bool:
    """Say whether a query reaches the last `age` until now.

    A publisher that has only the present is not requested for other spans.
    """
    return query.start <= query.now and query.end >= query.now - age


def split_span(span: Span, length: timedelta) -> list[Span]:
    """Return the parts of `span` of at most `length`, oldest first.

    They are cut at midnight UTC where `length` is whole days, so that no day is divided.
    """
    parts = []
    start, cut = span.start, start_of(span.start.astimezone(UTC).date())
    while start < span.end:
        while cut <= start:
            cut += length
        parts.append(Span(start, min(cut, span.end)))
        start = cut
    return parts


def forecast_span(source: Source, now: datetime) -> Span:
    """Return what a forecast is requested for: until the midnight at which those known end.

    So it needs no second request for a time of which nothing is published.
    """
    return Span(now, start_of(now.astimezone(UTC).date()) + source.ahead)


def span_ahead(source: Source, kind: Kind, now: datetime) -> Span | None:
    """Return the time ahead that is requested of forecasts and prices; None of other kinds.

    Prices are requested from today until the end of tomorrow, where a source publishes those.
    """
    if kind is Kind.FORECAST:
        return forecast_span(source, now)
    if kind is Kind.PRICE and source.day_ahead:
        today = start_of(now.astimezone(UTC).date())
        return Span(today, today + 2 * DAY)
    return None


def whole_days(span: Span) -> Iterator[date]:
    """Yield the UTC days that lie wholly within `span`."""
    day = span.start.astimezone(UTC).date()
    if start_of(day) < span.start:
        day += DAY
    while start_of(day) + DAY <= span.end:
        yield day
        day += DAY


def due_spans(
    source: Source,
    zones: Collection[str],
    answers: Answers,
    *,
    start: datetime,
    now: datetime,
    gaps: Collection[ZoneDay] | None = None,
) -> list[tuple[Span, tuple[str, ...]]]:
    """Return the spans that are due, each with its zones, oldest first.

    Those since `start`, and older days that were answered before and are still revised.

    Zones of a source that answers for all of them in a few requests share their spans; where
    each zone has requests of its own, a span is as long as it can be.

    Args:
        answers: what is known of the answers about each day, by zone.
        gaps: only these days of these zones; None for all.
    """
    shared = [[zone] for zone in sorted(zones)] if source.per_zone else [sorted(zones)]
    found: dict[Span, list[str]] = {}
    for together in shared:
        for span, due in _runs(source, together, answers, start, now, gaps):
            for part in split_span(span, source.max_span):
                found.setdefault(part, []).extend(due)
    return sorted(
        ((span, tuple(due)) for span, due in found.items()),
        key=lambda each: (each[0].start, each[0].end),
    )


def _runs(
    source: Source,
    zones: Sequence[str],
    answers: Answers,
    start: datetime,
    now: datetime,
    gaps: Collection[ZoneDay] | None,
) -> Iterator[tuple[Span, Sequence[str]]]:
    """Yield the unbroken spans in which the same ones of `zones` are due."""
    run: Span | None = None
    due: list[str] = []
    for span, mine in _slices(source, zones, answers, start, now, gaps):
        if run is not None and (mine, span.start) == (due, run.end):
            run = Span(run.start, span.end)
            continue
        if run is not None and due:
            yield run, due
        run, due = span, mine
    if run is not None and due:
        yield run, due


def _slices(
    source: Source,
    zones: Sequence[str],
    answers: Answers,
    start: datetime,
    now: datetime,
    gaps: Collection[ZoneDay] | None,
) -> Iterator[tuple[Span, list[str]]]:
    """Yield each older day, and the time that every refresh requests, with the zones due."""
    recent = max(_recent(source, now), start)
    first = start.astimezone(UTC).date()
    day = min(first, oldest_day(source, now))
    while start_of(day) < now:
        begin, end = start if day == first else start_of(day), min(start_of(day) + DAY, now)
        mine = [
            zone
            for zone in zones
            for answer in [answers.get(zone, {}).get(day)]
            if (day >= first or answer is not None)
            and (is_due(source, zone, day, answer, now) or (gaps is not None and end > recent))
        ]
        if gaps is not None:
            mine = [zone for zone in mine if (zone, day) in gaps]
        elif recent < end:
            # One that is due as a whole takes along what is always requested.
            yield Span(begin if mine else max(recent, begin), now), [*zones]
            return
        yield Span(begin, end), mine
        day += DAY


def oldest_day(source: Source, now: datetime) -> date:
    """Return the oldest day that is requested again: its last turn may be missed for a week."""
    age = source.revised_for + 7 * DAY
    return (now - (age if source.reach is None else min(age, source.reach))).date()


def _recent(source: Source, now: datetime) -> datetime:
    """Return from when on every refresh requests what there is: today at least."""
    ages = [tier.age for tier in source.refetch if not tier.every]
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return min(hour - max(ages, default=timedelta(0)), start_of(now.astimezone(UTC).date()))


def is_due(
    source: Source, zone: str, day: date, answer: DayAnswer | None, now: datetime
) -> bool:
    """Say whether a day of a zone is to be requested, besides what every refresh requests."""
    end = start_of(day) + DAY
    if answer is None or answer.at > now:  # never, or the clock was set back
        return True
    share = (
        zlib.crc32(zone.encode()) / 2**32 if source.per_zone else day.toordinal() * GOLDEN % 1
    )
    older = 0
    for tier in source.refetch:
        if now - end < tier.age:
            return bool(tier.every) and _passed(
                answer.at, now, tier.every, _phase(tier.every, share, older)
            )
        older += bool(tier.every)
    revised = end + max(source.revised_for, source.lag)  # before it nothing need be there
    if answer.at < revised:
        return now >= revised + _phase(DAY, share, older)
    # Gaps may be filled late: as long again as it is since the last news.
    return not answer.final and now - answer.at >= answer.at - answer.news_at


def _passed(last: datetime, now: datetime, every: timedelta, phase: timedelta) -> bool:
    """Say whether one of the times ``phase + n * every`` lies after `last`, up to `now`."""
    return (last - EPOCH - phase) // every != (now - EPOCH - phase) // every


def _phase(every: timedelta, share: float, older: int) -> timedelta:
    """Return when a tier's interval begins, for the `share` of it that a day or zone has.

    Each tier has a part of the day to itself, half of it and then half of the rest, so that one
    refresh does not take days of all tiers.
    """
    if every < DAY:
        return every * share
    days, rest = divmod(share * (every / DAY), 1)
    return days * DAY + DAY * (1 - 0.5**older + rest * 0.5 ** (older + 1))
