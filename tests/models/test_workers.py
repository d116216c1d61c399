"""Worker processes: what is left when one of them, or their parent, is killed."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gridtide.model import Signal
from gridtide_pipelines.forecast.forecaster import Fitted, ForecastSlots, Known, hours_in
from gridtide_pipelines.forecast.issue import FitCache, Made, Task, make_all

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


@dataclass(frozen=True)
class Killed:
    """A model whose fit is killed in a worker, and works in the process itself."""

    name: str = "killed@1"
    memory: timedelta = timedelta(days=1)
    wants: frozenset[str] = frozenset()
    keeps: bool = True

    def fit(self, known: Known, *, seed: int) -> Fitted:
        if multiprocessing.parent_process() is not None:
            os._exit(9)
        return self

    def predict(
        self,
        known: Known,
        issued_at: datetime,
        horizon: timedelta,
        *,
        interval: bool = True,
    ) -> ForecastSlots:
        return ForecastSlots(issued_at, *np.ones((3, hours_in(horizon))))

    def to_bytes(self) -> bytes:
        return b""

    def from_bytes(self, content: bytes) -> Fitted:
        return self


def test_a_killed_worker_costs_no_run(tmp_path: Path) -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    hour = pl.DataFrame({"start": [at - timedelta(hours=1)], "end": [at], "value": [1.0]})
    tasks = [
        Task(
            Known(f"Z{i}", Signal.CI_LIFECYCLE_PRODUCED, at, hour),
            at,
            "a",
            simulated=False,
            models=(Killed(),),
            fits=FitCache(tmp_path, "a"),
        )
        for i in range(5)
    ]
    made = list(make_all(iter(tasks), 2))
    assert [task.known.zone for task, _ in made] == ["Z0", "Z1", "Z2", "Z3", "Z4"]
    assert all(isinstance(each, Made) for _, each in made)
