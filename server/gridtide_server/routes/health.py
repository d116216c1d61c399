"""``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from gridtide.errors import GridtideError
from gridtide_server import wire
from gridtide_server.answers.readiness import readiness
from gridtide_server.http.caching import reply_again
from gridtide_server.problems import responses
from gridtide_server.query import NothingAsked, ReadyAsked
from gridtide_server.query_route import StrictRoute
from gridtide_server.service import Service

FRESH = {"Cache-Control": "no-store"}


def routes(service: Service, registry: CollectorRegistry, version: str) -> APIRouter:
    """How the service is."""
    router = APIRouter(route_class=StrictRoute, tags=["health"], responses=responses(422))

    @router.get("/healthz", response_model=wire.Health)
    async def alive(request: Request, asked: Annotated[NothingAsked, Query()]) -> Response:
        """The process answers; restart it when this does not."""
        body = wire.Health(version=version).model_dump_json()
        return _fresh(request, body, 200)

    @router.get(
        "/readyz",
        response_model=wire.Readiness,
        responses={503: {"model": wire.Readiness, "description": "Not ready, and why."}},
    )
    def ready(request: Request, asked: Annotated[ReadyAsked, Query()]) -> Response:
        """Data are published and current; send users elsewhere when this is 503."""
        moment = service.moment()
        try:
            with service.reader.read() as view:
                moment = service.moment(view=view)
                told = readiness(view, moment, asked.zones)
        except GridtideError as error:
            told = wire.Readiness.unavailable(str(error), moment.now, replay=moment.replay)
        return _fresh(request, told.model_dump_json(), 200 if told.status == "ready" else 503)

    @router.get("/metrics", response_class=PlainTextResponse)
    def metrics(request: Request, asked: Annotated[NothingAsked, Query()]) -> Response:
        """Prometheus text format."""
        return Response(
            generate_latest(registry), media_type=CONTENT_TYPE_LATEST, headers=FRESH
        )

    return router


def _fresh(request: Request, body: str, status: int) -> Response:
    """An answer that is made anew each time; 304 where it is the one the client has."""
    if status == 200:
        return reply_again(request, body.encode(), FRESH)
    return Response(body, status_code=status, media_type="application/json", headers=FRESH)
