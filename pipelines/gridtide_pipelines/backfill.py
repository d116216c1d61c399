"""Fill the history of publishers, newest first; a run that was ended goes on where it was."""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gridtide.clock import Clock
from gridtide.errors import Busy
from gridtide.model import format_time
from gridtide_pipelines.derive.factors import factor_set
from gridtide_pipelines.errors import NotStored
from gridtide_pipelines.ingest.command_log import record_command
from gridtide_pipelines.ingest.fetch import Fetch
from gridtide_pipelines.ingest.flow import derive_pending
from gridtide_pipelines.ingest.gather import (
    DONE,
    GIVEN_UP,
    MOST_FAILURES,
    NOTHING_YET,
    PARTLY_FAILED,
    Round,
    gather,
)
from gridtide_pipelines.ingest.limits import DEFAULT, Limits
from gridtide_pipelines.ingest.mixing import rows_for
from gridtide_pipelines.ingest.source import Source
from gridtide_pipelines.ingest.task_queue import Task
from gridtide_pipelines.ingest.tasks import plan_backfill, reachable
from gridtide_pipelines.refresh import publish_home, underived
from gridtide_store.data_directory import DataDirectory, is_wanted, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.records import Stage
from gridtide_store.settings import Settings
from gridtide_store.store import Store

DAY = timedelta(days=1)
# Of DuckDB while rows are added; the interpreter and the parts of a large file need two hundred
# besides. Derivation and publication have what the setting allows.
MEMORY_MB = 64
PAUSE = 1.0  # seconds between two tries to go on after giving way

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Report:
    """What one backfill did.

    Attributes:
        rows: added, by source.
        spans: done, by source; one of which some zones failed is not.
        failed: what failed, in the order in which it did.
        left: spans that were not requested, because their source was given up.
        beyond: for each source that does not answer as far back: since when it does.
        derived_rows: intensities and fractions derived from what was gathered.
        gave_way: how often the lock was released for another command.
        snapshot: name of the snapshot that was published; empty without one.
        ended: whether all was done, besides what is `left`.
    """

    rows: dict[str, int] = field(default_factory=dict)
    spans: dict[str, int] = field(default_factory=dict)
    failed: list[Stage] = field(default_factory=list)
    left: int = 0
    beyond: dict[str, datetime] = field(default_factory=dict)
    derived_rows: int = 0
    gave_way: int = 0
    snapshot: str = ""
    ended: bool = False

    @property
    def exit_code(self) -> int:
        """0, or 3 when some spans failed."""
        return 3 if self.failed else 0


# What is done, how far in zone days, of how many; seconds left, None where unknown.
Show = Callable[[str, int, int, float | None], None]


def backfill(
    home: DataDirectory,
    settings: Settings,
    clock: Clock,
    *,
    sources: Sequence[Source],
    zones: Sequence[str],
    since: datetime,
    fetch: Fetch,
    show: Show,
    publish: bool = False,
    new_store: bool = False,
    limits: Limits = DEFAULT,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """Fill the history of `home` from `sources` back to `since`, and derive from it.

    It holds the writer's lock, and releases it between two spans for a command that waits. Each
    span is recorded when it is stored, so that a run that was killed goes on there. A source
    that refuses, gives no answer, or fails several times in a row is given up.

    Args:
        show: gets the progress after each span.
        publish: publish a snapshot at the end; else the next refresh does.

    Raises:
        Busy: another process writes this data directory.
        BadInput: simulated and real rows would meet, or the store was lost.
    """
    ledger, report = Ledger(home.ledger), Report()
    names = [source.name for source in sources]
    with record_command(ledger, "backfill", [*names, *zones, f"since={since}"], clock) as note:
        plans = plan_backfill(sources, zones, ledger=ledger, since=since, now=clock())
        for source in sources:
            if (first := reachable(source, since, clock())) > since:
                report.beyond[source.name] = first
        work = _Work(plans, report, show, monotonic)
        while not report.ended:
            with ExitStack() as held:
                try:
                    lock = writer_lock(home, "backfill", clock(), gives_way=True)
                    held.enter_context(lock)
                except Busy:
                    if not report.gave_way:
                        raise
                    sleep(PAUSE)  # until the command that was given way to has ended
                    continue
                with Store.open(_with_little_memory(home), new=new_store) as store:
                    rows = rows_for(sources, settings, ledger, store)
                    around = Round(
                        store, ledger, fetch, settings, clock, note.command, limits, rows
                    )
                    while not work.done and not is_wanted(home):
                        work.take(gather(work.next_tasks(), around))
                if work.done:
                    with Store.open(home, new=new_store) as store:
                        _finish(store, ledger, home, clock, report, publish=publish)
            if not report.ended:
                report.gave_way += 1
                log.warning("giving way to another command; going on when it has ended")
                while is_wanted(home):
                    sleep(PAUSE)
        note.done(summary(report), exit_code=report.exit_code)
    return report


def _with_little_memory(home: DataDirectory) -> DataDirectory:
    """Return `home` with a small limit on the memory of its database; files come in parts."""
    least = min(home.resources.memory_mb, MEMORY_MB)
    return replace(home, resources=replace(home.resources, memory_mb=least))


def _finish(
    store: Store,
    ledger: Ledger,
    home: DataDirectory,
    clock: Clock,
    report: Report,
    *,
    publish: bool,
) -> None:
    """Derive from what was gathered, and publish if that is requested."""
    failed: list[NotStored] = []
    report.derived_rows = derive_pending(store, factor_set(), failed=failed)
    report.failed += [underived(error) for error in failed]
    if publish and not store.series().is_empty():
        report.snapshot = publish_home(store, ledger, home, clock)
    report.ended = True


def weight(task: Task) -> int:
    """Return the days of zones that a task requests."""
    return max(1, (task.span.end - task.span.start) // DAY) * len(task.zones)


def summary(report: Report) -> dict[str, object]:
    """Return the report as one JSON object."""
    return {
        "sources": {
            name: {"spans": spans, "rows": report.rows[name]}
            for name, spans in report.spans.items()
        },
        "derived_rows": report.derived_rows,
        "failed": [
            {
                "source": each.source,
                "kind": each.kind,
                "status": each.status,
                "message": each.message,
            }
            for each in report.failed
        ],
        "left": report.left,
        "beyond_reach": {name: format_time(first) for name, first in report.beyond.items()},
        "gave_way": report.gave_way,
        "snapshot": report.snapshot or None,
        "exit_code": report.exit_code,
    }


class _Work:
    """The tasks that are left of each source, and how far the work is.

    Attributes:
        done: whether no task is left.
    """

    def __init__(
        self,
        plans: dict[str, deque[Task]],
        report: Report,
        show: Show,
        monotonic: Callable[[], float],
    ) -> None:
        self._plans, self._report, self._show = plans, report, show
        self._monotonic = monotonic
        self._failures: Counter[str] = Counter()
        self._taken: list[Task] = []
        self._total = sum(weight(task) for plan in plans.values() for task in plan)
        self._seconds = 0.0

    @property
    def done(self) -> bool:
        return not any(self._plans.values())

    def next_tasks(self) -> list[Task]:
        """Return the newest task of each source; they are requested at the same time."""
        self._taken = [plan.popleft() for plan in self._plans.values() if plan]
        return self._taken

    def take(self, stages: Iterator[Stage]) -> None:
        """Do the tasks given out, and note how they ended."""
        began, report = self._monotonic(), self._report
        for stage in stages:
            name = stage.source
            report.rows[name] = report.rows.get(name, 0) + stage.rows
            done = stage.status in (DONE, NOTHING_YET)
            report.spans[name] = report.spans.get(name, 0) + done
            if done:
                self._failures[name] = 0
                continue
            report.failed.append(stage)
            self._failures[name] += stage.status != PARTLY_FAILED
            if stage.status in GIVEN_UP or self._failures[name] == MOST_FAILURES:
                report.left += len(self._plans[name])
                self._total -= sum(map(weight, self._plans[name]))
                self._plans[name].clear()
        self._seconds += self._monotonic() - began
        rest = sum(weight(task) for plan in self._plans.values() for task in plan)
        taken = self._total - rest
        left = self._seconds * rest / taken if taken else None
        newest = self._taken[0]
        what = f"{newest.source.name} {newest.kind} {newest.span.start:%Y-%m-%d}"
        self._show(what, taken, self._total, left)
