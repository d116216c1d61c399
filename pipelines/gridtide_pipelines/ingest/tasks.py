"""What a refresh or a backfill is to request, and in which order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from gridtide_pipelines.ingest.schedule import (
    DAY,
    FIRST_REACH,
    ZoneDay,
    due_spans,
    is_due,
    oldest_day,
    span_ahead,
    start_of,
)
from gridtide_pipelines.ingest.source import Kind, Query, Source, Span
from gridtide_pipelines.ingest.task_queue import Task
from gridtide_pipelines.ingest.weather import due_run
from gridtide_store.ledger import Ledger
from gridtide_store.store import Store
from gridtide_store.trust import order_by_trust
from gridtide_store.vocabulary import FLOW, GENERATION, LOAD, PRICE

# How the signals of each kind begin.
SIGNALS: Final[Mapping[Kind, str]] = {
    Kind.GENERATION: GENERATION,
    Kind.INTENSITY: "ci_",
    Kind.LOAD: LOAD,
    Kind.FLOW: FLOW,
    Kind.PRICE: PRICE,
}

WEEK = timedelta(days=7)
# What a publisher forecasts now says nothing of what it forecast then. Weather has its runs.
NOT_OF_THE_PAST = (Kind.FORECAST,)


@dataclass(frozen=True, slots=True)
class Fallbacks:
    """When a source that needs requests for each zone is a fallback, and for which days.

    Attributes:
        store: what the sources have brought so far.
        sources: those in use, by name.
        trusted: the sources of a zone, most trusted first.
        requested: when each source was requested last.
    """

    store: Store
    sources: Mapping[str, Source]
    trusted: Callable[[str], Sequence[str]]
    requested: Mapping[str, datetime]

    def first_choice(self, source: Source, kind: Kind, zone: str) -> Source | None:
        """Return the source that comes before a per-zone one; None without one."""
        if not source.per_zone:
            return None
        order = order_by_trust(self.sources, self.trusted(zone))
        before = order[: order.index(source.name)] if source.name in order else ()
        able = (self.sources[name] for name in before)
        return next((s for s in able if kind in s.kinds and zone in s.zones), None)

    def gaps(
        self, first: Source, kind: Kind, zones: Sequence[str], start: datetime, now: datetime
    ) -> set[ZoneDay]:
        """Return the days of `zones` of which a source lacks what it is not merely late with.

        That is what it had to have when it was requested last; what is new since then it is
        about to bring.
        """
        known = self.store.most_covered(first.name, SIGNALS[kind], start, now)
        due = min(self.requested.get(first.name, now), now) - first.lag
        due = due.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        found = set()
        day = start.astimezone(UTC).date()
        while start_of(day) < due:
            wanted = min(start_of(day) + DAY, due) - max(start_of(day), start)
            found |= {
                (zone, day) for zone in zones if known.get((zone, day), timedelta(0)) < wanted
            }
            day += DAY
        return found


def plan(
    sources: Iterable[Source],
    zones: Sequence[str],
    *,
    ledger: Ledger,
    now: datetime,
    since: datetime | None,
    fallbacks: Fallbacks | None = None,
    weather: Mapping[tuple[str, str], datetime] | None = None,
) -> list[Task]:
    """Return what is due, source by source, oldest first; nothing of bulk sources.

    Args:
        zones: only these; empty for all a source has.
        since: how far back; None is FIRST_REACH. Days that need no further request are left
            out (see schedule.py): a first refresh fills the time before it, an interrupted one
            resumes, a later one is short.
        fallbacks: what leaves out requests for zones whose first choice has no gap.
        weather: when the newest run of weather of each source and zone was issued.
    """
    tasks = []
    for source in sources:
        if source.bulk:
            continue
        wanted = sorted(source.zones.intersection(zones) if zones else source.zones)
        start = since or now - FIRST_REACH
        if source.reach is not None:
            start = max(start, now - source.reach)
        start = start_of(start.astimezone(UTC).date())  # what is requested is whole days
        for kind in sorted(source.kinds):
            if kind is Kind.WEATHER:
                if run := due_run(source, wanted, weather or {}, now):
                    tasks.append(Task(source, kind, run[1], run[0]))
                continue
            answers = ledger.answers(
                source.name, kind, since=min(start.date(), oldest_day(source, now))
            )
            for first, mine in _by_first_choice(source, kind, wanted, fallbacks):
                if first is None and (span := span_ahead(source, kind, now)) is not None:
                    tasks.append(Task(source, kind, tuple(mine), span))
                if kind is Kind.FORECAST:
                    continue
                gaps = None
                if first is not None and fallbacks is not None:
                    gaps = fallbacks.gaps(first, kind, mine, start, now)
                due = due_spans(source, mine, answers, start=start, now=now, gaps=gaps)
                tasks += [Task(source, kind, each, span, span.end == now) for span, each in due]
    return tasks


def _by_first_choice(
    source: Source, kind: Kind, zones: Sequence[str], fallbacks: Fallbacks | None
) -> Iterable[tuple[Source | None, list[str]]]:
    """Return the zones for which each other source comes first; None: this one does."""
    found: dict[str, tuple[Source | None, list[str]]] = {}
    for zone in zones:
        first = fallbacks.first_choice(source, kind, zone) if fallbacks else None
        found.setdefault(first.name if first else "", (first, []))[1].append(zone)
    return found.values()


def plan_backfill(
    sources: Sequence[Source],
    zones: Sequence[str],
    *,
    ledger: Ledger,
    since: datetime,
    now: datetime,
) -> dict[str, deque[Task]]:
    """Return what is missing of each source before today, newest first.

    Days that a source has answered for a zone are left out, unless they had gaps a day ago or
    earlier, which may have been filled since.

    Args:
        zones: only these; empty for all a source has.
        since: how far back; a source answers from its `reach` on.
    """
    plans = {}
    for source in sources:
        wanted = tuple(sorted(source.zones.intersection(zones) if zones else source.zones))
        start = reachable(source, since, now)
        tasks: list[Task] = []
        for kind in sorted(source.kinds.difference(NOT_OF_THE_PAST)):
            tasks += _of_kind(source, kind, wanted, ledger, start, now)
        tasks.sort(key=lambda task: (task.span.end, task.span.start), reverse=True)
        plans[source.name] = deque(tasks)
    return plans


def reachable(source: Source, since: datetime, now: datetime) -> datetime:
    """Return the start of the first whole day since `since` that a source answers for."""
    if source.reach is None or since >= now - source.reach:
        return since
    return start_of((now - source.reach).date()) + DAY


def _of_kind(
    source: Source,
    kind: Kind,
    zones: Sequence[str],
    ledger: Ledger,
    start: datetime,
    now: datetime,
) -> list[Task]:
    answers = ledger.answers(source.name, kind, since=start.date())
    missing = set()
    for zone in zones:
        known, day = answers.get(zone, {}), start.date()
        while start_of(day) + DAY <= start_of(now.date()):
            answered = known.get(day)
            # An answer from before the usual publication is not final, whatever it said.
            early = answered is not None and answered.at < start_of(day) + DAY + source.lag
            if answered is None or (
                (early or not answered.final)
                and now - answered.at >= DAY
                and is_due(source, zone, day, answered, now)
            ):
                missing.add((zone, day))
            day += DAY
    if source.following is not None:
        # Answers come in pages, so that shorter spans cost no more requests.
        source_spans = replace(source, max_span=min(source.max_span, WEEK))
    else:
        source_spans = source
    spans = due_spans(source_spans, zones, answers, start=start, now=now, gaps=missing)
    if source.bulk:
        spans = _by_file(source, kind, spans)
    # Flows over one border belong to two zones, so that all are requested together.
    alone = source.per_zone and kind is not Kind.FLOW
    return [
        Task(source, kind, together, span)
        for span, due in spans
        for together in ([(zone,) for zone in due] if alone else [due])
    ]


def _by_file(
    source: Source, kind: Kind, spans: Sequence[tuple[Span, tuple[str, ...]]]
) -> list[tuple[Span, tuple[str, ...]]]:
    """Return one span for each file, with all zones that it is due for.

    So none is requested twice, whatever days of it which zones lack.
    """
    found: dict[str, tuple[Span, tuple[str, ...]]] = {}
    for span, due in spans:
        for group in source.requests(Query(kind, due, span.start, span.end, span.end)):
            part = group[0].span or span
            whole, zones = found.get(group[0].address, (part, due))
            found[group[0].address] = (
                Span(min(whole.start, part.start), max(whole.end, part.end)),
                tuple(sorted({*zones, *due})),
            )
    return list(found.values())
