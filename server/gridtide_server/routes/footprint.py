"""``/v1/footprint``."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from gridtide.schema.encode import encode
from gridtide.schema.footprints import FootprintAnswer, FootprintRequest
from gridtide_server import bodies
from gridtide_server.answers.footprints import footprinted, reckoned
from gridtide_server.openapi import described
from gridtide_server.post import in_line
from gridtide_server.problems import responses
from gridtide_server.queue import TimeBudget
from gridtide_server.service import Service


def routes(service: Service) -> APIRouter:
    """What was drawn and emitted."""
    router = APIRouter(tags=["history"], responses=responses(404, 413, 422, 503))

    @router.post(
        "/v1/footprint", **described(FootprintAnswer, more=bodies.described(FootprintRequest))
    )
    async def footprint(request: Request) -> Response:
        """Energy and grams of a job, by the intensity known of its own time or a given one."""
        body = await bodies.received(request, rows=True)

        def answer(budget: TimeBudget) -> bytes:
            asked = bodies.read(body, FootprintRequest)
            if asked.region is None:  # nothing published is needed
                moment = service.moment(asked.as_of)
                return encode(budget.run(lambda: reckoned(asked, moment)))
            with service.reader.read() as view:
                moment = service.moment(asked.as_of, view)
                told = budget.run(lambda: footprinted(view, asked, moment))
            return encode(told)

        async with bodies.admission(request).enter(body):
            return await in_line(service, request, answer)

    return router
