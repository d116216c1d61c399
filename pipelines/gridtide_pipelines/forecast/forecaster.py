"""The contract of a forecast model: what was known goes in, forecast slots come out.

Models work on hourly means and reach for no store, network or clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from gridtide.errors import BadInput
from gridtide.model import Signal, format_time

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

HOUR = timedelta(hours=1)
HOUR_US = 3_600_000_000
# With less than half of an hour known, its mean would mostly be a guess.
LEAST_KNOWN_SHARE = 0.5

HORIZON = timedelta(hours=72)
SEED = 20_211


def hour_of(moment: datetime) -> datetime:
    """Return the start of the hour that contains `moment`."""
    return moment.replace(minute=0, second=0, microsecond=0)


def hourly(slots: pl.DataFrame, end: datetime, count: int) -> Floats:
    """Return the means of the `count` hours before `end` (a whole hour), oldest first.

    Weighted by time over the known part of each hour; NaN where less than half is known.

    Args:
        slots: start, end (UTC) and value; sorted or not; null or NaN is unknown.
    """
    first_us = _us(end) - count * HOUR_US
    value = slots["value"].to_numpy()
    start, stop = instants(slots["start"]) - first_us, instants(slots["end"]) - first_us
    first, last = start // HOUR_US, (stop - 1) // HOUR_US
    inside = np.isfinite(value) & (stop > start) & (last >= 0) & (first < count)
    start, stop, first, last = start[inside], stop[inside], first[inside], last[inside]
    value = value[inside]
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


def instants(column: pl.Series) -> Ints:
    """Return a column of times (UTC) as microseconds since 1970."""
    # Without `to_physical`, which takes polars more time than all the rest here.
    return column.to_numpy().astype("datetime64[us]").astype(np.int64)


def _us(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


@dataclass(frozen=True, slots=True)
class Location:
    """Coordinates and time zone of a zone, as far as they are known, in degrees."""

    timezone: str = "UTC"
    lat: float | None = None
    lon: float | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """One zone as it was known at a moment; nothing in it was known later.

    Models work on whole hours: finer slots become means weighted by time, see `hourly`.

    Attributes:
        at: the knowledge time all of it is cut by.
        intensity: start, end, value of `signal`, a CFE fraction too; null is unknown.
        mix: start, end, fuel, value (MW), or None where the zone has none.
        weather: forecasts as issued: issued_at, lead_h and one column a quantity, or None.
        weather_model: source, resolution and points of `weather`, such as
            ``gfs_1p00@points1``: a fit holds for one of them alone. Empty without weather.
        dayahead: official day-ahead forecasts: start, end and one column a quantity, or None.
        publishers: newest run of each publisher: model, issued_at, start, end, p50, or None.
    """

    zone: str
    signal: Signal
    at: datetime
    intensity: pl.DataFrame
    location: Location = Location()
    mix: pl.DataFrame | None = None
    weather: pl.DataFrame | None = None
    dayahead: pl.DataFrame | None = None
    publishers: pl.DataFrame | None = None
    weather_model: str = ""

    def hours_before(self, issued_at: datetime, count: int) -> Floats:
        """Return the `count` hourly means before the hour of `issued_at`, oldest first.

        That hour is the first to be forecast, so what is known of it is not shown.

        Raises:
            BadInput: what is known was learned after the issue; cut it first.
        """
        if self.at > issued_at:
            raise BadInput(
                f"{self.zone} {self.signal}: what was known at {format_time(self.at)} cannot "
                f"serve a forecast issued at {format_time(issued_at)}; cut it at the issue"
            )
        return hourly(self.intensity, hour_of(issued_at), count)

    def without_newest(self, age: timedelta) -> Known:
        """Return the same without what was observed in the last `age` before ``at``.

        Forecasts of others (weather, day-ahead, publishers) arrive separately and stay.
        """
        measured = pl.col("start") < hour_of(self.at) - age
        mix = None if self.mix is None else self.mix.filter(measured)
        return replace(self, intensity=self.intensity.filter(measured), mix=mix)


@dataclass(frozen=True, slots=True)
class ForecastSlots:
    """Hourly slots from `start` on: p10 <= p50 <= p90; NaN in p10 and p90 is unknown."""

    start: datetime
    p10: Floats
    p50: Floats
    p90: Floats

    def __post_init__(self) -> None:
        if not len(self.p10) == len(self.p50) == len(self.p90):
            raise ValueError("p10, p50 and p90 differ in length")
        if not np.isfinite(self.p50).all():
            raise ValueError("a slot has no p50")
        if (self.p10 > self.p50).any() or (self.p50 > self.p90).any():
            raise ValueError("quantiles out of order")

    def frame(self) -> pl.DataFrame:
        """Return start, end, p10, p50, p90; null in p10 and p90 is unknown."""
        hours = np.arange(len(self.p50)) * HOUR_US
        return pl.DataFrame(
            {
                "start": pl.Series(hours).cast(pl.Duration("us")) + self.start,
                "p10": pl.Series(self.p10).fill_nan(None),
                "p50": self.p50,
                "p90": pl.Series(self.p90).fill_nan(None),
            }
        ).select("start", (pl.col("start") + HOUR).alias("end"), "p10", "p50", "p90")


class Fitted(Protocol):
    """A model that has learned; it can be written to bytes and read back."""

    def predict(
        self, known: Known, issued_at: datetime, horizon: timedelta, *, interval: bool = True
    ) -> ForecastSlots:
        """Forecast ``[issued_at, issued_at + horizon)``, from the hour of the issue on.

        Args:
            known: the zone as of `issued_at`.
            interval: whether p10 and p90 are wanted, which take most of the time.

        Raises:
            NotEnoughHistory: too few known slots lately.
            BadInput: `known` was learned after `issued_at`.
        """
        ...

    def to_bytes(self) -> bytes:
        """Return the bytes that `Forecaster.from_bytes` reads."""
        ...


class Forecaster(Protocol):
    """A forecast model before it has learned; one a module in `models`."""

    @property
    def name(self) -> str:
        """Name with version, ``weekly@1``; a new version is a new name."""
        ...

    @property
    def memory(self) -> timedelta:
        """How far back it looks; older history need not be given."""
        ...

    @property
    def wants(self) -> frozenset[str]:
        """Which of mix, weather, dayahead, publishers it reads; others need not be given."""
        ...

    @property
    def keeps(self) -> bool:
        """Whether it learns: its fit is kept for a month rather than made at each issue."""
        ...

    def fit(self, known: Known, *, seed: int) -> Fitted:
        """Learn from everything known by ``known.at``; the same every time for one seed.

        Raises:
            NotEnoughHistory: too few known slots to learn from.
        """
        ...

    def from_bytes(self, content: bytes) -> Fitted:
        """Return the fitted model that `Fitted.to_bytes` wrote.

        Raises:
            ValueError: not what this model wrote.
        """
        ...


def hours_in(horizon: timedelta) -> int:
    """Return the number of hours that cover `horizon`."""
    return -(-horizon // HOUR)


def bounds(signal: Signal) -> tuple[float, float]:
    """Return the least and greatest value that `signal` can have."""
    return (0.0, float("inf")) if signal.lower_is_cleaner else (0.0, 1.0)


def without_version(name: str) -> str:
    """Return a model's name without its version."""
    return name.partition("@")[0]


def newest_versions(models: Mapping[str, Forecaster]) -> Mapping[str, Forecaster]:
    """Map each name without version to the newest version."""
    ordered = sorted(models, key=lambda name: int(name.partition("@")[2]))
    return {without_version(name): models[name] for name in ordered}
