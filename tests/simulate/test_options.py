"""``gridtide simulate`` with places and preferences, as a shell would call it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gridtide.cli import script
from gridtide_pipelines.forecast.history_files import read_histories
from gridtide_pipelines.forecast.models import chain
from gridtide_pipelines.policies.cases import Forecasting

HOUR = timedelta(hours=1)
FIRST = datetime(2021, 1, 1, tzinfo=UTC)
HOURS = 40 * 24
SPAN = ("--from", "2021-02-01", "--to", "2021-02-05", "--model", "naive")
Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Germany as it comes, and France ever at a quarter of it."""
    values = np.random.default_rng(7).uniform(100, 500, HOURS).round(1)
    labels = [FIRST + HOUR * i for i in range(HOURS)]
    for zone, part in (("DE", 1.0), ("FR", 0.25)):
        pl.DataFrame({"ts_utc": labels, "ci_lifecycle_g_per_kwh": values * part}).write_parquet(
            tmp_path / f"{zone}.parquet"
        )
    environ = {"GRIDTIDE_HOME": str(tmp_path / "home"), "GRIDTIDE_WORKERS": "2"}
    return lambda *words: script.main(["simulate", "--data", str(tmp_path), *words], environ)


def test_a_forecast_made_again_has_its_quantiles_where_requested(
    run: Run, tmp_path: Path
) -> None:
    assert run("--zone", "DE", "--policy", "now", *SPAN) == 0
    (history,) = read_histories(tmp_path, ["DE"], warn=pytest.fail)
    at = FIRST + 30 * 24 * HOUR
    for requested in (False, True):
        forecasting = Forecasting(chain("naive"), frozenset(), HOUR, quantiles=requested)
        outlook = forecasting.again(history, at, at + HOUR).at(at).outlook
        assert (outlook.p10 is not None, outlook.p90 is not None) == (requested, requested)
    assert outlook.p10
    assert outlook.p90
    cases = zip(outlook.p10.slots, outlook.expected.slots, outlook.p90.slots, strict=True)
    assert all(
        (low.value or 0) < (mid.value or 0) < (high.value or 0) for low, mid, high in cases
    )


def test_where_jobs_ran_is_in_the_document_and_in_the_lines(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--zone", "DE,FR", "--policy", "now,place", *SPAN)
    assert run(*words, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    totals = {(each["zone"], each["policy"]): each for each in document["totals"]}
    assert totals["DE", "place"]["ran_elsewhere"] == {"FR": 4}
    assert totals["DE", "now"]["ran_elsewhere"] == totals["FR", "place"]["ran_elsewhere"] == {}
    assert totals["DE", "place"]["saving"] == pytest.approx(0.75)
    assert [job["regions"] for job in document["jobs"][:2]] == ["DE", "FR"]
    assert (document["quantile"], document["min_saving"]) == ("p50", 0)
    assert run(*words) == 0
    assert "DE place: jobs that ran elsewhere: 4 in FR" in capsys.readouterr().out


def test_a_robust_choice_and_a_smallest_saving_reach_the_planner(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--zone", "DE", "--policy", "best-window", *SPAN, "--hours", "1", "--json")
    starts = {}
    for wish in ((), ("--quantile", "p90"), ("--min-saving", "0.99")):
        assert run(*words, *wish) == 0
        jobs = json.loads(capsys.readouterr().out)["jobs"]
        starts[wish] = [job["start"] for job in jobs]
    expected, _, waiting = starts.values()
    assert waiting == [f"2021-02-0{day}T00:00:00Z" for day in (1, 2, 3, 4)]
    assert expected != waiting


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("--policy", "place-and-time"), "give --zone several, such as DE,FR"),
        (("--policy", "pause", "--min-saving", "1.5"), "0 or more and less than 1"),
        (("--policy", "now", "--min-saving", "0.1"), "for policies that plan"),
        (("--policy", "pause", "--quantile", "p10"), "--quantile: must be one of p50, p90"),
    ],
)
def test_what_cannot_be_is_refused(
    words: tuple[str, ...], remedy: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--zone", "DE", *SPAN, *words) == 2
    assert remedy in capsys.readouterr().err
