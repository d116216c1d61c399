"""``/v1/schedule``."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from gridtide.planning_wire.schedules import SCHEDULE
from gridtide_server import bodies, wire_plans
from gridtide_server.effort import Turn
from gridtide_server.problems import responses
from gridtide_server.schedules import scheduled
from gridtide_server.service import Service


def routes(service: Service) -> APIRouter:
    """Many jobs together."""
    router = APIRouter(tags=["decisions"], responses=responses(404, 413, 422, 501, 503))

    @router.post(
        "/v1/schedule",
        response_model=wire_plans.Schedule,
        openapi_extra=bodies.described(SCHEDULE),
    )
    async def schedule(request: Request) -> Response:
        """Plans for many jobs under caps on jobs at once or on power, by region."""
        body = await bodies.received(request)

        def answer(turn: Turn) -> bytes:
            asked = bodies.read(body, SCHEDULE)
            moment = service.moment(asked.as_of)
            with service.reader.read() as view:
                told = turn.limited(lambda: scheduled(view, asked, moment))
            return told.model_dump_json().encode()

        return bodies.plain(await service.line.run(answer))

    return router
