"""Make past forecast runs again, each from nothing but what was known then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

import polars as pl

from gridtide.errors import BadInput
from gridtide.model import format_time, parse_time
from gridtide_pipelines.errors import NotEnoughHistory
from gridtide_pipelines.forecast.forecaster import HORIZON, SEED, Fitted, Forecaster, Known
from gridtide_pipelines.forecast.models import predict_in_turn, worker_pool

DAY = timedelta(days=1)
COLUMNS = ("zone", "issued_at", "target_time", "gco2_per_kwh", "p10", "p90")


class History(Protocol):
    """History of a zone that can be read as of any moment."""

    @property
    def zone(self) -> str:
        """Name of the zone in the forecasts."""
        ...

    def known(self, at: datetime) -> Known:
        """Return what was known of the zone at `at`."""
        ...


@dataclass(frozen=True, slots=True)
class Backtest:
    """Forecasts of every zone and issue time.

    Attributes:
        frame: zone, issued_at, target_time, gco2_per_kwh, p10, p90; sorted by the first three.
        runs: model to how many issues it made.
    """

    frame: pl.DataFrame
    runs: Mapping[str, int]


def parse_issues(text: str) -> list[datetime]:
    """Parse daily issue times at 00:00 UTC from ``2021-07-01/2021-12-28``, both ends included.

    Raises:
        BadInput: not two dates, the second before the first, or a time that is not 00:00 UTC.
    """
    first, slash, last = text.partition("/")
    if not slash:
        raise BadInput(f"--issues {text!r} is not a range; write it as 2021-07-01/2021-12-28")
    start, end = _midnight(first), _midnight(last)
    if end < start:
        raise BadInput(f"--issues {text!r} ends before it starts; write the earlier day first")
    return [start + DAY * i for i in range((end - start) // DAY + 1)]


def _midnight(text: str) -> datetime:
    try:
        day = date.fromisoformat(text)
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    except ValueError:
        moment = parse_time(text, name="--issues")
    if moment != moment.replace(hour=0, minute=0, second=0, microsecond=0):
        raise BadInput(f"--issues: {text} is not at 00:00 UTC; give the date alone")
    return moment


def backtest(
    histories: Sequence[History],
    issues: Sequence[datetime],
    models: tuple[Forecaster, ...],
    *,
    data_age: timedelta = timedelta(0),
    workers: int = 1,
    progress: Callable[[str, int, int], None] = lambda _what, _done, _all: None,
) -> Backtest:
    """Forecast 72 h from each issue time in each zone; a model that learns is fitted monthly.

    The fit of a month is made at its first issue, from what was known then.

    Args:
        models: to try in turn, see `models.chain`.
        data_age: so much of the newest data is missing at each issue, as if publishers were
            that late.
        workers: processes, a zone each; with more than one the histories must be picklable.

    Raises:
        BadInput: an issue before which too little is known for any of the models.
    """
    frames, runs = [], Counter[str]()
    for done, (frame, counted) in enumerate(
        _by_zone(histories, issues, models, data_age, workers), 1
    ):
        progress("backtest", done, len(histories))
        frames.append(frame)
        runs.update(counted)
    whole = pl.concat(frames).select(COLUMNS).sort("zone", "issued_at", "target_time")
    return Backtest(whole, dict(sorted(runs.items())))


def _by_zone(
    histories: Sequence[History],
    issues: Sequence[datetime],
    models: tuple[Forecaster, ...],
    data_age: timedelta,
    workers: int,
) -> Iterator[tuple[pl.DataFrame, Counter[str]]]:
    if workers == 1 or len(histories) == 1:
        yield from (_of_zone(each, issues, models, data_age) for each in histories)
        return
    with worker_pool(workers) as pool:
        futures = [pool.submit(_of_zone, each, issues, models, data_age) for each in histories]
        yield from (each.result() for each in futures)


def _of_zone(
    history: History,
    issues: Sequence[datetime],
    models: tuple[Forecaster, ...],
    data_age: timedelta,
) -> tuple[pl.DataFrame, Counter[str]]:
    fits: dict[tuple[str, int, int], Fitted] = {}
    frames, runs = [], Counter[str]()
    for issued_at in issues:
        known = history.known(issued_at)
        if data_age:
            known = known.without_newest(data_age)

        def monthly(model: Forecaster, known: Known) -> Fitted:
            key = (model.name, known.at.year, known.at.month)
            if key not in fits:
                fits[key] = model.fit(known, seed=SEED)
            return fits[key]

        try:
            name, steps = predict_in_turn(models, known, HORIZON, fitted=monthly)
        except NotEnoughHistory as error:
            raise BadInput(
                f"{history.zone}: no forecast can be issued at {format_time(issued_at)}; "
                f"start --issues later or give earlier history. {error}"
            ) from error
        runs[name] += 1
        frames.append(steps.frame().with_columns(pl.lit(issued_at).alias("issued_at")))
    made = pl.concat(frames).with_columns(
        pl.lit(history.zone).alias("zone"),
        pl.col("issued_at").cast(pl.Datetime("us", "UTC")),
        pl.col("start").alias("target_time"),
        pl.col("p50").alias("gco2_per_kwh"),
    )
    return made.select(COLUMNS), runs


def scorable(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` as a scorer takes it: with p10 and p90 in every row, or in none."""
    return frame.drop("p10", "p90") if frame["p10"].null_count() else frame
