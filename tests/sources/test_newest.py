"""What is stated twice is found in any order of rows, however many there are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from gridtide_pipelines.ingest.columns import instants
from gridtide_pipelines.ingest.newest import MANY, newest

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("count", [3, MANY + 1])
@pytest.mark.parametrize("place", [0, -1])
@pytest.mark.parametrize("sort", [False, True])
def test_a_slot_that_is_stated_again_is_there_once(
    count: int, place: int, *, sort: bool
) -> None:
    rows = pl.DataFrame(
        {
            "start": [START + timedelta(minutes=5 * number) for number in range(count)],
            "signal": "load",
            "value": 1.0,
            "flag": pl.Series([None] * count, dtype=pl.String),
            "body": 0,
        }
    )
    again = rows[[place]].with_columns(value=pl.lit(2.0), body=1)
    both = pl.concat([rows, again.cast(rows.schema)])
    both = both.sort("start", maintain_order=True) if sort else both
    found = newest(both, ["start", "signal"])
    assert newest(rows, ["start", "signal"]) is rows
    assert found.height == count
    assert found.filter(pl.col("value") == 2)["start"].to_list() == again["start"].to_list()


def test_a_slot_whose_start_is_unknown_is_not_after_another() -> None:
    rows = pl.DataFrame(
        {"start": [None] * (MANY + 1), "signal": "load", "value": 1.0, "flag": None, "body": 0},
        schema_overrides={"start": pl.Datetime("us", "UTC"), "flag": pl.String},
    )
    assert newest(rows, ["start", "signal"]).height == 1


def test_two_times_of_the_hour_that_clocks_repeat_are_not_one() -> None:
    zone = ZoneInfo("Europe/Paris")
    both = [datetime(2025, 10, 26, 2, 30, tzinfo=zone, fold=fold) for fold in (0, 1)]
    assert both[0] == both[1]
    first, second, third = instants([*both, both[0]])
    assert (second - first, third - first) == (timedelta(hours=1), timedelta(0))
