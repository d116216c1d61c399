"""A clock that was or is ahead spoils nothing that is stored, and is named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gridtide_pipelines.errors import ClockWrong
from gridtide_pipelines.ingest.limits import DEFAULT
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.records import Outcome
from gridtide_store.store import Store
from tests.faults.modes import CLOCK_AHEAD, DONE
from tests.faults.publisher import Ask, Publisher, http_date, publisher, undated
from tests.faults.running import LOG, SOURCES, run

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def upstream(moment: datetime) -> Iterator[Publisher]:
    with publisher(moment) as state:
        yield state


@pytest.mark.parametrize("ahead", [timedelta(hours=2), 400 * DAY])
def test_a_clock_ahead_of_every_publisher_is_refused_before_anything_is_stored(
    ahead: timedelta, upstream: Publisher, moment: datetime, tmp_path: Path
) -> None:
    home = DataDirectory(tmp_path / "home")
    with pytest.raises(ClockWrong, match="set the clock right"):
        run(home, upstream, moment + ahead, DEFAULT, whole=True)
    with writer_lock(home, "test", moment), Store.open(home) as store:
        assert store.series().is_empty()
    assert not home.current.exists()
    assert Ledger(home.ledger).commands(1)[0].outcome is Outcome.FAILED
    # With the clock set right it is as if that had not been.
    report = run(home, upstream, moment, DEFAULT, whole=True)
    assert (report.exit_code, report.remarks) == (0, [])


@pytest.mark.parametrize("hostile", ["uk", "eia"])
def test_a_publisher_without_a_date_is_not_stored_while_another_shows_the_clock_ahead(
    hostile: str, upstream: Publisher, moment: datetime, tmp_path: Path
) -> None:
    home = DataDirectory(tmp_path / "home")
    upstream.hostile, upstream.mode = hostile, undated
    with pytest.raises(ClockWrong, match="set the clock right"):
        run(home, upstream, moment + 400 * DAY, DEFAULT, whole=True)
    with writer_lock(home, "test", moment), Store.open(home) as store:
        assert store.series().is_empty()
    assert not any(path.is_file() for path in home.raw.rglob("*"))
    steps = {step.source: step.status for step in Ledger(home.ledger).stages(1)}
    assert steps == {source.name: CLOCK_AHEAD for source in SOURCES.values()}
    # With the clock set right the one without a date is stored too, in one more request.
    first = len(upstream.requested)
    report = run(home, upstream, moment, DEFAULT, whole=False)
    assert {step.status for step in report.steps} == {DONE}
    assert {step.source for step in report.steps} == {s.name for s in SOURCES.values()}
    requested = upstream.requested[first:]
    repeated = {path for path in requested if requested.count(path) > 1}
    assert len(repeated) <= 1  # none if the other one answers first


def test_without_any_date_or_with_a_date_that_is_none_everything_is_stored(
    upstream: Publisher, moment: datetime, tmp_path: Path
) -> None:
    upstream.hostile, upstream.mode = "uk and eia", undated
    report = run(DataDirectory(tmp_path), upstream, moment, DEFAULT, whole=False)
    assert {step.status for step in report.steps} == {DONE}
    for source in SOURCES.values():
        assert sum(step.rows for step in report.steps if step.source == source.name) > 0


def test_one_publisher_with_a_slow_clock_does_not_keep_an_undated_one_from_being_stored(
    upstream: Publisher, moment: datetime, tmp_path: Path
) -> None:
    def first_late(ask: Ask) -> Iterator[bytes | float]:
        """Of the two kinds one is dated two hours ago, the other not at all."""
        if "generation" in ask.path:
            yield ask.reply(date=http_date(moment - 2 * HOUR))
        else:
            yield from undated(ask)

    upstream.hostile, upstream.mode = "uk", first_late
    report = run(DataDirectory(tmp_path), upstream, moment, DEFAULT, whole=False)
    statuses = {step.source: step.status for step in report.steps}
    assert statuses == {SOURCES["uk"].name: CLOCK_AHEAD, SOURCES["eia"].name: DONE}


def test_within_the_hour_nothing_is_refused(
    upstream: Publisher, moment: datetime, tmp_path: Path
) -> None:
    near = moment + timedelta(minutes=55)
    assert run(DataDirectory(tmp_path), upstream, near, DEFAULT, whole=False).exit_code == 0


def test_a_store_from_a_clock_that_was_ahead_is_named_and_refreshed(
    upstream: Publisher, moment: datetime, tmp_path: Path
) -> None:
    home = DataDirectory(tmp_path / "home")
    # Then the publishers' clock was ahead as well, so it could not be noticed.
    upstream.now = moment + 3 * DAY
    assert run(home, upstream, moment + 3 * DAY, DEFAULT, whole=True).exit_code == 0
    upstream.now = moment
    for hours in (0, 1, 25):
        upstream.now = moment + timedelta(hours=hours)
        report = run(home, upstream, upstream.now, DEFAULT, whole=True)
        assert report.exit_code == 0, report.failed
        assert report.snapshot
        (remark,) = report.remarks
        assert "ahead of now" in remark
        assert "2026-03-05T12:00:00Z" in remark
        assert "ahead of now" in LOG.getvalue()
    upstream.now = moment + 4 * DAY
    assert run(home, upstream, upstream.now, DEFAULT, whole=True).remarks == []
