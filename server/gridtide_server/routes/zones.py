"""``/v1/zones``."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from gridtide.schema.requests import ZonesRequest
from gridtide.schema.responses import Zones
from gridtide_server.answers import zones as zone_answers
from gridtide_server.http.caching import reply, tag_of
from gridtide_server.openapi import described
from gridtide_server.problems import responses
from gridtide_server.query import decode_query
from gridtide_server.query_route import StrictRoute
from gridtide_server.service import Service
from gridtide_store import catalogue


def routes(service: Service) -> APIRouter:
    """Who is there."""
    router = APIRouter(route_class=StrictRoute, tags=["zones"], responses=responses(422, 503))

    @router.get("/v1/zones", **described(Zones, query=ZonesRequest))
    def zones(request: Request) -> Response:
        """The zones with data, and how old it is; with `all`, every zone of the catalogue."""
        asked = decode_query(ZonesRequest, request.scope["query_string"])
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
