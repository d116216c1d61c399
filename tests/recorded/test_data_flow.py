"""The whole line on real data: eight zones in, one best window out, three ways alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.flow.test_kill import server

pytestmark = [pytest.mark.recorded, pytest.mark.slow]

NOW = datetime(2021, 10, 1, tzinfo=UTC)
# The README of the data says which label each region's hours carry.
FILES = {
    "BPAT": ("US-NW-BPAT", "end"),
    "CISO": ("US-CAL-CISO", "start"),
    "DE": ("DE", "start"),
    "FPL": ("US-FLA-FPL", "end"),
    "ISNE": ("US-NE-ISNE", "end"),
    "NL": ("NL", "start"),
    "PJM": ("US-MIDA-PJM", "start"),
    "PL": ("PL", "start"),
}
ZONES = [zone for zone, _ in FILES.values()]


@pytest.fixture(scope="module")
def environ(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a home with all eight zones, refreshed at NOW."""
    home = tmp_path_factory.mktemp("line") / "home"
    environ = {**os.environ, "GRIDTIDE_HOME": str(home)}
    for name, (zone, label) in FILES.items():
        path = recorded / "data" / "carboncast" / f"{name}.parquet"
        printed = ask(environ, "import", str(path), "--zone", zone, "--label", label)
        assert printed["files"][0]["slots"] == 26_304
    printed = ask(environ, "refresh", "--now", "2021-10-01T00:00Z")
    assert printed["exit_code"] == 0
    assert printed["not_forecast"] == {}
    return {**environ, "GRIDTIDE_NOW": "2021-10-01T00:00Z"}


@pytest.fixture(scope="module")
def address(environ: dict[str, str]) -> Iterator[str]:
    with server(environ, now=NOW) as found:
        yield found


def ask(environ: dict[str, str], *words: str) -> dict[str, Any]:
    """The one JSON document a command prints."""
    command = [sys.executable, "-m", "gridtide", *words, "--json"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def get(address: str, question: str) -> dict[str, Any]:
    with urllib.request.urlopen(address + question, timeout=60) as answer:  # noqa: S310  # loopback
        return dict(json.load(answer))


def by_sdk(environ: dict[str, str], call: str) -> dict[str, Any]:
    """What a script gets that imports the SDK and asks it, in the same process."""
    script = f"import json, gridtide as sdk; print(json.dumps({call}.to_json()))"
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout))


def test_sdk_rest_and_command_line_give_the_same_window(
    environ: dict[str, str], address: str
) -> None:
    ways = [
        ask(environ, "best-window", "DE", "--hours", "4"),
        get(address, "/v1/best-window?region=DE&hours=4"),
        by_sdk(environ, 'sdk.best_window("DE", hours=4)'),
        by_sdk({**environ, "GRIDTIDE_URL": address}, 'sdk.best_window("DE", hours=4)'),
    ]
    assert ways[1:] == ways[:1] * 3


def test_sdk_rest_and_command_line_give_the_same_region(
    environ: dict[str, str], address: str
) -> None:
    requested = "&".join(f"region={zone}" for zone in ZONES)
    ways = [
        ask(environ, "best-region", *ZONES, "--hours", "4"),
        get(address, f"/v1/best-region?{requested}&hours=4"),
        by_sdk(environ, f"sdk.best_region({ZONES}, hours=4)"),
    ]
    assert ways[1:] == ways[:1] * 2
    ranked = ways[0]["ranking"]
    assert {entry["zone"] for entry in ranked} == set(ZONES)
    means = [entry["mean"] for entry in ranked]
    assert means == sorted(means)
    assert ways[0]["zone"] == ranked[0]["zone"]


def test_the_saving_is_that_of_the_rows_of_the_forecast(address: str) -> None:
    answer = get(address, "/v1/best-window?region=DE&hours=4")
    rows = get(address, "/v1/zones/DE/forecast")["slots"]
    values = {datetime.fromisoformat(row["start"]): row["p50"] for row in rows}
    assert len(values) == 72
    sums = {
        start: sum(values[start + timedelta(hours=hour)] for hour in range(4))
        for start in sorted(values)[:-3]
    }
    best = min(sums, key=lambda start: (sums[start], start))
    assert datetime.fromisoformat(answer["start"]) == best
    assert answer["mean"] == pytest.approx(sums[best] / 4)
    assert answer["mean_now"] == pytest.approx(sums[NOW] / 4)
    assert answer["saving"] == pytest.approx(1 - sums[best] / sums[NOW])


def test_nothing_that_came_after_is_seen(address: str) -> None:
    latest = get(address, "/v1/zones/DE/intensity")["slots"]
    assert [slot["end"] for slot in latest] == ["2021-10-01T00:00:00Z"]
    later = "/v1/zones/DE/intensity?start=2021-10-01T00:00Z&end=2021-10-02T00:00Z"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(address, later)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(address, "/v1/zones/DE/forecast?as_of=2021-09-30T23:59Z")
