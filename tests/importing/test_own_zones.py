"""A zone of the user's own, from a file to decisions by REST, SDK and command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gridtide.cli.script import main
from gridtide.client import Client
from gridtide.errors import NoData, UnknownRegion
from gridtide.planning import Job
from gridtide_store import catalogue
from gridtide_store.regions import resolve

NOW = "2026-03-02T12:00Z"
END = datetime(2026, 3, 2, 12, tzinfo=UTC)


def said(
    capsys: pytest.CaptureFixture[str], environ: dict[str, str], *words: str
) -> dict[str, Any]:
    """What a command prints with ``--json``."""
    capsys.readouterr()
    assert main([*words, "--json"], environ) == 0, capsys.readouterr().err
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_a_zone_of_your_own_is_answered_like_any_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["zeit;Sonne (kWh);Gas (kWh)"]
    for i in range(24 * 8):
        start = END - timedelta(hours=24 * 8 - i)
        sun = 4000 if 8 <= start.hour < 16 else 0
        lines.append(f"{start:%Y-%m-%d %H:%M};{sun};{5000 - sun}")
    path = tmp_path / "campus.csv"
    path.write_text("\n".join(lines))
    environ = {"GRIDTIDE_HOME": str(tmp_path / "home"), "GRIDTIDE_NOW": NOW}
    columns = ["--time-column", "zeit", "--map", "solar=Sonne (kWh)", "--map", "gas=Gas (kWh)"]
    words = ["import", str(path), "--zone", "X-Campus", "--timezone", "UTC", *columns]
    imported = said(capsys, environ, *words, "--label", "start")
    assert imported["files"][0]["zone"] == "x-campus"
    assert imported["derived_rows"] == 3 * 24 * 8
    said(capsys, environ, "issue", "--zone", "x-campus", "--model", "naive")
    said(capsys, environ, "publish")
    window = said(capsys, environ, "best-window", "x-campus", "--hours", "4")
    assert window["zone"] == window["zone_name"] == "x-campus"
    assert window["start"] == "2026-03-02T12:00:00Z"  # in the sun
    with Client(environ=environ) as client:
        assert client.best_window("x-campus", hours=4).to_json() == window
        [zone] = client.zones().zones
        assert (zone.zone, zone.country, zone.lat) == ("x-campus", None, None)
        at = client.intensity("X-CAMPUS")
        assert at.zone == "x-campus"
        best = client.best_region(["x-campus"], hours=2)
        assert best.zone == "x-campus"
        planned = client.plan(Job(timedelta(hours=2)), ["x-campus"])
        assert {slot.region for slot in planned.slots} == {"x-campus"}
        with pytest.raises(NoData, match="x-camp is a zone of your own, and nothing is imp"):
            client.best_window("x-camp", hours=4)


@pytest.mark.parametrize("name", ["x-", "x--a", "x_campus", "x-caf\u00e9", "x-" + "a" * 60])
def test_what_is_not_a_key_of_a_zone_of_your_own_is_unknown(name: str) -> None:
    assert catalogue.own_zone(name) is None
    with pytest.raises(UnknownRegion):
        resolve(name)


def test_no_zone_of_the_catalogue_is_called_as_one_of_your_own() -> None:
    assert not [key for key in catalogue.load().zones if catalogue.own_zone(key)]
