"""The application of the REST service; importing this module starts nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import version

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry

from gridtide.clock import Clock
from gridtide_server import bodies, problems
from gridtide_server.http.caching import reply_again
from gridtide_server.http.limits import Limits
from gridtide_server.http.middleware import HostCheck, NoSniff, Observing, read_hosts
from gridtide_server.openapi import document_of
from gridtide_server.queue import WorkLimits, WorkQueue
from gridtide_server.reader import Reader
from gridtide_server.routes.decisions import batch_routes, plan_routes, window_routes
from gridtide_server.routes.health import Ages, health_routes, request_seconds
from gridtide_server.routes.zones import (
    footprint_routes,
    forecast_routes,
    intensity_routes,
    price_routes,
    quality_routes,
    source_routes,
    zone_routes,
)
from gridtide_server.service import Service
from gridtide_store.settings import Settings, read_flag

ABOUT = """When and where is the grid cleanest?

Times are UTC, slots are half-open and labelled by their start, what is unknown is null.
A `region` is a zone key (`DE`), a cloud region (`aws:us-east-1`) or a place (`52.52,13.40`).
Errors are RFC 9457 problems with a stable `code`."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Settings of the application.

    Attributes:
        cors: pages of any site may send requests; responses are public, nothing is written.
        work_limits: limits on the work of planning calls.
        max_age: how long ago the slot of a latest value may have ended by default.
        limits: bounds on what clients may take.
        hosts: names in the Host header that are served; None for any.
    """

    cors: bool = True
    work_limits: WorkLimits = field(default_factory=WorkLimits)
    max_age: timedelta = Settings.max_age
    limits: Limits = field(default_factory=Limits)
    hosts: tuple[str, ...] | None = None

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str], *, limits: Limits, loopback: bool, cors: bool | None
    ) -> ServerSettings:
        """Return the settings in `environ`.

        By default a server on loopback serves loopback names only and no page of another site;
        one that other machines reach cannot know its names, and serves all.

        Raises:
            BadInput: a value that cannot be decoded.
        """
        if cors is None:
            cors = read_flag(environ, "GRIDTIDE_CORS", default=not loopback)
        return cls(cors=cors, limits=limits, hosts=read_hosts(environ, loopback=loopback))


def create_app(settings: ServerSettings, reader: Reader, clock: Clock) -> FastAPI:
    """Create the application that serves the snapshots of `reader` by the time of `clock`.

    It opens the snapshot at the first request, so it also works where no server runs its
    lifespan; at the end of the lifespan the snapshot is closed.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        service.queue.stop()
        reader.close()

    app = FastAPI(
        title="gridtide",
        version=version("gridtide-service"),
        description=ABOUT,
        lifespan=lifespan,
        # The interactive pages load scripts from other hosts.
        docs_url=None,
        redoc_url=None,
        # FastAPI's own answer has no entity tag.
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    service, registry = (
        Service(reader, clock, WorkQueue(settings.work_limits), settings.max_age),
        CollectorRegistry(),
    )
    registry.register(Ages(service))
    problems.install(app)
    for routes in (
        window_routes,
        plan_routes,
        batch_routes,
        zone_routes,
        source_routes,
        intensity_routes,
        forecast_routes,
        price_routes,
        quality_routes,
        footprint_routes,
    ):
        app.include_router(routes(service))
    app.include_router(health_routes(service, registry, app.version))
    app.add_route("/openapi.json", _describe, include_in_schema=False)
    app.add_middleware(Observing, seconds=request_seconds(registry))
    app.state.admission = bodies.Admission(settings.limits)
    if settings.hosts is not None:
        app.add_middleware(HostCheck, hosts=settings.hosts)
    if settings.cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=["*"],
            allow_methods=["GET", "POST"],
            allow_headers=["Content-Type", "If-None-Match"],
            expose_headers=["ETag", "Retry-After"],
        )
    app.add_middleware(NoSniff)
    app.openapi = lambda: document_of(app)  # type: ignore[method-assign]  # FastAPI's own way
    return app


async def _describe(request: Request) -> Response:
    """Return the OpenAPI, which changes with the release alone."""
    body = JSONResponse(request.app.openapi()).body
    return reply_again(request, bytes(body), {"Cache-Control": "no-cache"})
