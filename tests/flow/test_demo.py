"""A first answer on a machine without network, then the service, until interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from gridtide.cli.script import main

pytestmark = pytest.mark.slow

# Nothing listens there, so that the demo finds no live source.
NOWHERE = "http://127.0.0.1:9"


def test_demo_answers_from_the_simulated_grid_and_serves_until_interrupted(
    tmp_path: Path,
) -> None:
    environ = {**os.environ, "GRIDTIDE_UK_CARBON_INTENSITY_URL": NOWHERE}
    command = [sys.executable, "-m", "gridtide", "demo", "--port", "0", "--home", str(tmp_path)]
    process = subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if "gridtide serves http://" in line:
            break
    address = line.partition("gridtide serves ")[2].strip()
    with urllib.request.urlopen(f"{address}/v1/best-window?region=DE&hours=4") as answer:  # noqa: S310  # loopback
        served = json.load(answer)
    process.send_signal(signal.SIGINT)
    printed, rest = process.communicate(timeout=60)
    assert process.returncode in (0, 130), said + rest
    assert "not real data" in said
    assert f"export GRIDTIDE_HOME={tmp_path / 'simulated'}\n" in said
    assert "SIMULATED" in printed
    assert served["simulated"] is True
    assert served["quality"] == "simulated"
    assert served["licence"] == "simulated, not real data"
    assert not (tmp_path / "live" / "CURRENT").exists()


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
    environ = {
        "GRIDTIDE_UK_CARBON_INTENSITY_URL": NOWHERE,
        "GRIDTIDE_HOME": str(tmp_path / "home"),
    }
    assert main(["demo", *words], environ) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "home").exists()
