"""Which days are requested again, and when: tiers by age over weeks of refreshes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtide_pipelines.ingest.schedule import (
    due_spans,
    split_span,
    start_of,
    whole_days,
)
from gridtide_pipelines.ingest.source import Kind, Query, Source, Span
from gridtide_pipelines.ingest.sources import eia, entsoe
from gridtide_store.records import DayAnswer
from tests.flow.written import DAY, HOUR, source

START = datetime(2026, 1, 1, tzinfo=UTC)
SHARED = source(refetch=eia.SOURCE.refetch, max_span=31 * DAY)
ALONE = replace(SHARED, per_zone=True)


class Publisher:
    """Answers every whole day that is requested, and remembers when each was.

    Attributes:
        asked: for each zone and day, the refreshes that requested any of it.
        spans: the spans of each refresh.
    """

    def __init__(
        self, source: Source, zones: Sequence[str], back: timedelta = 90 * DAY
    ) -> None:
        self.source, self.zones, self.back = source, list(zones), back
        self.answers: dict[str, dict[date, DayAnswer]] = {}
        self.asked: dict[tuple[str, date], list[datetime]] = {}
        self.spans: dict[datetime, list[tuple[Span, tuple[str, ...]]]] = {}

    def refresh(self, now: datetime, *, lost: Callable[[date], bool] = lambda _: False) -> None:
        due = due_spans(self.source, self.zones, self.answers, start=now - self.back, now=now)
        self.spans[now] = due
        for span, zones in due:
            day = span.start.date()
            while start_of(day) < span.end:
                for zone in zones:
                    self.asked.setdefault((zone, day), []).append(now)
                day += DAY
            for day in whole_days(span):
                for zone in zones:
                    if not lost(day):
                        before = self.answers.setdefault(zone, {}).get(day)
                        news = before.news_at if before else now
                        self.answers[zone][day] = DayAnswer(now, news, final=True)

    def run(self, every: timedelta, length: timedelta) -> None:
        now = START
        while now < START + length:
            self.refresh(now)
            now += every

    def times(self, zone: str, day: date, low: timedelta, high: timedelta) -> int:
        """How often a day was requested while its end was `low` to `high` ago."""
        end = start_of(day) + DAY
        return sum(low <= now - end < high for now in self.asked[zone, day])


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 10_000), st.integers(1, 3_000))
def test_the_parts_of_a_span_cover_it_without_a_gap(after: int, length: int, most: int) -> None:
    start = START + timedelta(hours=after)
    span = Span(start, start + timedelta(hours=length))
    parts = split_span(span, timedelta(hours=most))
    assert (parts[0].start, parts[-1].end) == (span.start, span.end)
    assert all(one.end == two.start for one, two in pairwise(parts))
    assert all(part.end - part.start <= timedelta(hours=most) for part in parts)
    assert split_span(Span(start, start), DAY) == []


def test_a_span_is_cut_at_midnight() -> None:
    span = Span(START + 12 * HOUR, START + 9 * DAY + 5 * HOUR)
    cuts = [part.end for part in split_span(span, 4 * DAY)]
    assert cuts == [START + 4 * DAY, START + 8 * DAY, span.end]


@pytest.mark.parametrize("publisher", [SHARED, ALONE], ids=["shared", "alone"])
def test_an_hourly_refresh_requests_each_day_as_often_as_its_tier_says(
    publisher: Source,
) -> None:
    state = Publisher(publisher, ["DE", "FR"])
    state.run(HOUR, 80 * DAY)
    for zone in ("DE", "FR"):
        day = date(2026, 1, 5)  # first requested as it began
        assert state.times(zone, day, -DAY, 2 * DAY) == 3 * 24 - 1
        # Its first hours leave the time that is always requested before its last ones.
        assert 2 * 24 < state.times(zone, day, timedelta(0), 3 * DAY) <= 3 * 24 + 1
        assert state.times(zone, day, 3 * DAY, 14 * DAY) in (11, 12)
        assert 1 <= state.times(zone, day, 14 * DAY, 60 * DAY) <= 2
        assert state.times(zone, day, 60 * DAY, 90 * DAY) == 1


def test_a_nightly_refresh_requests_all_days_of_the_daily_tier() -> None:
    state = Publisher(SHARED, ["DE"])
    state.run(DAY, 80 * DAY)
    day = date(2026, 1, 5)
    assert state.times("DE", day, timedelta(0), 14 * DAY) == 14
    assert 1 <= state.times("DE", day, 14 * DAY, 60 * DAY) <= 2
    assert state.times("DE", day, 60 * DAY, 90 * DAY) == 1


def test_an_hourly_refresh_takes_few_older_days_and_never_many_at_once() -> None:
    state = Publisher(SHARED, ["DE"])
    state.run(HOUR, 80 * DAY)
    steady = [spans for now, spans in state.spans.items() if now > START + 5 * DAY]
    older = [sum((span.end - span.start) / DAY for span, _ in spans) - 3 for spans in steady]
    assert max(older) <= 2
    assert sum(older) / len(older) < 0.75


def test_a_steady_hourly_refresh_asks_eia_for_at_most_15_pages_a_kind() -> None:
    publisher = eia.SOURCE
    state = Publisher(publisher, ["US-CAL-CISO"])  # all others are due at the same times
    state.run(HOUR, 75 * DAY)
    zones = tuple(sorted(publisher.zones))
    pages = Counter[Kind]()
    for now, spans in state.spans.items():
        if now <= START + 62 * DAY:
            continue
        for kind, rows in eia.ROWS.items():
            count = 0
            for span, _ in spans:
                query = Query(kind, zones, span.start, span.end, now)
                for group in publisher.requests(query):
                    covers = group[0].span
                    assert covers is not None
                    hours = (covers.end - covers.start) / HOUR
                    count += max(1, math.ceil(hours * len(zones) * rows / eia.PAGE))
            pages[kind] = max(pages[kind], count)
    assert pages[Kind.GENERATION] <= 15
    assert max(pages.values()) <= 15


def test_zones_with_requests_of_their_own_are_requested_in_few_long_spans() -> None:
    zones = [f"Z{n}" for n in range(24)]
    state = Publisher(replace(ALONE, refetch=entsoe.SOURCE.refetch), zones, back=40 * DAY)
    state.run(HOUR, 4 * DAY)
    counts = [
        sum(len(due) for _, due in spans)
        for now, spans in state.spans.items()
        if now > START + 2 * DAY
    ]
    # The recent days of each zone are one request; a zone's older days join them once a day.
    assert max(counts) <= 24 + 12
    assert sum(counts) / len(counts) <= 24 * 1.2


def test_a_day_that_was_not_answered_is_requested_until_it_is() -> None:
    state = Publisher(SHARED, ["DE"])
    bad = date(2025, 12, 20)
    for hour in range(5):
        state.refresh(START + hour * HOUR, lost=lambda day: day == bad)
    assert len(state.asked["DE", bad]) == 5
    state.refresh(START + 5 * HOUR)
    state.refresh(START + 6 * HOUR)
    assert len(state.asked["DE", bad]) in (6, 7)  # its own hour of the daily tier may be next


def test_what_was_answered_is_requested_again_further_back_than_a_first_refresh() -> None:
    state = Publisher(SHARED, ["DE"], back=5 * DAY)
    state.run(12 * HOUR, 80 * DAY)
    day = date(2026, 1, 5)
    assert state.times("DE", day, 3 * DAY, 14 * DAY) in (11, 12, 13)
    assert 1 <= state.times("DE", day, 14 * DAY, 60 * DAY) <= 2
    assert state.times("DE", day, 60 * DAY, 90 * DAY) == 1
    # What was never answered is not.
    assert min(day for _, day in state.asked) == (START - 5 * DAY).date()


def test_a_zone_that_is_new_is_filled() -> None:
    state = Publisher(SHARED, ["DE"], back=60 * DAY)
    state.run(HOUR, 2 * DAY)
    state.zones = ["DE", "FR"]
    now = START + 2 * DAY
    state.refresh(now)
    assert {day for zone, day in state.asked if zone == "FR"} == {
        (now - 60 * DAY).date() + n * DAY for n in range(60)
    }
    alone = [span for span, zones in state.spans[now] if zones == ("FR",)]
    assert sum((span.end - span.start for span in alone), timedelta(0)) >= 50 * DAY


def test_a_refresh_after_an_outage_fills_it_as_whole_days() -> None:
    state = Publisher(SHARED, ["DE"])
    state.run(HOUR, 2 * DAY)
    back = START + 12 * DAY
    state.refresh(back)
    (span,) = (span for span, _ in state.spans[back] if span.end == back)
    assert span.start <= START + 2 * DAY


def test_a_day_with_gaps_is_requested_at_growing_intervals_until_it_is_final() -> None:
    publisher = replace(SHARED, refetch=())
    day = date(2025, 12, 20)
    news = answered = START
    asked = []
    for hour in range(30):
        now = START + hour * HOUR
        known = {"DE": {day: DayAnswer(answered, news, final=False)}}
        spans = due_spans(publisher, ["DE"], known, start=start_of(day), now=now)
        if any(span.start == start_of(day) for span, _ in spans):
            asked.append(hour)
            answered = now
    assert asked == [0, 1, 2, 4, 8, 16]


def test_after_the_clock_was_set_back_days_are_requested_again() -> None:
    day = date(2025, 12, 20)
    known = {"DE": {day: DayAnswer(START + 400 * DAY, START, final=True)}}
    due = due_spans(SHARED, ["DE"], known, start=start_of(day), now=START)
    assert due[0][0].start == start_of(day)


def test_what_is_due_is_split_by_what_one_request_may_cover() -> None:
    state = Publisher(replace(SHARED, max_span=7 * DAY), ["DE"])
    state.refresh(START + HOUR)
    spans = [span for span, _ in state.spans[START + HOUR]]
    assert max(span.end - span.start for span in spans) == 7 * DAY
    assert all(one.end == two.start for one, two in pairwise(spans))
