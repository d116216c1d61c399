"""A disk that is full: one sentence with the right remedy, and nothing is lost by it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.faults,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX"),
]

PATIENCE = 120.0  # seconds for anything that must happen at all


def gridtide(
    home: Path, moment: datetime, *words: str, kilobytes: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command; no file that it writes may become longer than `kilobytes`.

    To a process that is what a full disk is: a write that is refused.
    """
    limit = f"ulimit -f {kilobytes}; " if kilobytes is not None else ""
    return subprocess.run(
        ["bash", "-c", f'{limit}exec "$@"', "bash", sys.executable, "-m", "gridtide", *words],
        env={
            **os.environ,
            "GRIDTIDE_HOME": str(home),
            "GRIDTIDE_NOW": moment.isoformat(),
            "GRIDTIDE_WORKERS": "1",
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def mix(path: Path, moment: datetime, hours: int) -> Path:
    """A file of generation, hourly up to `moment`."""
    lines = ["ts_utc,gen_gas_mwh,gen_wind_mwh"]
    for hour in range(hours):
        start = moment - timedelta(hours=hours - hour)
        lines.append(f"{start:%Y-%m-%dT%H:%MZ},{100 + hour % 50},{50 + hour % 7}")
    path.write_text("\n".join(lines) + "\n")
    return path


def import_words(file: Path) -> tuple[str, ...]:
    return ("import", str(file), "--zone", "DE", "--label", "start")


@pytest.mark.parametrize("kilobytes", [4, 300])
def test_every_writing_command_says_it_in_one_sentence_and_works_afterwards(
    tmp_path: Path, moment: datetime, kilobytes: int
) -> None:
    home = tmp_path / "home"
    first = mix(tmp_path / "first.csv", moment, 2000)
    done = gridtide(home, moment, *import_words(first))
    assert done.returncode == 0, done.stderr
    more = mix(tmp_path / "more.csv", moment, 30_000)
    backup = tmp_path / "copy"
    for words in (
        import_words(more),
        ("publish",),
        ("backup", str(backup)),
        ("backup", f"{backup}.tar"),
    ):
        refused = gridtide(home, moment, *words, kilobytes=kilobytes)
        assert "Traceback" not in refused.stderr, refused.stderr
        if refused.returncode:
            (said,) = refused.stderr.strip().splitlines()[-1:]
            assert said.startswith("gridtide: ")
            assert "make room" in said
        done = gridtide(home, moment, *words) if refused.returncode else refused
        assert done.returncode == 0, done.stderr
    other = tmp_path / "other"
    refused = gridtide(other, moment, "restore", str(backup), kilobytes=kilobytes)
    assert refused.returncode == 1
    assert "make room" in refused.stderr
    done = gridtide(other, moment, "restore", str(backup))
    assert done.returncode == 0, done.stderr
    for root in (home, other):
        checked = gridtide(root, moment, "check")
        assert checked.returncode == 0, checked.stdout
    left = [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert left == []
