"""The requests to one source in a refresh, and in which order. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridtide_pipelines.ingest.schedule import Span
from gridtide_pipelines.ingest.source import Kind, Source


@dataclass(frozen=True, slots=True)
class Task:
    """One span of one kind of one source."""

    source: Source
    kind: Kind
    zones: tuple[str, ...]
    span: Span


class TaskQueue:
    """The tasks of one source in the order given, changed only after failures.

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
        """The next task; None when all are done."""
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
        """The tasks that have not been popped."""
        return tuple(self._left)

    def note(self, task: Task, *, failed: bool) -> None:
        """Take in how a task ended."""
        if failed:
            self.failures += 1
            self._failed.add(task.kind)
            self._in_a_row.add(task.kind)
        else:
            self.failures = 0
            self._in_a_row.clear()
