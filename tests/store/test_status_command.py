"""``gridtide status``: data directory, last refresh, late zones, lock and disk."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gridtide.cli import script
from gridtide_store.data_directory import DataDirectory, writer_lock

NOW = "2026-03-02T12:00Z"


def status(home: Path, capsys: pytest.CaptureFixture[str], *words: str, now: str = NOW) -> Any:  # noqa: ANN401
    environ = {"GRIDTIDE_HOME": str(home), "GRIDTIDE_NOW": now}
    assert script.main(["status", "--json", *words], environ) == 0
    return json.loads(capsys.readouterr().out)


def test_a_data_directory_that_is_not_there_is_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "a" / "home"
    found = status(home, capsys)
    assert (found["data_directory"], found["bytes"]) == (str(home), 0)
    assert (found["last_refresh"], found["snapshot"], found["zones"]) == (None, None, 0)
    assert (found["late"], found["lock"]) == ([], None)
    assert 0 < found["disk"]["free_bytes"] <= found["disk"]["total_bytes"]
    assert list(tmp_path.iterdir()) == []


def test_the_sources_of_a_data_directory_that_is_not_there_are_listed_without_making_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"GRIDTIDE_HOME": str(tmp_path / "home"), "GRIDTIDE_NOW": NOW}
    assert script.main(["sources", "--json"], environ) == 0
    listed = json.loads(capsys.readouterr().out)["sources"]
    assert {source["source"] for source in listed} >= {"eia", "entsoe", "uk_carbon_intensity"}
    assert {(source["last"], len(source["flags"])) for source in listed} == {(None, 0)}
    assert list(tmp_path.iterdir()) == []


def test_what_a_refresh_leaves_and_who_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "home"
    environ = {"GRIDTIDE_HOME": str(root), "GRIDTIDE_NOW": NOW, "GRIDTIDE_WORKERS": "1"}
    words = ["refresh", "--simulate", "--zone", "DE", "--model", "naive"]
    assert script.main(words, environ) == 0
    capsys.readouterr()
    found = status(root, capsys)
    files = [path for path in root.rglob("*") if path.is_file()]
    assert found["bytes"] == sum(path.stat().st_size for path in files)
    assert sum(found["parts"].values()) <= found["bytes"]
    last = found["last_refresh"]
    assert (last["outcome"], last["exit_code"], last["failed"]) == ("done", 0, {})
    assert (found["zones"], found["late"], found["lock"]) == (1, [], None)
    # Seven hours later the zone's newest slot is older than the default of six.
    (late,) = status(root, capsys, now="2026-03-02T19:00Z")["late"]
    assert late["zone"] == "DE"
    assert late["age_seconds"] == 7 * 3600
    with writer_lock(DataDirectory(root), "import", datetime(2026, 3, 2, tzinfo=UTC)):
        holder = status(root, capsys)["lock"]
        assert script.main(["status"], environ) == 0
    assert holder == f"import (pid {os.getpid()}) holds the lock since 2026-03-02T00:00:00Z"
    lines = capsys.readouterr().out.splitlines()
    assert f"data directory  {root}" in lines
    assert f"lock            {holder}" in lines
    assert "zones           1, 0 of them late" in lines


@pytest.mark.parametrize("part", ["snapshots/*/delta.duckdb", "ledger.sqlite"])
def test_what_is_damaged_is_named_beside_the_rest(
    part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "home"
    environ = {"GRIDTIDE_HOME": str(root), "GRIDTIDE_NOW": NOW, "GRIDTIDE_WORKERS": "1"}
    words = ["refresh", "--simulate", "--zone", "DE", "--model", "naive"]
    assert script.main(words, environ) == 0
    (path,) = root.glob(part)
    path.write_bytes(b"damaged")
    capsys.readouterr()
    assert script.main(["status", "--json"], environ) == 1
    found = json.loads(capsys.readouterr().out)
    (problem,) = found["problems"]
    assert path.name in problem
    assert (found["last_refresh"] is None) == (path.name == "ledger.sqlite")
    assert (found["snapshot"] is None) == (path.name != "ledger.sqlite")
    assert script.main(["status"], environ) == 1
    assert f"problem         {problem}" in capsys.readouterr().out.splitlines()
