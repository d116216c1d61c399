"""``--knowledge``: a backtest over history that was received years after its slots."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide.cli.script import main
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.records import Facts
from gridtide_store.store import Store
from gridtide_store.vocabulary import OBSERVATION

HOUR = timedelta(hours=1)
START = datetime(2021, 1, 1, tzinfo=UTC)
HOURS = 30 * 24
RECEIVED = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 2, tzinfo=UTC)
SOURCE = "derived@ipcc_ar5/late"

Run = Callable[..., tuple[int, str, str]]


def rows(value: float, known_at: datetime, *, hours: range = range(HOURS)) -> pl.DataFrame:
    starts = [START + hour * HOUR for hour in hours]
    return pl.DataFrame(
        {
            "zone": "DE",
            "signal": "ci_lifecycle_produced",
            "source": SOURCE,
            "slot_start": starts,
            "slot_end": [each + HOUR for each in starts],
            "value": [value + each.hour for each in starts],
            "quality": "derived",
            "known_at": known_at,
            "retrieval_id": 1,
        },
        schema=OBSERVATION,
    )


@pytest.fixture
def home(tmp_path: Path) -> DataDirectory:
    home = DataDirectory(tmp_path / "home")
    with writer_lock(home, "test", NOW), Store.open(home) as store:
        store.append(rows(100.0, RECEIVED))
    Ledger(home.ledger).set_source(Facts("late", "Late", "", "none", lag_seconds=7200))
    return home


@pytest.fixture
def run(home: DataDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: str) -> tuple[int, str, str]:
        environ = {"GRIDTIDE_HOME": str(home.root), "GRIDTIDE_NOW": NOW.isoformat()}
        code = main(list(words), environ)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def backtest(run: Run, out: Path, *words: str) -> tuple[int, str, str]:
    issues = ("--issues", "2021-01-20/2021-01-21", "--model", "weekly")
    return run("backtest", "--zone", "DE", *issues, "--out", str(out), *words)


def test_a_backtest_of_late_history_needs_the_usual_knowledge_time(
    run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "out.parquet"
    for words in ((), ("--knowledge", "stored")):
        code, _, err = backtest(run, out, *words)
        assert code == 2
        assert "no forecast can be issued" in err
    code, printed, err = backtest(run, out, "--knowledge", "usual", "--json")
    assert code == 0, err
    document = json.loads(printed)
    assert document["knowledge"] == "usual"
    assert document["usual_lag_seconds"] == {"late": 7200.0}
    assert document["rows"] == 144
    text = backtest(run, out, "--knowledge", "usual")[1]
    assert (
        "knowledge time: usual, the end of the slot and the lag of its source (late 2 h)"
        in text
    )


def test_a_revision_after_an_issue_changes_nothing_by_either_knowledge_time(
    run: Run, home: DataDirectory, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    assert backtest(run, first, "--knowledge", "usual")[0] == 0
    with writer_lock(home, "test", NOW), Store.open(home) as store:
        store.append(rows(900.0, NOW - HOUR))
    assert backtest(run, second, "--knowledge", "usual")[0] == 0
    assert pl.read_parquet(first).equals(pl.read_parquet(second))
    assert backtest(run, second, "--knowledge", "stored")[0] == 2


def test_what_was_known_in_time_is_the_same_by_either_knowledge_time(
    run: Run, home: DataDirectory, tmp_path: Path
) -> None:
    zone = ("--zone", "FR", "--issues", "2021-01-20/2021-01-20", "--model", "weekly")
    with writer_lock(home, "test", NOW), Store.open(home) as store:
        live = rows(50.0, RECEIVED).with_columns(
            zone=pl.lit("FR"), known_at=pl.col("slot_end") + HOUR / 2
        )
        store.append(live)
    found = []
    for knowledge in ("stored", "usual"):
        out = tmp_path / f"{knowledge}.parquet"
        code, _, err = run("backtest", *zone, "--out", str(out), "--knowledge", knowledge)
        assert code == 0, err
        found.append(pl.read_parquet(out))
    assert found[0].equals(found[1])


def test_a_simulation_says_by_which_knowledge_time(run: Run) -> None:
    words = (
        *("simulate", "--zone", "DE", "--from", "2021-01-20", "--to", "2021-01-22"),
        *("--policy", "best-window", "--model", "weekly"),
    )
    code, _, err = run(*words)
    assert code == 1
    assert "no forecast can be issued" in err
    code, out, err = run(*words, "--knowledge", "usual", "--json")
    assert code == 0, err
    document = json.loads(out)
    assert (document["knowledge"], document["usual_lag_seconds"]) == ("usual", {"late": 7200.0})
    assert document["zones"][0]["forecasts_reissued"] == 2
    assert "knowledge time: usual" in run(*words, "--knowledge", "usual")[1].splitlines()[-1]


def test_without_a_known_lag_or_with_files_the_choice_is_refused(
    run: Run, home: DataDirectory, tmp_path: Path
) -> None:
    Ledger(home.ledger).set_source(Facts("late", "Late", "", "none"))
    code, _, err = backtest(run, tmp_path / "out.parquet", "--knowledge", "usual")
    assert code == 2
    assert "the usual lag of no source here is known" in err
    for knowledge in ("stored", "usual"):
        files = ("--data", str(tmp_path), "--knowledge", knowledge)
        code, _, err = backtest(run, tmp_path / "out.parquet", *files)
        assert code == 2
        assert "--knowledge is about the store" in err
