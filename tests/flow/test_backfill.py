"""``gridtide backfill``: newest first, never twice, on again after a kill, giving way."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide.cli.script import main
from gridtide_store.check import check
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.records import Outcome
from gridtide_store.store import Store
from tests.flow.publishers import Publishers, publishers

# Requests keep the pace that publishers require.
pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SINCE = "2025-12-15"
ZONES = ("--zone", "US-CAL-CISO,GB")
WORDS = ("backfill", "--source", "uk_carbon_intensity,eia", *ZONES, "--since", SINCE)
PATIENCE = 60.0

Run = Callable[..., int]


@pytest.fixture
def upstream() -> Iterator[Publishers]:
    with publishers(NOW) as state:
        yield state


@pytest.fixture
def home(tmp_path: Path) -> DataDirectory:
    return DataDirectory(tmp_path / "home")


def environment(home: DataDirectory, upstream: Publishers) -> dict[str, str]:
    return {
        "GRIDTIDE_HOME": str(home.root),
        "GRIDTIDE_NOW": NOW.isoformat(),
        "GRIDTIDE_WORKERS": "1",
        **upstream.environ,
    }


@pytest.fixture
def run(home: DataDirectory, upstream: Publishers) -> Run:
    def run(*words: str, **more: str) -> int:
        return main(list(words), environment(home, upstream) | more)

    return run


def rows(home: DataDirectory) -> pl.DataFrame:
    """Number of rows and first slot of every series."""
    with writer_lock(home, "test", NOW), Store.open(home) as store:
        return store.series().select("zone", "signal", "source", "first_start", "rows")


def starts(upstream: Publishers, name: str) -> list[str]:
    """Starts of the spans that a publisher was requested for, in order."""
    texts = [each for each in upstream.requested if f"/{name}" in each]
    return [
        re.findall(r"(?:start=|intensity/|generation/)(\d{4}-\d\d-\d\d)", t)[-1] for t in texts
    ]


def test_the_newest_days_come_first_and_nothing_is_requested_twice(
    home: DataDirectory,
    upstream: Publishers,
    run: Run,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(*WORDS, "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["derived_rows"] > 0
    assert (printed["failed"], printed["left"], printed["snapshot"]) == ([], 0, None)
    for name in ("uk/intensity", "uk/generation", "fuel-type-data", "region-data"):
        found = starts(upstream, name)
        assert len(found) > 3
        assert found == sorted(found, reverse=True), name
    assert len(upstream.requested) == len(set(upstream.requested))
    assert not [each for each in upstream.requested if "fw48h" in each]  # no forecasts
    found = rows(home)
    own = found.filter(pl.col("source").is_in(["eia", "uk_carbon_intensity"]))
    first = datetime(2025, 12, 15, tzinfo=UTC)
    assert own["first_start"].max() <= first + timedelta(hours=1)  # type: ignore[operator]  # of instants
    assert found.filter(pl.col("source").str.starts_with("derived@")).height > 0
    assert not home.snapshots.exists()
    # Again: nothing is missing.
    requested = len(upstream.requested)
    assert run(*WORDS) == 0
    assert "nothing is missing" in capsys.readouterr().out
    assert len(upstream.requested) == requested
    # Further back: only that.
    earlier = [*WORDS[:-1], "2025-12-08"]
    assert run(*earlier, "--publish") == 0
    assert "published" in capsys.readouterr().out
    more = upstream.requested[requested:]
    assert more
    assert all("2025-12" in each and "2026" not in each for each in more)
    assert [outcome.outcome for outcome in Ledger(home.ledger).commands()] == [Outcome.DONE] * 3


def test_known_at_is_when_it_was_received_and_refresh_goes_on_from_it(
    home: DataDirectory, upstream: Publishers, run: Run
) -> None:
    assert run(*WORDS) == 0
    with writer_lock(home, "test", NOW), Store.open(home) as store:
        history = store.history(
            "GB", "ci_direct_consumed", NOW - timedelta(days=60), NOW, as_of=NOW
        )
        before = store.history(
            *("GB", "ci_direct_consumed", NOW - timedelta(days=60), NOW),
            as_of=NOW - timedelta(seconds=1),
        )
    assert history["known_at"].unique().to_list() == [NOW]
    assert before.is_empty()
    requested = len(upstream.requested)
    assert run("refresh", *ZONES, "--model", "naive") == 0
    # Old days were filled: only the newest, which are still revised, are requested.
    generation = [each for each in upstream.requested[requested:] if "fuel-type" in each]
    assert len(generation) == 1
    assert "2026-0" in starts(upstream, "fuel-type-data")[-1]


def test_a_kill_loses_nothing_and_repeats_at_most_the_span_it_was_in(
    tmp_path: Path, upstream: Publishers, run: Run, home: DataDirectory
) -> None:
    whole = DataDirectory(tmp_path / "whole")
    assert run(*WORDS, GRIDTIDE_HOME=str(whole.root)) == 0
    of_whole = upstream.requested.copy()
    upstream.requested.clear()
    environ = {**os.environ, **environment(home, upstream)}
    for requested in (4, 12):
        before = len(upstream.requested)
        process = subprocess.Popen([sys.executable, "-m", "gridtide", *WORDS], env=environ)
        until = time.monotonic() + PATIENCE
        while len(upstream.requested) < before + requested and process.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    assert run(*WORDS) == 0
    # Two sources were each within one span when they were killed.
    repeated = len(upstream.requested) - len(set(upstream.requested))
    assert repeated <= 2 * 2
    assert set(of_whole) == set(upstream.requested)
    assert check(home, NOW) == []
    assert rows(home).equals(rows(whole))
    outcomes = [each.outcome for each in Ledger(home.ledger).commands()]
    assert outcomes == [Outcome.DONE, Outcome.INTERRUPTED, Outcome.INTERRUPTED]


def test_it_gives_way_to_a_refresh_and_goes_on_after_it(
    home: DataDirectory, upstream: Publishers, run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    environ = {**os.environ, **environment(home, upstream)}
    process = subprocess.Popen(
        [sys.executable, "-m", "gridtide", *WORDS, "--json"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + PATIENCE
    while len(upstream.requested) < 3:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert run("refresh", *ZONES, "--model", "naive") == 0
    out, err = process.communicate(timeout=PATIENCE * 3)
    assert process.returncode == 0, err
    assert "giving way" in err
    printed = json.loads(out)
    assert printed["gave_way"] == 1
    assert "less than a minute left" in err
    with writer_lock(home, "backfill", NOW, gives_way=True):
        assert run(*WORDS) == 4  # a second one does not wait
    assert run(*WORDS) == 0
    assert "nothing is missing" in capfd.readouterr().out
    assert check(home, NOW) == []


def test_a_publisher_that_fails_is_given_up_and_the_others_go_on(
    home: DataDirectory,
    upstream: Publishers,
    run: Run,
    capsys: pytest.CaptureFixture[str],
) -> None:
    upstream.failing["eia"] = "403"
    assert run(*WORDS) == 3
    captured = capsys.readouterr()
    assert "source_refused" in captured.err
    assert "run the command again to go on" in captured.err
    assert "uk_carbon_intensity: " in captured.out
    assert len([each for each in upstream.requested if each.startswith("/eia")]) == 1
    del upstream.failing["eia"]
    requested = len(upstream.requested)
    assert run(*WORDS) == 0
    assert all(each.startswith("/eia") for each in upstream.requested[requested:])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--source", "atlantis", "--since", SINCE], "unknown source"),
        (["--source", "entsoe", "--since", SINCE], "ENTSOE_API_TOKEN is not set"),
        (["--source", "eia", "--zone", "DE", "--since", SINCE], "eia has no data of DE"),
        (["--source", "eia", "--since", "2027-01-01"], "not before now"),
        (["--source", "eia", "--since", "then"], "--since"),
        (["--source", ",", "--since", SINCE], "--source names no source"),
    ],
)
def test_wrong_words_are_refused_before_anything_is_requested(
    upstream: Publishers,
    run: Run,
    home: DataDirectory,
    words: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("backfill", *words) == 2
    assert said in capsys.readouterr().err
    assert upstream.requested == []
    assert not home.root.exists()
