"""``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from gridtide.errors import BadInput, GridtideError
from gridtide.schema.encode import encode
from gridtide.schema.health import Health, Readiness
from gridtide.schema.requests import NoParameters, ReadinessRequest
from gridtide_server.answers.regions import resolve_region
from gridtide_server.answers.zones import build_readiness
from gridtide_server.http.caching import reply_again
from gridtide_server.openapi import described, json_content
from gridtide_server.problems import responses
from gridtide_server.query import StrictRoute, decode_query
from gridtide_server.service import Moment, Service
from gridtide_server.view import View

FRESH = {"Cache-Control": "no-store"}


def health_routes(service: Service, registry: CollectorRegistry, version: str) -> APIRouter:
    """Return the routes of ``/healthz``, ``/readyz`` and ``/metrics``."""
    router = APIRouter(route_class=StrictRoute, tags=["health"], responses=responses(422))

    @router.get("/healthz", **described(Health))
    async def alive(request: Request) -> Response:
        """Report that the process responds; restart it if it does not."""
        decode_query(NoParameters, request.scope["query_string"])
        body = encode(Health(version=version))
        return _fresh(request, body, 200)

    @router.get(
        "/readyz",
        responses={
            **responses(404),
            503: {
                "description": "Not ready, with the reasons.",
                "content": json_content(Readiness),
            },
        },
        **described(Readiness, query=ReadinessRequest),
    )
    def ready(request: Request) -> Response:
        """Report whether data is published and current; if not, the status is 503."""
        query = decode_query(ReadinessRequest, request.scope["query_string"])
        moment = service.moment()
        try:
            with service.reader.read() as view:
                moment = service.moment(view=view)
                response = build_readiness(view, moment, _zones(view, query.zones))
        except BadInput:
            raise  # a fault of the request, which must not look like stale data
        except GridtideError as error:
            response = Readiness.unavailable(str(error), moment.now, replay=moment.replay)
        return _fresh(request, encode(response), 200 if response.status == "ready" else 503)

    @router.get("/metrics", response_class=PlainTextResponse)
    def metrics(request: Request) -> Response:
        """Return metrics in the Prometheus text format."""
        decode_query(NoParameters, request.scope["query_string"])
        return Response(
            generate_latest(registry), media_type=CONTENT_TYPE_LATEST, headers=FRESH
        )

    return router


def _zones(view: View, named: Iterable[str]) -> tuple[str, ...]:
    """Return the keys of the named zones, each once.

    Raises:
        UnknownRegion: a name is neither a zone with data nor known.
    """
    keys = (each if each in view.zones else resolve_region(each).zone for each in named)
    return tuple(dict.fromkeys(keys))


def _fresh(request: Request, body: bytes, status: int) -> Response:
    """Return a response that no cache keeps; 304 if it is the one the client has."""
    if status == 200:
        return reply_again(request, body, FRESH)
    return Response(body, status_code=status, media_type="application/json", headers=FRESH)


# A decision takes well under a millisecond, years of history some hundred.
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


def request_seconds(registry: CollectorRegistry) -> Histogram:
    """Register and return the histogram of responses by route (its template) and status."""
    return Histogram(
        "http_request_seconds",
        "Time from request to last byte of the answer.",
        ("route", "status"),
        buckets=SECONDS,
        registry=registry,
    )


class Ages(Collector):
    """Ages of data and forecasts, computed at each scrape by the service's clock.

    A missing age has no sample: it is not an age of 0.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Yield all samples; none while nothing is published."""
        moment = self._service.moment()
        try:
            with self._service.reader.read() as view:
                yield from (
                    _slots(view, moment),
                    _forecasts(view, moment),
                    *_snapshot(view, moment),
                )
        except GridtideError:
            return


def _slots(view: View, moment: Moment) -> Metric:
    family = GaugeMetricFamily(
        "zone_newest_slot_age_seconds",
        "From the end of the newest known slot to now.",
        labels=("zone", "signal"),
    )
    for zone in view.zones:
        for signal in view.observed(zone):
            age = moment.since(view.newest_end(zone, signal, moment.now))
            if age is not None:
                family.add_metric((zone, signal.value), age)
    return family


def _forecasts(view: View, moment: Moment) -> Metric:
    family = GaugeMetricFamily(
        "forecast_age_seconds", "Since the served run was issued.", labels=("zone", "model")
    )
    for zone in view.zones:
        issued = [run.run for run in view.forecasts(zone, moment.now).values()]
        newest = {run.model: run.issued_at for run in sorted(issued, key=lambda r: r.issued_at)}
        for model, issued_at in newest.items():
            family.add_metric((zone, model), (moment.now - issued_at).total_seconds())
    return family


def _snapshot(view: View, moment: Moment) -> Iterator[Metric]:
    snapshot = view.snapshot
    age = (moment.now - snapshot.published_at).total_seconds()
    yield GaugeMetricFamily("snapshot_age_seconds", "Since it was published.", value=age)
    replay = str(snapshot.replay).lower()
    yield InfoMetricFamily(
        "snapshot", "The one answers come from.", {"id": snapshot.id, "replay": replay}
    )
