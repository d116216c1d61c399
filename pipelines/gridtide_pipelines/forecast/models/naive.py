"""Model ``naive``: repeat the last 24 hours; an unknown hour is taken from the day before.

An hour that is unknown on all days is interpolated between its neighbours: the last model of
the chain must serve a zone that lacks one kind of hour. The class `Repeating` serves ``weekly``
as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

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

# A winter night of 16 hours may be unknown.
LEAST_KNOWN = 0.25
# Less is too short a history, not one that lacks a kind of hour.
LEAST_PERIODS = 2


@dataclass(frozen=True, slots=True)
class Repeating:
    """The last `period` before the issue time, repeated.

    A gap is filled from the period before.

    Attributes:
        period: a whole number of days.
        depth: how many periods back a value may come from.
        fills: whether hours that are never known are drawn between those before and after, as
            long as a part of `LEAST_KNOWN` of the period is known in each of `LEAST_PERIODS`.
    """

    name: str
    period: timedelta
    depth: int
    wants: frozenset[str] = frozenset()
    keeps: bool = False
    fills: bool = False

    @property
    def memory(self) -> timedelta:
        """History needed: as far back as the oldest replay looks."""
        return self.period * self.depth + timedelta(days=DAYS)

    def fit(self, known: Known, *, seed: int) -> Fitted:
        """Return itself, as nothing is learned; refuse a history that is too short."""
        self._middle(known, known.at, timedelta(days=3))
        return self

    def from_bytes(self, content: bytes) -> Fitted:
        """Return itself.

        Raises:
            ValueError: there is content, which this model never writes.
        """
        if content:
            raise ValueError(f"{self.name} keeps nothing, but there are {len(content)} bytes")
        return self

    def to_bytes(self) -> bytes:
        """Return no bytes."""
        return b""

    def predict(
        self, known: Known, issued_at: datetime, horizon: timedelta, *, interval: bool = True
    ) -> ForecastSlots:
        """Forecast as `Fitted.predict` says."""
        values = self._middle(known, issued_at, horizon)
        quantiles = with_interval(
            values,
            self._repeat,
            hours_in(horizon),
            limits=bounds(known.signal),
            interval=interval,
        )
        return ForecastSlots(hour_of(issued_at), *quantiles)

    def _middle(self, known: Known, issued_at: datetime, horizon: timedelta) -> Floats:
        """Return the hours that the model reads, from which every slot can be forecast."""
        values = known.hours_before(issued_at, self.memory // HOUR)
        steps = self._repeat(values, np.array([len(values)]), hours_in(horizon))[0]
        if missing := int(np.isnan(steps).sum()):
            raise NotEnoughHistory(
                f"{self.name} [{known.zone}] {known.signal}: {missing} of {len(steps)} hours "
                f"have no known counterpart in the {(self.period * self.depth).days} days "
                f"before {format_time(issued_at)}; import or refresh that time"
            )
        return values

    def _repeat(self, values: Floats, origins: Ints, horizon: int) -> Floats:
        period = self.period // HOUR
        # A whole period, since what is drawn lies between hours that may be after the horizon.
        step = origins[:, None] + np.arange(period)
        found = np.full(step.shape, np.nan)
        for back in range(1, self.depth + 1):
            source = step - period * back
            value = np.where(source >= 0, values[source], np.nan)
            found = np.where(np.isnan(found), value, found)
        if self.fills:
            found = self._filled(values, origins, found)
        return found[:, np.arange(horizon) % period]

    def _filled(self, values: Floats, origins: Ints, found: Floats) -> Floats:
        """Return `found` with the hours that are unknown in all periods interpolated."""
        period = self.period // HOUR
        least = LEAST_KNOWN * period
        for row, origin in enumerate(origins):
            known = np.flatnonzero(np.isfinite(found[row]))
            if len(known) == period:
                continue
            starts = range(
                origin - period, max(-1, origin - period * (self.depth + 1)), -period
            )
            days = [int(np.isfinite(values[at : at + period]).sum()) for at in starts]
            if sum(day >= least for day in days) < LEAST_PERIODS:
                continue
            found[row] = np.interp(np.arange(period), known, found[row, known], period=period)
        return found


MODEL = Repeating("naive@1", period=timedelta(days=1), depth=7, fills=True)
