"""Ingest one span of a source: retrieve, archive, parse, normalize, store; then derive."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from gridtide.errors import BadInput
from gridtide_pipelines.derive.factors import FactorSet
from gridtide_pipelines.derive.intensity import CONTEXT, derive
from gridtide_pipelines.errors import (
    AllRefused,
    ClockAhead,
    ClockUnknown,
    NothingYet,
    NotStored,
    PartlyFailed,
    SourceChanged,
    SourceError,
    SourceRefused,
)
from gridtide_pipelines.ingest import anomalies
from gridtide_pipelines.ingest.fetch import Fetch
from gridtide_pipelines.ingest.limits import DEFAULT, ENDLESS, Limits, Watch
from gridtide_pipelines.ingest.normalize import Normalized, normalize
from gridtide_pipelines.ingest.parsing import parsed
from gridtide_pipelines.ingest.schedule import AnsweredDays
from gridtide_pipelines.ingest.source import (
    Body,
    Group,
    Kind,
    Query,
    Request,
    Response,
    Source,
    Span,
)
from gridtide_store.ledger import Ledger
from gridtide_store.receiving import receive, recent_values
from gridtide_store.records import Facts
from gridtide_store.store import Store

# Whoever refuses one request refuses the next, and a wrong clock is wrong for all.
FOR_ALL = (SourceRefused, ClockAhead, ClockUnknown)
MOST_FAILURES = 3  # groups in a row, for the same reason
MOST_NAMED = 5  # failures of groups in one message

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Intake:
    """Result of one span: rows added, bytes received, anomalies by flag, days answered.

    Attributes:
        answered_zones: those of which every group of requests was answered, if with nothing.
    """

    rows: int = 0
    size: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    answered_days: AnsweredDays = field(default_factory=AnsweredDays)
    answered_zones: set[str] = field(default_factory=set)


def ingest(
    source: Source,
    kind: Kind,
    zones: Sequence[str],
    start: datetime,
    end: datetime,
    *,
    fetch: Fetch,
    store: Store,
    now: Callable[[], datetime],
    limits: Limits = DEFAULT,
    monotonic: Callable[[], float] = time.monotonic,
    intake: Intake | None = None,
    corrected: bool = True,
) -> Intake:
    """Ingest one span of some zones from one source into the store.

    The raw body is kept before it is parsed, so that a mended parser can replay the past with
    the original `known_at`. Doing it again adds only what is new.

    Each group succeeds or fails alone, until several in a row failed for the same reason.

    Args:
        intake: what to add to; it holds what was stored before an error, too.
        corrected: whether systematic errors of the publisher are corrected.

    Raises:
        SourceError: see errors.py for what to do about each kind.
    """
    intake = Intake() if intake is None else intake
    watch, span = Watch(source.name, limits, monotonic), Span(start, end)
    empty: NothingYet | None = None
    failures: list[SourceError] = []
    kept = refused = in_a_row = 0
    groups = source.requests(Query(kind, tuple(zones), start, end, now()))
    waiting = Counter(zone for group in groups for zone in _zones(group))
    for group in groups:
        watch.begin_group()
        try:
            bodies = _retrieve(source, group, fetch, store, now, watch)
            intake.size += sum(len(body.content) for body in bodies)
            for part, frame in parsed(source, bodies):
                found = normalize(frame, source, part, span=span, corrected=corrected)
                intake.flags.update(found.flags)
                for sentence in found.refused:
                    log.warning("not stored, implausible or of another time: %s", sentence)
                intake.rows += _store(source, store, found, intake.flags)
                intake.answered_days.add(found.observations, found.refused_slots)
                kept += found.observations["value"].count() + found.forecasts.height
                refused += len(found.refused_slots)
        except NothingYet as error:
            empty = error  # the parts of the span after this one are requested anyway
        except FOR_ALL:
            raise
        except SourceError as error:
            in_a_row = in_a_row + 1 if failures and failures[-1].code == error.code else 1
            failures.append(error)
            if len(groups) == 1 or in_a_row == MOST_FAILURES or watch.exhausted:
                raise
            continue
        in_a_row = 0
        waiting.subtract(_zones(group))
        intake.answered_zones = {zone for zone, left in waiting.items() if not left}
    if failures:
        raise _partly_failed(source, failures, len(groups))
    if refused and not kept:
        raise AllRefused(
            source.name,
            f"all {refused} values are implausible, of another time or not over yet "
            f"({', '.join(sorted(intake.flags))}); the raw body is kept, it needs a look",
        )
    if empty and not kept:
        raise empty
    return intake


def _zones(group: Sequence[Request]) -> set[str]:
    return {zone for request in group for zone in request.zones}


def _partly_failed(source: Source, failures: Sequence[SourceError], groups: int) -> SourceError:
    """Return the error of a span of which some groups failed, with the first few reasons."""
    reasons = "; ".join(str(error) for error in failures[:MOST_NAMED])
    more = f"; and {len(failures) - MOST_NAMED} more" if len(failures) > MOST_NAMED else ""
    return PartlyFailed(
        source.name, f"{len(failures)} of {groups} groups failed: {reasons}{more}"
    )


def _store(source: Source, store: Store, found: Normalized, flags: Counter[str]) -> int:
    """Store what one group of responses brought and return the number of rows added.

    Raises:
        NotStored: the store refused it; nothing of this group is stored then.
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


def _retrieve(
    source: Source,
    group: Group,
    fetch: Fetch,
    store: Store,
    now: Callable[[], datetime],
    watch: Watch,
) -> list[Body]:
    """Retrieve and archive the bodies of a group: its requests, and those that follow them.

    Raises:
        SourceChanged: a page says what another one said, or they do not end.
    """
    bodies: list[Body] = []
    requested: set[Request] = set()
    requests: Sequence[Request] = group
    rounds = 0
    while requests:
        rounds += 1
        for request in requests:
            if request in requested:
                raise SourceChanged(source.name, f"{request.path} follows itself; {ENDLESS}")
            requested.add(request)
            response = fetch(source, request)
            watch.page(rounds, len(response.content))
            known_at = now()
            content = response.content
            kept = store.keep(
                source.name, request.address, content, known_at, kind=request.kind
            )
            if rounds > 1 and _repeats(request, response, bodies):
                raise SourceChanged(source.name, f"page {rounds} repeats another; {ENDLESS}")
            body = Body(request, content, known_at, kept, response.status, response.headers)
            bodies.append(body)
        requests = source.following(bodies) if source.following else ()
    return bodies


def _repeats(request: Request, response: Response, bodies: Sequence[Body]) -> bool:
    """Say whether a page has the content of another page at the same path."""
    return any(
        body.content == response.content
        and (body.request.host, body.request.path) == (request.host, request.path)
        for body in bodies
    )


def derive_pending(
    store: Store, factors: FactorSet, *, failed: list[NotStored] | None = None
) -> int:
    """Derive intensity and CFE of new mixes and return the number of rows added.

    What is missing in a slot is judged by the slots before it, so a span is read with them, and
    the slots after it that it is context of are derived again: history may come late.

    Args:
        failed: takes what could not be derived or stored, so that the rest is; all of it is
            pending the next time.

    Raises:
        BadInput: without `failed`, the first that could not be derived or stored.
    """
    pending = store.underived(factors.name)
    added = 0
    for span in pending.spans:
        around = span.start - CONTEXT, span.end + CONTEXT
        mix = store.inputs(span.zone, span.source, *around)
        try:
            added += store.append(derive(mix, factors, start=span.start), received=True)
        except BadInput as error:
            if failed is None:
                raise
            failed.append(NotStored(span.source, f"not derived: {error}", zone=span.zone))
    if not failed:
        store.mark_derived(factors.name, pending.cut)
    return added


def facts_of(source: Source) -> Facts:
    """Return what the ledger and every snapshot record of a source."""
    return Facts(
        name=source.name,
        title=source.title,
        url=source.base_url,
        licence=source.licence,
        licence_url=source.licence_url,
        attribution=source.attribution,
        simulated=source.simulated,
        restricted=source.restricted,
        lag_seconds=source.lag.total_seconds(),
    )


def refuse_mixing(ledger: Ledger, store: Store, *, simulated: bool) -> None:
    """Refuse to put simulated and real rows into one data directory.

    The store is checked besides the ledger, which may have been lost.

    Raises:
        BadInput: this data directory already holds rows of the other kind.
    """
    kinds = {name: facts.simulated for name, facts in ledger.sources().items()}
    kinds |= store.publishers()
    other = [name for name, kind in sorted(kinds.items()) if kind != simulated]
    if other:
        has, wants = ("real", "simulated") if simulated else ("simulated", "real")
        raise BadInput(
            f"this data directory holds {has} rows (from {', '.join(other)}) and cannot take "
            f"{wants} ones; name another data directory with --home or GRIDTIDE_HOME"
        )
