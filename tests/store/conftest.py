"""Homes in temporary folders, and frames of a few slots."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.publish import DAILY, Rebase, publish
from gridtide_store.store import Store
from gridtide_store.vocabulary import FORECAST, OBSERVATION

SIGNAL = "ci_lifecycle_produced"

Frame = Callable[..., pl.DataFrame]


@pytest.fixture
def home(tmp_path: Path) -> DataDirectory:
    return DataDirectory(tmp_path / "home")


@pytest.fixture
def store(home: DataDirectory, now: datetime) -> Iterator[Store]:
    with writer_lock(home, "test", now), Store.open(home) as opened:
        yield opened


@pytest.fixture
def slots(now: datetime) -> Frame:
    """Builds observations: consecutive slots of one series from `start`, all known at once."""

    def build(
        values: Sequence[float | None],
        known_at: datetime,
        *,
        start: datetime = now,
        step: timedelta = timedelta(hours=1),
        zone: str = "DE",
        signal: str = SIGNAL,
        source: str = "a",
        quality: str = "measured",
        retrieval_id: int = 1,
    ) -> pl.DataFrame:
        return pl.DataFrame(
            [
                (
                    zone,
                    signal,
                    source,
                    start + step * position,
                    start + step * (position + 1),
                    value,
                    quality,
                    known_at,
                    retrieval_id,
                )
                for position, value in enumerate(values)
            ],
            schema=OBSERVATION,
            orient="row",
        )

    return build


@pytest.fixture
def steps(now: datetime) -> Frame:
    """Builds one forecast run: consecutive steps from `start`."""

    def build(
        p50: Sequence[float],
        issued_at: datetime,
        *,
        start: datetime = now,
        step: timedelta = timedelta(hours=1),
        zone: str = "DE",
        signal: str = SIGNAL,
        model: str = "weekly@1",
        known_at: datetime | None = None,
        spread: float | None = None,
        simulated: bool = False,
    ) -> pl.DataFrame:
        return pl.DataFrame(
            [
                (
                    zone,
                    signal,
                    model,
                    issued_at,
                    start + step * position,
                    start + step * (position + 1),
                    None if spread is None else value - spread,
                    value,
                    None if spread is None else value + spread,
                    known_at or issued_at,
                    "a",
                    simulated,
                )
                for position, value in enumerate(p50)
            ],
            schema=FORECAST,
            orient="row",
        )

    return build


@pytest.fixture
def publish_at(home: DataDirectory, store: Store) -> Callable[..., str]:
    """Publishes the store at a moment; no source is trusted over another."""

    def run(
        moment: datetime,
        *,
        trust: Sequence[str] = (),
        served: Sequence[str] = (),
        replay: bool = False,
        rebase: Rebase = DAILY,
        keep: int = 3,
    ) -> str:
        return publish(
            store,
            Ledger(home.ledger),
            home,
            moment,
            replay=replay,
            trust=lambda zone: trust,
            served=served,
            rebase=rebase,
            keep=keep,
        )

    return run
