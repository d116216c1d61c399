"""The time whose values are stored when a query is answered, and what lies beside. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import polars as pl

from gridtide_pipelines.ingest.source import Query, Source, Span
from gridtide_store.vocabulary import PRICE

DAY = timedelta(days=1)
# Days for which prices are known ahead: no auction is of a time beyond the day after tomorrow.
DAY_AHEAD = 3


def span_of(source: Source, query: Query) -> Span:
    """Return the time whose values are stored when a query is answered.

    A file has its days in local time, and others than were requested: those of the days beside
    them are stored, as the next file may not have them.
    """
    beside = DAY if source.bulk or source.whole_files else timedelta(0)
    return Span(query.start - beside, query.end + beside)


def within(source: Source, frame: pl.DataFrame, span: Span) -> pl.DataFrame:
    """Return the readings to normalize: of files those in `span`, of other responses all.

    There a reading of another time is a mistake, which is noted.
    """
    if not (source.bulk or source.whole_files):
        return frame
    return frame.filter((pl.col("end") >= span.start) & (pl.col("start") <= span.end))


def without_waiting(rows: pl.DataFrame, flags: Counter[str]) -> pl.DataFrame:
    """Return `rows` without slots that are not over, but were by the publisher's label.

    Only a correction moves them beyond now: they are not anomalies, and are stored when
    over. How many there are is counted as ``not_over``.
    """
    labelled = pl.col("published") + (pl.col("end") - pl.col("start"))
    over = rows.filter(~(future() & (labelled <= pl.col("known_at"))))
    flags["not_over"] += rows.height - over.height
    return over


def future() -> pl.Expr:
    """Select observations of slots that were not over when they were received.

    A price is known before its slot: that of the day ahead is no mistake.
    """
    late = pl.when(pl.col("signal").str.starts_with(PRICE)).then(DAY_AHEAD).otherwise(0)
    return pl.col("issued_at").is_null() & (
        pl.col("end") > pl.col("known_at") + pl.duration(days=late)
    )


def unasked(span: Span) -> pl.Expr:
    """Select slots outside the requested time; one that touches it counts as inside."""
    moved = pl.col("start") - pl.col("published")  # it was requested as it is published
    return (pl.col("end") - moved < span.start) | (pl.col("published") > span.end)
