"""Small worlds: six hours of truth and of forecasts, as numbers written by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from gridtide.errors import NoData
from gridtide.model import Series, Signal
from gridtide_pipelines.policies.as_issued import PastForecast, PastForecasts, Recorded
from gridtide_pipelines.policies.backtest import Case
from gridtide_store.vocabulary import FORECAST

HOUR = timedelta(hours=1)
START = datetime(2021, 1, 1, 22, tzinfo=UTC)
SIGNAL = Signal.CI_LIFECYCLE_PRODUCED

Values = Sequence[float | None]
MakeRun = Callable[..., pl.DataFrame]
MakeCase = Callable[..., Case]


class Nothing:
    """Nobody makes forecasts again."""

    def at(self, moment: datetime) -> PastForecast:
        raise NoData("nothing is forecast")

    def between(self, moment: datetime, until: datetime) -> Iterator[PastForecast]:
        yield from ()


@pytest.fixture
def start() -> datetime:
    return START


@pytest.fixture
def nothing() -> PastForecasts:
    return Nothing()


@pytest.fixture
def run() -> MakeRun:
    """A run as the store gives it: hours from `first` on, None left out."""

    def make(
        values: Values,
        *,
        first: datetime = START,
        issued_at: datetime | None = None,
        known_at: datetime | None = None,
        model: str = "m@1",
        signal: Signal = SIGNAL,
    ) -> pl.DataFrame:
        issued_at = issued_at or first
        rows = [
            {
                "zone": "DE",
                "signal": str(signal),
                "model": model,
                "issued_at": issued_at,
                "slot_start": first + HOUR * i,
                "slot_end": first + HOUR * (i + 1),
                "p50": value,
                "known_at": known_at or issued_at,
                "source": "s",
                "simulated": False,
            }
            for i, value in enumerate(values)
            if value is not None
        ]
        return pl.DataFrame(rows, schema=FORECAST)

    return make


@pytest.fixture
def case(run: MakeRun, nothing: PastForecasts) -> MakeCase:
    """Truth from `START` on, and runs by the hours after it at which they were issued."""

    def make(
        truth: Values, runs: Mapping[int, Values], *, signal: Signal = SIGNAL, zone: str = "UTC"
    ) -> Case:
        frames = [
            run(values, first=START + HOUR * hours, signal=signal)
            for hours, values in runs.items()
        ]
        issues = Recorded(pl.concat(frames), nothing) if frames else nothing
        series = Series.regular("DE", signal, START, HOUR, truth)
        return Case("DE", series, issues, zone)

    return make
