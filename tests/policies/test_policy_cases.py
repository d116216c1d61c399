"""What files show a model lately is what they show it, without what it does not read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gridtide_pipelines.forecast.forecaster import Fitted, Known
from gridtide_pipelines.forecast.history_files import FileHistory, read_histories
from gridtide_pipelines.forecast.models import chain
from gridtide_pipelines.policies.cases import Forecasting, RecentFiles

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST = datetime(2021, 1, 1, tzinfo=UTC)
HOURS = 100 * 24


class Reading:
    """A model that reads what the test names."""

    name, keeps = "reading@1", False

    def __init__(self, *wants: str) -> None:
        self.wants, self.memory = frozenset(wants), 5 * DAY

    def fit(self, known: Known, *, seed: int) -> Fitted:
        raise NotImplementedError

    def from_bytes(self, content: bytes) -> Fitted:
        raise NotImplementedError


@pytest.fixture
def history(tmp_path: Path) -> FileHistory:
    numbers = np.random.default_rng(1).uniform(10, 90, (2, HOURS))
    labels = [FIRST + HOUR * i for i in range(HOURS)]
    columns = {
        f"gen_{fuel}_mwh": row for fuel, row in zip(("coal", "wind"), numbers, strict=True)
    }
    pl.DataFrame({"ts_utc": labels, **columns}).write_parquet(tmp_path / "DE.parquet")
    pl.DataFrame({"ts_utc": labels, "load": numbers[0]}).write_parquet(
        tmp_path / "DE_dayahead.parquet"
    )
    pl.DataFrame(
        {"issued_at": labels[::24], "lead_h": 6, "wind": numbers[0][::24]}
    ).write_parquet(tmp_path / "DE_weather.parquet")
    (found,) = read_histories(tmp_path, ["DE"], warn=pytest.fail)
    return found


@pytest.mark.parametrize("wants", [(), ("mix",), ("weather", "dayahead"), ("publishers",)])
@pytest.mark.parametrize("at", [50 * DAY, 50 * DAY + HOUR / 2, 2 * DAY, 200 * DAY])
def test_a_model_is_shown_the_same_lately(
    wants: tuple[str, ...], at: timedelta, history: FileHistory
) -> None:
    lately = RecentFiles.of(history, Forecasting((Reading(*wants),), frozenset(), HOUR))
    shown, whole = lately.known(FIRST + at), history.known(FIRST + at)
    oldest = FIRST + at - 6 * DAY
    assert shown.intensity.equals(whole.intensity.filter(pl.col("start") >= oldest))
    for name in ("mix", "weather", "dayahead"):
        given = getattr(shown, name)
        if name in wants:
            assert given is not None
            assert given.equals(getattr(whole, name))
        else:
            assert given is None
    assert (shown.zone, shown.signal, shown.at, shown.location) == (
        *(whole.zone, whole.signal, whole.at, whole.location),
    )


def test_new_forecasts_come_at_even_distances_until_the_end(history: FileHistory) -> None:
    forecasting = Forecasting(chain("weekly"), frozenset(), 6 * HOUR)
    made = forecasting.again(history, FIRST, FIRST + 13 * HOUR)
    assert made.moments == [FIRST, FIRST + 6 * HOUR, FIRST + 12 * HOUR]
    assert forecasting.again(history, FIRST, FIRST + 12 * HOUR).moments == made.moments[:2]
