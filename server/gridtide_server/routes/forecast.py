"""``/v1/zones/{zone}/forecast``."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from gridtide.schema.requests import ForecastRequest
from gridtide.schema.responses import Forecast
from gridtide_server.answers import regions, runs, windows
from gridtide_server.http.caching import reply, tag_of
from gridtide_server.openapi import described
from gridtide_server.problems import responses
from gridtide_server.query import decode_query
from gridtide_server.query_route import StrictRoute
from gridtide_server.service import Service


def routes(service: Service) -> APIRouter:
    """What will be."""
    router = APIRouter(
        route_class=StrictRoute, tags=["forecast"], responses=responses(404, 422, 503)
    )

    @router.get("/v1/zones/{zone}/forecast", **described(Forecast, query=ForecastRequest))
    def forecast(request: Request, zone: str) -> Response:
        """The newest run known now or at `as_of`, whole, as issued.

        `zone` is any region: a zone key, a cloud region or a place.
        """
        asked = decode_query(ForecastRequest, request.scope["query_string"])
        place = regions.one(zone)
        with service.reader.read() as view:
            moment = service.moment(asked.as_of, view)

            def told() -> Forecast:
                found = runs.find(view, place, asked, moment)
                return windows.forecast(view, place, found, moment)

            tag = tag_of(service, view, asked, [place], moment)
            return reply(request, tag, moment, told)

    return router
