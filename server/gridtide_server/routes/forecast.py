"""``/v1/zones/{zone}/forecast``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from gridtide_server import wire
from gridtide_server.answers import regions, runs, windows
from gridtide_server.http.caching import reply, tag_of
from gridtide_server.problems import responses
from gridtide_server.query import ForecastAsked
from gridtide_server.query_route import StrictRoute
from gridtide_server.service import Service


def routes(service: Service) -> APIRouter:
    """What will be."""
    router = APIRouter(
        route_class=StrictRoute, tags=["forecast"], responses=responses(404, 422, 503)
    )

    @router.get("/v1/zones/{zone}/forecast", response_model=wire.Forecast)
    def forecast(
        request: Request, zone: str, asked: Annotated[ForecastAsked, Query()]
    ) -> Response:
        """The newest run known now or at `as_of`, whole, as issued.

        `zone` is any region: a zone key, a cloud region or a place.
        """
        place = regions.one(zone)
        with service.reader.read() as view:
            moment = service.moment(asked.as_of, view)

            def told() -> wire.Forecast:
                found = runs.find(view, place, asked, moment)
                return windows.forecast(view, place, found, moment)

            tag = tag_of(service, view, asked, [place], moment)
            return reply(request, tag, moment, told)

    return router
