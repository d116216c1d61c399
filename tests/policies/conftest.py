"""Six hours of truth and of forecasts by hand, and the command ``gridtide simulate``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from gridtide.cli import script
from gridtide.errors import NoData
from gridtide.model import Series, Signal
from gridtide_pipelines.policies.as_issued import PastForecast, PastForecasts, Recorded
from gridtide_pipelines.policies.backtest import Case
from gridtide_store.data_directory import DataDirectory
from gridtide_store.store import Store
from gridtide_store.vocabulary import FORECAST, OBSERVATION

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FIRST = datetime(2021, 1, 1, tzinfo=UTC)
DAYS = 60
Write = Callable[..., None]
Run = Callable[..., int]
Told = Callable[..., dict[str, Any]]
MONTH = ("--from", "2021-02-01", "--to", "2021-02-11", "--model", "naive")
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


def noise(seed: int = 1) -> list[float]:
    return np.random.default_rng(seed).uniform(100, 500, DAYS * 24).round(1).tolist()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    return made


@pytest.fixture
def write(folder: Path) -> Write:
    """Write a zone's file: hourly intensity from `FIRST` on."""

    def put(zone: str, values: Sequence[float | None]) -> None:
        labels = [FIRST + HOUR * i for i in range(len(values))]
        pl.DataFrame(
            {"ts_utc": labels, "ci_lifecycle_g_per_kwh": pl.Series(values, dtype=pl.Float64)}
        ).write_parquet(folder / f"{zone}.parquet")

    return put


@pytest.fixture
def simulate(folder: Path, tmp_path: Path) -> Run:
    def call(*words: str, data: bool = True, now: str = "2026-03-02T12:00Z") -> int:
        given = ["--data", str(folder)] if data else []
        environ = {
            "GRIDTIDE_HOME": str(tmp_path / "home"),
            "GRIDTIDE_NOW": now,
            "GRIDTIDE_WORKERS": "1",
        }
        return script.main(["simulate", *given, *words], environ)

    return call


@pytest.fixture
def printed(simulate: Run, capsys: pytest.CaptureFixture[str]) -> Told:
    """The JSON document of a call."""

    def call(*words: str, **how: Any) -> dict[str, Any]:  # noqa: ANN401  # as of run
        capsys.readouterr()
        assert simulate(*words, "--json", **how) == 0
        document = json.loads(capsys.readouterr().out)
        assert isinstance(document, dict)
        return document

    return call


def put(
    store: Store, values: Sequence[float], delay: timedelta, signal: str, zone: str
) -> None:
    starts = [FIRST + HOUR * i for i in range(len(values))]
    store.append(
        pl.DataFrame(
            {
                "zone": zone,
                "signal": signal,
                "source": "file",
                "slot_start": starts,
                "slot_end": [start + HOUR for start in starts],
                "value": values,
                "quality": "simulated" if zone == "FR" else "measured",
                "known_at": [start + delay for start in starts],
                "retrieval_id": 1,
            },
            schema=OBSERVATION,
        )
    )


@pytest.fixture
def home(tmp_path: Path) -> DataDirectory:
    """DE with a revision two days later, and one run known 30 minutes after it was issued."""
    made = DataDirectory(tmp_path / "home")
    day = [300.0, 250.0, 100.0, 120.0, *[400.0] * 20]
    with Store.open(made) as store:
        put(store, [value + 50 for value in day] * DAYS, HOUR, "ci_lifecycle_produced", "DE")
        put(store, day * DAYS, 2 * DAY, "ci_lifecycle_produced", "DE")
        put(store, day * DAYS, HOUR, "cfe_produced", "FR")
        at = FIRST + 34 * DAY
        steps = [at + HOUR * i for i in range(48)]
        store.append_forecasts(
            pl.DataFrame(
                {
                    "zone": "DE",
                    "signal": "ci_lifecycle_produced",
                    "model": "weekly@1",
                    "issued_at": at,
                    "slot_start": steps,
                    "slot_end": [step + HOUR for step in steps],
                    "p10": None,
                    "p50": [500.0] * 10 + [90.0] * 2 + [500.0] * 36,
                    "p90": None,
                    "known_at": at + HOUR / 2,
                    "source": "file",
                    "simulated": False,
                },
                schema=FORECAST,
            )
        )
    return made
