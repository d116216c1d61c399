"""``gridtide simulate`` on a store: what began before the first job counts too."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gridtide.cli import script
from gridtide_store.data_directory import DataDirectory
from gridtide_store.store import Store
from gridtide_store.vocabulary import FORECAST, OBSERVATION

HOUR = timedelta(hours=1)
FIRST = datetime(2021, 2, 1, tzinfo=UTC)
SIGNAL = "ci_lifecycle_produced"
DAY = [300.0, 250.0, 100.0, 120.0, *[400.0] * 20]
Told = Callable[..., dict[str, Any]]


@pytest.fixture
def printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Told:
    """The document of a store with four days of hours, and a run known half an hour in."""
    steps = [FIRST + HOUR * i for i in range(96)]
    with Store.open(DataDirectory(tmp_path)) as store:
        store.append(
            pl.DataFrame(
                {
                    "zone": "DE",
                    "signal": SIGNAL,
                    "source": "file",
                    "slot_start": steps,
                    "slot_end": [step + HOUR for step in steps],
                    "value": DAY * 4,
                    "quality": "measured",
                    "known_at": [step + HOUR for step in steps],
                    "retrieval_id": 1,
                },
                schema=OBSERVATION,
            )
        )
        store.append_forecasts(
            pl.DataFrame(
                {
                    "zone": "DE",
                    "signal": SIGNAL,
                    "model": "weekly@1",
                    "issued_at": FIRST,
                    "slot_start": steps[:72],
                    "slot_end": [step + HOUR for step in steps[:72]],
                    # In the bad case 03:00 is far worse than 02:00 is expected to be.
                    "p10": [value - 50 for value in DAY * 3],
                    "p50": [90.0 if value == 120 else value for value in DAY * 3],
                    "p90": [900.0 if value == 120 else value + 5 for value in DAY * 3],
                    "known_at": FIRST + HOUR / 2,
                    "source": "file",
                    "simulated": False,
                },
                schema=FORECAST,
            )
        )

    def call(*words: str) -> dict[str, Any]:
        environ = {"GRIDTIDE_HOME": str(tmp_path), "GRIDTIDE_NOW": "2026-03-02T12:00Z"}
        given = ["--zone", "DE", "--policy", "best-window", "--hours", "1", "--slack", "5h"]
        assert script.main(["simulate", *given, *words, "--json"], environ) == 0
        document = json.loads(capsys.readouterr().out)
        assert isinstance(document, dict)
        return document

    return call


def test_a_job_may_come_inside_a_slot_and_long_after_the_run_it_is_planned_on(
    printed: Told,
) -> None:
    # At 00:30 and 24 hours later; both are planned on the run of the first midnight.
    document = printed("--from", "2021-02-01T00:30Z", "--to", "2021-02-03T00:00Z")
    jobs = document["jobs"]
    assert [job["at"] for job in jobs] == ["2021-02-01T00:30:00Z", "2021-02-02T00:30:00Z"]
    assert [job["start"] for job in jobs] == ["2021-02-01T03:00:00Z", "2021-02-02T03:00:00Z"]
    assert {job["issued_at"] for job in jobs} == {"2021-02-01T00:00:00Z"}
    # Half an hour at 300 and half at 250.
    assert [job["now"] for job in jobs] == [275, 275]
    assert [(job["planned"], job["realised"], job["oracle"]) for job in jobs] == [
        (90, 120, 100)
    ] * 2
    late = printed("--from", "2021-02-02T00:30Z", "--to", "2021-02-02T01:00Z")
    assert late["jobs"] == [job for job in jobs if job["at"] > "2021-02-02"]


def test_what_is_saved_at_most_and_what_was_planned_are_reported(printed: Told) -> None:
    (total,) = printed("--from", "2021-02-01T00:30Z", "--to", "2021-02-02T00:00Z")["totals"]
    assert total["saving_planned"] == pytest.approx(1 - 90 / 275)
    assert total["saving"] == pytest.approx(1 - 120 / 275)
    assert total["saving_oracle"] == pytest.approx(1 - 100 / 275)
    assert total["captured"] == pytest.approx((275 - 120) / (275 - 100))


def test_a_stored_run_s_bad_case_decides_a_robust_choice(printed: Told) -> None:
    span = ("--from", "2021-02-01T00:30Z", "--to", "2021-02-02T00:00Z")
    (job,) = printed(*span, "--quantile", "p90")["jobs"]
    assert (job["start"], job["planned"], job["realised"]) == ("2021-02-01T02:00:00Z", 100, 100)


def test_the_night_is_read_from_the_clock_that_is_named(printed: Told) -> None:
    span = ("--from", "2021-02-01T12:00Z", "--to", "2021-02-02T00:00Z", "--slack", "24h")
    starts = {}
    for zone in ((), ("--timezone", "UTC"), ("--timezone", "America/New_York")):
        document = printed(*span, *zone, "--policy", "night")
        starts[zone] = [job["start"] for job in document["jobs"] if job["policy"] == "night"]
    assert [each[0] for each in starts.values()] == [
        *("2021-02-02T00:00:00Z", "2021-02-02T01:00:00Z", "2021-02-02T06:00:00Z")
    ]
