"""Forecasts as they were known in the past: as issued, or made again as of then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridtide.errors import NoData
from gridtide.model import Quality, Series, Signal, Slot, format_time, utc
from gridtide.planning import Outlook
from gridtide.slots import to_instant, to_moment
from gridtide_pipelines.errors import NotEnoughHistory
from gridtide_pipelines.forecast.backtest import History
from gridtide_pipelines.forecast.forecaster import (
    HORIZON,
    HOUR,
    SEED,
    Fitted,
    Floats,
    Forecaster,
    Known,
)
from gridtide_pipelines.forecast.models import predict_in_turn

# Issues that are kept for the next job; with one a quarter of an hour, those of three days.
KEPT = 288


@dataclass(frozen=True, slots=True)
class PastForecast:
    """A forecast and since when it was known; `stored`, or made again."""

    outlook: Outlook
    known_at: datetime
    stored: bool


class PastForecasts(Protocol):
    """The forecasts of one zone over time."""

    def at(self, moment: datetime) -> PastForecast:
        """Return the newest forecast known at `moment`.

        Raises:
            NoData: there is none; says why.
        """
        ...

    def between(self, moment: datetime, until: datetime) -> Iterator[PastForecast]:
        """Yield forecasts that came to be known after `moment` and before `until`, in order."""
        ...


@dataclass(slots=True)
class Reissued:
    """Forecasts made again from what was known then, and from nothing else.

    A model that learns is fitted once a month (UTC), on what was known when the month began.

    Attributes:
        models: to try in turn, see `models.chain`.
        moments: when there is an issue, ascending, beside those requested with `at`.
        quantiles: whether to give p10 and p90, which take time, where the model has them.
    """

    history: History
    models: tuple[Forecaster, ...]
    moments: Sequence[datetime] = ()
    quantiles: bool = False
    _made: dict[datetime, PastForecast] = field(default_factory=dict)
    _fits: dict[tuple[str, datetime], Fitted] = field(default_factory=dict)

    def at(self, moment: datetime) -> PastForecast:
        """Make the forecast issued at `moment`; raises as `PastForecasts.at`."""
        if moment not in self._made:
            try:
                made = self._issue(moment)
            except NotEnoughHistory as error:
                raise NoData(f"no forecast can be issued: {error}") from error
            if len(self._made) >= KEPT:
                del self._made[next(iter(self._made))]
            self._made[moment] = made
        return self._made[moment]

    def between(self, moment: datetime, until: datetime) -> Iterator[PastForecast]:
        """Yield as `PastForecasts.between`; none where no forecast can be made."""
        for each in self.moments:
            if moment < each < until:
                try:
                    issue = self.at(each)
                except NoData:
                    continue
                yield issue

    def _issue(self, moment: datetime) -> PastForecast:
        known = self.history.known(moment)
        name, steps = predict_in_turn(
            self.models, known, HORIZON, fitted=self._fitted, interval=self.quantiles
        )
        p10, p90 = (
            _hours(known, steps.start, each)
            if self.quantiles and not np.isnan(each).any()
            else None
            for each in (steps.p10, steps.p90)
        )
        p50 = _hours(known, steps.start, steps.p50)
        outlook = Outlook(p50, p10, p90, issued_at=moment, model=name)
        return PastForecast(outlook, moment, stored=False)

    def _fitted(self, model: Forecaster, known: Known) -> Fitted:
        if not model.keeps:
            return model.fit(known, seed=SEED)
        month = known.at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        key = (model.name, month)
        if key not in self._fits:
            self._fits[key] = model.fit(self.history.known(month), seed=SEED)
        return self._fits[key]


class Recorded:
    """Forecasts as they were issued; where none covers a moment, those of `otherwise`."""

    def __init__(
        self,
        runs: pl.DataFrame,
        otherwise: PastForecasts,
        preferred: Sequence[str] = (),
        *,
        quantiles: bool = False,
    ) -> None:
        """Take `runs` of one zone and signal.

        Args:
            runs: as `gridtide_store.forecast_runs.read_known_between` gives them.
            preferred: models, of which the earlier counts at equal times of issue.
            quantiles: whether to give p10 and p90, where a run has them.
        """
        self._quantiles = quantiles
        self._otherwise = otherwise
        self._runs = runs
        heads = (
            runs.with_row_index()
            .group_by("known_at", "model", "issued_at", maintain_order=True)
            .agg(
                pl.first("index"),
                pl.len(),
                pl.first("slot_start").alias("first"),
                pl.last("slot_end").alias("last"),
            )
        )
        rank = {name: -position for position, name in enumerate(preferred)}
        self._offset = heads["index"].to_list()
        self._length = heads["len"].to_list()
        self._known = _instants(heads["known_at"])
        self._first, self._last = _instants(heads["first"]), _instants(heads["last"])
        # Larger is newer: by the forecaster's clock, then by preference.
        self._order = np.lexsort(
            (
                self._known,
                np.array([rank.get(name, -len(rank)) for name in heads["model"]], np.int64),
                _instants(heads["issued_at"]),
            )
        ).argsort()

    def at(self, moment: datetime) -> PastForecast:
        """Return the newest run known at `moment` that covers it; raises as `Reissued.at`."""
        instant = to_instant(moment)
        fit = np.flatnonzero(
            (self._known <= instant) & (self._first <= instant) & (self._last > instant)
        )
        if len(fit) == 0:
            return self._otherwise.at(moment)
        return self._issue(int(fit[self._order[fit].argmax()]))

    def between(self, moment: datetime, until: datetime) -> Iterator[PastForecast]:
        """Yield each moment's newest; where nothing is recorded, those of `otherwise`."""
        first, last = to_instant(moment), to_instant(until)
        inside = (self._known > first) & (self._known < last)
        moments = [to_moment(int(each)) for each in np.unique(self._known[inside])]
        if not moments:
            yield from self._otherwise.between(moment, until)
        for each in moments:
            issue = self.at(each)
            if issue.known_at == each:
                yield issue

    def _issue(self, i: int) -> PastForecast:
        rows = self._runs.slice(self._offset[i], self._length[i])
        head = rows.row(0, named=True)
        p10, p90 = (
            _slots(rows, name) if self._quantiles and not rows[name].has_nulls() else None
            for name in ("p10", "p90")
        )
        p50 = _slots(rows, "p50")
        outlook = Outlook(p50, p10, p90, issued_at=head["issued_at"], model=head["model"])
        return PastForecast(outlook, utc(head["known_at"]), stored=True)


def whole(issue: PastForecast, start: datetime, end: datetime) -> datetime:
    """Return the end of the part of the forecast without a gap, from `start` on, up to `end`.

    Raises:
        NoData: it has a gap there, or does not cover `start`.
    """
    outlook = issue.outlook
    first, last = to_instant(start), to_instant(end)
    runs = [run for run in outlook.expected.runs if run.edges[-1] > first]
    if not runs or runs[0].edges[0] > first:
        raise NoData(f"{_name(outlook)} does not say anything of {format_time(start)}")
    reached = runs[0].edges[-1]
    if len(runs) > 1 and reached < last:
        raise NoData(f"{_name(outlook)} has a gap at {format_time(to_moment(reached))}")
    return to_moment(min(reached, last))


def _hours(known: Known, start: datetime, values: Floats) -> Series:
    return Series.regular(known.zone, known.signal, start, HOUR, values.tolist())


def _slots(rows: pl.DataFrame, quantile: str) -> Series:
    zone, signal = rows.row(0)[:2]
    slots = (
        Slot(utc(start), utc(end), value, Quality.FORECAST)
        for start, end, value in rows.select("slot_start", "slot_end", quantile).iter_rows()
    )
    return Series(zone, Signal(signal), tuple(slots))


def _name(outlook: Outlook) -> str:
    issued = format_time(outlook.issued_at) if outlook.issued_at else "at some time"
    return f"the forecast of {outlook.model} issued {issued}"


def _instants(column: pl.Series) -> NDArray[np.int64]:
    return column.to_physical().to_numpy().astype(np.int64)
