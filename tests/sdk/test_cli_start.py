"""What the script loads, and how shells complete its words."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HELP = """if True:
    import sys
    from gridtide.cli.script import main
    code = main(["--help"], {})
    heavy = {"duckdb", "polars", "numpy", "pandas", "fastapi", "pydantic", "httpx", "msgspec"}
    commands = {name for name in sys.modules if name.startswith("gridtide_pipelines.commands.")}
    loaded = heavy & set(sys.modules) | commands - {"gridtide_pipelines.commands.summaries"}
    sys.exit(f"loaded: {loaded}" if loaded else code)
"""
WITHOUT = """if True:
    import sys
    class Missing:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] in ("typer", "rich"):
                raise ModuleNotFoundError(f"{name} is not installed here", name=name)
    sys.meta_path.insert(0, Missing())
    from gridtide.cli.script import main
    sys.exit(main())
"""


def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environ},
    )


def test_the_help_loads_no_command_and_no_library_of_the_service() -> None:
    done = run("-c", HELP)
    assert (done.stderr, done.returncode) == ("", 0)
    assert "  refresh    Fetch new data, derive, forecast and publish.\n" in done.stdout


def test_without_the_extra_the_script_says_in_one_line_how_to_get_it() -> None:
    done = run("-c", WITHOUT, "now", "DE")
    assert (done.stdout, done.returncode) == ("", 1)
    assert "pip install 'gridtide[cli]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_is_one_line_for_each_option_however_narrow_the_screen() -> None:
    done = run("-m", "gridtide", "plan", "--help", COLUMNS="20", TERMINAL_WIDTH="20")
    assert "\x1b" not in done.stdout
    assert "\u2500" not in done.stdout
    lines = done.stdout.splitlines()
    (blackout,) = [line for line in lines if "--blackout" in line]
    assert blackout.endswith("or as --opening; repeatable")
    titles = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert titles == [
        *("Arguments:", "The job:", "When it may run:", "The objective:", "The regions:"),
        *("Options:", "The answer:", "For every command:", "Examples:"),
    ]


def test_help_on_a_terminal_is_coloured_and_shows_no_python_types() -> None:
    done = run("-m", "gridtide", "now", "--help", FORCE_COLOR="1", TERM="xterm-256color")
    assert "\x1b[" in done.stdout
    plain = re.sub(r"\x1b\[[\d;]*m", "", done.stdout)
    assert "--max-age" in plain
    assert " gridtide now DE,FR --signal cfe_produced" in plain
    assert not re.search(r"<\w", plain)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_printed_for_each_shell(shell: str) -> None:
    done = run("-m", "gridtide", _GRIDTIDE_COMPLETE=f"source_{shell}")
    assert done.returncode == 0
    assert "_GRIDTIDE_COMPLETE" in done.stdout


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("gridtide best-", ["best-window", "best-region"]),
        ("gridtide import x --lab", ["--label"]),
        ("gridtide import x --label ", ["start", "end"]),
        ("gridtide --home x pl", ["plan"]),
        ("gridtide plan DE --kind i", ["interruptible"]),
        ("gridtide best-window DE --hours 4 --signal cfe_", ["cfe_consumed", "cfe_produced"]),
        ("gridtide replan plan.json --work", ["--workers-now"]),
    ],
)
def test_words_are_completed(words: str, completed: list[str]) -> None:
    count = len(words.split()) - (not words.endswith(" "))
    done = run(
        *("-m", "gridtide"),
        _GRIDTIDE_COMPLETE="complete_bash",
        COMP_WORDS=words,
        COMP_CWORD=str(count),
    )
    assert (done.stdout.split(), done.stderr) == (completed, "")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_takes_the_script_and_completes_by_it(tmp_path: Path) -> None:
    (tmp_path / "gridtide").write_text(f'#!/bin/sh\nexec {sys.executable} -m gridtide "$@"\n')
    (tmp_path / "gridtide").chmod(0o755)
    source = run("-m", "gridtide", _GRIDTIDE_COMPLETE="source_bash").stdout
    ask = f"""{source}
COMP_WORDS=(gridtide best-w) COMP_CWORD=1
_gridtide_completion gridtide
printf '%s' "${{COMPREPLY[*]}}"
"""
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", ask],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PATH": path},
    )
    assert (done.stdout, done.stderr) == ("best-window", "")
