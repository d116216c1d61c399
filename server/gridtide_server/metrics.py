"""Signs of life for Prometheus; one registry for each application."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from gridtide.errors import GridtideError
from gridtide_server.service import Moment, Service
from gridtide_server.view import View

# A decision takes well under a millisecond, years of history some hundred.
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


def request_seconds(registry: CollectorRegistry) -> Histogram:
    """The histogram of answers by route (its template) and status."""
    return Histogram(
        "http_request_seconds",
        "Time from request to last byte of the answer.",
        ("route", "status"),
        buckets=SECONDS,
        registry=registry,
    )


class Ages(Collector):
    """Ages of data and forecasts, computed at each scrape by the service's clock.

    What has no value has no sample: a missing age is not an age of 0.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """All samples; none while nothing is published."""
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
