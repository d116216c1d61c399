"""A clock that was or is ahead spoils nothing that is stored, and is named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gridtide_pipelines.errors import ClockWrong
from gridtide_pipelines.limits import DEFAULT
from gridtide_store.home import Home, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.records import Outcome
from gridtide_store.store import Store
from tests.faults.publisher import Publisher, publisher
from tests.faults.running import LOG, run

DAY = timedelta(days=1)


@pytest.fixture
def upstream(moment: datetime) -> Iterator[Publisher]:
    with publisher(moment) as state:
        yield state


@pytest.mark.parametrize("ahead", [timedelta(hours=2), 400 * DAY])
def test_a_clock_ahead_of_every_publisher_is_refused_before_anything_is_stored(
    ahead: timedelta, upstream: Publisher, moment: datetime, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    with pytest.raises(ClockWrong, match="set the clock right"):
        run(home, upstream, moment + ahead, DEFAULT, whole=True)
    with writer_lock(home, "test", moment), Store.open(home) as store:
        assert store.series().is_empty()
    assert not home.current.exists()
    assert Ledger(home.ledger).runs(1)[0].outcome is Outcome.FAILED
    # With the clock set right it is as if that had not been.
    report = run(home, upstream, moment, DEFAULT, whole=True)
    assert (report.exit_code, report.remarks) == (0, [])


def test_within_the_hour_nothing_is_refused(
    upstream: Publisher, moment: datetime, tmp_path: Path
) -> None:
    near = moment + timedelta(minutes=55)
    assert run(Home(tmp_path), upstream, near, DEFAULT, whole=False).exit_code == 0


def test_a_store_from_a_clock_that_was_ahead_is_named_and_refreshed(
    upstream: Publisher, moment: datetime, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    # Then the publishers' clock was ahead as well, so nobody could know.
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
