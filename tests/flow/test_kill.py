"""kill -9 in the middle of a refresh, five times, while a server answers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gridtide_store.check import check
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.records import Outcome
from gridtide_store.store import Store
from tests.flow.publishers import publishers

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ZONES = ("--zone", "US-CAL-CISO,GB")
GRIDTIDE = (sys.executable, "-m", "gridtide")
PATIENCE = 60.0  # seconds for anything that must happen at all


def test_five_kills_lose_nothing_and_no_request_fails(tmp_path: Path) -> None:
    home = DataDirectory(tmp_path / "home")
    with publishers(NOW) as upstream:
        environ = {
            **os.environ,
            **upstream.environ,
            "GRIDTIDE_HOME": str(home.root),
            "GRIDTIDE_WORKERS": "1",
        }

        def start(hours: int) -> subprocess.Popen[bytes]:
            moment = NOW + timedelta(hours=hours)
            upstream.now = moment
            return subprocess.Popen(
                [
                    *GRIDTIDE,
                    "refresh",
                    *ZONES,
                    "--model",
                    "weekly",
                    "--now",
                    moment.isoformat(),
                ],
                env=environ,
            )

        assert start(0).wait(PATIENCE) == 0
        # Six hours on all forecasts still cover the question.
        with (
            server(environ, now=NOW + timedelta(hours=6)) as address,
            asking(address) as answers,
        ):
            requested = len(upstream.requested)
            moments: list[Callable[[], bool]] = [
                lambda: len(upstream.requested) > requested,
                lambda: len(upstream.requested) > requested + 3,
                lambda: len(upstream.requested) > requested + 8,
                lambda: _progressed(home, "refresh", steps=6),
                lambda: any(home.snapshots.glob(".*")),
            ]
            for hours, reached in enumerate(moments, start=1):
                requested = len(upstream.requested)
                process = start(hours)
                _wait(lambda: reached() or process.poll() is not None)  # noqa: B023  # called at once
                process.send_signal(signal.SIGKILL)
                process.wait(PATIENCE)
            assert start(6).wait(PATIENCE) == 0
        assert answers.failed == []
        assert answers.count > 20
    assert check(home, NOW + timedelta(hours=6)) == []
    outcomes = [run.outcome for run in Ledger(home.ledger).commands()]
    assert outcomes.count(Outcome.INTERRUPTED) >= 3
    assert outcomes[0] is Outcome.DONE
    _nothing_acknowledged_is_lost(home)


def _nothing_acknowledged_is_lost(home: DataDirectory) -> None:
    """Every row a step of any run said it had added is in the store."""
    ledger = Ledger(home.ledger)
    acknowledged = sum(step.rows for run in ledger.commands() for step in ledger.stages(run.id))
    with writer_lock(home, "test", NOW), Store.open(home) as store:
        row = store.connection.execute(
            "SELECT (SELECT count(*) FROM belief WHERE source NOT LIKE 'derived%')"
            " + (SELECT count(*) FROM step JOIN run ON run.id = step.run"
            "    WHERE model = 'uk_carbon_intensity')"
        ).fetchone()
    assert row is not None
    assert row[0] >= acknowledged > 0


def _progressed(home: DataDirectory, command: str, *, steps: int) -> bool:
    ledger = Ledger(home.ledger)
    newest = ledger.commands(1)[0]
    running = newest.command == command and newest.outcome is Outcome.RUNNING
    return running and len(ledger.stages(newest.id)) >= steps


def _wait(reached: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.002)


@contextmanager
def server(environ: dict[str, str], *, now: datetime) -> Iterator[str]:
    """The address of a real server process on loopback, at the time `now`."""
    process = subprocess.Popen(
        [*GRIDTIDE, "serve", "--port", "0", "--now", now.isoformat()],
        env=environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        said = []
        for text in process.stderr:
            said.append(text)
            if "http://" in text:
                break
        else:
            pytest.fail(f"the server did not start: {said}")
        drain = threading.Thread(target=process.stderr.read, daemon=True)
        drain.start()
        yield "http://" + text.partition("http://")[2].split()[0]
    finally:
        process.terminate()
        process.wait(PATIENCE)
        drain.join(PATIENCE)
        process.stderr.close()


class Answers:
    """What came back."""

    def __init__(self) -> None:
        self.count = 0
        self.failed: list[str] = []


@contextmanager
def asking(address: str) -> Iterator[Answers]:
    """Ask one question after the other until the block ends."""
    answers, stop = Answers(), threading.Event()
    questions = (
        "/v1/best-window?region=GB&hours=4",
        "/v1/best-region?region=GB&region=US-CAL-CISO&hours=2",
        "/v1/zones/GB/intensity",
        "/v1/zones",
    )

    def ask() -> None:
        # Bounded, however long the block takes.
        for number in range(20_000):
            if stop.is_set():
                return
            question = questions[number % len(questions)]
            try:
                with urllib.request.urlopen(address + question, timeout=PATIENCE) as answer:  # noqa: S310  # loopback
                    json.load(answer)
                answers.count += 1
            except OSError as error:
                answers.failed.append(f"{question}: {error}")

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        stop.set()
        thread.join(PATIENCE)
