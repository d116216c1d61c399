"""Ingest what a query of a source needs, group by group: each succeeds or fails alone.

Requests are sent in any thread, one group after the other or several at once. What they bring
is archived, parsed, normalized and stored in one thread, that of the store.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, MutableSequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import polars as pl

from gridtide.errors import BadInput
from gridtide_pipelines.errors import (
    AllRefused,
    ClockAhead,
    ClockUnknown,
    HostUnreached,
    NothingYet,
    NotStored,
    PartlyFailed,
    SimulatedAndReal,
    SourceError,
    SourceRefused,
)
from gridtide_pipelines.ingest import anomalies
from gridtide_pipelines.ingest.fetch import Fetch
from gridtide_pipelines.ingest.limits import Limits, Watch
from gridtide_pipelines.ingest.mixing import RowKind, is_simulated
from gridtide_pipelines.ingest.normalize import Normalized, normalize
from gridtide_pipelines.ingest.parsing import parsed
from gridtide_pipelines.ingest.retrieve import Retrieved, retrieve
from gridtide_pipelines.ingest.settling import AnsweredDays
from gridtide_pipelines.ingest.source import Body, Group, Kind, Query, Source, Span
from gridtide_pipelines.ingest.spans import span_of, within
from gridtide_pipelines.ingest.weather import take_weather
from gridtide_store.receiving import receive, recent_values
from gridtide_store.store import Store

# A wrong clock, or a wrong data directory, is wrong for all hosts.
FOR_ALL = (ClockAhead, ClockUnknown, SimulatedAndReal)
MOST_FAILURES = 3  # groups of one host in a row, for the same reason
MOST_NAMED = 5  # failures of groups in one message

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Intake:
    """Result of one query: rows added, bytes received, anomalies by flag, days answered."""

    rows: int = 0
    size: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    answered_days: AnsweredDays = field(default_factory=AnsweredDays)
    simulated: bool = False


class Ingestion:
    """One query of a source under way.

    Attributes:
        groups: its groups of requests.
        intake: what has come in so far.
        given_up: hosts that get no further request, each with the reason.
    """

    def __init__(
        self,
        source: Source,
        query: Query,
        *,
        store: Store,
        now: Callable[[], datetime],
        limits: Limits,
        monotonic: Callable[[], float],
        given_up: Mapping[str, SourceError] | None = None,
        corrected: bool = True,
        rows: RowKind | None = None,
    ) -> None:
        """Build the requests; none is sent yet.

        Args:
            corrected: whether systematic errors of the publisher are corrected.
            given_up: hosts that failed in a query before.
            rows: which rows the store holds; None where it holds none.
        """
        self._source, self._query, self._store = source, query, store
        self._corrected = corrected
        self._now, self._watch = now, Watch(source, limits, monotonic)
        self.groups = source.requests(query)
        whole = Span(query.start, min(query.end, query.now))  # a day counts when it is over
        self.intake = Intake(
            answered_days=AnsweredDays([_answers(group, whole) for group in self.groups])
        )
        self.given_up = dict(given_up or {})
        self._stopped: SourceError | None = None
        self._failures: list[SourceError] = []
        self._in_a_row: dict[str, list[SourceError]] = {}
        self._empty: NothingYet | None = None
        self._kept = 0
        self._rows = RowKind() if rows is None else rows

    def lanes(self) -> dict[str, list[int]]:
        """Return the numbers of the groups by the host of their first request, in order."""
        lanes: dict[str, list[int]] = {}
        for number, group in enumerate(self.groups):
            lanes.setdefault(host_of(group), []).append(number)
        return lanes

    def wants(self, number: int) -> bool:
        """Say whether a group is still to be requested."""
        return self._stopped is None and host_of(self.groups[number]) not in self.given_up

    def retrieve(self, number: int, fetch: Fetch) -> Retrieved:
        """Send the requests of a group; in any thread."""
        return retrieve(self._source, self.groups[number], fetch, self._now, self._watch)

    def take(self, number: int, retrieved: Retrieved) -> None:
        """Archive, parse, normalize and store what a group brought; in the store's thread."""
        group = self.groups[number]
        host = host_of(group)
        try:
            self._take(retrieved)
        except NothingYet as error:
            # A part of the span without a response: the other parts are requested anyway.
            self._empty = error
        except FOR_ALL as error:
            self._stopped = error
            self._failures.append(error)
            return
        except SourceError as error:
            if len(zones := _zones(group)) == 1:
                error.name_zone(*zones)
            self._fail(host, error)
            return
        self._in_a_row.pop(host, None)
        self.intake.answered_days.done.add(number)

    @property
    def left_out(self) -> int:
        """How many groups were not requested, because their host was given up."""
        answered = self.intake.answered_days.done
        return len(self.groups) - len(answered) - len(self._failures)

    def finish(self) -> Intake:
        """Return what came in.

        Raises:
            SourceError: see errors.py for what to do about each kind.
        """
        if self._stopped is not None:
            raise self._stopped
        if self._failures:
            if len(self.groups) == 1 or (self.given_up and len(self.lanes()) == 1):
                raise self._failures[-1]
            raise self._partly_failed()
        if self._empty and not self._kept:
            raise self._empty
        return self.intake

    def _take(self, retrieved: Retrieved) -> None:
        for body in retrieved.bodies:
            self._rows.admit(self._source, body)
        bodies = [self._keep(body) for body in retrieved.bodies]
        if retrieved.error is not None:
            raise retrieved.error
        self.intake.size += sum(body.size for body in bodies)
        span = span_of(self._source, self._query)
        self.intake.simulated |= is_simulated(self._source, bodies)
        kept = refused = 0
        for part, frame in parsed(self._source, bodies):
            if self._query.kind is Kind.WEATHER:
                kept += take_weather(frame, self._source, part, self._store, self.intake)
                continue
            rows = within(self._source, frame, span)
            found = normalize(rows, self._source, part, span=span, corrected=self._corrected)
            self.intake.flags.update(found.flags)
            for sentence in found.refused:
                log.warning("not stored, implausible or of another time: %s", sentence)
            self.intake.rows += _store(self._source, self._store, found, self.intake.flags)
            self.intake.answered_days.add(found.observations, found.refused_slots)
            kept += found.observations["value"].count() + found.forecasts.height
            refused += len(found.refused_slots)
        self._kept += kept
        if refused and not kept:
            raise AllRefused(
                self._source.name,
                f"all {refused} values are implausible, of another time or not over yet "
                f"({', '.join(sorted(self.intake.flags))}); the raw body is kept, it needs a "
                "look",
            )

    def _keep(self, body: Body) -> Body:
        name, request = self._source.name, body.request
        number = self._store.keep(
            name, request.address, body.open(), body.known_at, kind=request.kind
        )
        return replace(body, retrieval_id=number)

    def _fail(self, host: str, error: SourceError) -> None:
        """Note a failure; a host that refuses, is not reached or fails again is given up."""
        self._failures.append(error)
        before = self._in_a_row.get(host, [])
        same = bool(before) and before[-1].code == error.code
        self._in_a_row[host] = [*before, error] if same else [error]
        if self._watch.exhausted:
            self._stopped = error
        most = min(MOST_FAILURES, len(self.lanes()[host]))
        final = isinstance(error, SourceRefused | HostUnreached)
        if final or len(self._in_a_row[host]) == most:
            self.given_up[host] = error

    def _partly_failed(self) -> SourceError:
        """Return the error of a query of which some groups failed, with the first reasons."""
        failed = self._failures
        reasons = "; ".join(str(error) for error in failed[:MOST_NAMED])
        more = f"; and {len(failed) - MOST_NAMED} more" if len(failed) > MOST_NAMED else ""
        return PartlyFailed(
            self._source.name,
            f"{len(failed)} of {len(self.groups)} groups failed: {reasons}{more}",
        )


def ingest(
    work: Ingestion,
    numbers: MutableSequence[int],
    fetch: Fetch,
    *,
    in_store_thread: Callable[[Callable[[], None]], None],
) -> None:
    """Ingest groups one after the other until none of `numbers` is left.

    Several threads may share `numbers`; each number is taken once.

    Args:
        in_store_thread: runs a function in the thread of the store, and returns after it.
    """
    while True:
        try:
            number = numbers.pop(0)
        except IndexError:
            return
        if work.wants(number):
            with closing(work.retrieve(number, fetch)) as retrieved:
                in_store_thread(partial(work.take, number, retrieved))


def host_of(group: Group) -> str:
    """Return the name of the host that the first request of a group is sent to."""
    return group[0].host


def _zones(group: Group) -> set[str]:
    return {zone for request in group for zone in request.zones}


def _answers(group: Group, whole: Span) -> tuple[set[str], Span]:
    """Return the zones and the span that a group answers."""
    spans = [request.span or whole for request in group]
    end = max(span.end for span in spans)
    return _zones(group), Span(min(span.start for span in spans), min(end, whole.end))


def _store(source: Source, store: Store, found: Normalized, flags: Counter[str]) -> int:
    """Store what a part of a group brought and return the number of rows added.

    Raises:
        NotStored: the store refused it; parts that came before it are stored.
    """
    before = store.raised[source.name]
    earlier = recent_values(
        store.connection, found.observations, anomalies.FROZEN_SIGNALS, anomalies.FROZEN_AFTER
    )
    observations, frozen = anomalies.split_frozen(found.observations, earlier)
    flags[anomalies.FROZEN] += frozen.height
    try:
        odd = pl.concat([found.anomalies, frozen])
        received = receive(store, observations, odd, lag=source.lag)
        rows = received.rows + store.append_forecasts(found.forecasts)
    except BadInput as error:
        raise NotStored(source.name, str(error)) from error
    flags.update(received.flags)
    if moved := store.raised[source.name] - before:
        log.warning(
            "%s: the clock is behind that of an earlier refresh; %d values count as known "
            "just after those they replace",
            source.name,
            moved,
        )
    return rows
