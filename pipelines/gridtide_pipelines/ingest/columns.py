"""Values of Python as columns of a frame. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, TypeAlias

import polars as pl

from gridtide_pipelines.ingest.source import READING
from gridtide_store.vocabulary import INSTANT

Column: TypeAlias = Collection[object] | pl.Series

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
INSTANTS: Final = frozenset(name for name, dtype in READING.items() if dtype == INSTANT)
_AS_WRITTEN: Final = pl.QueryOptFlags.none()


def collected(plan: pl.LazyFrame) -> pl.DataFrame:
    """Return the rows of a plan whose steps are taken as they are written.

    For a body of a few hundred rows each step by itself costs more than its rows, and so does
    the search for a better order of the steps.
    """
    return plan.collect(optimizations=_AS_WRITTEN, engine="in-memory")


def frame_of(rows: Iterable[Sequence[object]], schema: pl.Schema) -> pl.DataFrame:
    """Return rows of values as a frame of `schema`.

    Raises:
        TypeError, ValueError, PolarsError: a value or a row that does not fit.
    """
    columns: Sequence[Sequence[object]] = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pl.DataFrame(
        [
            instants(column).alias(name)
            if dtype == INSTANT
            else pl.Series(name, column, dtype=dtype, strict=True)
            for (name, dtype), column in zip(schema.items(), columns, strict=True)
        ]
    )


def instants(times: Iterable[Any]) -> pl.Series:
    """Return aware datetimes as a series; None is null. A seventh of the time of polars.

    Raises:
        TypeError: one of them is not a datetime with an offset.
    """
    given = list(times)
    # A time is often one object in many rows. Equal is not the same: of two times in the hour
    # that clocks repeat, one may be later.
    places = list(map(id, given))
    whole = {
        place: _microseconds(each)
        for place, each in dict(zip(places, given, strict=True)).items()
    }
    return pl.Series(map(whole.__getitem__, places), dtype=pl.Int64).cast(INSTANT)


def _microseconds(time: datetime | None) -> int | None:
    """Return the time since `EPOCH`; the parts add up in half the time of a division."""
    if time is None:
        return None
    since = time - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def times_of(column: Column, stamp: str | None) -> pl.Series:
    """Return instants: aware datetimes, or text that `stamp` reads as UTC."""
    if stamp is None:
        return column.cast(INSTANT) if isinstance(column, pl.Series) else instants(column)
    text = pl.Series(column, dtype=pl.String, strict=True)
    return text.str.to_datetime(stamp, time_unit="us", time_zone="UTC", strict=True)


def column_of(name: str, given: object, count: int) -> pl.Series:
    """Return a column of READING; a single value holds for each of `count` rows."""
    if isinstance(given, pl.Series):
        return given.cast(READING[name], strict=True).alias(name)
    if isinstance(given, Collection) and not isinstance(given, str):
        if name in INSTANTS:
            return instants(given).alias(name)
        return pl.Series(name, given, dtype=READING[name], strict=True)
    return _single(name, given).new_from_index(0, count)


@lru_cache(maxsize=64, typed=True)
def _single(name: str, given: object) -> pl.Series:
    return pl.Series(name, [given], dtype=READING[name], strict=True)
