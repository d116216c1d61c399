"""The input of a policy backtest: truth and forecasts by zone, from files or the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from gridtide.errors import BadInput
from gridtide.model import Quality, Series, Signal, Slot
from gridtide.slots import to_instant, to_moment
from gridtide.windows import common_signal
from gridtide_pipelines.forecast.backtest import History
from gridtide_pipelines.forecast.forecaster import (
    HORIZON,
    Forecaster,
    Ints,
    Known,
    hour_of,
    instants,
)
from gridtide_pipelines.forecast.history_files import SIGNAL, FileHistory, read_histories
from gridtide_pipelines.forecast.store_history import StoreHistory, forecastable
from gridtide_pipelines.policies.as_issued import PastForecasts, Recorded, Reissued
from gridtide_pipelines.policies.backtest import Case
from gridtide_store import catalogue
from gridtide_store.forecast_runs import read_known_between
from gridtide_store.store import Store
from gridtide_store.usual import Usual

# The slot that a run starts in began earlier; no publisher's slots are longer than a day.
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Forecasting:
    """How past forecasts are made again.

    Attributes:
        models: that make those which are not stored, in turn.
        only: stored runs of these models alone; empty: of any.
        every: how often a new one is made.
        quantiles: whether they are to have p10 and p90.
    """

    models: tuple[Forecaster, ...]
    only: frozenset[str]
    every: timedelta
    quantiles: bool = False

    def again(self, history: History, start: datetime, end: datetime) -> Reissued:
        """Return forecasts of `history` made again, from `start` until `end`."""
        count = -((start - end) // self.every)
        moments = [start + self.every * i for i in range(count)]
        return Reissued(history, self.models, moments, self.quantiles)

    @property
    def memory(self) -> timedelta:
        """How far back a model looks."""
        return max(model.memory for model in self.models)

    @property
    def wants(self) -> frozenset[str]:
        """What the models read besides the signal."""
        return frozenset[str]().union(*(model.wants for model in self.models))


def from_files(
    folder: Path,
    zones: Sequence[str],
    start: datetime,
    end: datetime,
    forecasting: Forecasting,
    *,
    signal: Signal | None = None,
    warn: Callable[[str], None],
) -> list[Case]:
    """Read zones from files, as `history_files.read_histories` does.

    Raises:
        BadInput: files that cannot be read, or a signal they have not.
    """
    if signal not in (None, SIGNAL):
        raise BadInput(
            f"--signal {signal}: files have {SIGNAL} only; leave it out, or import them"
        )
    return [
        Case(
            zone=history.zone,
            truth=series_of(history.zone, SIGNAL, between(history.intensity, start - DAY, end)),
            issues=forecasting.again(RecentFiles.of(history, forecasting), start, end),
            timezone=history.location.timezone,
            source=folder.name,
        )
        for history in read_histories(folder, zones, warn=warn)
    ]


def between(slots: pl.DataFrame, start: datetime, end: datetime) -> pl.DataFrame:
    """Return the slots, ascending, that start within ``[start, end)``."""
    reach = to_instant(start), to_instant(end)
    first, last = map(int, np.searchsorted(instants(slots["start"]), reach))
    return slots.slice(first, last - first)


@dataclass(frozen=True, slots=True)
class RecentFiles:
    """Histories from files, of which only what the models read is cut at each issue time.

    Attributes:
        starts: of the slots of its intensity, as instants.
        memory: how far back a model looks.
        alone: whether the models read nothing besides the intensity.
    """

    history: FileHistory
    starts: Ints
    memory: timedelta
    alone: bool

    @classmethod
    def of(cls, history: FileHistory, forecasting: Forecasting) -> RecentFiles:
        """Return `history` without what no model reads."""
        wants = forecasting.wants
        lean = replace(
            history,
            mix=history.mix if "mix" in wants else None,
            weather=history.weather if "weather" in wants else None,
            dayahead=history.dayahead if "dayahead" in wants else None,
        )
        starts = instants(history.intensity["start"])
        return cls(lean, starts, forecasting.memory, alone=wants <= {"publishers"})

    @property
    def zone(self) -> str:
        """Name of the zone, as its files are named."""
        return self.history.zone

    def known(self, at: datetime) -> Known:
        """Return the zone as of `at`; the hour labelled `at` is the first that is left out."""
        history = self.history
        reach = to_instant(at - self.memory - DAY), to_instant(hour_of(at))
        first, last = map(int, np.searchsorted(self.starts, reach))
        lately = history.intensity.slice(first, last - first)
        if self.alone:
            return Known(history.zone, SIGNAL, at, lately, history.location)
        return replace(history, intensity=lately).known(at)


def from_store(
    store: Store,
    zones: Sequence[str],
    start: datetime,
    end: datetime,
    forecasting: Forecasting,
    *,
    signal: Signal | None = None,
    now: datetime,
    usual: Usual | None = None,
) -> list[Case]:
    """Read zones from the store; the truth is what it holds `now`.

    Forecasts that are made again stand on stored knowledge times, or on the `usual` ones.

    Raises:
        BadInput: nothing of a zone or of the signal is stored.
        NoCommonSignal: the zones share no signal; name one.
    """
    found = forecastable(store, zones)
    there = {zone: [each.signal for each in found if each.zone == zone] for zone in zones}
    if missing := sorted(zone for zone, signals in there.items() if not signals):
        raise BadInput(
            f"the store has nothing of {', '.join(missing)}; import or refresh it, or read "
            "files with --data"
        )
    if signal is None:
        signal = common_signal(there)
    if without := [zone for zone, signals in there.items() if signal not in signals]:
        raise BadInput(
            f"the store has no {signal} of {', '.join(without)}, but "
            f"{', '.join(sorted(there[without[0]]))}; name another signal"
        )
    return [
        _stored(store, zone, signal, start, end, forecasting, now=now, usual=usual)
        for zone in zones
    ]


def _stored(
    store: Store,
    zone: str,
    signal: Signal,
    start: datetime,
    end: datetime,
    forecasting: Forecasting,
    *,
    now: datetime,
    usual: Usual | None,
) -> Case:
    record = catalogue.load().find(zone)
    truth = store.history(
        zone, signal, start - DAY, end, as_of=now, sources=record.sources if record else ()
    )
    history = StoreHistory(store, zone, signal, forecasting.memory, forecasting.wants, usual)
    issues: PastForecasts = forecasting.again(history, start, end)
    runs = read_known_between(store.connection, zone, signal, start - HORIZON, end)
    if forecasting.only:
        runs = runs.filter(pl.col("model").is_in(forecasting.only))
    if not runs.is_empty():
        preferred = [model.name for model in forecasting.models]
        issues = Recorded(runs, issues, preferred, quantiles=forecasting.quantiles)
    return Case(
        zone=zone,
        truth=series_of(zone, signal, truth),
        issues=issues,
        timezone=record.timezone if record else "UTC",
        source=", ".join(truth["source"].unique().sort()),
        simulated=bool((truth["quality"] == Quality.SIMULATED).any()),
    )


def series_of(zone: str, signal: Signal, frame: pl.DataFrame) -> Series:
    """Turn columns start, end, value into a series; null is unknown."""
    starts, ends = (instants(frame[name]).tolist() for name in ("start", "end"))
    slots = tuple(
        Slot(to_moment(start), to_moment(end), value, Quality.MEASURED)
        for start, end, value in zip(starts, ends, frame["value"], strict=True)
    )
    return Series(zone, signal, slots)
