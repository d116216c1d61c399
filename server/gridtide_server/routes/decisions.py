"""When and where to run: windows, plans, schedules and batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from fastapi import APIRouter, Request, Response

from gridtide.schema.batches import Batch, BatchRequest
from gridtide.schema.plans import (
    PlanAnswer,
    PlanRequest,
    ReplanRequest,
    ScheduleAnswer,
    ScheduleRequest,
)
from gridtide.schema.requests import BestRegionRequest, BestWindowRequest
from gridtide.schema.responses import BestRegion, BestWindow
from gridtide.schema.result import Record
from gridtide_server.answers.batches import build_batch
from gridtide_server.answers.plans import build_plan, build_replan, build_schedule
from gridtide_server.answers.priced_windows import decide_window, rank_by_objective
from gridtide_server.answers.regions import resolve_region, resolve_regions
from gridtide_server.answers.windows import (
    Search,
    build_best_region,
    build_best_window,
)
from gridtide_server.bodies import (
    decode_body,
    describe_body,
    receive_body,
    respond,
    run_queued,
)
from gridtide_server.http.caching import reply, tag_of
from gridtide_server.openapi import described
from gridtide_server.problems import responses
from gridtide_server.query import StrictRoute, decode_query
from gridtide_server.queue import TimeBudget
from gridtide_server.service import Moment, Service
from gridtide_server.view import View
from gridtide_store.regions import Resolution

Query = TypeVar("Query", BestWindowRequest, BestRegionRequest)


def window_routes(service: Service) -> APIRouter:
    """Return the routes of ``/v1/best-window`` and ``/v1/best-region``."""
    router = APIRouter(
        route_class=StrictRoute, tags=["decisions"], responses=responses(404, 422, 503)
    )

    async def respond_window(
        request: Request,
        kind: type[Query],
        regions_of: Callable[[Query], Sequence[Resolution]],
        build: Callable[[View, Sequence[Resolution], Search, Moment], Record],
    ) -> Response:
        query = decode_query(kind, request.scope["query_string"])

        def answer() -> Response:
            regions = regions_of(query)
            with service.reader.read() as view:
                moment = service.moment(query.as_of, view)
                search = Search.of(query, moment)
                tag = tag_of(service, view, query, regions, moment)
                return reply(request, tag, moment, lambda: build(view, regions, search, moment))

        files = query.as_of is not None or query.goal is not None  # prices are read from them
        return await service.decide(answer, files=files)

    @router.get("/v1/best-window", **described(BestWindow, query=BestWindowRequest))
    async def best_window(request: Request) -> Response:
        """Find the best window of `hours` in one region, by its newest forecast.

        The cleanest one; by the objective the cheapest, or the least of cost and carbon.
        """
        return await respond_window(
            request,
            BestWindowRequest,
            lambda query: [resolve_region(query.region)],
            lambda view, regions, search, moment: build_best_window(
                view, decide_window(view, regions[0], search, moment), search, moment
            ),
        )

    @router.get("/v1/best-region", **described(BestRegion, query=BestRegionRequest))
    async def best_region(request: Request) -> Response:
        """Find the best of several regions and its window, together and on one signal.

        By an objective that counts prices, these must be in one currency.
        """
        return await respond_window(
            request,
            BestRegionRequest,
            lambda query: resolve_regions(query.regions),
            lambda view, regions, search, moment: build_best_region(
                view, rank_by_objective(view, regions, search, moment), search, moment
            ),
        )

    return router


def plan_routes(service: Service) -> APIRouter:
    """Return the routes of ``/v1/plan``, ``/v1/replan`` and ``/v1/schedule``."""
    router = APIRouter(tags=["decisions"], responses=responses(404, 413, 422, 501, 503))

    @router.post("/v1/plan", **described(PlanAnswer, more=describe_body(PlanRequest)))
    async def plan(request: Request) -> Response:
        """Plan a job within its bounds, as the objective says, and explain the plan."""
        return await respond(service, request, PlanRequest, lambda plan: plan.as_of, build_plan)

    @router.post("/v1/replan", **described(PlanAnswer, more=describe_body(ReplanRequest)))
    async def replan(request: Request) -> Response:
        """Plan the rest of a job that has begun or still waits, by the newest forecasts."""
        return await respond(
            service,
            request,
            ReplanRequest,
            lambda replan: replan.progress.get("at"),
            build_replan,
        )

    @router.post(
        "/v1/schedule", **described(ScheduleAnswer, more=describe_body(ScheduleRequest))
    )
    async def schedule(request: Request) -> Response:
        """Plan many jobs together, under limits on jobs at a time or on power by region."""
        return await respond(
            service, request, ScheduleRequest, lambda schedule: schedule.as_of, build_schedule
        )

    return router


def batch_routes(service: Service) -> APIRouter:
    """Return the route of ``/v1/batch``."""
    router = APIRouter(tags=["decisions"], responses=responses(413, 422, 503))

    @router.post("/v1/batch", **described(Batch, more=describe_body(BatchRequest)))
    async def batch(request: Request) -> Response:
        """Answer up to 1,000 questions in their order, each with a response or a problem."""
        body = await receive_body(request)

        def answer(budget: TimeBudget) -> bytes:
            return build_batch(service, decode_body(body, BatchRequest).questions, budget)

        return await run_queued(service, request, answer)

    return router
