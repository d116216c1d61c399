"""``/v1/zones/{zone}/intensity``."""

from __future__ import annotations

from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from gridtide.schema.requests import IntensityRequest
from gridtide.schema.responses import Intensity
from gridtide_server import bodies
from gridtide_server.answers import history, regions
from gridtide_server.http.caching import reply, tag_of
from gridtide_server.openapi import described
from gridtide_server.problems import responses
from gridtide_server.query import decode_query
from gridtide_server.query_route import StrictRoute
from gridtide_server.service import Service

# Longer ranges take turns: years of quarter hours are seconds of work.
SHORT = timedelta(days=92)


def routes(service: Service) -> APIRouter:
    """What was, and what is now."""
    router = APIRouter(
        route_class=StrictRoute, tags=["history"], responses=responses(404, 422, 503)
    )

    @router.get("/v1/zones/{zone}/intensity", **described(Intensity, query=IntensityRequest))
    async def intensity(request: Request, zone: str) -> Response:
        """A range of slots as known now or at `as_of`, gaps with null; or the latest slot.

        `zone` is any region: a zone key, a cloud region or a place.
        """
        asked = decode_query(IntensityRequest, request.scope["query_string"])

        def answer() -> Response:
            place = regions.one(zone)
            with service.reader.read() as view:
                moment = service.moment(asked.as_of, view)
                tag = tag_of(
                    service,
                    view,
                    asked,
                    [place],
                    moment,
                    fixed=history.is_settled(view, place, asked, moment),
                )
                return reply(
                    request,
                    tag,
                    moment,
                    lambda: history.intensity(
                        view, place, asked, moment, max_age=service.max_age
                    ),
                )

        if _is_short(asked, service.clock()):
            return await run_in_threadpool(answer)
        async with bodies.admission(request).enter_long():
            return await run_in_threadpool(answer)

    return router


def _is_short(asked: IntensityRequest, now: datetime) -> bool:
    return asked.start is None or (asked.end or now) - asked.start <= SHORT
