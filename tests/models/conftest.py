"""Histories made of numbers, as models and the backtest take them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from gridtide.model import Signal
from gridtide_pipelines.forecast.forecaster import Known

AT = datetime(2021, 7, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
INSTANT = pl.Datetime("us", "UTC")

Slots = Callable[..., pl.DataFrame]
MakeKnown = Callable[..., Known]


@pytest.fixture
def at() -> datetime:
    return AT


@pytest.fixture
def slots() -> Slots:
    """Hourly slots whose last one ends at `end`; None and NaN are unknown."""

    def make(values: Sequence[float | None], *, end: datetime = AT) -> pl.DataFrame:
        first = end - HOUR * len(values)
        start = pl.Series("start", [first + HOUR * i for i in range(len(values))], INSTANT)
        value = pl.Series("value", values, pl.Float64, strict=False).fill_nan(None)
        return pl.DataFrame({"start": start, "end": start + HOUR, "value": value})

    return make


@pytest.fixture
def known(slots: Slots) -> MakeKnown:
    """What was known at `at` of a zone whose hours up to `end` had these values."""

    def make(
        values: Sequence[float | None],
        *,
        at: datetime = AT,
        end: datetime = AT,
        signal: Signal = Signal.CI_LIFECYCLE_PRODUCED,
    ) -> Known:
        return Known("DE", signal, at, slots(values, end=end))

    return make


@pytest.fixture
def wavy() -> Callable[[int], list[float]]:
    """So many hours of a day that repeats, a week that repeats, and a little noise."""

    def make(hours: int) -> list[float]:
        hour = np.arange(-hours, 0)
        noise = np.random.default_rng(7).normal(0, 8, hours)
        day = 60 * np.sin(2 * np.pi * hour / 24) + 30 * np.sin(2 * np.pi * hour / 168)
        return (300 + day + noise).tolist()

    return make
