"""The systemd units: parsed, and verified where systemd is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parents[2] / "infra" / "systemd"
SERVICES = ("gridtide.service", "gridtide-refresh.service")
# In every service: a bug in a parser must not reach beyond the home.
HARDENED = {
    "NoNewPrivileges": "true",
    "ProtectSystem": "strict",
    "ProtectHome": "true",
    "PrivateTmp": "true",
    "CapabilityBoundingSet": "",
    "User": "gridtide",
}


def read(name: str) -> dict[str, dict[str, list[str]]]:
    """A unit as section to name to values; a name may be repeated."""
    sections: dict[str, dict[str, list[str]]] = {}
    section = ""
    for line in (UNITS / name).read_text().splitlines():
        if not line.strip() or line.startswith(("#", ";")):
            continue
        if line.startswith("["):
            section = line.strip("[]")
            sections[section] = defaultdict(list)
            continue
        key, equals, value = line.partition("=")
        assert equals, f"{name}: {line!r} is neither a section nor a setting"
        sections[section][key].append(value)
    return sections


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_hardened(name: str) -> None:
    service = read(name)["Service"]
    assert {key: service[key] for key in HARDENED} == {k: [v] for k, v in HARDENED.items()}


@pytest.mark.parametrize("name", SERVICES)
def test_memory_processes_and_descriptors_are_limited(name: str) -> None:
    service = read(name)["Service"]
    (memory,), (tasks,), (descriptors,) = (
        service[key] for key in ("MemoryMax", "TasksMax", "LimitNOFILE")
    )
    assert memory in ("2G", "6G")
    assert 64 <= int(tasks) <= 1024
    assert int(descriptors) == 4096


def test_the_server_may_write_nowhere_and_holds_no_key() -> None:
    service = read("gridtide.service")["Service"]
    writable = {key for key in service if key.endswith("Directory") or key == "ReadWritePaths"}
    assert writable == set()
    assert "EnvironmentFile" not in service


def test_the_server_comes_back_and_starts_with_the_machine() -> None:
    unit = read("gridtide.service")
    assert unit["Service"]["Restart"] == ["always"]
    assert unit["Install"]["WantedBy"] == ["multi-user.target"]


def test_the_refresh_may_write_its_home_and_no_more() -> None:
    service = read("gridtide-refresh.service")["Service"]
    assert service["ReadWritePaths"] == ["/var/lib/gridtide"]
    assert service["StateDirectory"] == ["gridtide"]


def test_both_services_share_one_home() -> None:
    homes = {
        setting
        for name in SERVICES
        for line in read(name)["Service"]["Environment"]
        for setting in line.split()
        if setting.startswith("GRIDTIDE_HOME=")
    }
    assert homes == {"GRIDTIDE_HOME=/var/lib/gridtide"}


def test_a_held_lock_is_no_failure_but_a_failed_source_is() -> None:
    service = read("gridtide-refresh.service")["Service"]
    assert service["Type"] == ["oneshot"]
    assert service["SuccessExitStatus"] == ["4"]


def test_the_timer_is_hourly_and_makes_up_for_missed_runs() -> None:
    unit = read("gridtide-refresh.timer")
    assert unit["Timer"]["OnCalendar"] == ["*-*-* *:07:00 UTC"]
    assert unit["Timer"]["Persistent"] == ["true"]
    assert unit["Timer"]["Unit"] == ["gridtide-refresh.service"]
    assert unit["Install"]["WantedBy"] == ["timers.target"]


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here"
)
def test_systemd_finds_no_fault_in_the_units(tmp_path: Path) -> None:
    # It insists on an executable that exists; the place of ours is not this machine's.
    for unit in UNITS.iterdir():
        text = unit.read_text().replace("/opt/gridtide/bin/gridtide", sys.executable)
        (tmp_path / unit.name).write_text(text)
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))],
        text=True,
        capture_output=True,
        check=False,
    )
    ours = [line for line in verified.stderr.splitlines() if "gridtide" in line]
    assert ours == []
    assert verified.returncode == 0
