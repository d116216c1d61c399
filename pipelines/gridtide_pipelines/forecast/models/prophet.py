"""Model ``prophet``: Prophet with a flat trend, corrected by its most recent errors.

Prophet (Taylor and Letham, Forecasting at scale, 2018) learns daily, weekly and yearly
patterns; it is fitted monthly and does not see yesterday's wind. Alone it loses to repeating
yesterday, so it is never used raw: a share of the last 24 hours' residuals is added.

Chosen on January to June 2021 of eight zones, mean absolute percentage error over 72 h
(repeating yesterday 12.3, last week 15.3), refitted monthly:

    history and trend          error   CPU per fit by Stan
    2 years, flat              10.83   1.3 s
    1 year, flat               10.87   0.7 s
    2 years, linear (default)  11.87   9 s
    1 year, flat, not yearly   11.12
    60 days, flat, not yearly  11.96
    30 days, flat, not yearly  12.16
    21 days, flat, not yearly  12.46

A linear trend follows last month's weather out of the window; the residuals set the level
better. Two years let the yearly pattern repeat itself, which Prophet needs. Fitted as
here, by `most_likely`, two years take 0.1 s.
"""

from __future__ import annotations

import json
import logging
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from gridtide.model import format_time
from gridtide_pipelines.errors import NotEnoughHistory
from gridtide_pipelines.forecast.forecaster import (
    HOUR,
    Fitted,
    Floats,
    ForecastSlots,
    Ints,
    Known,
    bounds,
    hour_of,
    hours_in,
)
from gridtide_pipelines.forecast.intervals import DAYS, with_interval

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LEAST_HOURS = 30 * 24
YEARLY_FROM = 365 * 24
PERIOD_DAYS = {"yearly": 365.25, "weekly": 7.0, "daily": 1.0}

# Share of the mean residual of the last 24 h, and of each hour's deviation from that mean,
# still there on day 1, 2 and 3: fitted for Prophet on January to June 2021 in six zones. With
# the flat trend a fit of our own is within 0.05 points of these.
LEVEL = np.array([0.83, 0.61, 0.48])
HOURLY = np.array([0.49, 0.43, 0.45])
# Residuals older than this say nothing about the level any more.
LAST_SEEN = 7 * 24

# Scale of the prior of the level in Prophet's model (prophet.stan).
LEVEL_SCALE = 5.0
TURNS = 50

# The replayed errors lie partly in the months the fit has seen, so they are too small: on
# January to June 2021 they cover 78.3 % and, widened by this, 80.2 % (75 to 83 by zone).
WIDEN = 1.05


@dataclass(frozen=True, slots=True)
class Curve:
    """What Prophet learned: a level and Fourier coefficients (sine, cosine, sine, ...)."""

    level: float
    seasons: Mapping[str, tuple[float, ...]]

    def at(self, hours: Ints) -> Floats:
        """Return the values at whole hours since 1970, UTC; equal to ``Prophet.predict``."""
        days = hours / 24.0
        total = np.full(len(hours), self.level)
        for name, weights in self.seasons.items():
            for i in range(0, len(weights), 2):
                angle = (i // 2 + 1) / PERIOD_DAYS[name] * (math.tau * days)
                total += weights[i] * np.sin(angle) + weights[i + 1] * np.cos(angle)
        return total


@dataclass(frozen=True, slots=True)
class FittedProphet:
    """A curve that predicts without Prophet itself."""

    curve: Curve

    def to_bytes(self) -> bytes:
        """Encode the curve as JSON, under 1 kB."""
        return json.dumps(asdict(self.curve)).encode()

    def predict(
        self, known: Known, issued_at: datetime, horizon: timedelta, *, interval: bool = True
    ) -> ForecastSlots:
        """Forecast as `Fitted.predict` says."""
        start, steps = hour_of(issued_at), hours_in(horizon)
        values = known.hours_before(issued_at, DAYS * 24 + LAST_SEEN)
        first = (start - EPOCH) // HOUR - len(values)
        curve = self.curve.at(first + np.arange(len(values) + steps))

        def rule(seen: Floats, origins: Ints, horizon: int) -> Floats:
            return corrected(curve, seen, origins, horizon)

        low, middle, high = with_interval(
            values,
            rule,
            steps,
            limits=bounds(known.signal),
            widen=WIDEN,
            interval=interval,
        )
        if np.isnan(middle).any():
            raise NotEnoughHistory(
                f"prophet [{known.zone}] {known.signal}: nothing is known of the "
                f"{LAST_SEEN // 24} days before {format_time(issued_at)}, and without its "
                "latest errors the model is not used; import or refresh that time"
            )
        return ForecastSlots(start, low, middle, high)


@dataclass(frozen=True, slots=True)
class Prophet:
    """The model before it has learned: it fits the curve."""

    name: str = "prophet@1"
    memory: timedelta = timedelta(days=730)
    wants: frozenset[str] = frozenset()
    keeps: bool = True

    def fit(self, known: Known, *, seed: int) -> Fitted:
        """Learn the patterns of the last two years; the yearly one from a year on."""
        values = known.hours_before(known.at, self.memory // HOUR)
        seen = np.flatnonzero(np.isfinite(values))
        if len(seen) < LEAST_HOURS:
            raise NotEnoughHistory(
                f"{self.name} [{known.zone}] {known.signal}: {len(seen)} known hours in the "
                f"two years before {format_time(known.at)}, fewer than {LEAST_HOURS}; import "
                "or refresh more, or use weekly or naive"
            )
        first = (hour_of(known.at) - EPOCH) // HOUR - len(values)
        yearly = bool(seen[-1] - seen[0] >= YEARLY_FROM - 24)
        values = with_missing_hours(values)
        seen = np.flatnonzero(np.isfinite(values))
        return FittedProphet(_fit(first + seen, values[seen], yearly=yearly))

    def from_bytes(self, content: bytes) -> Fitted:
        """Decode a curve from its JSON."""
        try:
            fields: dict[str, Any] = json.loads(content)
            seasons = {
                name: tuple(float(weight) for weight in fields["seasons"][name])
                for name in PERIOD_DAYS
                if name in fields["seasons"]
            }
            return FittedProphet(Curve(float(fields["level"]), seasons))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{self.name}: no curve in these bytes: {error!r}") from error


MODEL = Prophet()


def with_missing_hours(values: Floats) -> Floats:
    """Return `values` with hours of the day that are always unknown interpolated.

    Where nothing holds it a daily pattern swings freely: with nights unknown it went to twice
    the highest value ever known. Other gaps, and all values of a zone that lacks no hour of
    the day, stay as they are.

    Args:
        values: whole days.
    """
    never = np.isfinite(values).reshape(-1, 24).sum(axis=0) == 0
    if not never.any() or never.all():
        return values
    position, known = np.arange(len(values)), np.flatnonzero(np.isfinite(values))
    after = np.clip(np.searchsorted(known, position), 1, len(known) - 1)
    near = (known[after] - known[after - 1] <= 24) & (position < known[-1])
    near &= (position > known[0]) & np.tile(never, len(values) // 24)
    return np.where(near, np.interp(position, known, values[known]), values)


def corrected(curve: Floats, values: Floats, origins: Ints, horizon: int) -> Floats:
    """Return the curve after each origin, moved by the residuals of the last 24 known hours.

    Their mean counts by `LEVEL`, each hour's deviation from it by `HOURLY`, both by the days
    since the newest known hour. A row is NaN where nothing is known within `LAST_SEEN`.

    Args:
        curve: from the first of `values` to at least the last hour forecast.
    """
    position = np.arange(len(values))
    newest = np.maximum.accumulate(np.where(np.isfinite(values), position, -1))
    end = np.where(origins > 0, newest[np.maximum(origins, 1) - 1], -1) + 1
    usable = (end > 0) & (origins - end < LAST_SEEN)
    window = end[:, None] - 24 + np.arange(24)
    residual = np.where(window >= 0, (values - curve[: len(values)])[window], np.nan)
    residual[~usable] = np.nan
    known = np.isfinite(residual)
    mean = np.where(known, residual, 0).sum(1) / np.where(usable, known.sum(1), np.nan)
    deviation = np.where(known, residual - mean[:, None], 0)
    lead = (origins - end)[:, None] + np.arange(horizon)
    day = np.minimum(lead // 24, len(LEVEL) - 1)
    same_hour = np.take_along_axis(deviation, lead % 24, axis=1)
    target = origins[:, None] + np.arange(horizon)
    drawn = np.where(target >= 0, curve[target], np.nan)
    moved: Floats = drawn + LEVEL[day] * mean[:, None] + HOURLY[day] * same_hour
    return moved


def _fit(hours: Ints, values: Floats, *, yearly: bool) -> Curve:
    # Its import takes more than a second and brings pandas; only a fit needs it.
    with _quiet():
        import pandas
        import prophet

        model = prophet.Prophet(
            growth="flat",
            daily_seasonality=True,
            weekly_seasonality=True,
            yearly_seasonality=yearly,
            uncertainty_samples=0,
        )
        stamps = hours.astype("datetime64[h]").astype("datetime64[ns]")
        prepared = model.preprocess(pandas.DataFrame({"ds": stamps, "y": values}))
    level, weights = most_likely(
        np.asarray(prepared.X), np.asarray(prepared.y), np.asarray(prepared.sigmas)
    )
    scale = float(model.y_scale or 1.0)
    seasons, used = {}, 0
    for name, season in model.seasonalities.items():
        count = 2 * season["fourier_order"]
        seasons[name] = tuple((weights[used : used + count] * scale).tolist())
        used += count
    return Curve(level * scale, seasons)


def most_likely(features: Floats, values: Floats, scales: Floats) -> tuple[float, Floats]:
    """Return level and weights at the maximum of the posterior of Prophet's flat-trend model.

    Stan searches for that peak step by step, for any trend and after writing all features to a
    file. With a flat trend the level (prior of scale 5) and the weights (`scales`) are a ridge
    regression for a given variance of the noise, and the variance (its root's prior of scale
    0.5) is the root of a quadratic for given residuals; in turns both settle at once. Within
    1e-5 of Stan's, and never less likely (tests/models/test_prophet.py).

    Args:
        features: (times, weights) as `Prophet.preprocess` makes them.
        values: scaled as it does; one a time.
        scales: of the normal priors of the weights.
    """
    columns = np.column_stack([np.ones(len(values)), features])
    precision: Floats = np.diag(np.concatenate([[LEVEL_SCALE], scales]) ** -2.0)
    squares, products = columns.T @ columns, columns.T @ values
    count, variance = len(values), 1.0
    for _ in range(TURNS):
        found = np.linalg.solve(squares + variance * precision, products)
        error = float(np.sum((values - columns @ found) ** 2))
        before, variance = variance, (math.sqrt(count**2 + 16 * error) - count) / 8
        if abs(variance - before) <= 1e-12 * before:
            break
    return float(found[0]), np.asarray(found[1:], np.float64)


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress what Prophet and its Stan wrapper log about a missing plot library and so on."""
    loggers = [logging.getLogger(n) for n in ("prophet", "prophet.plot", "cmdstanpy")]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        with warnings.catch_warnings():
            # Prophet 1.5 uses parts of pandas 3 that it will drop; nothing we can act on.
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled
