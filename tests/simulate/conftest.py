"""Two zones of six hours: truth and forecasts as numbers written by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from gridtide.errors import NoData
from gridtide.model import Series, Signal
from gridtide_pipelines.policies.as_issued import PastForecast, Recorded
from gridtide_pipelines.policies.backtest import Case
from gridtide_store.vocabulary import FORECAST

HOUR = timedelta(hours=1)
START = datetime(2021, 1, 1, tzinfo=UTC)
SIGNAL = Signal.CI_LIFECYCLE_PRODUCED

Values = Sequence[float | None]
Runs = Mapping[tuple[int, int], Values]  # (issued, known) in hours after the start
MakeCase = Callable[..., Case]


class Nothing:
    """Nobody makes forecasts again."""

    def at(self, moment: datetime) -> PastForecast:
        raise NoData("nothing is forecast")

    def between(self, moment: datetime, until: datetime) -> Iterator[PastForecast]:
        yield from ()


def run(zone: str, values: Values, issued: int, known: int, spread: Values) -> pl.DataFrame:
    """A run that begins when it is issued, with p90 above p50 by `spread`."""
    first = START + HOUR * issued
    rows = [
        {
            "zone": zone,
            "signal": str(SIGNAL),
            "model": "m@1",
            "issued_at": first,
            "slot_start": first + HOUR * i,
            "slot_end": first + HOUR * (i + 1),
            "p10": None if wide is None else value - wide,
            "p50": value,
            "p90": None if wide is None else value + wide,
            "known_at": START + HOUR * known,
            "source": "s",
            "simulated": False,
        }
        for i, (value, wide) in enumerate(zip(values, spread, strict=True))
        if value is not None
    ]
    return pl.DataFrame(rows, schema=FORECAST)


@pytest.fixture
def case() -> MakeCase:
    """A zone with its truth from the start on, and its runs."""

    def make(
        zone: str, truth: Values, runs: Runs, *, spread: Values = (), quantiles: bool = False
    ) -> Case:
        frames = [
            run(zone, values, *when, spread or [None] * len(values))
            for when, values in runs.items()
        ]
        series = Series.regular(zone, SIGNAL, START, HOUR, truth)
        return Case(zone, series, Recorded(pl.concat(frames), Nothing(), quantiles=quantiles))

    return make
