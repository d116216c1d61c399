"""Worker processes end with the process that started them."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import os, sys, time
from gridtide_pipelines.forecast.models import worker_pool

def busy():
    os.write(1, b"working")
    time.sleep(600)

if __name__ == "__main__":
    with worker_pool(1) as pool:
        pool.submit(busy).result()
"""


@pytest.mark.slow
def test_a_killed_parent_takes_its_workers_along(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    script = tmp_path_factory.mktemp("workers") / "parent.py"
    script.write_text(SCRIPT)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.read(7) == b"working"
        parent.kill()
        # The worker holds this pipe too: its end is seen only when both are gone.
        assert parent.communicate(timeout=60)[0] == b""
