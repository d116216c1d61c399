"""Windows by any objective: carbon as ever, cost by the published price, or both weighted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from gridtide.errors import BadInput, NoData, NoFeasibleWindow
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.objective import Goal, Objective
from gridtide.planning.solvers.costs import Curve, clipped, rates
from gridtide.schema.priced import WindowPrice
from gridtide.schema.prices import KWH_PER_MWH
from gridtide.slots import (
    find_cleanest,
    mean_between,
    to_instant,
    to_microseconds,
    to_moment,
)
from gridtide.windows import Window
from gridtide_server.answers.forecasts import choose_common_signal, current_forecast
from gridtide_server.answers.prices import find_prices, price_fields, zones_of
from gridtide_server.answers.windows import (
    Decision,
    NoWindow,
    Search,
    check_bounds,
    deciding_forecast,
    find_window,
    rank_regions,
)
from gridtide_server.prices import ZonePrice
from gridtide_server.service import Moment
from gridtide_server.view import Forecast, View
from gridtide_store.regions import Resolution


def decide_window(view: View, region: Resolution, search: Search, moment: Moment) -> Decision:
    """Find the best window of one region by the objective of the search.

    Raises:
        BadInput, NoData, NoFeasibleWindow: as `find_window`; NoData also without a price that
            the objective needs.
    """
    if search.goal is None or not search.goal.has_costs:
        found = find_window(view, region, search)
        _check_objective(search, found.forecast)
        return found
    check_bounds(search)
    forecast = deciding_forecast(view, region, search)
    prices = find_prices(view, zones_of([region]), search.goal.currency, search.at)
    with prices.named():
        return _search(view, region, forecast, prices.prices[region.region], search, moment)


def rank_by_objective(
    view: View, regions: Sequence[Resolution], search: Search, moment: Moment
) -> list[Decision | NoWindow]:
    """Find the best window of each region by the objective of the search; the best comes first.

    Those without one come last; of equal ones the earlier window comes first.

    Raises:
        BadInput, NoCommonSignal, NoData, NoFeasibleWindow: as `rank_regions`; NoCommonSignal
            also where their prices are in several currencies.
    """
    if search.goal is None or not search.goal.has_costs:
        ranking = rank_regions(view, regions, search)
        if isinstance(ranking[0], Decision):
            _check_objective(search, ranking[0].forecast)
        return ranking
    check_bounds(search)
    signal = choose_common_signal(view, regions, search.signal, search.at)
    prices = find_prices(view, zones_of(regions), search.goal.currency, search.at)
    found: list[tuple[float, datetime, Decision]] = []
    without: list[NoWindow] = []
    errors: list[NoData | NoFeasibleWindow] = []
    for region in regions:
        try:
            if region.region in prices.without:
                raise prices.without[region.region]
            forecast = current_forecast(view, region, signal, search.at)
            with prices.named():
                one = _search(
                    view, region, forecast, prices.prices[region.region], search, moment
                )
        except (NoData, NoFeasibleWindow) as error:
            without.append(NoWindow(region, signal, str(error)))
            errors.append(error)
        else:
            found.append((round(one.rate or 0.0, 9), one.window.start, one))
    if not found:
        known = any(isinstance(each, NoFeasibleWindow) for each in errors)
        raise (NoFeasibleWindow if known else NoData)("; ".join(map(str, errors)))
    found.sort(key=lambda each: each[:2])
    return [*(one for *_, one in found), *without]


def _check_objective(search: Search, forecast: Forecast) -> None:
    """Refuse an objective that does not fit the signal.

    Raises:
        BadInput: it does not.
    """
    signal = forecast.series.signal
    if search.goal is None:
        return
    if (search.goal.objective is Objective.CARBON) != signal.lower_is_cleaner:
        fits = "carbon, cost and weighted" if signal.lower_is_cleaner else "cfe and cost"
        raise BadInput(
            f"objective {search.goal.objective} does not fit {signal}; it goes with the "
            f"objectives {fits}"
        )


def _per_mwh(cost: float) -> float:
    """Return the cost of a kWh as a price, without what floating point leaves behind."""
    return round(cost * KWH_PER_MWH, 6)


def _search(
    view: View,
    region: Resolution,
    forecast: Forecast,
    price: ZonePrice,
    search: Search,
    moment: Moment,
) -> Decision:
    """Find the window of least cost where both forecast and price are known."""
    wanted, costs = search.goal or Goal(Objective.COST), price.costs
    goal = replace(wanted, costs=costs, currency=None)
    runs = rates(Outlook(forecast.series), goal)
    span, low = to_microseconds(search.duration), to_instant(search.earliest_start)
    end = search.deadline or forecast.end
    best = find_cleanest(runs, span, low, to_instant(end), lower_is_cleaner=True)
    if best is None:
        spans = [(low, to_instant(end))] if low < to_instant(end) else []
        known = Curve(forecast.series.zone, tuple(clipped(runs, spans)))
        error = known.refuse(span, unbroken=True)
        raise NoFeasibleWindow(str(error), forecast_end=min(forecast.end, price.until))
    start, run = best
    begin, now = to_moment(start), to_instant(search.immediate_start)
    series = forecast.series.runs
    mean = mean_between(series, start, start + span)
    cost, cost_now = (mean_between(costs.runs, at, at + span) for at in (start, now))
    assert mean is not None  # noqa: S101  # a window lies where both are known
    assert cost is not None  # noqa: S101
    used = WindowPrice(
        **price_fields(view, price, (search.earliest_start, end), moment),
        mean=_per_mwh(cost),
        mean_now=None if cost_now is None else _per_mwh(cost_now),
    )
    return Decision(
        region,
        forecast,
        Window(begin, begin + search.duration, mean),
        mean_between(series, now, now + span),
        used,
        run.mean(start, start + span),
        mean_between(runs, now, now + span),
    )
