"""``/v1/schedule``."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from gridtide.schema.plans import ScheduleAnswer, ScheduleRequest
from gridtide_server import bodies
from gridtide_server.answers.schedules import scheduled
from gridtide_server.openapi import described
from gridtide_server.post import answered
from gridtide_server.problems import responses
from gridtide_server.service import Service


def routes(service: Service) -> APIRouter:
    """Many jobs together."""
    router = APIRouter(tags=["decisions"], responses=responses(404, 413, 422, 501, 503))

    @router.post(
        "/v1/schedule", **described(ScheduleAnswer, more=bodies.described(ScheduleRequest))
    )
    async def schedule(request: Request) -> Response:
        """Plans for many jobs under caps on jobs at once or on power, by region."""
        return await answered(
            service, request, ScheduleRequest, lambda asked: asked.as_of, scheduled
        )

    return router
