"""``/v1/zones/{zone}/forecast``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from gridtide_server import answers, regions, runs, wire
from gridtide_server.parameters import ForecastAsked
from gridtide_server.problems import responses
from gridtide_server.replies import reply
from gridtide_server.service import Service
from gridtide_server.strict import StrictRoute


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
        moment, place = service.moment(asked.as_of), regions.one(zone)
        with service.reader.read() as view:
            found = runs.find(view, place, asked, moment)
            told = answers.forecast(view, place, found, moment)
        return reply(request, told, moment)

    return router
