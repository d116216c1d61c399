"""The best window of a region, and of the best of several regions. No clock, no HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from gridtide.errors import BadInput, NoData, NoFeasibleWindow
from gridtide.model import Quality, Signal, format_time, parse_hours
from gridtide.planning.problem.objective import Goal, Objective
from gridtide.schema.priced import WindowPrice
from gridtide.schema.requests import WindowRequest
from gridtide.schema.responses import BestRegion, BestWindow, Infeasible
from gridtide.slots import (
    find_cleanest,
    mean_between,
    to_instant,
    to_microseconds,
    to_moment,
)
from gridtide.windows import Window, best_region_and_window, no_window, saving
from gridtide_server.answers.estimates import origin_of
from gridtide_server.answers.forecasts import (
    choose_common_signal,
    current_forecast,
    usual_signal,
)
from gridtide_server.answers.regions import location_of
from gridtide_server.service import Moment
from gridtide_server.view import Forecast, View
from gridtide_store.regions import Resolution

SECOND = timedelta(seconds=1)


class Search(NamedTuple):
    """The search for one window.

    Attributes:
        hours: length of the window, without interruption.
        at: now, or the `as_of` of the request. Only what was known then counts, and no window
            starts before.
        earliest: no window starts before this; a time before `at` means `at`.
        deadline: the window ends by then.
        signal: None for the default.
        goal: None for the one that follows from the signal.
    """

    hours: float
    at: datetime
    earliest: datetime | None = None
    deadline: datetime | None = None
    signal: Signal | None = None
    goal: Goal | None = None

    @classmethod
    def of(cls, request: WindowRequest, moment: Moment) -> Search:
        """Return the search that a request is about, at its moment."""
        bounds = request.earliest, request.deadline
        return cls(request.hours, moment.as_of, *bounds, request.signal, request.goal)

    @property
    def duration(self) -> timedelta:
        """Length of the window."""
        return parse_hours(self.hours)

    @property
    def immediate_start(self) -> datetime:
        """Start of a job that does not wait: `at`, rounded up to the second."""
        return next_second(self.at)

    @property
    def earliest_start(self) -> datetime:
        """The earliest start that is allowed."""
        first = self.immediate_start
        return first if self.earliest is None else max(self.earliest, first)


class Decision(NamedTuple):
    """The best window of one region, and the mean of a job that starts at once there.

    Attributes:
        price: the price, where the objective counts it.
        rate, rate_now: means of what is least then: the cost of a kWh, emissions included where
            they are weighted.
    """

    region: Resolution
    forecast: Forecast
    window: Window
    mean_now: float | None
    price: WindowPrice | None = None
    rate: float | None = None
    rate_now: float | None = None

    @property
    def saving(self) -> float | None:
        """Gain over starting at once; see `gridtide.windows.saving`."""
        if self.rate is not None:
            gain = None if self.rate_now is None else self.rate_now - self.rate
            return gain / abs(self.rate_now) if gain is not None and self.rate_now else None
        return saving(self.window.mean, self.mean_now, self.forecast.series.signal)


@dataclass(frozen=True, slots=True)
class NoWindow:
    """A region without such a window, and the reason."""

    region: Resolution
    signal: Signal
    reason: str


def next_second(moment: datetime) -> datetime:
    """Return `moment`, rounded up to the second."""
    return moment if moment.microsecond == 0 else moment.replace(microsecond=0) + SECOND


def find_window(view: View, region: Resolution, search: Search) -> Decision:
    """Find the cleanest window of one region.

    Raises:
        BadInput: a deadline that is not after the earliest start.
        NoData: no forecast of the signal, or one that has ended.
        NoFeasibleWindow: no uninterrupted window of that length fits.
    """
    check_bounds(search)
    return search_forecast(region, deciding_forecast(view, region, search), search)


def deciding_forecast(view: View, region: Resolution, search: Search) -> Forecast:
    """Return the forecast to search in one region, of the usual signal if none is given.

    Raises:
        NoData: no forecast of the signal, or one that has ended.
    """
    signal = search.signal or usual_signal(view, region, search.at)
    return current_forecast(view, region, signal, search.at)


def search_forecast(region: Resolution, forecast: Forecast, search: Search) -> Decision:
    """Find the cleanest window of a forecast; `check_bounds` has accepted the search.

    Raises:
        NoFeasibleWindow: no uninterrupted window of that length fits.
    """
    series, duration = forecast.series, search.duration
    # Instants: a batch has a thousand searches.
    span, now = to_microseconds(duration), to_instant(search.immediate_start)
    low = now if search.earliest is None else max(now, to_instant(search.earliest))
    high = None if search.deadline is None else to_instant(search.deadline)
    lower = series.signal.lower_is_cleaner
    best = find_cleanest(series.runs, span, low, high, lower_is_cleaner=lower)
    if best is None:
        error = no_window(series, span, low, high)
        raise NoFeasibleWindow(str(error), forecast_end=forecast.end)
    start, run = best
    begin = to_moment(start)
    window = Window(begin, begin + duration, run.mean(start, start + span))
    return Decision(region, forecast, window, mean_between(series.runs, now, now + span))


def rank_regions(
    view: View, regions: Sequence[Resolution], search: Search
) -> list[Decision | NoWindow]:
    """Find the best window of each region; the cleanest comes first, those without one last.

    Raises:
        BadInput: as `find_window`.
        NoCommonSignal: no two regions have a signal in common, or none the requested one.
        NoData: no region has a forecast that reaches beyond the time of the search.
        NoFeasibleWindow: no region has an uninterrupted window of that length.
    """
    check_bounds(search)
    signal = choose_common_signal(view, regions, search.signal, search.at)
    found: dict[str, Forecast] = {}
    without: list[NoWindow] = []
    for region in regions:
        try:
            found[region.region] = current_forecast(view, region, signal, search.at)
        except NoData as error:
            without.append(NoWindow(region, signal, str(error)))
    if not found:
        raise NoData("; ".join(each.reason for each in without))
    duration = search.duration
    try:
        ranking = best_region_and_window(
            {name: forecast.series for name, forecast in found.items()},
            duration,
            earliest=search.earliest_start,
            deadline=search.deadline,
        )
    except NoFeasibleWindow as error:
        others = [each.reason for each in without]
        raise NoFeasibleWindow("; ".join([str(error), *others])) from error
    by_name = {region.region: region for region in regions}
    now, span = to_instant(search.immediate_start), to_microseconds(duration)
    decided: list[Decision] = []
    for each in ranking:
        region = by_name[each.region]
        if each.window is None:
            without.append(NoWindow(region, signal, each.reason or "no such window"))
        else:
            forecast = found[each.region]
            mean_now = mean_between(forecast.series.runs, now, now + span)
            decided.append(Decision(region, forecast, each.window, mean_now))
    return [*decided, *without]


def check_bounds(search: Search) -> None:
    """Refuse bounds that contradict each other.

    Raises:
        BadInput: a deadline that is not after the earliest start.
    """
    if search.deadline is not None and search.deadline <= search.earliest_start:
        first = search.earliest_start
        name = "earliest" if first == search.earliest else "now"
        raise BadInput(
            f"deadline {format_time(search.deadline)} is not after {name} "
            f"{format_time(first)}; the deadline is when the job must have ended"
        )


def build_best_window(
    view: View, decision: Decision, search: Search, moment: Moment
) -> BestWindow:
    """Build the response of ``/v1/best-window``."""
    return BestWindow(**_fields(view, decision, search, moment))


def _fields(view: View, decision: Decision, search: Search, moment: Moment) -> dict[str, Any]:
    found = forecast_fields(view, decision.region, decision.forecast, moment)
    if decision.price is not None and decision.price.simulated:
        found |= {"simulated": True, "quality": Quality.SIMULATED}
    return found | window_fields(decision, search)


def forecast_fields(
    view: View, region: Resolution, forecast: Forecast, moment: Moment
) -> dict[str, Any]:
    """Return the fields of a best window that are the same for every window of a forecast."""
    run, signal = forecast.run, forecast.series.signal
    return {
        **location_of(region),
        "signal": signal,
        "unit": signal.unit,
        "quality": forecast.quality,
        "simulated": run.simulated,
        **origin_of(view, forecast),
        "model": run.model,
        "issued_at": run.issued_at,
        "data_age_seconds": moment.since(view.newest_end(region.zone, signal, moment.as_of)),
        **moment.shared,
    }


def window_fields(decision: Decision, search: Search) -> dict[str, Any]:
    """Return the other fields of a best window."""
    window, goal = decision.window, search.goal
    lower = decision.forecast.series.signal.lower_is_cleaner
    usual = Objective.CARBON if lower else Objective.CFE
    return {
        "start": window.start,
        "end": window.end,
        "hours": search.hours,
        "mean": window.mean,
        "mean_now": decision.mean_now,
        "saving": decision.saving,
        "objective": usual if goal is None else goal.objective,
        "carbon_price": None if goal is None else goal.carbon_price,
        "price": decision.price,
    }


def build_best_region(
    view: View, ranking: Sequence[Decision | NoWindow], search: Search, moment: Moment
) -> BestRegion:
    """Build the response of ``/v1/best-region``; the first of `ranking` is a decision."""
    decisions = [each for each in ranking if isinstance(each, Decision)]
    first = decisions[0]
    return BestRegion(
        **_fields(view, first, search, moment),
        ranking=tuple(build_best_window(view, each, search, moment) for each in decisions),
        infeasible=tuple(
            Infeasible(
                **location_of(each.region),
                hours=search.hours,
                signal=each.signal,
                unit=each.signal.unit,
                reason=each.reason,
            )
            for each in ranking
            if isinstance(each, NoWindow)
        ),
    )
