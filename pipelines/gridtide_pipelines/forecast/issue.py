"""Make forecast runs: read what is known, fit or reuse a model, predict, store."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import polars as pl

from gridtide.errors import BadInput
from gridtide.model import format_time, parse_time
from gridtide_pipelines.errors import NotEnoughHistory
from gridtide_pipelines.forecast.forecaster import (
    HORIZON,
    SEED,
    Fitted,
    Forecaster,
    ForecastSlots,
    Known,
)
from gridtide_pipelines.forecast.models import chain, predict_in_turn, worker_pool
from gridtide_pipelines.forecast.store_history import Stored, StoreHistory, forecastable
from gridtide_store.data_directory import DataDirectory, write_durably
from gridtide_store.store import Store
from gridtide_store.vocabulary import FORECAST

log = logging.getLogger(__name__)

# A fit of little history is replaced once there is half as much again, not in a month.
GROWTH = 1.5

# Called with what is being done and how far it is: done, of all.
Progress = Callable[[str, int, int], None]

# Errors of a forecast from older data would be those of the season, not of the zone.
OLDEST = timedelta(days=7)
# A process costs about a second to start, as much as a fit.
WORTH_PROCESSES = 4
# Two years of hours are 0.4 MB; so many zones and signals are in memory at a time.
BATCH = 64


@dataclass(frozen=True, slots=True)
class FitCache:
    """Fitted models in one folder, for one model of one zone and signal at a time.

    Attributes:
        source: what the history is made from; a fit of other history is not used.
    """

    folder: Path
    source: str

    def fitted(self, model: Forecaster, known: Known) -> Fitted:
        """Return the month's fit: the kept one where it is whole and usable, else a new one.

        Raises:
            NotEnoughHistory: too few known slots to learn from.
        """
        if not model.keeps:
            return model.fit(known, seed=SEED)
        if (kept := self.find(model, known)) is not None:
            return kept
        fresh = model.fit(known, seed=SEED)
        content = fresh.to_bytes()
        header = {
            "fitted_at": format_time(known.at),
            "source": self.source,
            "slots": _slots(known),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        write_durably(self._path(model, known), json.dumps(header).encode() + b"\n" + content)
        return fresh

    def find(self, model: Forecaster, known: Known) -> Fitted | None:
        """Return the kept fit of the month of ``known.at``; None when a new one is due.

        That is when there is none or it is damaged, when it was made after ``known.at`` (it
        has seen what a replay must not), from other sources, or from much less history.
        """
        try:
            line, _, content = self._path(model, known).read_bytes().partition(b"\n")
            header = json.loads(line)
            if (
                parse_time(header["fitted_at"]) > known.at
                or header["source"] != self.source
                or _slots(known) > header["slots"] * GROWTH
                or header["sha256"] != hashlib.sha256(content).hexdigest()
            ):
                return None
            return model.from_bytes(content)
        except (OSError, ValueError, KeyError, TypeError, BadInput):
            return None

    def _path(self, model: Forecaster, known: Known) -> Path:
        name = f"{model.name}-{known.at:%Y-%m}.fit"
        return self.folder / known.zone / known.signal / name


def _slots(known: Known) -> int:
    return known.intensity.select(pl.col("value").is_finite().sum()).item() or 0


@dataclass(slots=True)
class Forecasting:
    """Result of `forecast_zones`: rows stored, models used, and reasons for missing runs.

    Attributes:
        rows: steps stored; a run stored before is not stored again.
        runs: model to how many runs it made.
        reasons: zone to why some or all of it was not forecast, and what to do.
    """

    rows: int = 0
    runs: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """One forecast run to make."""

    known: Known
    last_end: datetime | None
    source: str
    simulated: bool
    models: tuple[Forecaster, ...]
    fits: FitCache


@dataclass(frozen=True, slots=True)
class Made:
    """One forecast run by the first model that was able."""

    model: str
    steps: ForecastSlots


def forecast_zones(
    store: Store,
    home: DataDirectory,
    now: datetime,
    *,
    zones: Sequence[str] = (),
    model: str = "default",
    workers: int = 1,
    progress: Progress = lambda _what, _done, _all: None,
) -> Forecasting:
    """Forecast 72 h of every signal of `zones` (all without) and store the runs.

    The first slot is the hour that contains `now`, which is also `issued_at`. A model that
    learns is fitted once a month and kept in ``home.models``. What cannot be forecast is in
    the answer with its reason; it is never made up.

    Args:
        model: name of a forecaster, or ``default`` for the first able one of the chain.
        workers: processes that fit side by side; the answer does not depend on it.

    Raises:
        BadInput: no such model.
    """
    models = chain(model)
    result = Forecasting()
    found = forecastable(store, zones)
    for zone in sorted(set(zones) - {each.zone for each in found}):
        result.reasons[zone] = f"{zone}: nothing is stored; import or refresh data first"
    tasks = _tasks(store, home, now, found, models)
    frames = []
    for done, (task, made) in enumerate(make_all(tasks, workers), start=1):
        progress("forecast", done, len(found))
        if isinstance(made, str):
            _note(result.reasons, task.known.zone, made)
        else:
            result.runs[made.model] = result.runs.get(made.model, 0) + 1
            frames.append(_rows(task, made))
    if frames:
        result.rows = store.append_forecasts(pl.concat(frames))
    return result


def _tasks(
    store: Store,
    home: DataDirectory,
    now: datetime,
    series: Sequence[Stored],
    models: tuple[Forecaster, ...],
) -> Iterator[Task]:
    memory = max(model.memory for model in models)
    wants = frozenset[str]().union(*(model.wants for model in models))
    for each in series:
        history = StoreHistory(store, each.zone, each.signal, memory, wants)
        known, source, simulated = history.known_from(now)
        fits = FitCache(home.models, source)
        yield Task(known, each.last_end, source, simulated, models, fits)


def _too_old(task: Task) -> str:
    """Return why what is known is too old to forecast from, with the remedy.

    Empty when it is not.
    """
    known, now = task.known, format_time(task.known.at)
    newest: object = known.intensity["end"].max()
    if isinstance(newest, datetime) and known.at - newest <= OLDEST:
        return ""
    # Nothing within a model's memory: then what the store has at all.
    last = newest if isinstance(newest, datetime) else task.last_end
    if last is None or last > known.at:
        return f"{known.zone}: nothing of it was known by {now}; forecast at a later time"
    return (
        f"{known.zone}: its newest slot ended {format_time(last)}, more than {OLDEST.days} "
        f"days before {now}; import or refresh newer data, or forecast at an earlier time "
        "with --now"
    )


def _note(reasons: dict[str, str], zone: str, why: str) -> None:
    """Keep each reason once: the signals of a zone mostly share theirs."""
    if why not in reasons.get(zone, ""):
        reasons[zone] = "; ".join(filter(None, [reasons.get(zone), why]))


def make_all(tasks: Iterator[Task], workers: int) -> Iterator[tuple[Task, Made | str]]:
    """Yield each task with its run or the reason why there is none, in order."""
    with worker_pool(workers) as pool:
        while batch := list(islice(tasks, BATCH)):
            slow = [i for i, task in enumerate(batch) if _must_fit(task)]
            elsewhere = {}
            if workers > 1 and len(slow) >= WORTH_PROCESSES:
                elsewhere = {i: pool.submit(make, batch[i]) for i in slow}
            for i, task in enumerate(batch):
                try:
                    made = elsewhere[i].result() if i in elsewhere else make(task)
                except BrokenProcessPool:
                    # A process that is killed, as where memory is short, costs no run.
                    log.warning("a worker process was killed; the rest is forecast without")
                    workers, elsewhere, made = 1, {}, make(task)
                yield task, made


def _must_fit(task: Task) -> bool:
    first = task.models[0]
    return first.keeps and not _too_old(task) and task.fits.find(first, task.known) is None


def make(task: Task) -> Made | str:
    """Return the run of the first model that is able, or the reason and the remedy.

    At the top level, so that another process can call it.
    """
    if why := _too_old(task):
        return why
    try:
        return Made(*predict_in_turn(task.models, task.known, HORIZON, fitted=task.fits.fitted))
    except NotEnoughHistory as error:
        return str(error)


def _rows(task: Task, made: Made) -> pl.DataFrame:
    instant = FORECAST["issued_at"]
    return (
        made.steps.frame()
        .rename({"start": "slot_start", "end": "slot_end"})
        .with_columns(
            zone=pl.lit(task.known.zone),
            signal=pl.lit(str(task.known.signal)),
            model=pl.lit(made.model),
            issued_at=pl.lit(task.known.at).cast(instant),
            known_at=pl.lit(task.known.at).cast(instant),
            source=pl.lit(task.source),
            simulated=pl.lit(task.simulated),
        )
        .select(FORECAST.names())
        .cast(FORECAST)
    )
