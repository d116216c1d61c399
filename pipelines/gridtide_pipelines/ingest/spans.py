"""The time of which a source's values are stored when a query is answered. Pure."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from gridtide_pipelines.ingest.source import Query, Source, Span

DAY = timedelta(days=1)


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
