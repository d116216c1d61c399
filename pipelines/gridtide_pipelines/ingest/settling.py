"""Which days of which zones were answered, and what of them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import polars as pl

from gridtide_pipelines.ingest.schedule import DAY, ZoneDay, start_of, whole_days
from gridtide_pipelines.ingest.source import Span

SERIES = ("zone", "signal")


@dataclass(slots=True)
class AnsweredDays:
    """Which days of which zones the groups of a query answered, and how.

    Attributes:
        expected: zones and span of each group.
        done: which of them were answered, if with nothing.
        stretches: what the responses covered, by series and day: unbroken times with values,
            and days that came without any.
        refused: days of values that were refused.
    """

    expected: Sequence[tuple[Collection[str], Span]] = ()
    done: set[int] = field(default_factory=set)
    stretches: list[pl.DataFrame] = field(default_factory=list)
    refused: set[ZoneDay] = field(default_factory=set)

    def add(self, observations: pl.DataFrame, refused: Iterable[tuple[str, datetime]]) -> None:
        """Add what one group of responses, or a part of a large one, was normalized to.

        A slot counts once, however often it came. Only stretches are kept, of which there are a
        few a day, each in few bytes: a file of months has millions of slots.
        """
        same = (*SERIES, "day", "value")
        begins = pl.col("slot_start") != pl.col("slot_end").shift(1)
        self.stretches.append(
            observations.with_columns(pl.col(SERIES).cast(pl.Categorical))
            .group_by(*SERIES, "slot_start")
            .agg(pl.col("slot_end").min(), pl.col("value").is_not_null().any())
            .with_columns(day=pl.col("slot_start").dt.date())
            .sort(*same, "slot_start")
            .with_columns(stretch=begins.fill_null(value=True).cum_sum().over(same))
            .group_by(*same, "stretch")
            .agg(
                pl.col("slot_start").min().alias("start"), pl.col("slot_end").max().alias("end")
            )
        )
        for zone, start in refused:
            self.refused |= {(end, start.date()) for end in zone.split("->")}

    def covered(self) -> dict[ZoneDay, timedelta]:
        """Return the time with values in each day of each zone, by the series that has least.

        A fuel that came for half a day leaves half of it open; so does one that is named
        without a value. A flow counts for both its ends.
        """
        # Week by week, in the memory of one: a file of months has a million stretches.
        weeks: dict[date, list[pl.DataFrame]] = {}
        for stretches in self.stretches:
            for week, part in stretches.group_by(pl.col("day").dt.truncate("1w")):
                weeks.setdefault(week[0], []).append(part)
        return {
            (zone, day): time
            for parts in weeks.values()
            for zone, day, time in _covered(pl.concat(parts)).iter_rows()
        }

    def whole(self) -> list[ZoneDay]:
        """Return the days of zones that were answered from beginning to end."""
        done: dict[str, list[Span]] = {}
        open_spans: dict[str, list[Span]] = {}
        for number, (zones, span) in enumerate(self.expected):
            into = done if number in self.done else open_spans
            for zone in zones:
                into.setdefault(zone, []).append(span)
        return [
            (zone, day)
            for zone, spans in done.items()
            for run in _joined(spans)
            for day in whole_days(run)
            if not any(
                span.start < start_of(day) + DAY and start_of(day) < span.end
                for span in open_spans.get(zone, ())
            )
        ]

    def complete(self, days: Iterable[ZoneDay]) -> list[ZoneDay]:
        """Return those of `days` in which every series has a value at every time."""
        covered = self.covered()
        return [day for day in days if covered.get(day, timedelta(0)) >= DAY]

    def silent(self, days: Iterable[ZoneDay]) -> list[ZoneDay]:
        """Return those of `days` that have gaps or nothing at all.

        Not those of which all values were refused: a publisher that says something wrong
        will say something else.
        """
        covered = self.covered()
        return [
            day
            for day in days
            if covered.get(day, timedelta(0)) < DAY
            and (day in covered or day not in self.refused)
        ]


def _covered(stretches: pl.DataFrame) -> pl.DataFrame:
    """Return zone, day and time with values of whole days in their stretches."""
    same = (*SERIES, "day", "value")
    before = pl.col("end").shift(1).cum_max().over(same)
    start = pl.max_horizontal("start", before)
    return (
        stretches.sort(*same, "start")
        .with_columns(covered=pl.max_horizontal("end", start) - start)
        .group_by(*SERIES, "day")
        .agg(pl.col("covered").filter("value").sum(), pl.col("value").any())
        .group_by("zone", "day")
        .agg(pl.col("covered").min(), pl.col("value").any())
        .with_columns(pl.col("zone").cast(pl.String).str.split("->"))
        .explode("zone")
        .group_by("zone", "day")
        .agg(pl.col("covered").min(), pl.col("value").any())
        .filter("value")
        .drop("value")
    )


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Return `spans` with those joined that overlap or touch."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined
