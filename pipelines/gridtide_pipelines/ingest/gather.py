"""Retrieve what is due from every source; a source that fails does not stop the others."""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from gridtide_pipelines.errors import (
    ClockAhead,
    ClockUnknown,
    NothingYet,
    PartlyFailed,
    SimulatedAndReal,
    SourceError,
    SourceRefused,
    SourceUnavailable,
)
from gridtide_pipelines.ingest.access import reason_to_skip
from gridtide_pipelines.ingest.fetch import Fetch
from gridtide_pipelines.ingest.flow import facts_of
from gridtide_pipelines.ingest.groups import Ingestion, ingest
from gridtide_pipelines.ingest.limits import DEFAULT, Limits
from gridtide_pipelines.ingest.mixing import RowKind
from gridtide_pipelines.ingest.source import Kind, Source
from gridtide_pipelines.ingest.task_queue import Task, TaskQueue
from gridtide_pipelines.ingest.threads import StoreThread, run_all
from gridtide_store.ledger import Ledger
from gridtide_store.logs import escape_controls
from gridtide_store.records import Stage
from gridtide_store.settings import Settings
from gridtide_store.store import Store

DONE = "done"
SKIPPED = "skipped"
NOTHING_YET = NothingYet.code
PARTLY_FAILED = PartlyFailed.code
# A host that gives no answer, or refuses, gives none to the next question either.
GIVEN_UP = (SourceUnavailable.code, SourceRefused.code)
FOR_ALL = (ClockAhead.code, SimulatedAndReal.code)
# Not for each of a hundred spans: what has changed has changed for the next one as well.
MOST_FAILURES = 3
MOST_FLAGS = 100
FLAG_LENGTH = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of gathering works with."""

    store: Store
    ledger: Ledger
    fetch: Fetch
    settings: Settings
    now: Callable[[], datetime]
    command: int
    limits: Limits = DEFAULT
    rows: RowKind = field(default_factory=RowKind)


def gather(tasks: Sequence[Task], around: Round) -> Iterator[Stage]:
    """Do the tasks, record each in the ledger and yield its record; a failure is one of them.

    Each source has a thread that requests; what they bring is stored in the caller's thread.
    A host that gave no response, or refused, gets no further request in this round, nor does
    a source after MOST_FAILURES other failures in a row. One whose responses have no time is
    tried after the others. Bugs are not caught: they end the run with their traceback.
    """
    stages: deque[Stage] = deque()
    used = []
    for mine in _by_source(tasks):
        if reason := reason_to_skip(mine[0].source, around.settings):
            yield _note(around, _stage(mine[0], SKIPPED, message=reason, whole=True))
        else:
            used.append(mine)
    waiting: list[Sequence[Task]] = []
    for may_wait in (True, False):
        store_thread = StoreThread()
        works = [
            partial(
                _gather_one,
                mine,
                around,
                store_thread,
                stages,
                waiting if may_wait else None,
            )
            for mine in (used if may_wait else tuple(waiting))
        ]
        for _ in store_thread.serve(works):
            while stages:
                yield _note(around, stages.popleft())


def _by_source(tasks: Sequence[Task]) -> list[Sequence[Task]]:
    found: dict[str, list[Task]] = {}
    for task in tasks:
        found.setdefault(task.source.name, []).append(task)
    return list(found.values())


def _gather_one(
    tasks: Sequence[Task],
    around: Round,
    store_thread: StoreThread,
    stages: deque[Stage],
    waiting: list[Sequence[Task]] | None,
) -> None:
    """Do the tasks of one source, in a thread of its own.

    Args:
        stages: takes the record of each task.
        waiting: takes the tasks that must wait for other sources; None if none may.
    """
    queue, source = TaskQueue(tasks), tasks[0].source
    given_up: dict[str, SourceError] = {}
    while task := queue.pop():
        work = Ingestion(
            source,
            task.query(around.now()),
            store=around.store,
            now=around.now,
            limits=around.limits,
            monotonic=time.monotonic,
            given_up=given_up,
            corrected=around.settings.corrections,
            rows=around.rows,
        )
        if not any(work.wants(number) for number in range(len(work.groups))):
            continue  # nothing to request, or only from hosts that were given up
        began = time.monotonic()
        _retrieve(work, source, around.fetch, store_thread)
        stage = store_thread.call(partial(_end, task, work, began, around))
        if stage.status == ClockUnknown.code and waiting is not None:
            waiting.append((task, *queue.rest()))
            return
        queue.note(task, failed=stage.status not in (DONE, NOTHING_YET, PARTLY_FAILED))
        given_up |= {
            host: error for host, error in work.given_up.items() if error.code in GIVEN_UP
        }
        last = queue.failures == MOST_FAILURES
        if last:
            message = (
                f"{stage.message}; {MOST_FAILURES} failures in a row, given up for this run"
            )
            stage = replace(stage, message=message)
        store_thread.call(partial(stages.append, stage))
        if last or stage.status in FOR_ALL or given_up.keys() >= {"", *source.hosts}:
            return


def _retrieve(work: Ingestion, source: Source, fetch: Fetch, store_thread: StoreThread) -> None:
    """Ingest the groups of a query, in as many threads as its hosts take requests at a time."""
    run_all(
        [
            partial(ingest, work, numbers, fetch, in_store_thread=store_thread.call)
            for numbers in work.lanes().values()
            for _ in range(min(source.concurrency, len(numbers)))
        ]
    )


def _end(task: Task, work: Ingestion, began: float, around: Round) -> Stage:
    """Record what a task brought, and return how it ended."""
    source, intake = task.source, work.intake
    status, message = DONE, ""
    try:
        work.finish()
    except (NothingYet, ClockUnknown) as error:
        status, message = error.code, str(error)
    except SourceError as error:
        # Not an error of ours: it is noted, counted, tried again later, and it shows in the
        # exit status.
        log.warning("%s", error, extra={"source": source.name, "kind": str(task.kind)})
        status, message = error.code, str(error)
        if work.left_out:
            message += f"; {work.left_out} of {len(work.groups)} groups not requested any more"
    if status == DONE or intake.rows:
        around.ledger.set_source(facts_of(source, simulated=intake.simulated))
    around.ledger.count_flags(source.name, limit_flags(intake.flags), around.now())
    # A day ahead is not over, whatever was answered of it.
    if task.kind is not Kind.FORECAST and task.span.end <= around.now():
        _record_answers(task, work, around)
    return _stage(
        task, status, rows=intake.rows, size=intake.size, ms=_ms(began), message=message
    )


def _record_answers(task: Task, work: Ingestion, around: Round) -> None:
    """Record the days of zones that were answered as a whole, whatever became of the others."""
    answered = work.intake.answered_days
    zones, name = set(task.zones), task.source.name
    days = [(zone, day) for zone, day in answered.whole() if zone in zones]
    if not days:
        return
    silent = answered.silent(days)
    # Of what is stored, so that hours of which one answer brought some and another the rest
    # count as news, and an answer that brought less does not.
    covered = around.store.covered(name, task.span.start, task.span.end) if silent else {}
    around.ledger.record_answers(
        name,
        task.kind,
        complete=answered.complete(days),
        silent={day: covered.get(day, timedelta(0)) for day in silent},
        now=around.now(),
    )


def limit_flags(flags: Mapping[str, int]) -> dict[str, int]:
    """Return `flags` with short, printable and not too many names, whatever was sent."""
    kept: Counter[str] = Counter()
    for name, count in sorted(flags.items()):
        short = escape_controls(name)[:FLAG_LENGTH]
        kept[short if short in kept or len(kept) < MOST_FLAGS else "other"] += count
    return dict(kept)


def _ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _note(around: Round, stage: Stage) -> Stage:
    around.ledger.record_stage(around.command, stage)
    return stage


def _stage(
    task: Task,
    status: str,
    *,
    rows: int = 0,
    size: int = 0,
    ms: int = 0,
    message: str = "",
    whole: bool = False,
) -> Stage:
    return Stage(
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
