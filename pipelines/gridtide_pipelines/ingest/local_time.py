"""Labels of publishers to UTC instants: local time, offsets, numbers of intervals. Pure.

Four kinds of label are in use:

- a local wall-clock time without an offset (`read_local`). Where clocks go back, an hour is
  there twice (the fold); where they go forward, one is missing (the gap);
- a time under an offset that holds all year, such as EST (`read_at_offset`);
- the number of an interval in a local day of 23, 24 or 25 hours (`read_number`);
- a time in UTC, for which `parsing.readings` is enough.

Each function returns the instant that a label names. Where that is the end of an interval,
subtract its length from the UTC instants (`parsing.readings` does), never from the local
labels: over a change of clocks the two differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from datetime import timezone as dt_timezone
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from gridtide_pipelines.ingest.source import Span
from gridtide_store.vocabulary import INSTANT

# Flag of a local label in the fold that may be either of two instants.
AMBIGUOUS: Final = "ambiguous_time"


def local_days(span: Span, timezone: str | timedelta) -> list[tuple[date, Span]]:
    """Return the local days that `span` touches, oldest first, each with its part of the span.

    Args:
        timezone: IANA name, or the offset from UTC of a publisher that keeps one all year.
    """
    days = []
    zone = dt_timezone(timezone) if isinstance(timezone, timedelta) else ZoneInfo(timezone)
    day, start = span.start.astimezone(zone).date(), span.start
    while start < span.end:
        after = midnight(day + timedelta(days=1), timezone)
        days.append((day, Span(start, min(after, span.end))))
        day, start = day + timedelta(days=1), after
    return days


def read_local(
    labels: Sequence[str] | pl.Series,
    timezone: str,
    stamp: str,
    *,
    later: pl.Series | None = None,
    series: pl.Series | None = None,
) -> pl.Series:
    """Return the UTC instants of local `labels`; null where a label does not name one.

    A label in the gap names no instant. Publishers print such rows without a value; check that
    none of those has one (`refuse_values_without_time`).

    A label in the fold names two. `later` says which, for publishers who mark it. Otherwise the
    order does: of two equal labels of one series the second is the later instant. One that is
    there once stays null: which of the two it names would be a guess.

    Args:
        timezone: IANA name.
        stamp: strftime pattern of the labels.
        later: for each label whether it is after the clocks went back, e.g. marked EST.
        series: for each label the series it belongs to (its fuel); None where all are one.

    Raises:
        PolarsError: a label that `stamp` does not read, or an unknown time zone.
    """
    text = pl.Series("local", labels, dtype=pl.String)
    if text.is_empty():  # polars panics over no rows
        return pl.Series("instant", [], dtype=INSTANT)
    local = text.str.to_datetime(stamp, time_unit="us", strict=True)
    frame = local.to_frame().with_columns(
        pl.lit(0).alias("series") if series is None else series.alias("series"),
        pl.lit(None).alias("later") if later is None else later.alias("later"),
    )
    key = ["local", "series"]
    number = pl.col("local").cum_count().over(key)
    in_order = pl.when(pl.len().over(key) == 2).then(number == 2)
    which = pl.col("later").cast(pl.Boolean) if later is not None else in_order
    instant = pl.col("local").dt.replace_time_zone(
        timezone,
        ambiguous=pl.when(which)
        .then(pl.lit("latest"))
        .when(~which)
        .then(pl.lit("earliest"))
        .otherwise(pl.lit("null")),
        non_existent="null",
    )
    return frame.select(instant.dt.convert_time_zone("UTC").alias("instant")).to_series()


@lru_cache(maxsize=4096)
def read_instant(label: str) -> datetime:
    """Return the UTC instant of an ISO 8601 label with an offset.

    Raises:
        TypeError, ValueError: it is not such a label.
    """
    moment = datetime.fromisoformat(label)
    if moment.tzinfo is None:
        raise ValueError(f"a time without an offset: {label[:40]!r}")
    return moment.astimezone(UTC)


@lru_cache(maxsize=4096)
def read_clock(label: str, stamp: str) -> datetime:
    """Return the time that `label` names, without a zone; months are in English everywhere.

    `datetime.strptime` reads them, and AM and PM, as the locale of the process has them.

    Raises:
        PolarsError: `stamp` does not read it.
    """
    time: datetime = pl.Series([label]).str.to_datetime(stamp, time_unit="us", strict=True)[0]
    return time


def write_clock(time: datetime, stamp: str) -> str:
    """Return the label of a time, read by `read_clock`; months are in English everywhere."""
    label: str = pl.Series([time]).dt.to_string(stamp)[0]
    return label


def latest_instant(local: datetime, timezone: str, known_at: datetime) -> datetime:
    """Return the UTC instant of a local clock that was just read, for reports of the moment.

    Of the two instants of a time in the fold it is the later one, unless that is after
    `known_at` by more than clocks differ.
    """
    both = [local.replace(tzinfo=ZoneInfo(timezone), fold=fold) for fold in (0, 1)]
    first, second = sorted(each.astimezone(UTC) for each in both)
    return second if second <= known_at + timedelta(minutes=5) else first


def end_of_moment(at: datetime, length: timedelta, known_at: datetime) -> datetime:
    """Return the end of the slot that a report of the moment `at` stands for.

    It is `length` later, but not after the report was received: what comes then is not known.
    """
    received = known_at.replace(microsecond=0)
    return min(at + length, received) if received > at else at + length


def read_at_offset(
    labels: Sequence[str] | pl.Series, offset: timedelta, stamp: str
) -> pl.Series:
    """Return the UTC instants of `labels` under an `offset` from UTC that holds all year.

    Args:
        offset: positive east of Greenwich; EST is ``timedelta(hours=-5)``.
        stamp: strftime pattern of the labels.

    Raises:
        PolarsError: a label that `stamp` does not read.
    """
    text = pl.Series("instant", labels, dtype=pl.String)
    return text.str.to_datetime(stamp, time_unit="us", time_zone="UTC", strict=True) - offset


def placed(
    rows: pl.DataFrame,
    timezone: str,
    stamp: str,
    *,
    later: pl.Series | None = None,
    series: str | None = None,
) -> pl.DataFrame:
    """Return `rows` with the UTC `start` that their local `label` names, and a `flag`.

    A label in the fold that is there once names two instants. Its row becomes two, one for each
    instant, whose `value` is null and whose flag is ``ambiguous_time``: which of them it is of
    would be a guess. A row in the gap is left out, for it says nothing.

    Args:
        rows: `label`, `value` and other columns.
        timezone: IANA name.
        stamp: strftime pattern of the labels.
        later: as in `read_local`; null where the publisher does not mark it.
        series: column of the series that a row belongs to; None where all are one.

    Raises:
        ValueError: a row in the gap has a value.
        PolarsError: as `read_local`.
    """
    rows = rows.cast({"value": pl.Float64})
    flag = pl.lit(None, pl.String).alias("flag")
    if (sure := _sure(rows["label"], timezone, stamp)) is not None:
        return rows.with_columns(sure.alias("start"), flag)
    which = {
        side: read_local(
            rows["label"],
            timezone,
            stamp,
            later=later if side is None else pl.repeat(side, rows.height, eager=True),
            series=None if series is None else rows[series],
        )
        for side in (None, False, True)
    }
    certain = which[None].is_not_null()
    unclear = ~certain & which[False].is_not_null()
    refuse_values_without_time(which[False], rows["value"])
    parts = [rows.with_columns(which[None].alias("start"), flag).filter(certain)]
    parts += [
        rows.with_columns(
            which[side].alias("start"),
            pl.lit(AMBIGUOUS).alias("flag"),
            value=pl.lit(None, pl.Float64),
        ).filter(unclear)
        for side in (False, True)
    ]
    return pl.concat(parts)


def _sure(labels: pl.Series, timezone: str, stamp: str) -> pl.Series | None:
    """Return the UTC instants of `labels`; None if one is in the fold or in the gap."""
    if labels.is_empty():
        return None
    local = labels.str.to_datetime(stamp, time_unit="us", strict=True)
    earliest, latest = (
        local.dt.replace_time_zone(timezone, ambiguous=side, non_existent="null")
        for side in ("earliest", "latest")
    )
    if earliest.null_count() or not (earliest == latest).all():
        return None
    return earliest.dt.convert_time_zone("UTC")


def read_number(
    day: date, number: int, length: timedelta, timezone: str | timedelta
) -> datetime:
    """Return the UTC start of interval `number`, counted from 1, of a local `day`.

    The intervals follow one another without regard to the clock: a day of 23 hours has 46 half
    hours, one of 25 has 50.

    Args:
        timezone: IANA name, or the offset from UTC of a publisher that keeps one all year.

    Raises:
        ValueError: the day has no interval of that number.
    """
    first, after = midnight(day, timezone), midnight(day + timedelta(days=1), timezone)
    start = first + (number - 1) * length
    if not first <= start < after:
        most = (after - first) // length
        raise ValueError(f"interval {number} of {day}, which has {most} of {length}")
    return start


def refuse_values_without_time(instants: pl.Series, values: pl.Series) -> None:
    """Check that every value has a time, so that none is dropped with its label.

    Raises:
        ValueError: one has none; says how many.
    """
    lost = (instants.is_null() & values.is_not_null()).sum()
    if lost:
        raise ValueError(f"{lost} values at a local time that does not name an instant")


@lru_cache(maxsize=512)
def midnight(day: date, timezone: str | timedelta) -> datetime:
    """Return the UTC instant at which a local day begins."""
    if isinstance(timezone, timedelta):
        return datetime.combine(day, time(), UTC) - timezone
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)
