"""What a forecaster is: what was known in, steps out; no store, no network, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
import polars as pl

from gridtide.errors import BadInput
from gridtide.model import Signal, format_time
from gridtide_pipelines.forecast.hourly import HOUR, HOUR_US, Floats, hour_of, hourly

HORIZON = timedelta(hours=72)
SEED = 20_211


@dataclass(frozen=True, slots=True)
class Location:
    """Where a zone is, as far as that is known; degrees, north and east positive."""

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

    def hours_before(self, issued_at: datetime, count: int) -> Floats:
        """The `count` hourly means before the hour of `issued_at`, oldest first, NaN unknown.

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
        """The same without what was measured in the last `age` before ``at``.

        Forecasts of others (weather, day-ahead, publishers) come by other ways and stay.
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
        """start, end, p10, p50, p90; null in p10 and p90 is unknown."""
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

    def predict(self, known: Known, issued_at: datetime, horizon: timedelta) -> ForecastSlots:
        """Steps covering ``[issued_at, issued_at + horizon)``, from the hour of the issue on.

        Args:
            known: the zone as of `issued_at`.

        Raises:
            NotEnoughHistory: too few known slots lately.
            BadInput: `known` was learned after `issued_at`.
        """
        ...

    def to_bytes(self) -> bytes:
        """What `Forecaster.from_bytes` reads."""
        ...


class Forecaster(Protocol):
    """A way to learn from what is known; one a file in `models`."""

    @property
    def name(self) -> str:
        """With version, ``weekly@1``; a new version is a new name."""
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
        """A fitted model as `Fitted.to_bytes` wrote it.

        Raises:
            ValueError: not what this model wrote.
        """
        ...


def steps_in(horizon: timedelta) -> int:
    """Hours that cover `horizon`."""
    return -(-horizon // HOUR)


def bounds(signal: Signal) -> tuple[float, float]:
    """Least and greatest value `signal` can have."""
    return (0.0, float("inf")) if signal.lower_is_cleaner else (0.0, 1.0)


def bare(name: str) -> str:
    """A model's name without its version."""
    return name.partition("@")[0]


def newest_versions(models: Mapping[str, Forecaster]) -> Mapping[str, Forecaster]:
    """Bare name to the newest version there is."""
    ordered = sorted(models, key=lambda name: int(name.partition("@")[2]))
    return {bare(name): models[name] for name in ordered}
