"""Retrieve what is due from every source; a source that fails does not stop the others."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gridtide_pipelines.errors import (
    ClockAhead,
    ClockUnknown,
    NothingYet,
    PartlyFailed,
    SourceError,
    SourceRefused,
    SourceUnavailable,
)
from gridtide_pipelines.ingest.access import reason_to_skip
from gridtide_pipelines.ingest.fetch import Fetch
from gridtide_pipelines.ingest.flow import Intake, facts_of, ingest
from gridtide_pipelines.ingest.limits import DEFAULT, Limits
from gridtide_pipelines.ingest.schedule import (
    FIRST_REACH,
    final_days,
    open_part,
    split_span,
)
from gridtide_pipelines.ingest.source import Kind, Source, Span
from gridtide_store.ledger import Ledger
from gridtide_store.logs import escape_controls
from gridtide_store.records import Stage
from gridtide_store.settings import Settings
from gridtide_store.store import Store

DONE = "done"
SKIPPED = "skipped"
NOTHING_YET = NothingYet.code
PARTLY_FAILED = PartlyFailed.code
# Whoever gives no answer, or refuses, gives none to the next question either.
GIVEN_UP = (SourceUnavailable.code, SourceRefused.code, ClockAhead.code)
# Not for each of a hundred spans: what has changed has changed for the next one as well.
MOST_FAILURES = 3
MOST_FLAGS = 100
FLAG_LENGTH = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Task:
    """One span of one kind of one source."""

    source: Source
    kind: Kind
    zones: tuple[str, ...]
    span: Span


class TaskQueue:
    """The tasks of one source in the order given, which changes only after failures.

    After one, the newest span of another kind comes next, or the newest span there is: what is
    broken may be one kind, or old spans alone, and neither must cost the newest values of the
    others. Kinds that failed come last.

    Attributes:
        failures: how many tasks have failed in a row.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._left = list(tasks)
        self._failed: set[Kind] = set()
        self._in_a_row: set[Kind] = set()
        self.failures = 0

    def pop(self) -> Task | None:
        """Return the next task; None when all are done."""
        if not self._left:
            return None
        if self.failures:
            others = [task for task in self._left if task.kind not in self._in_a_row]
            sound = [task for task in others if task.kind not in self._failed]
            kind = (sound or others or self._left)[0].kind
            task = [task for task in self._left if task.kind == kind][-1]
        else:
            sound = [task for task in self._left if task.kind not in self._failed]
            task = (sound or self._left)[0]
        self._left.remove(task)
        return task

    def rest(self) -> Sequence[Task]:
        """Return the tasks that have not been popped."""
        return tuple(self._left)

    def note(self, task: Task, *, failed: bool) -> None:
        """Take into account how a task ended."""
        if failed:
            self.failures += 1
            self._failed.add(task.kind)
            self._in_a_row.add(task.kind)
        else:
            self.failures = 0
            self._in_a_row.clear()


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


def plan(
    sources: Iterable[Source],
    zones: Sequence[str],
    *,
    ledger: Ledger,
    now: datetime,
    since: datetime | None,
) -> list[Task]:
    """Return the requests to make, source by source, oldest first; none of bulk sources.

    Args:
        zones: only these; empty for all a source has.
        since: how far back; None is FIRST_REACH. Days of a zone that are settled, which is
            retrieved after their source stopped revising them, are not requested again: a first
            refresh fills the time before it, an interrupted one resumes, a later one is short.
    """
    tasks = []
    for source in sources:
        if source.bulk:
            continue
        wanted = tuple(sorted(source.zones.intersection(zones) if zones else source.zones))
        if not wanted:
            continue
        for kind in sorted(source.kinds):
            if kind is Kind.FORECAST:
                tasks.append(Task(source, kind, wanted, Span(now, now + source.max_span)))
                continue
            settled = ledger.settled(source.name, kind)
            for cell in split_span(since or now - FIRST_REACH, now, source.max_span):
                if left := open_part(cell, wanted, settled):
                    span, asked = left
                    tasks.append(Task(source, kind, asked, span))
    return tasks


def gather(tasks: Sequence[Task], around: Round) -> Iterator[Stage]:
    """Do the tasks, record each in the ledger and yield its record; a failure is one of them.

    A source that gave no response, or refused, gets no further request in this round, nor does
    one after MOST_FAILURES others in a row. One whose responses have no time is tried after
    the others. Bugs are not caught: they end the run with their traceback.
    """
    waiting: list[Sequence[Task]] = []
    for mine in _by_source(tasks):
        reason = reason_to_skip(mine[0].source, around.settings)
        if reason:
            yield _note(around, _step(mine[0], SKIPPED, message=reason, whole=True))
        elif left := (yield from _gather_one(mine, around, may_wait=True)):
            waiting.append(left)
    for mine in waiting:
        yield from _gather_one(mine, around, may_wait=False)


def _by_source(tasks: Sequence[Task]) -> list[Sequence[Task]]:
    found: dict[str, list[Task]] = {}
    for task in tasks:
        found.setdefault(task.source.name, []).append(task)
    return list(found.values())


def _gather_one(
    tasks: Sequence[Task], around: Round, *, may_wait: bool
) -> Generator[Stage, None, Sequence[Task]]:
    """Do the tasks of one source and return those that must wait for other sources."""
    queue = TaskQueue(tasks)
    while task := queue.pop():
        step = _attempt(task, around)
        if step.status == ClockUnknown.code and may_wait:
            return (task, *queue.rest())
        queue.note(task, failed=step.status not in (DONE, NOTHING_YET, PARTLY_FAILED))
        if step.status in GIVEN_UP:
            yield _note(around, step)
            break
        if queue.failures == MOST_FAILURES:
            message = (
                f"{step.message}; {MOST_FAILURES} failures in a row, given up for this run"
            )
            yield _note(around, replace(step, message=message))
            break
        yield _note(around, step)
    return ()


def _attempt(task: Task, around: Round) -> Stage:
    source, span = task.source, task.span
    began, intake = time.monotonic(), Intake()
    status, message = DONE, ""
    try:
        ingest(
            source,
            task.kind,
            task.zones,
            span.start,
            span.end,
            fetch=around.fetch,
            store=around.store,
            now=around.now,
            limits=around.limits,
            intake=intake,
            corrected=around.settings.corrections,
        )
    except (NothingYet, ClockUnknown) as error:
        status, message = error.code, str(error)
    except SourceError as error:
        # Not an error of ours: it is noted, counted, tried again later, and it shows in the
        # exit status.
        log.warning("%s", error, extra={"source": source.name, "kind": str(task.kind)})
        status, message = error.code, str(error)
    if status == DONE or intake.rows:
        around.ledger.set_source(facts_of(source))
    around.ledger.count_flags(source.name, limit_flags(intake.flags), around.now())
    if status in (DONE, NOTHING_YET, PARTLY_FAILED):
        _settle(task, intake, around)
    return _step(
        task, status, rows=intake.rows, size=intake.size, ms=_ms(began), message=message
    )


def _settle(task: Task, intake: Intake, around: Round) -> None:
    """Record the days of the zones that were answered and need no further request."""
    if task.kind is Kind.FORECAST:
        return
    zones = [zone for zone in task.zones if zone in intake.answered_zones]
    answered_days = intake.answered_days
    days = final_days(task.span, refetch=task.source.revised_for, now=around.now())
    name, silent = task.source.name, answered_days.silent(zones, days)
    # Of what is stored, so that hours of which one answer brought some and another the rest
    # count as news, and an answer that brought less does not.
    covered = around.store.covered(name, task.span.start, task.span.end) if silent else {}
    around.ledger.settle(
        name,
        task.kind,
        complete=answered_days.complete(zones, days),
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


def _note(around: Round, step: Stage) -> Stage:
    around.ledger.record_stage(around.command, step)
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
