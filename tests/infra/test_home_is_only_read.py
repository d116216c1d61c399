"""The server has the home read-only in every file under infra/; here it is asked everything."""

from __future__ import annotations

import asyncio
import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from gridtide.cli import script
from gridtide_server.local import application

NOW = datetime(2026, 3, 2, tzinfo=UTC)
QUESTIONS = {
    "/healthz": 200,
    "/readyz": 200,
    "/metrics": 200,
    "/v1/zones": 200,
    "/v1/zones?all=true": 200,
    "/v1/zones/DE/intensity": 200,
    "/v1/zones/DE/intensity?start=2026-02-20T00:00Z&end=2026-03-02T00:00Z": 200,
    "/v1/zones/DE/intensity?as_of=2026-02-25T00:00Z": 200,
    "/v1/zones/DE/forecast": 200,
    "/v1/best-window?region=DE&hours=4": 200,
    "/v1/best-region?region=DE,FR&hours=4": 200,
    "/v1/best-window?region=FR&hours=4": 404,
}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A home with ten days of Germany, a forecast, and both published."""
    environ = {
        "GRIDTIDE_HOME": str(tmp_path / "home"),
        "GRIDTIDE_NOW": f"{NOW:%Y-%m-%dT%H:%MZ}",
        "GRIDTIDE_WORKERS": "1",
        "PATH": "/usr/bin:/bin",
    }
    file = tmp_path / "mix.csv"
    with file.open("w", newline="") as opened:
        rows = csv.writer(opened)
        rows.writerow(["ts_utc", "gen_gas_mwh", "gen_solar_mwh"])
        for hour in range(240):
            start = NOW - timedelta(hours=240 - hour)
            rows.writerow([start.isoformat(), 100, 80 if 8 <= start.hour < 16 else 0])
    for words in (
        ["import", str(file), "--zone", "DE", "--label", "start"],
        ["forecast", "--model", "naive"],
        ["publish"],
    ):
        assert script.main(words, environ) == 0
    return environ


def contents(home: Path) -> dict[str, tuple[int, int]]:
    """Every file and folder with its size and the time it was last changed."""
    return {
        str(path.relative_to(home)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in home.rglob("*")
    }


def asked(environ: dict[str, str]) -> dict[str, int]:
    """The status of each question's answer."""

    async def ask() -> dict[str, int]:
        transport = httpx.ASGITransport(application(environ))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return {each: (await client.get(each)).status_code for each in QUESTIONS}

    return asyncio.run(ask())


def test_answering_every_kind_of_question_changes_no_file(environ: dict[str, str]) -> None:
    home = Path(environ["GRIDTIDE_HOME"])
    before = contents(home)
    assert asked(environ) == QUESTIONS
    assert contents(home) == before
    assert len(before) > 5


def test_a_home_that_does_not_exist_is_not_made(tmp_path: Path) -> None:
    environ = {"GRIDTIDE_HOME": str(tmp_path / "home")}
    answers = asked(environ)
    assert answers["/healthz"] == 200
    assert {answers["/readyz"], answers["/v1/zones"]} == {503}
    assert list(tmp_path.iterdir()) == []
