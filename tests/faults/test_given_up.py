"""In which order a source is requested, and when it is given up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gridtide_pipelines.ingest.limits import DEFAULT
from gridtide_pipelines.ingest.source import Kind, Span
from gridtide_pipelines.ingest.task_queue import Task, TaskQueue
from gridtide_pipelines.refresh import Report
from gridtide_store.data_directory import DataDirectory
from tests.faults.publisher import Ask, Mode, Publisher, publisher
from tests.faults.running import SOURCES, run

UK = SOURCES["uk"]
DAY = timedelta(days=1)
FLOW, GENERATION, LOAD = Kind.FLOW, Kind.GENERATION, Kind.LOAD
SPANS = 6


@pytest.fixture
def upstream(moment: datetime) -> Iterator[Publisher]:
    with publisher(moment) as state:
        yield state


def done(moment: datetime, broken: Callable[[Kind, int], bool]) -> list[tuple[Kind, int, bool]]:
    """Kind, number (oldest 0) and success of each span, until three fail in a row."""
    spans = [Span(moment + n * DAY, moment + (n + 1) * DAY) for n in range(SPANS)]
    kinds = (FLOW, GENERATION, LOAD)
    queue = TaskQueue([Task(UK, kind, ("GB",), span) for kind in kinds for span in spans])
    log = []
    while queue.failures < 3 and (task := queue.pop()):
        number = spans.index(task.span)
        failed = broken(task.kind, number)
        queue.note(task, failed=failed)
        log.append((task.kind, number, not failed))
    return log


def test_without_failures_the_order_is_as_given(moment: datetime) -> None:
    log = done(moment, lambda *_: False)
    assert [(kind, number) for kind, number, _ in log] == [
        (kind, number) for kind in (FLOW, GENERATION, LOAD) for number in range(SPANS)
    ]


def test_a_source_that_always_fails_is_requested_three_times(moment: datetime) -> None:
    log = done(moment, lambda *_: True)
    assert [kind for kind, _, _ in log] == [FLOW, GENERATION, LOAD]


@pytest.mark.parametrize(
    "broken", [{FLOW}, {GENERATION}, {LOAD}, {FLOW, LOAD}, {FLOW, GENERATION}]
)
def test_a_kind_that_is_broken_costs_no_other_kind_its_spans(
    broken: set[Kind], moment: datetime
) -> None:
    log = done(moment, lambda kind, _: kind in broken)
    sound = {(kind, number) for kind, number, ok in log if ok}
    assert sound == {
        (kind, number) for kind in {FLOW, GENERATION, LOAD} - broken for number in range(SPANS)
    }
    assert [ok for _, _, ok in log][-3:] == [False] * 3
    assert sum(not ok for _, _, ok in log) <= 3 * len(broken) + 2


def test_old_spans_that_are_broken_cost_no_kind_its_newest(moment: datetime) -> None:
    log = done(moment, lambda _, number: number < SPANS - 1)
    assert {(kind, number) for kind, number, ok in log if ok} == {
        (kind, SPANS - 1) for kind in (FLOW, GENERATION, LOAD)
    }


def changed(ask: Ask) -> Iterator[bytes | float]:
    yield ask.reply(b"<html>new</html>")


def steps(report: Report, source: str) -> list[tuple[str, str]]:
    name = SOURCES[source].name
    return [(step.status, step.message) for step in report.steps if step.source == name]


def test_a_changed_source_is_given_up_after_three_failures_and_says_so(
    upstream: Publisher, moment: datetime, tmp_path: Path
) -> None:
    upstream.hostile, upstream.mode = "uk", changed
    report = run(DataDirectory(tmp_path), upstream, moment, DEFAULT, whole=False, days=100)
    printed = steps(report, "uk")
    assert [status for status, _ in printed] == ["source_changed"] * 3
    says = "3 failures in a row, given up for this run"
    assert [says in message for _, message in printed] == [False, False, True]
    assert len([path for path in upstream.requested if path.startswith("/uk")]) == 3
    assert {status for status, _ in steps(report, "eia")} == {"done"}
    assert report.exit_code == 3
    # The next run asks again, and takes what there is.
    upstream.mode, upstream.now = None, moment + DAY
    report = run(
        DataDirectory(tmp_path), upstream, upstream.now, DEFAULT, whole=False, days=100
    )
    assert {status for status, _ in steps(report, "uk")} == {"done"}


def one_in(number: int) -> Mode:
    """Every so many answers are broken."""
    count = iter(range(10_000))

    def mode(ask: Ask) -> Iterator[bytes | float]:
        if next(count) % number:
            yield ask.reply()
        else:
            yield from changed(ask)

    return mode


def test_failures_that_are_not_in_a_row_give_nothing_up(
    upstream: Publisher, moment: datetime, tmp_path: Path
) -> None:
    upstream.hostile, upstream.mode = "uk", one_in(2)
    report = run(DataDirectory(tmp_path), upstream, moment, DEFAULT, whole=False, days=100)
    printed = steps(report, "uk")
    assert sum(status == "source_changed" for status, _ in printed) > 3
    assert not any("given up" in message for _, message in printed)
