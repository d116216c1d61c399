"""Plans and schedules from a view, by the SDK's planners. No clock, no HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields, replace
from datetime import datetime

from gridtide.errors import BadInput
from gridtide.model import Quality
from gridtide.planning.batch.schedule import Request, plan_batch
from gridtide.planning.decide.response import LeftOut, Plan
from gridtide.planning.planner import default_goal, plan
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.objective import Goal, Objective
from gridtide.planning.problem.state import PlanningProblem, Progress
from gridtide.planning.replanner import replan
from gridtide.schema.estimates import EstimateOf
from gridtide.schema.plans import (
    PlanAnswer,
    PlanRequest,
    ReplanRequest,
    ScheduleAnswer,
    ScheduleRequest,
)
from gridtide.schema.priced import PriceUsed
from gridtide_server.answers.candidates import (
    FoundCandidates,
    choose_plan_signal,
    find_candidates,
    resolve_candidates,
)
from gridtide_server.answers.estimates import estimates_of_forecast
from gridtide_server.answers.prices import FoundPrices, find_prices, price_fields
from gridtide_server.answers.regions import location_of
from gridtide_server.answers.windows import next_second
from gridtide_server.service import Moment
from gridtide_server.view import Forecast, View
from gridtide_store.regions import Resolution


def build_plan(view: View, request: PlanRequest, moment: Moment) -> PlanAnswer:
    """Build the response of ``/v1/plan``.

    Raises:
        NoData, NoCommonSignal, UnknownRegion: as `find_candidates`.
        BadInput, NoFeasibleWindow and the errors of `gridtide.planning`: as its `plan`.
    """
    found, now = _find(view, request, moment), next_second(moment.as_of)
    bounds = request.bounds_at(now)
    with _naming_prices(found.prices):
        made = plan(
            request.job,
            found.regions,
            bounds,
            request.goal,
            now=now,
            alternatives=request.alternatives,
        )
    return _respond(view, made, found, moment, bounds.limits(now, request.job.duration))


def build_replan(view: View, request: ReplanRequest, moment: Moment) -> PlanAnswer:
    """Build the response of ``/v1/replan``; `moment` is that of the progress.

    Raises:
        BadInput: the progress does not fit the plan.
        NoData, NoFeasibleWindow and others: as `build_plan`.
    """
    first, progress = request.request, Progress(**{**request.progress, "at": moment.as_of})
    region = progress.region or request.plan.region
    found = _find(view, first, moment, needed=region)
    if region not in found.resolved:
        raise BadInput(
            f"the job is in {region!r}; its region must be one of those of the request: "
            f"{', '.join(found.resolved)}"
        )
    then = next_second(request.plan.as_of)
    problem = PlanningProblem(
        job=first.job,
        regions=found.regions,
        bounds=first.bounds_at(then),
        goal=first.goal or default_goal(found.regions.signal),
        now=then,
        alternatives=first.alternatives,
    )
    forecasts = {each.name: each.outlook for each in found.regions.regions}
    with _naming_prices(found.prices):
        made = replan(replace(request.plan, problem=problem), progress, forecasts)
    _, last = problem.bounds.limits(then, first.job.duration)
    return _respond(view, made, found, moment, (moment.as_of, last))


def build_schedule(view: View, request: ScheduleRequest, moment: Moment) -> ScheduleAnswer:
    """Build the response of ``/v1/schedule``: many jobs together, under capacity limits.

    Raises:
        NoData, NoCommonSignal, UnknownRegion: as `find_candidates`.
        BadInput, NoFeasibleWindow and the errors of `gridtide.planning`: as its `plan_batch`.
    """
    clean_share = _is_cfe(request.goal)
    candidates = [job.where for job in request.jobs]
    resolved = resolve_candidates(
        list({each.region: each for one in candidates for each in one.regions}.values())
    )
    signal = request.signal
    if resolved:
        signal = choose_plan_signal(
            view, list(resolved.values()), signal, clean_share=clean_share, at=moment.as_of
        )
    prices = _find_prices(view, resolved, request.goal, moment)
    found = [
        find_candidates(
            view,
            one,
            resolved,
            signal=signal,
            clean_share=clean_share,
            at=moment.as_of,
            prices=prices,
        )
        for one in candidates
    ]
    now = next_second(moment.as_of)
    jobs = [
        Request(job.job, each.regions, job.bounds_at(now))
        for job, each in zip(request.jobs, found, strict=True)
    ]
    # Of a region without a forecast, which no job can use, the cap limits nothing.
    usable = {region for each in found for region in each.forecasts}
    caps = {region: cap for region, cap in request.caps.items() if region in usable}
    with _naming_prices(prices):
        made = plan_batch(jobs, caps, request.goal, now=now)
    spans = [(job.bounds or Bounds()).limits(now, job.job.duration) for job in jobs]
    return ScheduleAnswer(
        plans=tuple(
            _respond(view, one, each, moment, span)
            for one, each, span in zip(made.plans, found, spans, strict=True)
        ),
        total=made.total,
        least=made.least,
        exact=made.exact,
        method=made.method,
        sentence=made.sentence,
        **moment.shared,
    )


def _find(
    view: View, request: PlanRequest, moment: Moment, needed: str | None = None
) -> FoundCandidates:
    resolved = resolve_candidates(request.where.regions)
    return find_candidates(
        view,
        request.where,
        resolved,
        signal=request.signal,
        clean_share=_is_cfe(request.goal),
        at=moment.as_of,
        needed=needed,
        prices=_find_prices(view, resolved, request.goal, moment),
    )


def _find_prices(
    view: View, regions: Mapping[str, Resolution], goal: Goal | None, moment: Moment
) -> FoundPrices | None:
    """Return the prices of the regions where the goal counts published ones."""
    if goal is None or not goal.has_costs or goal.costs is not None:
        return None
    return find_prices(view, regions, goal.currency, moment.as_of)


def _naming_prices(prices: FoundPrices | None) -> AbstractContextManager[None]:
    return nullcontext() if prices is None else prices.named()


def _is_cfe(goal: Goal | None) -> bool:
    return goal is not None and goal.objective is Objective.CFE


def _respond(
    view: View,
    made: Plan,
    found: FoundCandidates,
    moment: Moment,
    span: tuple[datetime, datetime | None],
) -> PlanAnswer:
    """Return a plan with the fields that every response has; `span` bounds the job."""
    used = dict.fromkeys([made.region, *(slot.region for slot in made.slots)])
    runs = [found.forecasts[region].run for region in used]
    origin = view.origin(run.source for run in runs)
    prices = _prices_used(view, used, found, moment, span)
    simulated = any(run.simulated for run in runs) or any(each.simulated for each in prices)
    ages = [
        moment.since(view.newest_end(found.resolved[region].zone, made.signal, moment.as_of))
        for region in used
    ]
    response = {each.name: getattr(made, each.name) for each in fields(Plan)} | {
        **location_of(found.resolved[made.region]),
        "quality": Quality.SIMULATED if simulated else Quality.FORECAST,
        "simulated": simulated,
        "source": origin.source,
        "licence": origin.licence,
        "estimates": _estimates(found.forecasts[region] for region in used),
        "data_age_seconds": max((age for age in ages if age is not None), default=None),
        **moment.shared,
        "left_out": made.left_out
        + tuple(LeftOut(region=region, reason=why) for region, why in found.without.items()),
        "prices": prices,
        "problem": None,
    }
    return PlanAnswer(**response)


def _estimates(forecasts: Iterable[Forecast]) -> tuple[EstimateOf, ...]:
    found = (each for forecast in forecasts for each in estimates_of_forecast(forecast))
    return tuple({each.zone: each for each in found}.values())


def _prices_used(
    view: View,
    used: Iterable[str],
    found: FoundCandidates,
    moment: Moment,
    span: tuple[datetime, datetime | None],
) -> tuple[PriceUsed, ...]:
    """Return the prices of the zones that a plan uses, each once."""
    if found.prices is None:
        return ()
    start, deadline = span
    prices: dict[str, PriceUsed] = {}
    for region in used:
        price, end = found.prices.prices[region], deadline or found.forecasts[region].end
        if price.zone not in prices:
            prices[price.zone] = PriceUsed(**price_fields(view, price, (start, end), moment))
    return tuple(prices.values())
