"""``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from gridtide.errors import GridtideError
from gridtide.schema.encode import encode
from gridtide.schema.requests import NoParameters, ReadinessRequest
from gridtide.schema.responses import Health, Readiness
from gridtide_server.answers.readiness import readiness
from gridtide_server.http.caching import reply_again
from gridtide_server.openapi import described, json_content
from gridtide_server.problems import responses
from gridtide_server.query import decode_query
from gridtide_server.query_route import StrictRoute
from gridtide_server.service import Service

FRESH = {"Cache-Control": "no-store"}


def routes(service: Service, registry: CollectorRegistry, version: str) -> APIRouter:
    """How the service is."""
    router = APIRouter(route_class=StrictRoute, tags=["health"], responses=responses(422))

    @router.get("/healthz", **described(Health))
    async def alive(request: Request) -> Response:
        """The process answers; restart it when this does not."""
        decode_query(NoParameters, request.scope["query_string"])
        body = encode(Health(version=version))
        return _fresh(request, body, 200)

    @router.get(
        "/readyz",
        responses={
            503: {"description": "Not ready, and why.", "content": json_content(Readiness)}
        },
        **described(Readiness, query=ReadinessRequest),
    )
    def ready(request: Request) -> Response:
        """Data are published and current; send users elsewhere when this is 503."""
        asked = decode_query(ReadinessRequest, request.scope["query_string"])
        moment = service.moment()
        try:
            with service.reader.read() as view:
                moment = service.moment(view=view)
                told = readiness(view, moment, asked.zones)
        except GridtideError as error:
            told = Readiness.unavailable(str(error), moment.now, replay=moment.replay)
        return _fresh(request, encode(told), 200 if told.status == "ready" else 503)

    @router.get("/metrics", response_class=PlainTextResponse)
    def metrics(request: Request) -> Response:
        """Prometheus text format."""
        decode_query(NoParameters, request.scope["query_string"])
        return Response(
            generate_latest(registry), media_type=CONTENT_TYPE_LATEST, headers=FRESH
        )

    return router


def _fresh(request: Request, body: bytes, status: int) -> Response:
    """An answer that is made anew each time; 304 where it is the one the client has."""
    if status == 200:
        return reply_again(request, body, FRESH)
    return Response(body, status_code=status, media_type="application/json", headers=FRESH)
