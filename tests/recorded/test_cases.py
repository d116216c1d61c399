"""Small inputs that failed for users, each with a check that exits 0 when we are right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.recorded

DATA = os.environ.get("GRIDTIDE_RECORDED_DATA", "")
CHECKS = sorted(Path(DATA, "cases").glob("*/check")) if DATA else []


def test_there_are_cases(recorded: Path) -> None:
    assert len(list((recorded / "cases").glob("*/check"))) >= 7


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.parent.name)
def test_a_case_that_failed_for_users_is_right(check: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [sys.executable, str(check)],
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
