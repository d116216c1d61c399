"""Slots of any length as exact hourly means: what the models see."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

HOUR = timedelta(hours=1)
HOUR_US = 3_600_000_000
# With less than half of an hour known, its mean would mostly be a guess.
LEAST_KNOWN_SHARE = 0.5


def hour_of(moment: datetime) -> datetime:
    """The start of the hour that contains `moment`."""
    return moment.replace(minute=0, second=0, microsecond=0)


def hourly(slots: pl.DataFrame, end: datetime, count: int) -> Floats:
    """Means of the `count` hours before `end` (a whole hour), oldest first.

    Weighted by time over the known part of each hour; NaN where less than half is known.

    Args:
        slots: start, end (UTC) and value; sorted or not; null or NaN is unknown.
    """
    known = slots.filter(pl.col("value").is_finite() & pl.col("end").gt(pl.col("start")))
    first_us = _us(end) - count * HOUR_US
    start = known["start"].to_physical().to_numpy() - first_us
    stop = known["end"].to_physical().to_numpy() - first_us
    first, last = start // HOUR_US, (stop - 1) // HOUR_US
    inside = (last >= 0) & (first < count)
    start, stop, first, last = start[inside], stop[inside], first[inside], last[inside]
    value = known["value"].to_numpy()[inside]
    touched = last - first + 1
    slot = np.repeat(np.arange(len(value)), touched)
    within = np.arange(touched.sum()) - np.repeat(touched.cumsum() - touched, touched)
    hour = first[slot] + within
    share = (
        np.minimum(stop[slot], (hour + 1) * HOUR_US) - np.maximum(start[slot], hour * HOUR_US)
    ) / HOUR_US
    kept = (hour >= 0) & (hour < count)
    hour, share, value = hour[kept], share[kept], value[slot[kept]]
    weight = np.bincount(hour, share, minlength=count)
    total = np.bincount(hour, share * value, minlength=count)
    return np.where(
        weight >= LEAST_KNOWN_SHARE, total / np.where(weight > 0, weight, 1), np.nan
    )


def _us(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000
