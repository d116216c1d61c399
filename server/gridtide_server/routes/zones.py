"""The zones, their history and forecasts, and footprints by that history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from gridtide.schema.encode import encode
from gridtide.schema.footprints import FootprintAnswer, FootprintRequest
from gridtide.schema.prices import Price, PriceRequest
from gridtide.schema.quality import QualityRequest, ZoneQuality
from gridtide.schema.requests import (
    ForecastRequest,
    IntensityRequest,
    NoParameters,
    ZonesRequest,
)
from gridtide.schema.responses import Forecast, Intensity, Zones
from gridtide.schema.result import Record
from gridtide.schema.sources import Sources
from gridtide_server.answers.footprints import build_footprint, build_given_footprint
from gridtide_server.answers.forecasts import build_forecast
from gridtide_server.answers.history import build_intensity, is_settled
from gridtide_server.answers.price_history import build_price
from gridtide_server.answers.quality import build_quality
from gridtide_server.answers.regions import resolve_region
from gridtide_server.answers.sources import build_sources
from gridtide_server.answers.zones import build_zones
from gridtide_server.bodies import (
    admission,
    decode_body,
    describe_body,
    receive_body,
    run_queued,
)
from gridtide_server.http.caching import reply, tag_of
from gridtide_server.openapi import described
from gridtide_server.problems import responses
from gridtide_server.query import StrictRoute, decode_query
from gridtide_server.queue import TimeBudget
from gridtide_server.service import Moment, Service
from gridtide_server.view import View
from gridtide_store import catalogue
from gridtide_store.regions import Resolution

Query = TypeVar("Query", ForecastRequest, PriceRequest, QualityRequest)

# Few requests for longer ranges run at a time: years of quarter hours are seconds of work.
SHORT = timedelta(days=92)


def zone_routes(service: Service) -> APIRouter:
    """Return the route of ``/v1/zones``."""
    router = APIRouter(route_class=StrictRoute, tags=["zones"], responses=responses(422, 503))

    @router.get("/v1/zones", **described(Zones, query=ZonesRequest))
    def zones(request: Request) -> Response:
        """List the zones with data and its age; with `all`, every zone of the catalogue."""
        query = decode_query(ZonesRequest, request.scope["query_string"])
        with service.reader.read() as view:
            moment = service.moment(query.as_of, view)
            tag = tag_of(service, view, query, [], moment)
            return reply(
                request,
                tag,
                moment,
                lambda: build_zones(view, catalogue.load(), moment, every=query.all),
            )

    return router


def source_routes(service: Service) -> APIRouter:
    """Return the route of ``/v1/sources``."""
    router = APIRouter(route_class=StrictRoute, tags=["sources"], responses=responses(422, 503))

    @router.get("/v1/sources", **described(Sources))
    def sources(request: Request) -> Response:
        """List the sources, their terms, and how they were doing at the last publication."""
        query = decode_query(NoParameters, request.scope["query_string"])
        with service.reader.read() as view:
            moment = service.moment(view=view)
            tag = tag_of(service, view, query, [], moment)
            return reply(request, tag, moment, lambda: build_sources(view, moment))

    return router


def intensity_routes(service: Service) -> APIRouter:
    """Return the route of ``/v1/zones/{zone}/intensity``."""
    router = APIRouter(
        route_class=StrictRoute, tags=["history"], responses=responses(404, 422, 503)
    )

    @router.get("/v1/zones/{zone}/intensity", **described(Intensity, query=IntensityRequest))
    async def intensity(request: Request, zone: str) -> Response:
        """Return the slots of a range, with null for gaps, or the latest; as known at `as_of`.

        `zone` is any region: a zone key, a cloud region or coordinates.
        """
        query = decode_query(IntensityRequest, request.scope["query_string"])

        def answer() -> Response:
            region = resolve_region(zone)
            with service.reader.read() as view:
                moment = service.moment(query.as_of, view)
                settled = is_settled(view, region, query, moment)
                tag = tag_of(service, view, query, [region], moment, settled=settled)
                return reply(
                    request,
                    tag,
                    moment,
                    lambda: build_intensity(
                        view, region, query, moment, max_age=service.max_age
                    ),
                )

        if _is_short(query, service.clock()):
            return await run_in_threadpool(answer)
        async with admission(request).enter_long():
            return await run_in_threadpool(answer)

    return router


def _is_short(query: IntensityRequest, now: datetime) -> bool:
    return query.start is None or (query.end or now) - query.start <= SHORT


def _answer(
    service: Service,
    request: Request,
    zone: str,
    kind: type[Query],
    build: Callable[[View, Resolution, Query, Moment], Record],
) -> Response:
    """Return what `build` makes of one region at the moment of a query of `kind`."""
    query = decode_query(kind, request.scope["query_string"])
    region = resolve_region(zone)
    with service.reader.read() as view:
        moment = service.moment(query.as_of, view)
        tag = tag_of(service, view, query, [region], moment)
        return reply(request, tag, moment, lambda: build(view, region, query, moment))


def forecast_routes(service: Service) -> APIRouter:
    """Return the route of ``/v1/zones/{zone}/forecast``."""
    router = APIRouter(
        route_class=StrictRoute, tags=["forecast"], responses=responses(404, 422, 503)
    )

    @router.get("/v1/zones/{zone}/forecast", **described(Forecast, query=ForecastRequest))
    def forecast(request: Request, zone: str) -> Response:
        """Return the newest forecast run known now or at `as_of`, as it was issued.

        `zone` is any region: a zone key, a cloud region or coordinates.
        """
        return _answer(service, request, zone, ForecastRequest, build_forecast)

    return router


def price_routes(service: Service) -> APIRouter:
    """Return the route of ``/v1/zones/{zone}/price``."""
    router = APIRouter(
        route_class=StrictRoute, tags=["history"], responses=responses(404, 422, 503)
    )

    @router.get("/v1/zones/{zone}/price", **described(Price, query=PriceRequest))
    def price(request: Request, zone: str) -> Response:
        """Return the published price now, or of a range that may lie ahead.

        `zone` is any region: a zone key, a cloud region or coordinates.
        """
        return _answer(service, request, zone, PriceRequest, build_price)

    return router


def quality_routes(service: Service) -> APIRouter:
    """Return the route of ``/v1/zones/{zone}/quality``."""
    router = APIRouter(
        route_class=StrictRoute, tags=["zones"], responses=responses(404, 422, 503)
    )

    @router.get("/v1/zones/{zone}/quality", **described(ZoneQuality, query=QualityRequest))
    def quality(request: Request, zone: str) -> Response:
        """Return the newest anomalies of a zone's data and their counts by flag.

        `zone` is any region: a zone key, a cloud region or coordinates.
        """
        return _answer(service, request, zone, QualityRequest, build_quality)

    return router


def footprint_routes(service: Service) -> APIRouter:
    """Return the route of ``/v1/footprint``."""
    router = APIRouter(tags=["history"], responses=responses(404, 413, 422, 503))

    @router.post(
        "/v1/footprint", **described(FootprintAnswer, more=describe_body(FootprintRequest))
    )
    async def footprint(request: Request) -> Response:
        """Compute energy and emissions of a job, by its region's or a given intensity."""
        body = await receive_body(request, rows=True)

        def answer(budget: TimeBudget) -> bytes:
            decoded = decode_body(body, FootprintRequest)
            if decoded.region is None:  # needs no snapshot
                moment = service.moment(decoded.as_of)
                return encode(budget.run(lambda: build_given_footprint(decoded, moment)))
            with service.reader.read() as view:
                moment = service.moment(decoded.as_of, view)
                response = budget.run(lambda: build_footprint(view, decoded, moment))
            return encode(response)

        async with admission(request).enter(body):
            return await run_queued(service, request, answer)

    return router
