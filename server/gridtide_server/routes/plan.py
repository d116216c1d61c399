"""``/v1/plan`` and ``/v1/replan``."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from gridtide.schema.plans import PlanAnswer, PlanRequest, ReplanRequest
from gridtide_server import bodies
from gridtide_server.answers.plans import planned, replanned
from gridtide_server.openapi import described
from gridtide_server.post import answered
from gridtide_server.problems import responses
from gridtide_server.service import Service


def routes(service: Service) -> APIRouter:
    """When and where to run a job of any kind."""
    router = APIRouter(tags=["decisions"], responses=responses(404, 413, 422, 501, 503))

    @router.post("/v1/plan", **described(PlanAnswer, more=bodies.described(PlanRequest)))
    async def plan(request: Request) -> Response:
        """The plan that reaches the goal best within the bounds, and why."""
        return await answered(service, request, PlanRequest, lambda asked: asked.as_of, planned)

    @router.post("/v1/replan", **described(PlanAnswer, more=bodies.described(ReplanRequest)))
    async def replan(request: Request) -> Response:
        """The plan for the rest of a job that has begun, or waits, by the forecasts of now."""
        return await answered(
            service, request, ReplanRequest, lambda asked: asked.progress.get("at"), replanned
        )

    return router
