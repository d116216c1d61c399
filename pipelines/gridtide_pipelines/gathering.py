"""Asking every source for what is due; one bad source spoils nothing else."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from gridtide_pipelines.errors import NothingYet, SourceChanged, SourceError
from gridtide_pipelines.fetch import Fetch, skipped
from gridtide_pipelines.flow import facts_of, ingest
from gridtide_pipelines.schedule import FIRST_REACH, Span, due, grid
from gridtide_pipelines.source import Kind, Source
from gridtide_store.ledger import Ledger
from gridtide_store.records import Step
from gridtide_store.settings import Settings
from gridtide_store.store import Store

DONE = "done"
SKIPPED = "skipped"
NOTHING_YET = NothingYet.code

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Task:
    """One span of one kind of one source."""

    source: Source
    kind: Kind
    zones: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of gathering works with."""

    store: Store
    ledger: Ledger
    fetch: Fetch
    settings: Settings
    now: Callable[[], datetime]
    run: int


def plan(
    sources: Iterable[Source],
    zones: Sequence[str],
    *,
    ledger: Ledger,
    now: datetime,
    since: datetime | None,
) -> list[Task]:
    """What is to be asked, source by source, oldest first.

    Args:
        zones: only these; empty for all a source has.
        since: how far back; None is FIRST_REACH. Spans that are settled, which is retrieved
            after their source stopped revising them, are not asked again: a first refresh
            fills the time before it, an interrupted one resumes, a later one is short.
    """
    tasks = []
    for source in sources:
        wanted = tuple(sorted(source.zones.intersection(zones) if zones else source.zones))
        if not wanted:
            continue
        for kind in sorted(source.kinds):
            if kind is Kind.FORECAST:
                ahead = Span(now, now + source.max_span, now)
                tasks.append(Task(source, kind, wanted, ahead))
                continue
            spans = grid(since or now - FIRST_REACH, now, source.max_span)
            settled = ledger.settled(source.name, kind, _scope(wanted, source))
            tasks += [Task(source, kind, wanted, span) for span in due(spans, settled)]
    return tasks


def gather(tasks: Sequence[Task], around: Round) -> Iterator[Step]:
    """Do the tasks and note each in the ledger; a failure is a step like any other.

    A source that gave no answer, or refused, is not asked again in this round. Bugs are not
    caught: they end the run with their traceback.
    """
    given_up: dict[str, str] = {}
    for task in tasks:
        reason = skipped(task.source, around.settings)
        if reason:
            if task.source.name not in given_up:
                given_up[task.source.name] = reason
                yield _note(around, _step(task, SKIPPED, message=reason, whole=True))
            continue
        if task.source.name in given_up:
            continue
        step = _attempt(task, around)
        if step.status not in (DONE, NOTHING_YET, SourceChanged.code):
            given_up[task.source.name] = step.message
        yield _note(around, step)


def _attempt(task: Task, around: Round) -> Step:
    source, span = task.source, task.span
    began = time.monotonic()
    try:
        intake = ingest(
            source,
            task.kind,
            task.zones,
            span.start,
            span.end,
            fetch=around.fetch,
            store=around.store,
            now=around.now,
        )
    except NothingYet as error:
        _settle(task, around)
        return _step(task, error.code, message=str(error), ms=_ms(began))
    except SourceError as error:
        # Not an error of ours: it is noted, counted, asked again later, and it shows in the
        # exit status.
        log.warning("%s", error, extra={"source": source.name, "kind": str(task.kind)})
        return _step(task, error.code, message=str(error), ms=_ms(began))
    around.ledger.set_source(facts_of(source))
    around.ledger.count_flags(source.name, intake.flags, around.now())
    _settle(task, around)
    return _step(task, DONE, rows=intake.rows, size=intake.size, ms=_ms(began))


def _settle(task: Task, around: Round) -> None:
    """Do not ask for the task's span again once its source has stopped revising it."""
    source, span = task.source, task.span
    if task.kind is not Kind.FORECAST and around.now() >= span.settles_at(source.refetch):
        around.ledger.settle(source.name, task.kind, _scope(task.zones, source), span.start)


def _scope(zones: tuple[str, ...], source: Source) -> str:
    """Which zones a settled span holds for; all of a source's have one short name."""
    return "" if len(zones) == len(source.zones) else ",".join(zones)


def _ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _note(around: Round, step: Step) -> Step:
    around.ledger.step(around.run, step)
    return step


def _step(
    task: Task,
    status: str,
    *,
    rows: int = 0,
    size: int = 0,
    ms: int = 0,
    message: str = "",
    whole: bool = False,
) -> Step:
    return Step(
        source=task.source.name,
        kind="" if whole else str(task.kind),
        zones=task.zones,
        start=None if whole else task.span.start,
        end=None if whole else task.span.end,
        status=status,
        rows=rows,
        bytes=size,
        ms=ms,
        message=message,
    )
