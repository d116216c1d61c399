"""What type checkers say of a user's code: the documents' examples pass, slips are refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "sdk/README.md", *sorted((ROOT / "docs").glob("*.md"))]
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PREAMBLE = """\
import gridtide
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from gridtide import AsyncClient, Candidate, Candidates, Client, Signal
from gridtide.planning import (
    Bounds, Cost, Elastic, Goal, Job, Kind, Progress, Recurring
)
client = Client("http://localhost:8000")
job = Job(timedelta(hours=2))
made = gridtide.plan(job, "DE")
progress = Progress(datetime.now(UTC))
"""
# Each is one statement that users may write.
RIGHT = (
    'Job(4, "interruptible")',
    'Job("4h", "segments", power=2, min_segment="90min", restart_cost=Cost(kwh=5))',
    "Job(1.5, Kind.UNBROKEN, power=2.5)",
    'Job(timedelta(hours=4), "elastic", workers=Elastic(4, 1))',
    'Bounds(slack="24h")',
    'Bounds(deadline="2026-03-03T06:00Z")',
    "Bounds(deadline=datetime.now(UTC), slack_fraction=0.5)",
    'gridtide.best_window("DE", hours="4h").start.isoformat()',
    'gridtide.best_window((52.5, 13.4), hours=timedelta(hours=4), as_of="2026-03-03T06:00Z")',
    'gridtide.best_region(["DE", (52.5, 13.4)], hours=4).ranking[0].mean',
    'gridtide.intensity("DE", signal=Signal.CI_LIFECYCLE_CONSUMED)',
    'gridtide.plan(job, "DE", recurring=Recurring("0 2 * * *", slack="6h"))',
    'gridtide.plan(job, Candidates(["DE", Candidate("FR", pue=1.15)]))',
    'gridtide.plan(job, ["DE", "FR"], Bounds(slack=24), Goal(min_saving=0.05)).reason.code',
    "gridtide.replan(made, progress)",
    'Client(timeout=10, key_over_http=True).forecast("DE")',
    'AsyncClient("http://localhost:8000", retries=0)',
    "client.zones()",
    'window: gridtide.BestWindow = client.best_window("DE", "4h", deadline=datetime.now(UTC))',
    'ranked: gridtide.BestRegion = gridtide.best_region(["DE", "FR"], 4)',
    "grams: gridtide.FootprintAnswer = gridtide.footprint(hours=4, power_kw=2, g_per_kwh=50)",
    "again: gridtide.PlanAnswer = client.replan(made, progress)",
    'several: gridtide.Batch = client.batch([{"kind": "plan", "job": job, "where": "DE"}])',
    'async def one() -> gridtide.BestWindow: return await AsyncClient().best_window("DE", 4)',
    'async def two() -> gridtide.PlanAnswer: return await AsyncClient().plan(job, "DE")',
    "call: Callable[..., gridtide.Intensity] = gridtide.intensity",
    'height: int = gridtide.forecast("DE").to_polars().height',
    "rows: list[dict[str, Any]] = made.to_dicts()",
    "frame = made.to_pandas()",
    "text: str = repr(client.zones())",
)
WRONG = (
    'gridtide.best_windw("DE", hours=4)',
    'gridtide.planing.plan(job, "DE")',
    "gridtide.Sereis",
    'AsyncClient().best_window("DE", hours=4).start',
    'AsyncClient().best_window("DE", hour=4)',
    'AsyncClient().best_windw("DE", hours=4)',
    'client.best_window(b"DE", 4)',
    'client.intensity("DE", start=4)',
    'client.intensity("DE", max_age=[6])',
    "client.zones(True)",
    "client.zones(every=4)",
    "client.batch(job)",
    "client.schedule([job], {})",
    "gridtide.footprint(hour=4)",
    "gridtide.footprint(hours=[4])",
    'gridtide.footprint(hours=4, power_kw="2")',
    "gridtide.footprint(hours=4, power_kw=2, g_per_kwh=50).gross",
    'number: int = client.best_window("DE", 4)',
    "made.to_panda()",
    'client.best_window("DE", 4).to_polars()',
    'client.best_windw("DE", hours=4)',
    'client.best_regions(["DE"], hours=4)',
    'client.intensty("DE")',
    "client.zone()",
    "AsyncClient().zone()",
    'gridtide.best_window("DE", hour=4)',
    'gridtide.best_window("DE", hours=4, dedline="2026-03-03T06:00Z")',
    'gridtide.best_window("DE", hours=[4])',
    "gridtide.best_window(4, hours=4)",
    'gridtide.best_window("DE", hours=4).men',
    'gridtide.plan("DE", job)',
    'gridtide.plan(job, "DE", Goal())',
    'gridtide.plan(job, "DE", bound=Bounds())',
    "gridtide.plan(job)",
    "gridtide.replan(made)",
    "gridtide.replan(job, progress)",
    'Job(4, "interuptible")',
    "Job(4, powr=2)",
    "Job()",
    "Elastic(maximum=4, minimun=1)",
    "Job([4])",
    'Bounds(slak="24h")',
    "Bounds(slack=[24])",
    "Goal(min_savings=0.05)",
    "Client(timout=10)",
    'Client(timeout="10")',
    "Signal.CI_LIFECYCLE",
    "Kind.INTERUPTIBLE",
    'Recurring("0 2 * * *", slak="6h")',
    'Candidate("FR", peu=1.15)',
    "Progress(now=datetime.now(UTC))",
    "made.reason.sentense",
)


class Check(Protocol):
    def __call__(self, path: Path) -> set[tuple[str, int]]:
        """File and line (from 1) of every error in the Python files of a folder."""


def mypy(path: Path) -> set[tuple[str, int]]:
    said = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file="),
            *sorted(map(str, path.glob("*.py"))),
        ],
        cwd=path,
        env={"MYPYPATH": str(ROOT / "sdk"), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode in (0, 1), said.stdout + said.stderr
    found = re.findall(r"^(?:.*/)?(\w+\.py):(\d+): error:", said.stdout, re.MULTILINE)
    assert bool(found) == bool(said.returncode), said.stdout + said.stderr
    return {(name, int(line)) for name, line in found}


def pyright(path: Path) -> set[tuple[str, int]]:
    (path / "pyrightconfig.json").write_text(
        json.dumps(
            {
                "typeCheckingMode": "strict",
                "pythonVersion": "3.11",
                "extraPaths": [str(ROOT / "sdk")],
                # Attributes stand alone in the lists, and not every list uses each name.
                "reportUnusedExpression": "none",
            }
        )
    )
    said = subprocess.run(
        [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable],
        cwd=path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode in (0, 1), said.stdout + said.stderr
    told = json.loads(said.stdout)
    assert told["summary"]["filesAnalyzed"] == len(list(path.glob("*.py")))
    return {
        (Path(each["file"]).name, each["range"]["start"]["line"] + 1)
        for each in told["generalDiagnostics"]
        if each["severity"] == "error"
    }


CHECKERS = pytest.mark.parametrize("check", [mypy, pyright])


@pytest.mark.slow  # 15 and 30 seconds
@CHECKERS
def test_type_checkers_pass_what_is_right_and_refuse_every_slip(
    check: Check, tmp_path: Path
) -> None:
    for document in DOCUMENTS:
        name = "_".join(document.relative_to(ROOT).with_suffix("").parts).lower()
        for number, block in enumerate(PYTHON.findall(document.read_text()), start=1):
            (tmp_path / f"{name}_{number}.py").write_text(block)
    assert len(list(tmp_path.glob("*.py"))) >= 10
    (tmp_path / "right.py").write_text("\n".join([PREAMBLE, *RIGHT]))
    (tmp_path / "wrong.py").write_text("\n".join([PREAMBLE, *WRONG]))
    found = check(tmp_path)
    assert {each for each in found if each[0] != "wrong.py"} == set()
    first = PREAMBLE.count("\n") + 2
    refused = {line for name, line in found if name == "wrong.py"}
    assert [slip for line, slip in enumerate(WRONG, start=first) if line not in refused] == []
