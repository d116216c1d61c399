"""The script as a process of its own, and its errors as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from gridtide import plugins
from gridtide.cli.command import command
from gridtide.cli.script import main
from gridtide.cli.terminal import Terminal
from tests.sdk.test_cli import Capture


def run_script(*words: str, **kwargs: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401
    return subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **kwargs,
    )


def test_the_version_is_the_installed_one(capsys: Capture) -> None:
    assert main(["--version"], {}) == 0
    assert capsys.readouterr().out == f"gridtide {plugins.own_version()}\n"
    done = run_script("-m", "gridtide", "--version")
    assert (done.stdout, done.stderr, done.returncode) == (
        f"gridtide {plugins.own_version()}\n",
        "",
        0,
    )


def test_a_reader_that_stops_reading_is_no_error() -> None:
    many = "import sys\nfrom gridtide.cli import queries as module, script\n"
    many += "from gridtide.cli.command import command\n"
    many += "def zones(terminal):\n    terminal.result(*['x' * 99] * 9999)\n    return 0\n"
    many += "module.zones = command('zones', examples=[])(zones)\n"
    many += "sys.exit(script.main(['zones'], {}))"
    process = subprocess.Popen(
        [sys.executable, "-c", many], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("x")
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_asking_a_service_elsewhere_loads_nothing_of_the_one_here(address: str) -> None:
    # The service is installed beside these tests, with its commands and its libraries.
    code = f"""if True:
        import sys
        from gridtide.cli.script import main
        assert main(["best-window", "DE", "--hours", "4"], {{"GRIDTIDE_URL": "{address}"}}) == 0
        heavy = {{"duckdb", "polars", "numpy", "pandas", "fastapi", "starlette", "pydantic"}}
        ours = {{"gridtide_store", "gridtide_pipelines", "gridtide_server"}}
        sys.exit(f"loaded: {{(heavy | ours) & set(sys.modules)}}" if (heavy | ours) & set(
            sys.modules) else 0)
    """
    done = run_script("-c", code)
    assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["best-window", "DE"], ["hours"]),
        (["best-window", "DE", "--hours"], ["hours"]),
        (["best-window", "DE", "--hours", "x"], ["hours"]),
        (["best-window", "DE", "--hours", "2", "--earliest", "soon"], ["earliest"]),
        (["best-window", "DE", "--hours", "2", "--deadline", "2026-03-02T12:00"], ["deadline"]),
        (["best-region", "DE", "--hours", "2", "--as-of", "0001-01-01T00:00+14:00"], ["as_of"]),
        (["now", "DE", "--max-age", "long"], ["max_age"]),
        (["now", "DE", "--colour", "red"], ["colour"]),
        (["--bogus", "now"], ["bogus"]),
        (["replan"], ["PLAN"]),
        (["batch", "a", "b"], ["b"]),
        ([], []),
        (["nonsense"], []),
        (["best-window", "--hours", "2"], []),
        (["plan", "DE", "--hours", "-1"], ["job.hours"]),
        (["batch", "/missing"], []),
        (["now", "DE", "--now", "x"], ["--now"]),
    ],
)
def test_with_json_every_error_is_an_object(
    words: list[str], named: list[str], capsys: Capture
) -> None:
    environ = {"GRIDTIDE_URL": "http://127.0.0.1:9"}
    code = main(words, environ)
    in_words = capsys.readouterr()
    assert main(["--json", *words], environ) == code == 2
    out, err = capsys.readouterr()
    assert out == in_words.out == ""
    problem = json.loads(err)
    assert (problem["code"], problem["status"]) == ("bad_input", 422)
    assert problem["detail"]
    assert [each["parameter"] for each in problem.get("errors", [])] == named
    assert all(each["message"] for each in problem.get("errors", []))


def test_with_json_a_fault_of_the_machine_is_an_object(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def zones(terminal: Terminal) -> int:
        raise OSError(28, "No space left on device", "/data/live")

    monkeypatch.setattr("gridtide.cli.queries.zones", command("zones", examples=[])(zones))
    assert main(["zones"], {}) == 1
    assert capsys.readouterr().err.startswith("gridtide: [Errno 28] No space left on device")
    assert main(["zones", "--json"], {}) == 1
    problem = json.loads(capsys.readouterr().err)
    assert problem["code"] == "system_fault"
    assert "No space left on device: '/data/live'; look at the disk" in problem["detail"]
