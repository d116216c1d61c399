"""The way of a value: retrieved, kept, parsed, normalized, stored, derived."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gridtide.errors import BadInput
from gridtide_pipelines.derive import CONTEXT, derive
from gridtide_pipelines.factors import FactorSet
from gridtide_pipelines.fetch import Fetch
from gridtide_pipelines.normalize import normalize
from gridtide_pipelines.source import Body, Kind, Request, Source
from gridtide_store.ledger import Ledger
from gridtide_store.records import Facts
from gridtide_store.store import Store

log = logging.getLogger(__name__)

# Flag of values whose knowledge time was moved behind that of the belief they replace.
KNOWN_LATER = "clock_behind"


@dataclass(slots=True)
class Intake:
    """What one span brought in: rows added, bytes received, oddities by flag."""

    rows: int = 0
    size: int = 0
    flags: Counter[str] = field(default_factory=Counter)


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
) -> Intake:
    """Bring one span of some zones from one source into the store.

    The raw body is kept before it is parsed, so that a mended parser can replay the past with
    the original `known_at`. Doing it again adds only what is new.

    Raises:
        SourceError: see errors.py for what to do about each kind.
    """
    intake = Intake()
    for group in source.requests(kind, zones, start, end):
        bodies = [
            body for request in group for body in _pages(source, request, fetch, store, now)
        ]
        found = normalize(source.parse(bodies), source, bodies)
        before = store.raised[source.name]
        intake.rows += store.append(found.observations, received=True)
        if moved := store.raised[source.name] - before:
            intake.flags[KNOWN_LATER] += moved
            log.warning(
                "%s: the clock is behind that of an earlier refresh; %d values count as known "
                "just after those they replace",
                source.name,
                moved,
            )
        intake.rows += store.append_forecasts(found.forecasts)
        intake.size += sum(len(body.content) for body in bodies)
        intake.flags.update(found.flags)
        for sentence in found.refused:
            log.warning("not stored, implausible: %s", sentence)
    return intake


def _pages(
    source: Source,
    request: Request,
    fetch: Fetch,
    store: Store,
    now: Callable[[], datetime],
) -> list[Body]:
    """The bodies of one request: the first page and those that follow it."""
    bodies = []
    following: Request | None = request
    while following is not None:
        content = fetch(source, following)
        known_at = now()
        kept = store.keep(source.name, following.address, content, known_at)
        body = Body(following, content, known_at, kept)
        bodies.append(body)
        following = source.following(body) if source.following else None
    return bodies


def derive_pending(store: Store, factors: FactorSet) -> int:
    """Intensity and CFE of every mix that is newer than what was derived from it.

    What is missing in a slot is judged by the slots before it, so a span is read with them.

    Returns:
        Rows added.
    """
    pending = store.underived(factors.name)
    added = 0
    for span in pending.spans:
        mix = store.inputs(span.zone, span.source, span.start - CONTEXT, span.end)
        added += store.append(derive(mix, factors, start=span.start), received=True)
    store.mark_derived(factors.name, pending.cut)
    return added


def facts_of(source: Source) -> Facts:
    """What the ledger and every snapshot tell of a source."""
    return Facts(
        name=source.name,
        title=source.title,
        url=source.base_url,
        licence=source.licence,
        licence_url=source.licence_url,
        attribution=source.attribution,
        simulated=source.simulated,
        restricted=source.restricted,
    )


def refuse_mixing(ledger: Ledger, store: Store, *, simulated: bool) -> None:
    """Keep simulated and real rows in homes of their own.

    The store is asked besides the ledger, which may have been lost.

    Raises:
        BadInput: this home already holds rows of the other kind.
    """
    kinds = {name: facts.simulated for name, facts in ledger.sources().items()}
    kinds |= store.publishers()
    other = [name for name, kind in sorted(kinds.items()) if kind != simulated]
    if other:
        has, wants = ("real", "simulated") if simulated else ("simulated", "real")
        raise BadInput(
            f"this home holds {has} rows (from {', '.join(other)}) and takes no {wants} ones; "
            "name another home with --home or GRIDTIDE_HOME"
        )
