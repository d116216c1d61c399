"""infra/compose.yaml: one writer and one reader on one volume."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own

from gridtide_pipelines.ingest.sources import sources

ROOT = Path(__file__).resolve().parents[2]
HOME = "/var/lib/gridtide"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "infra" / "compose.yaml").read_text())
    assert isinstance(loaded, dict)
    return loaded


@pytest.fixture(scope="module")
def server(compose: dict[str, Any]) -> dict[str, Any]:
    service = compose["services"]["server"]
    assert isinstance(service, dict)
    return service


@pytest.fixture(scope="module")
def refresh(compose: dict[str, Any]) -> dict[str, Any]:
    service = compose["services"]["refresh"]
    assert isinstance(service, dict)
    return service


def test_there_is_a_server_and_a_refresh_and_nothing_else(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"server", "refresh"}


def test_only_the_refresh_can_write_the_one_volume(
    compose: dict[str, Any], server: dict[str, Any], refresh: dict[str, Any]
) -> None:
    (volume,) = compose["volumes"]
    assert refresh["volumes"] == [f"{volume}:{HOME}"]
    assert server["volumes"] == [f"{volume}:{HOME}:ro"]


@pytest.mark.parametrize("name", ["server", "refresh"])
def test_a_service_has_no_more_rights_than_it_needs(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    user = re.search(r"^USER (.+)$", (ROOT / "infra/Containerfile").read_text(), re.MULTILINE)
    assert user is not None
    assert service["user"] == user[1]


@pytest.mark.parametrize("name", ["server", "refresh"])
def test_a_service_comes_back_by_itself_and_says_how_it_is(
    compose: dict[str, Any], name: str
) -> None:
    service = compose["services"][name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert "curl" not in " ".join(service["healthcheck"]["test"])


def test_the_image_is_built_from_the_repository(compose: dict[str, Any]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for service in compose["services"].values():
        context = (ROOT / "infra" / service["build"]["context"]).resolve()
        assert context == ROOT
        assert (context / service["build"]["dockerfile"]).is_file()
        assert service["image"] == f"gridtide:{version}"


def test_keys_reach_the_writer_alone(server: dict[str, Any], refresh: dict[str, Any]) -> None:
    (file,) = refresh["env_file"]
    assert file["required"] is False
    assert (ROOT / "infra" / (file["path"] + ".example")).is_file()
    # Whatever the file has, the environment goes before it.
    keys = dict.fromkeys([*key_names(), "GRIDTIDE_API_KEY"], "")
    assert server["environment"] == keys
    assert "EIA_API_KEY" in keys


def key_names() -> list[str]:
    """The variables of all keys of publishers."""
    return [
        name
        for source in sources().values()
        if source.credentials
        for name in source.credentials.variables
    ]


def test_both_services_read_the_settings(
    server: dict[str, Any], refresh: dict[str, Any]
) -> None:
    own, *shared = server["env_file"]
    assert shared == refresh["env_file"]
    lines = (ROOT / "infra" / own).read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "GRIDTIDE_ALLOWED_HOSTS=${GRIDTIDE_ALLOWED_HOSTS:-localhost,127.0.0.1,server}",
        "GRIDTIDE_CORS=${GRIDTIDE_CORS:-0}",
    ]


@pytest.mark.parametrize("name", ["server", "refresh"])
def test_memory_processes_and_descriptors_are_limited(
    compose: dict[str, Any], name: str
) -> None:
    service = compose["services"][name]
    assert re.fullmatch(r"[1-9]\d*g", service["mem_limit"])
    assert 64 <= service["pids_limit"] <= 1024
    assert service["ulimits"]["nofile"] == 4096


def test_the_file_of_keys_is_never_committed() -> None:
    ignored = subprocess.run(
        ["git", "check-ignore", "--quiet", "infra/gridtide.env"], cwd=ROOT, check=False
    )
    assert ignored.returncode == 0


def test_the_server_is_offered_to_this_machine_only(server: dict[str, Any]) -> None:
    assert server["ports"] == ["127.0.0.1:8000:8000"]


def script(refresh: dict[str, Any]) -> str:
    """The shell's text after Compose has replaced its own escape."""
    assert refresh["entrypoint"] == ["/bin/sh", "-c"]
    (text,) = refresh["command"]
    assert "$" not in text.replace("$$", "")
    return str(text).replace("$$", "$")


def test_the_loop_is_shell(refresh: dict[str, Any]) -> None:
    checked = subprocess.run(
        ["/bin/sh", "-n"], input=script(refresh), text=True, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize(
    ("now", "wait"),
    # By hand: runs are due at xx:07:00, so at 12:00:00 in 420 s, at 12:07:00 in a full hour
    # and at 12:07:01 in one second less.
    [(43_200, 420), (43_620, 3_600), (43_621, 3_599)],
)
def test_the_loop_waits_until_seven_past(refresh: dict[str, Any], now: int, wait: int) -> None:
    sleep = re.search(r"sleep (\$\(\(.*\)\))", script(refresh))
    assert sleep is not None
    arithmetic = sleep[1].replace("$(date +%s)", str(now))
    done = subprocess.run(
        ["/bin/sh", "-c", f"echo {arithmetic}"], text=True, capture_output=True, check=True
    )
    assert int(done.stdout) == wait


def test_the_loop_outlives_a_failed_run(refresh: dict[str, Any], tmp_path: Path) -> None:
    """With a refresh that fails and a sleep that ends the loop on its second call."""
    for name, text in {
        "gridtide": 'echo run >> "$LOG"; exit 3',
        "sleep": 'echo sleep >> "$LOG"; test "$(grep -c sleep "$LOG")" -lt 2 || kill $PPID',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    log = tmp_path / "log"
    done = subprocess.run(
        ["/bin/sh", "-c", script(refresh)],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "LOG": str(log)},
        text=True,
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert log.read_text().split() == ["run", "sleep", "run", "sleep"]
    assert done.stderr.count("ended with exit code 3") == 2
