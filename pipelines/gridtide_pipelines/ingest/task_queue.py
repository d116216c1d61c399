"""Tasks of a refresh, and in which order those of one source are done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gridtide_pipelines.ingest.source import Kind, Query, Source, Span


@dataclass(frozen=True, slots=True)
class Task:
    """One span of one kind of one source.

    Attributes:
        reaches_now: whether the span ends at the moment when it was planned.
    """

    source: Source
    kind: Kind
    zones: tuple[str, ...]
    span: Span
    reaches_now: bool = False

    def query(self, now: datetime) -> Query:
        """Return the query of this task when its turn comes.

        A span that was planned to reach the present still does, however long the tasks before
        it took: a publisher that has only the present has no value of the time before.
        """
        end = max(self.span.end, now) if self.reaches_now else self.span.end
        return Query(self.kind, self.zones, self.span.start, end, now)


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
