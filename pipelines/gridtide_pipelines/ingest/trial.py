"""Request one small span of a publisher and say what would be stored; nothing is stored."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import polars as pl

from gridtide_pipelines.errors import AllRefused, NothingYet, SourceError, SourceUnavailable
from gridtide_pipelines.ingest.fetch import Fetch
from gridtide_pipelines.ingest.limits import Limits, Watch
from gridtide_pipelines.ingest.normalize import Normalized, normalize
from gridtide_pipelines.ingest.parsing import parsed
from gridtide_pipelines.ingest.retrieve import retrieve
from gridtide_pipelines.ingest.schedule import forecast_span
from gridtide_pipelines.ingest.source import Kind, Query, Source
from gridtide_pipelines.ingest.spans import span_of, within
from gridtide_pipelines.ingest.weather import due_run
from gridtide_store import catalogue
from gridtide_store.vocabulary import unit_of

HOUR = timedelta(hours=1)
# Beyond the usual lag: enough for one slot of every publisher.
SPAN = timedelta(hours=6)
AHEAD = timedelta(days=1)
# Groups that are requested until one has a value: a border may have no flow.
MOST_GROUPS = 3
SHOWN = 3  # values

DONE = "done"


@dataclass(slots=True)
class Trial:
    """What one kind of one source answered for one zone.

    Attributes:
        status: ``done``, ``nothing_yet``, or the code of the error.
        rows: what would be stored.
        newest_slot_end: end of the newest slot with a value.
        values: some of the newest ones: signal, start, value and unit.
        flags: anomalies and how many.
        refused: the first few values that would not be stored, each as a sentence.
        seconds: that it took.
    """

    source: str
    kind: str
    zone: str
    start: datetime
    end: datetime
    status: str = DONE
    message: str = ""
    rows: int = 0
    newest_slot_end: datetime | None = None
    values: list[tuple[str, datetime, float, str]] = field(default_factory=list)
    flags: Counter[str] = field(default_factory=Counter)
    refused: tuple[str, ...] = ()
    bytes: int = 0
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether the publisher failed; to have nothing yet is not a failure."""
        return self.status not in (DONE, NothingYet.code)


def try_source(
    source: Source,
    fetch: Fetch,
    *,
    now: Callable[[], datetime],
    limits: Limits,
    corrected: bool = True,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[Trial]:
    """Request the newest hours of each kind of a source for one of its zones.

    The first answer with a value counts, of at most MOST_GROUPS groups of requests. A source
    that fails for one kind is requested for the others, unless it does not answer at all.

    Args:
        corrected: whether systematic errors of the publisher are corrected.
    """
    for kind in sorted(source.kinds):
        zone, query = _query(source, kind, now())
        trial = Trial(source.name, str(kind), zone, query.start, query.end)
        began = monotonic()
        try:
            watch = Watch(source, limits, monotonic)
            _request(source, query, fetch, trial, now, watch, corrected=corrected)
        except SourceError as error:
            trial.status, trial.message = error.code, str(error)
        trial.seconds = monotonic() - began
        yield trial
        if trial.status == SourceUnavailable.code:
            return  # the other kinds are at the same host


def _query(source: Source, kind: Kind, now: datetime) -> tuple[str, Query]:
    """Return the query about the first zone for which there is something to request."""
    if kind is Kind.FORECAST:
        start, end = now, min(now + AHEAD, forecast_span(source, now).end)
    elif kind is Kind.WEATHER:
        run = due_run(source, source.zones, {}, now)
        assert run is not None  # noqa: S101  # nothing is stored yet, so a run is lacking
        start, end = run[0].start, run[0].end
    else:
        hour = now.replace(minute=0, second=0, microsecond=0)
        start, end = hour - min(source.lag + SPAN, source.max_span), now
    queries = [(zone, Query(kind, (zone,), start, end, now)) for zone in _by_importance(source)]
    return next((each for each in queries if source.requests(each[1])), queries[0])


def _by_importance(source: Source) -> list[str]:
    """Return the zones of a source: first those it is trusted most for, with cloud regions."""
    known = catalogue.load()
    sites = Counter(site.zone for site in known.cloud_regions.values())

    def rank(zone: str) -> tuple[bool, int, str]:
        record = known.zones.get(zone)
        first = bool(record and record.sources and record.sources[0] == source.name)
        return not first, -sites[zone], zone

    return sorted(source.zones, key=rank)


def _request(
    source: Source,
    query: Query,
    fetch: Fetch,
    trial: Trial,
    now: Callable[[], datetime],
    watch: Watch,
    *,
    corrected: bool,
) -> None:
    """Request groups until one has a value, and note what it would store.

    Raises:
        SourceError: why nothing would be stored.
    """
    empty: SourceError | None = None
    for group in source.requests(query)[:MOST_GROUPS]:
        retrieved = retrieve(source, group, fetch, now, watch)
        trial.bytes += sum(body.size for body in retrieved.bodies)
        try:
            if retrieved.error is not None:
                raise retrieved.error
            span = span_of(source, query)
            for bodies, readings in parsed(source, retrieved.bodies):
                if query.kind is Kind.WEATHER:
                    _note_rows(
                        readings.rename({"start": "slot_start", "end": "slot_end"}), trial
                    )
                    continue
                rows = within(source, readings, span)
                found = normalize(rows, source, bodies, span=span, corrected=corrected)
                _note(found, trial)
        except NothingYet as error:
            empty = error
        finally:
            retrieved.close()
        if trial.values:
            return
        if trial.refused:
            raise AllRefused(source.name, "; ".join(trial.refused), zone=trial.zone)
    raise empty or NothingYet(source.name, "the answer has no value for this time")


def _note(found: Normalized, trial: Trial) -> None:
    rows = pl.concat(
        [
            found.observations.select("signal", "slot_start", "slot_end", "value"),
            found.forecasts.select(
                "signal", "slot_start", "slot_end", pl.col("p50").alias("value")
            ),
        ]
    )
    trial.flags.update(found.flags)
    trial.refused += found.refused
    _note_rows(rows, trial)


def _note_rows(rows: pl.DataFrame, trial: Trial) -> None:
    """Note how many rows there are, and the newest values."""
    trial.rows += rows.height
    rows = rows.select("signal", "slot_start", "slot_end", "value")
    known = rows.drop_nulls("value").sort("slot_start", "signal").tail(SHOWN)
    ends = [trial.newest_slot_end] if trial.newest_slot_end else []
    trial.newest_slot_end = max([*ends, *known["slot_end"]], default=None)
    values = [
        (signal, start, value, unit_of(signal)) for signal, start, _, value in known.iter_rows()
    ]
    trial.values = sorted([*trial.values, *values], key=lambda each: each[1])[-SHOWN:]
