"""The interval of every model widens with the age of the data: it covers as much as before.

Nothing is tuned on the second half of 2021. The widening comes from replays with the same hours
missing, and `WIDEN` of prophet was set on January to June.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gridtide_pipelines.forecast.backtest import backtest
from gridtide_pipelines.forecast.forecaster import Fitted, Forecaster, Known, without_version
from gridtide_pipelines.forecast.history_files import FileHistory, read_histories
from gridtide_pipelines.forecast.models import chain, models

ZONES = ("BPAT", "CISO", "DE", "FPL", "ISNE", "NL", "PJM", "PL")
AGES = (1, 3, 5)


@cache
def histories(folder: Path) -> Sequence[FileHistory]:
    return read_histories(folder, ZONES, warn=print)


def issues(first: datetime, *, count: int, days: int) -> list[datetime]:
    return [first + timedelta(days=days * i) for i in range(count)]


@dataclass(frozen=True)
class FittedOnce:
    """A model whose monthly fits serve every data age, as one made before data went missing."""

    model: Forecaster
    fits: dict[tuple[str, int], Fitted] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the model has
        return getattr(self.model, name)

    def fit(self, known: Known, *, seed: int) -> Fitted:
        month = (known.zone, known.at.month)
        if month not in self.fits:
            self.fits[month] = self.model.fit(known, seed=seed)
        return self.fits[month]


def coverage(folder: Path, model: FittedOnce, moments: Sequence[datetime], age: int) -> float:
    """Per cent of the true values between p10 and p90, over every zone and issue."""
    made = backtest(histories(folder), moments, (model,), data_age=timedelta(days=age)).frame
    came = pl.concat(
        each.intensity.select(pl.lit(each.zone).alias("zone"), "start", "value")
        for each in histories(folder)
    )
    scored = made.join(
        came, left_on=["zone", "target_time"], right_on=["zone", "start"], how="inner"
    ).filter(pl.col("value").is_finite())
    assert scored.select("zone", "issued_at").n_unique() == len(ZONES) * len(moments)
    inside = pl.col("value").is_between(pl.col("p10"), pl.col("p90"))
    return 100 * float(scored.select(inside.mean()).item())


@pytest.mark.parametrize("name", sorted({without_version(name) for name in models()}))
def test_the_interval_covers_as_much_from_data_days_old(name: str, recorded: Path) -> None:
    folder = recorded / "data" / "carboncast"
    # 16 issues in each of 8 zones are 128. Twelve days apart, since on one weekday alone data
    # three days old are always those of one other weekday.
    moments = issues(datetime(2021, 7, 1, tzinfo=UTC), count=16, days=12)
    model = FittedOnce(chain(name)[0])
    fresh = coverage(folder, model, moments, 0)
    aged = {age: coverage(folder, model, moments, age) for age in AGES}
    assert all(abs(covered - fresh) <= 5 for covered in aged.values()), (fresh, aged)
    assert 72 <= fresh <= 84


def test_the_widening_of_prophet_s_interval_is_what_makes_it_cover(recorded: Path) -> None:
    # The period it was set on, where it should cover 80 %.
    moments = issues(datetime(2021, 1, 1, tzinfo=UTC), count=20, days=9)
    prophet = FittedOnce(chain("prophet")[0])
    covered = coverage(recorded / "data" / "carboncast", prophet, moments, 0)
    assert 79.5 <= covered <= 81.5
