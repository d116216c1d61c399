"""``/v1/zones``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from gridtide_server import wire
from gridtide_server.answers import zones as zone_answers
from gridtide_server.http.caching import reply, tag_of
from gridtide_server.problems import responses
from gridtide_server.query import ZonesAsked
from gridtide_server.query_route import StrictRoute
from gridtide_server.service import Service
from gridtide_store import catalogue


def routes(service: Service) -> APIRouter:
    """Who is there."""
    router = APIRouter(route_class=StrictRoute, tags=["zones"], responses=responses(422, 503))

    @router.get("/v1/zones", response_model=wire.Zones)
    def zones(request: Request, asked: Annotated[ZonesAsked, Query()]) -> Response:
        """The zones with data, and how old it is; with `all`, every zone of the catalogue."""
        with service.reader.read() as view:
            moment = service.moment(asked.as_of, view)
            tag = tag_of(service, view, asked, [], moment)
            return reply(
                request,
                tag,
                moment,
                lambda: zone_answers.zones(view, catalogue.load(), moment, every=asked.all),
            )

    return router
