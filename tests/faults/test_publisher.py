"""A refresh beside a publisher that misbehaves ends, says so, and loses nothing."""

from __future__ import annotations

import gzip
import logging
import resource
import time
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from gridtide_pipelines.ingest.limits import DEFAULT
from gridtide_pipelines.refresh import summary
from gridtide_store.data_directory import DataDirectory
from gridtide_store.ledger import Ledger
from tests.faults.modes import CASES, DONE, KEY, NOTHING_YET, Case
from tests.faults.publisher import Publisher, publisher
from tests.faults.running import LOG, SOURCES, TINY, run
from tests.final_days import final_days

# Generous: the point is that it ends at all, on a machine that does other things as well.
SOON = 60.0
ROOM = 200_000  # KiB by which the largest size of the process may grow: a bomb takes 64 MiB
WHOLE = {
    "endless 103s",
    "gzip bomb",
    "Retry-After superscript",
    "our clock ahead",
    "future rows",
}


@pytest.fixture
def upstream(moment: datetime) -> Iterator[Publisher]:
    with publisher(moment) as state:
        yield state


def settled(ledger: Ledger, source: str) -> Mapping[str, set[date]]:
    return {
        zone: days
        for kind in SOURCES[source].kinds
        for zone, days in final_days(ledger, SOURCES[source].name, kind).items()
    }


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_refresh_ends_says_what_failed_and_heals(
    case: Case, upstream: Publisher, moment: datetime, tmp_path: Path
) -> None:
    home = DataDirectory(tmp_path / "home")
    hostile, other = case.hostile, {"uk": "eia", "eia": "uk"}[case.hostile]
    upstream.hostile, upstream.mode = hostile, case.mode
    LOG.seek(0)
    LOG.truncate()
    size, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()

    report = run(home, upstream, moment, TINY, whole=case.name in WHOLE)

    assert time.monotonic() - began < SOON
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - size < ROOM
    steps = [s for s in report.steps if s.source == SOURCES[hostile].name]
    assert case.status in {step.status for step in steps}, steps
    failed = case.status not in (DONE, NOTHING_YET)
    assert report.exit_code == (3 if failed else 0)
    printed = summary(report)["sources"]
    assert isinstance(printed, dict)
    if failed:
        assert printed[SOURCES[hostile].name]["message"]
    # The other one's data is there, whatever happened to this one's.
    assert printed[SOURCES[other].name]["status"] == DONE
    assert printed[SOURCES[other].name]["rows"] > 0
    ledger = Ledger(home.ledger)
    assert all(days for days in settled(ledger, other).values())
    # Nothing that was not answered is settled.
    if not any(step.rows for step in steps):
        assert not settled(ledger, hostile)
    _nothing_leaks(home, ledger, LOG.getvalue())

    # The next run heals it.
    upstream.mode = None
    report = run(home, upstream, moment + timedelta(hours=1), DEFAULT, whole=False)
    assert report.exit_code == 0, report.failed
    assert settled(ledger, hostile)
    printed = summary(report)["sources"]
    assert isinstance(printed, dict)
    healed = int(printed[SOURCES[hostile].name]["rows"])
    assert healed + sum(step.rows for step in steps) > 0


def _nothing_leaks(home: DataDirectory, ledger: Ledger, log: str) -> None:
    """No key, and no command to a terminal, in any log line, message or file."""
    said = [step.message for step in ledger.stages(1)] + [flag.flag for flag in ledger.flags()]
    assert len(ledger.flags()) < 250
    for text in (*said, *log.splitlines()):
        assert text.isprintable(), text
        assert len(text) < 2000
        assert not text.startswith("2026-03-02T12:00:00Z ERROR forged")
        assert KEY not in text
        assert KEY[::-1] not in text
    for path in home.root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            content = gzip.decompress(content) if path.suffix == ".gz" else content
            assert KEY.encode() not in content, path


def test_there_are_as_many_modes_as_promised() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 50


@pytest.fixture(autouse=True)
def _no_log_of_ours() -> Iterator[None]:
    yield
    logging.getLogger().handlers.clear()
