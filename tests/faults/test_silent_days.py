"""A day whose hours come in over several days is requested until a day brings nothing new."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gridtide_pipelines.ingest.limits import DEFAULT
from gridtide_store.data_directory import DataDirectory
from gridtide_store.ledger import Ledger
from tests.faults.publisher import Ask, Mode, Publisher, publisher
from tests.faults.running import SOURCES, run
from tests.final_days import final_days

DAY = timedelta(days=1)
SOURCE = SOURCES["eia"]
ZONE = "US-CAL-CISO"


@pytest.fixture
def upstream(moment: datetime) -> Iterator[Publisher]:
    with publisher(moment) as state:
        yield state


def only(day: str, hours: range, fuels: tuple[str, ...] = ()) -> Mode:
    """All there is, but of one day only some hours; of `fuels` none of them."""

    def mode(ask: Ask) -> Iterator[bytes | float]:
        rows = ask.document["response"]["data"]
        # EIA labels an hour by its end.
        kept = [
            row
            for row in rows
            if not f"{day}T01" <= row["period"] <= f"{day}T24"
            or (int(row["period"][-2:]) - 1 in hours and row["fueltype"] not in fuels)
        ]
        document = {"response": {"total": str(len(kept)), "data": kept}}
        yield Ask(ask.now, ask.path, ask.query, document).reply()

    return mode


@pytest.mark.parametrize(
    "answers",
    [
        # Grows, and then says the same.
        [range(0), range(3), range(5), range(20), range(20)],
        # Other hours than before, each time as many.
        [range(4), range(4, 8), range(8, 12), range(8, 12)],
        # Less than before is nothing new.
        [range(12), range(20), range(3)],
    ],
    ids=["grows", "other hours", "shrinks"],
)
def test_a_day_is_final_once_an_answer_on_another_day_brings_nothing_new(
    answers: list[range], upstream: Publisher, moment: datetime, tmp_path: Path
) -> None:
    home = DataDirectory(tmp_path / "home")
    day = (moment - 62 * DAY).date()  # past all revisions
    upstream.hostile = "eia"
    for number, hours in enumerate(answers):
        upstream.now = moment + number * DAY
        upstream.mode = only(str(day), hours)
        run(home, upstream, upstream.now, DEFAULT, whole=False, days=70)
        settled = final_days(Ledger(home.ledger), SOURCE.name, "generation")[ZONE]
        assert (day in settled) == (number == len(answers) - 1), number


def test_a_fuel_that_comes_in_later_is_news(
    upstream: Publisher, moment: datetime, tmp_path: Path
) -> None:
    home = DataDirectory(tmp_path / "home")
    day = (moment - 62 * DAY).date()  # past all revisions
    upstream.hostile = "eia"
    fuels: list[tuple[str, ...]] = [("NG", "COL", "SUN"), ("NG", "COL"), ("NG",), ("NG",)]
    for number, missing in enumerate(fuels):
        upstream.now = moment + number * DAY
        upstream.mode = only(str(day), range(20), missing)
        run(home, upstream, upstream.now, DEFAULT, whole=False, days=70)
        settled = final_days(Ledger(home.ledger), SOURCE.name, "generation")[ZONE]
        assert (day in settled) == (number == 3), number
