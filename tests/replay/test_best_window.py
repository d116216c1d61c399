"""From documents of ENTSO-E to the best window: by command line, REST and SDK alike."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridtide.client import Client
from tests.replay.serving import environ, replaying, run

pytestmark = pytest.mark.slow

ZONES = ("DE", "FR")
HOURS = 4


def windows(home: Path, now: str) -> dict[str, dict[str, Any]]:
    """The best window of each zone, found to be the same in three ways."""
    settings = {"GRIDTIDE_HOME": str(home), "GRIDTIDE_NOW": now}
    found = {}
    for zone in ZONES:
        done = run(["best-window", zone, "--hours", str(HOURS), "--json"], **settings)
        assert done.returncode == 0, done.stderr
        found[zone] = json.loads(done.stdout)
    command = [sys.executable, "-m", "gridtide", "serve", "--port", "0"]
    with subprocess.Popen(
        command, env=environ(**settings), text=True, stderr=subprocess.PIPE
    ) as served:
        assert served.stderr
        try:
            said = ""
            while not (announced := re.search(r"gridtide serves (http:\S+)", said)):
                said = served.stderr.readline()
                assert said
            for zone in ZONES:
                address = f"{announced[1]}/v1/best-window?region={zone}&hours={HOURS}"
                assert httpx.get(address).json() == found[zone]
        finally:
            served.send_signal(signal.SIGTERM)
            served.communicate(timeout=30)
    with Client(environ=settings) as client:
        for zone in ZONES:
            window = client.best_window(zone, hours=HOURS)
            assert window.to_json() == found[zone]
    return found


def test_documents_that_are_simulated_lead_to_a_window_that_says_so(tmp_path: Path) -> None:
    now, home = "2026-01-15T06:07Z", tmp_path / "home"
    words = ["refresh", "--zone", "DE,FR", "--since", "2026-01-07T00:00Z", "--model", "weekly"]
    with replaying("--simulate", now=now) as server:
        done = run([*words, "--home", str(home)], **server.leading_to("entsoe"))
        assert done.returncode == 0, done.stderr
        assert set(server.counts()) == {"entsoe"}
    for zone, window in windows(home, now).items():
        assert window["zone"] == zone
        assert window["signal"] == "ci_lifecycle_produced"
        assert window["simulated"] is True
        assert 0 < window["mean"] < 800


@pytest.mark.recorded
def test_documents_that_were_recorded_lead_to_a_window(tmp_path: Path, recorded: Path) -> None:
    now, home, folder = "2021-01-02T00:07Z", tmp_path / "home", tmp_path / "folder"
    bodies = {
        "10Y1001A1001A83F": "DE_A75_20210101_recorded20251129.xml",
        "10YFR-RTE------C": "FR_A75_20210101_recorded20251129.xml",
    }
    folder.mkdir()
    for name in (*bodies.values(), "ack_no_data_FR_A65_2050.xml"):
        shutil.copy(recorded / "fixtures/entsoe" / name, folder)
    table = folder / "requests.csv"
    table.write_text("method,url,file,status\n")
    words = ["refresh", "--zone", "DE,FR", "--since", "2021-01-01T00:00Z", "--model", "naive"]
    # What a refresh requests is learned from a server that has nothing of it.
    with replaying(folder, "--fault", "entsoe=no-data", now=now) as server:
        run([*words, "--home", str(tmp_path / "learned")], **server.leading_to("entsoe"))
        missing = server.missing()
    with table.open("a") as lines:
        for each in missing:
            assert "replay" not in each["url"]  # the key
            code = re.search(r"documentType=A75.*in_Domain=([^&]+)", each["url"])
            file = bodies[code[1]] if code else "ack_no_data_FR_A65_2050.xml"
            lines.write(f'GET,"{each["url"]}",{file},200\n')
    with replaying(folder, now=now) as server:
        done = run([*words, "--home", str(home)], **server.leading_to("entsoe"))
        assert done.returncode == 0, done.stderr
        assert not server.missing()
    for zone, window in windows(home, now).items():
        assert window["zone"] == zone
        assert window["simulated"] is False
        assert 0 < window["mean"] < 800
