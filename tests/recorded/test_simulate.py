"""A month of policies on CarbonCast's Germany: the order that is known, and a count by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gridtide.cli import script

pytestmark = pytest.mark.recorded

HOUR = timedelta(hours=1)
FIRST = datetime(2021, 7, 1, tzinfo=UTC)
HOURS, SLACK, DAYS = 4, 24, 31


@pytest.fixture(scope="module")
def data(recorded: Path) -> Path:
    return recorded / "data" / "carboncast"


@pytest.fixture(scope="module")
def document(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("simulate") / "jobs.parquet"
    words = ["simulate", "--data", str(data), "--zone", "DE", "--model", "weekly"]
    span = ["--from", "2021-07-01", "--to", "2021-08-01", "--out", str(out)]
    policies = ["--policy", "now,night,best-window,pause,replan", "--kind", "interruptible"]
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        patch.setattr("sys.stdout.write", lines.append)
        environ = {"GRIDTIDE_HOME": str(out.parent), "GRIDTIDE_WORKERS": "1"}
        assert script.main([*words, *span, *policies, "--json"], environ) == 0
    made = json.loads("".join(lines))
    assert isinstance(made, dict)
    assert len(pl.read_parquet(out)) == DAYS * 5
    return made


def by_hand(data: Path) -> dict[str, float]:
    """Sums over the month from the file alone: hourly means, every start tried."""
    frame = pl.read_parquet(data / "DE.parquet")
    hours = dict(zip(frame["ts_utc"], frame["ci_lifecycle_g_per_kwh"], strict=True))
    found = {"now": 0.0, "best-window": 0.0, "pause": 0.0, "planned": 0.0, "realised": 0.0}
    for day in range(DAYS):
        at = FIRST + 24 * HOUR * day
        truth = [hours[at + HOUR * i] for i in range(SLACK + HOURS)]
        week = [hours[at + HOUR * i - 168 * HOUR] for i in range(SLACK + HOURS)]
        starts = range(SLACK + 1)
        sums = [sum(truth[i : i + HOURS]) for i in starts]
        expected = [sum(week[i : i + HOURS]) for i in starts]
        found["now"] += sums[0]
        found["best-window"] += min(sums)
        found["pause"] += sum(sorted(truth)[:HOURS])
        found["planned"] += min(expected)
        found["realised"] += sums[expected.index(min(expected))]
    return found


def test_a_month_comes_to_what_it_does_by_hand(document: dict[str, Any], data: Path) -> None:
    totals = {each["policy"]: each for each in document["totals"]}
    hand = by_hand(data)
    assert document["left_out"] == []
    assert {each["jobs"] for each in totals.values()} == {DAYS}
    best = totals["best-window"]
    assert best["now"] == pytest.approx(hand["now"])
    assert best["oracle"] == pytest.approx(hand["best-window"])
    assert best["planned"] == pytest.approx(hand["planned"])
    assert best["realised"] == pytest.approx(hand["realised"])
    assert totals["pause"]["oracle"] == pytest.approx(hand["pause"])


def test_waiting_for_the_forecast_beats_the_night_and_now(document: dict[str, Any]) -> None:
    totals = {each["policy"]: each for each in document["totals"]}
    assert totals["now"]["captured"] == 0
    assert totals["night"]["captured"] < 0.2
    for policy in ("best-window", "pause", "replan"):
        # docs/forecasts.md: weekly captures 76 % over eight zones and half a year.
        assert 0.5 < totals[policy]["captured"] < 1


def test_no_job_beats_its_oracle(document: dict[str, Any]) -> None:
    assert len(document["jobs"]) == DAYS * 5
    for job in document["jobs"]:
        assert job["oracle"] <= job["realised"] * (1 + 1e-9)
