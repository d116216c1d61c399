"""The table of calls: the signature of each, its request and the reader of its response.

Both clients and the functions of `gridtide` are made from these functions, so that each
signature and docstring is written once. Nothing is sent here. Wrong input (a time without
offset, no duration, no region) is refused before anything is sent, with the error that the
service would answer. What a call consists of is loaded with the first call of its kind.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from gridtide.errors import BadInput, TooManyRegions
from gridtide.http.call import (
    Call,
    Json,
    bounds_and_view,
    day_text,
    encode,
    goal_texts,
    hours_text,
    path_part,
    plain_text,
    query,
    signal_text,
    time_text,
)
from gridtide.model import (
    MOST_REGIONS,
    NO_REGION,
    Length,
    Region,
    Signal,
    When,
    format_region,
)
from gridtide.values import instance_of, read_flag, read_whole, shown

if TYPE_CHECKING:
    from gridtide.accounting.emissions import Row
    from gridtide.accounting.sci import Factors
    from gridtide.planning.batch.capacity import Cap
    from gridtide.planning.problem.bounds import Bounds
    from gridtide.planning.problem.job import Job
    from gridtide.planning.problem.objective import Goal
    from gridtide.planning.problem.recurrence import Recurring
    from gridtide.planning.problem.state import Progress
    from gridtide.schema.batches import Batch
    from gridtide.schema.footprints import FootprintAnswer
    from gridtide.schema.plans import JobRequest, PlanAnswer, ScheduleAnswer
    from gridtide.schema.prices import Price
    from gridtide.schema.quality import ZoneQuality
    from gridtide.schema.regions import Where
    from gridtide.schema.responses import BestRegion, BestWindow, Forecast, Intensity, Zones
    from gridtide.schema.sources import Sources


def zones(*, every: bool = False, as_of: When | None = None) -> Call[Zones]:
    """List the zones the service has data of, or had `as_of` a moment; with `every`, all."""
    from gridtide.schema.responses import Zones

    wanted = "true" if read_flag(every, "every") else None
    given = query(all=wanted, as_of=time_text(as_of, "as_of"))
    return Call("/v1/zones", given, Zones.from_json)


def sources() -> Call[Sources]:
    """List the sources of the service, their terms, and how they are doing."""
    from gridtide.schema.sources import Sources

    return Call("/v1/sources", (), Sources.from_json)


def intensity(
    region: Region,
    *,
    start: When | date | None = None,
    end: When | date | None = None,
    signal: Signal | str | None = None,
    as_of: When | None = None,
    max_age: Length | None = None,
) -> Call[Intensity]:
    """Return the known slots of ``[start, end)``; without a range, the latest slot.

    A date is its start, UTC. A latest slot that ended more than `max_age` hours ago, by
    default the service's own maximum age (6 h), is refused as `StaleData`.
    """
    from gridtide.schema.responses import Intensity

    return Call(
        f"/v1/zones/{path_part(region)}/intensity",
        query(
            start=day_text(start, "start"),
            end=day_text(end, "end"),
            signal=signal_text(signal),
            as_of=time_text(as_of, "as_of"),
            max_age=hours_text(max_age, "max_age"),
        ),
        Intensity.from_json,
    )


def forecast(
    region: Region,
    *,
    signal: Signal | str | None = None,
    as_of: When | None = None,
    model: str | None = None,
) -> Call[Forecast]:
    """Return the newest forecast, or the newest that was known `as_of` a moment."""
    from gridtide.schema.responses import Forecast

    return Call(
        f"/v1/zones/{path_part(region)}/forecast",
        query(
            signal=signal_text(signal),
            as_of=time_text(as_of, "as_of"),
            model=plain_text(model, "model") or None,
        ),
        Forecast.from_json,
    )


def price(
    region: Region,
    *,
    start: When | date | None = None,
    end: When | date | None = None,
    currency: str | None = None,
    as_of: When | None = None,
) -> Call[Price]:
    """Return the published price of ``[start, end)``, which may lie ahead; by default of now.

    Without an `end`, up to where it is known.
    """
    from gridtide.schema.prices import Price

    return Call(
        f"/v1/zones/{path_part(region)}/price",
        query(
            start=day_text(start, "start"),
            end=day_text(end, "end"),
            currency=plain_text(currency, "currency"),
            as_of=time_text(as_of, "as_of"),
        ),
        Price.from_json,
    )


def quality(
    region: Region, *, as_of: When | None = None, limit: int | None = None
) -> Call[ZoneQuality]:
    """Return the newest anomalies of a zone's data, and how many there are by flag.

    `limit` is how many are listed, by default 100.
    """
    from gridtide.schema.quality import ZoneQuality

    most = None if limit is None else str(read_whole(limit, "limit"))
    return Call(
        f"/v1/zones/{path_part(region)}/quality",
        query(as_of=time_text(as_of, "as_of"), limit=most),
        ZoneQuality.from_json,
    )


def best_window(
    region: Region,
    hours: Length,
    *,
    earliest: When | None = None,
    deadline: When | None = None,
    signal: Signal | str | None = None,
    as_of: When | None = None,
    objective: str | None = None,
    carbon_price: float | None = None,
    currency: str | None = None,
) -> Call[BestWindow]:
    """Find the cleanest unbroken `hours` from `earliest` (now), ended by `deadline`.

    `hours` is a number, a timedelta, or text such as ``4h``, ``90min`` and ``PT4H``. With the
    `objective` ``cost`` the cheapest by the published price, with ``weighted`` the least of
    cost + `carbon_price` (of a tonne) x emissions.
    """
    from gridtide.schema.responses import BestWindow

    parameters = query(
        region=format_region(region),
        hours=hours_text(hours, "hours"),
        **bounds_and_view(earliest, deadline, signal, as_of),
        **goal_texts(objective, carbon_price, currency),
    )
    return Call("/v1/best-window", parameters, BestWindow.from_json, charted=True)


def best_region(
    regions: Iterable[Region],
    hours: Length,
    *,
    earliest: When | None = None,
    deadline: When | None = None,
    signal: Signal | str | None = None,
    as_of: When | None = None,
    objective: str | None = None,
    carbon_price: float | None = None,
    currency: str | None = None,
) -> Call[BestRegion]:
    """Find the region and the `hours` that are cleanest together; the others are ranked.

    `objective`, `carbon_price` and `currency` as in `best_window`.
    """
    from gridtide.schema.responses import BestRegion

    if not isinstance(regions, Iterable):
        raise BadInput(f"regions is {shown(regions)}; give a list of regions such as ['DE']")
    named = [regions] if isinstance(regions, str) else list(regions)
    if not named:
        raise BadInput(NO_REGION)
    if len(named) > MOST_REGIONS:
        raise TooManyRegions(
            f"{len(named)} regions in one request; at most {MOST_REGIONS}: split the request "
            "and compare the best of each part"
        )
    parameters = (
        *(("region", format_region(region)) for region in named),
        *query(
            hours=hours_text(hours, "hours"),
            **bounds_and_view(earliest, deadline, signal, as_of),
            **goal_texts(objective, carbon_price, currency),
        ),
    )
    return Call("/v1/best-region", parameters, BestRegion.from_json, charted=True)


def plan(
    job: Job,
    where: Where,
    bounds: Bounds | None = None,
    goal: Goal | None = None,
    *,
    signal: Signal | str | None = None,
    as_of: When | None = None,
    alternatives: int = 3,
    recurring: Recurring | None = None,
) -> Call[PlanAnswer]:
    """Plan when and where to run a job of any kind, to reach `goal` best, and explain why.

    `where` is a region, several, or `Candidates` with rules. The plan of a `recurring` job is
    that of its next occurrence.
    """
    from gridtide.schema.plans import PlanRequest

    request = PlanRequest(
        job,
        where,
        bounds,
        goal,
        as_of=as_of,
        alternatives=alternatives,
        recurring=recurring,
    )
    body = _body(request, signal)
    return _plan_call("/v1/plan", body, request=body)


def replan(plan: PlanAnswer, progress: Progress) -> Call[PlanAnswer]:
    """Plan the rest of a job from its `progress`, by the forecasts known at `progress.at`.

    `plan` is one that `plan` or `replan` answered.

    Raises:
        BadInput: the plan does not contain its request.
    """
    from gridtide.planning.problem.state import Progress
    from gridtide.schema.encode import encode_request
    from gridtide.schema.plans import PlanAnswer

    instance_of(PlanAnswer, "a plan as plan or replan answered it")(plan, "plan")
    instance_of(Progress, "a Progress")(progress, "progress")
    if plan.request is None:
        raise BadInput(
            "this plan does not contain its request; write plans with "
            "to_json(with_request=True), or request a plan of the work that is left"
        )
    return replan_of_json(
        {
            "plan": plan.to_json(),
            "request": json.loads(plan.request),
            "progress": encode_request(progress),
        }
    )


def replan_of_json(body: Json) -> Call[PlanAnswer]:
    """Plan the rest of a job from the JSON of the request.

    Raises:
        BadInput: it has no `request`.
    """
    if not isinstance(body, Mapping) or "request" not in body:
        raise BadInput("request: required, the request that the plan answered")
    return _plan_call("/v1/replan", body, request=body["request"])


def schedule(
    requests: Iterable[JobRequest],
    caps: Mapping[str, Cap],
    goal: Goal | None = None,
    *,
    signal: Signal | str | None = None,
    as_of: When | None = None,
) -> Call[ScheduleAnswer]:
    """Plan many jobs together under limits on concurrent jobs or on power, by region.

    The answer is exact where that is proven, else it comes with a bound; it says which.
    """
    from gridtide.schema.plans import ScheduleAnswer, ScheduleRequest

    request = ScheduleRequest(requests, caps, goal, as_of=as_of)
    return Call("/v1/schedule", (), ScheduleAnswer.from_json, encode(_body(request, signal)))


def footprint(
    rows: Iterable[Row] | None = None,
    *,
    region: Region | None = None,
    hours: Length | None = None,
    power_kw: float | None = None,
    processors: float | None = None,
    start: When | None = None,
    requests: float | None = None,
    kwh_per_request: float | None = None,
    pue: float = 1.0,
    g_per_kwh: float | None = None,
    net_g_per_kwh: float | None = None,
    clean: Iterable[Row] | None = None,
    embodied_g: float | None = None,
    per: float | None = None,
    before: Factors | None = None,
    offset_g: float | None = None,
    signal: Signal | str | None = None,
    as_of: When | None = None,
) -> Call[FootprintAnswer]:
    """Return the energy and emissions of a job, by the intensity known of its own time.

    Give `rows` of (start, end, kWh) in a `region`; or `hours` at `power_kw` from `start` in a
    `region`; or `hours`, or `requests` at `kwh_per_request`, with `g_per_kwh`.
    """
    given: dict[str, Any] = dict(locals())
    from gridtide.schema.encode import encode_request
    from gridtide.schema.footprints import FootprintAnswer, FootprintRequest

    body = encode_request(FootprintRequest(**given))
    return Call("/v1/footprint", (), FootprintAnswer.from_json, encode(body))


def batch(questions: Iterable[Mapping[str, Any]]) -> Call[Batch]:
    """Answer up to 1,000 requests in one call, in their order.

    Each is a mapping with a ``kind`` (``best_window``, ``best_region``, ``plan``, ``replan``,
    ``footprint``) and the arguments of the method of that name. A request that cannot be
    answered has its error in its place.
    """
    from gridtide.schema.batches import Batch, encode_batch

    body = encode_batch(questions)
    sent: list[object] = body["questions"]
    return Call("/v1/batch", (), lambda wire: Batch.of(sent, wire), encode(body))


def forecast_behind(result: Any) -> Call[Forecast]:  # noqa: ANN401  # of any charted call
    """Return the forecast that a window or plan was chosen by."""
    return forecast(result.region, signal=result.signal, as_of=result.as_of)


def _plan_call(path: str, body: Json, *, request: Json) -> Call[PlanAnswer]:
    """Return the call whose plan keeps its request, so that it can be planned again."""
    from gridtide.schema.plans import PlanAnswer

    kept = encode(request)
    return Call(
        path,
        (),
        lambda wire: replace(PlanAnswer.from_json(wire), request=kept),
        encode(body),
        charted=True,
    )


def _body(request: object, signal: Signal | str | None) -> Json:
    """Return the JSON of a request, with a signal that only a newer service may know."""
    from gridtide.schema.encode import encode_request

    text = signal_text(signal)
    found: Json = encode_request(request)
    return found if text is None else {**found, "signal": text}
