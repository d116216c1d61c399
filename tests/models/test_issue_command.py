"""``gridtide issue``, alias ``gridtide forecast`` without a region: output and exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide.cli import script
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.store import Store
from gridtide_store.vocabulary import OBSERVATION

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
Run = Callable[..., int]


@pytest.fixture
def home(tmp_path: Path) -> DataDirectory:
    return DataDirectory(tmp_path / "home")


@pytest.fixture
def filled(home: DataDirectory) -> DataDirectory:
    """Two days of DE up to now, and of FR up to ten days ago."""
    with Store.open(home) as store:
        for zone, end in (("DE", NOW), ("FR", NOW - timedelta(days=10))):
            starts = [end - HOUR * (48 - i) for i in range(48)]
            rows = {
                "zone": zone,
                "signal": "ci_lifecycle_produced",
                "source": "file",
                "slot_start": starts,
                "slot_end": [start + HOUR for start in starts],
                "value": 300.0,
                "quality": "measured",
                "known_at": [start + HOUR for start in starts],
                "retrieval_id": 1,
            }
            store.append(pl.DataFrame(rows, schema=OBSERVATION))
    return home


@pytest.fixture(params=["issue", "forecast"])
def run(home: DataDirectory, request: pytest.FixtureRequest) -> Run:
    def call(*words: str) -> int:
        environ = {"GRIDTIDE_HOME": str(home.root), "GRIDTIDE_NOW": "2026-03-02T12:00Z"}
        return script.main([request.param, *words], environ)

    return call


def test_json_is_one_document_and_a_stale_zone_spoils_nothing(
    run: Run, filled: DataDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--json") == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert (document["rows"], document["runs"]) == (72, {"naive@1": 1})
    assert list(document["not_forecast"]) == ["FR"]
    assert "no forecast: FR" in printed.err


def test_plain_output_is_one_line(
    run: Run, filled: DataDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--zone", "DE", "--model", "naive") == 0
    printed = capsys.readouterr()
    assert printed.out == "72 forecast rows stored; runs by model: naive@1 1\n"
    assert printed.err == ""


def test_when_no_zone_could_be_forecast_it_has_failed(
    run: Run, filled: DataDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--zone", "FR") == 1
    assert "import or refresh newer data" in capsys.readouterr().err


def test_an_empty_store_says_where_data_comes_from(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run() == 2
    assert "fill it with `gridtide refresh` or `gridtide import`" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [("--zone", "ZZ"), ("--zone", ""), ("--zone", ","), ("--model", "oracle"), ("--model", "")],
)
def test_a_wrong_name_is_bad_input(
    words: tuple[str, ...], run: Run, filled: DataDirectory
) -> None:
    assert run(*words) == 2


def test_a_locked_home_is_left_alone(
    run: Run, filled: DataDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    with writer_lock(filled, "refresh", NOW):
        assert run() == 4
    assert "refresh" in capsys.readouterr().err
