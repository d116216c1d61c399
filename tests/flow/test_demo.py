"""A first answer with and without network, then the service, until interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gridtide.cli.script import main
from gridtide_pipelines.ingest.access import setting_of
from gridtide_pipelines.ingest.sources import sources
from tests.replay.serving import replaying

pytestmark = pytest.mark.slow

# Nothing listens there, so that the demo finds no live source.
NOWHERE = {
    setting_of(source, host): "http://127.0.0.1:9"
    for source in sources().values()
    if "GB" in source.zones
    for host in ("", *source.hosts)
}


def demonstrated(
    home: Path, region: str, settings: Mapping[str, str]
) -> tuple[str, str, dict[str, Any]]:
    """What the demo prints and says until it is interrupted, and the window it serves."""
    command = [sys.executable, "-m", "gridtide", "demo", "--port", "0", "--home", str(home)]
    process = subprocess.Popen(
        command,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if "gridtide serves http://" in line:
            break
    address = line.partition("gridtide serves ")[2].strip()
    request = f"{address}/v1/best-window?region={region}&hours=4"
    with urllib.request.urlopen(request) as answer:  # noqa: S310  # loopback
        served = json.load(answer)
    process.send_signal(signal.SIGINT)
    printed, rest = process.communicate(timeout=60)
    assert process.returncode in (0, 130), said + rest
    return printed, said, served


def test_demo_answers_from_the_simulated_grid_and_serves_until_interrupted(
    tmp_path: Path,
) -> None:
    printed, said, served = demonstrated(tmp_path, "DE", NOWHERE)
    assert "not real data" in said
    assert f"export GRIDTIDE_HOME={tmp_path / 'simulated'}\n" in said
    assert "SIMULATED" in printed
    assert served["simulated"] is True
    assert served["quality"] == "simulated"
    assert served["licence"] == "simulated, not real data"
    assert not (tmp_path / "live" / "CURRENT").exists()


def test_demo_answers_for_one_zone_from_a_publisher_that_can_be_reached(tmp_path: Path) -> None:
    with replaying("--simulate") as server:
        moved = server.leading_to("uk_carbon_intensity")
        printed, said, served = demonstrated(tmp_path, "GB", moved)
        assert set(server.counts()) == {"uk_carbon_intensity"}
    assert "not real data" not in said
    assert "`gridtide refresh` then fetches all that are live" in said
    assert f"export GRIDTIDE_HOME={tmp_path / 'live'}\n" in said
    assert printed.startswith("GB ")
    assert served["zone"] == "GB"
    assert not (tmp_path / "simulated").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--hours", "0"], "--hours is"),
        (["--hours", "nan"], "--hours is"),
        (["--hours", "long"], "--hours is"),
        (["--port", "70000"], "--port"),
        (["--port", "-1"], "--port"),
    ],
)
def test_wrong_options_are_refused_before_the_refresh(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {**NOWHERE, "GRIDTIDE_HOME": str(tmp_path / "home")}
    assert main(["demo", *words], environ) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "home").exists()
