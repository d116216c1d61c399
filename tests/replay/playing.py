"""The simulated publishers in this process: what they send for the requests of a query."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from gridtide_pipelines.errors import NothingYet
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request, Source
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.replay.publisher import simulate_nothing
from gridtide_pipelines.replay.publishers import publishers

SOURCES = {name: each for name, each in sources().items() if each.answer is None}
PUBLISHERS = publishers(SOURCES)
# But for weather: its rows are runs (tests/replay/test_weather.py).
SIMULATED = sorted(
    name
    for name, source in SOURCES.items()
    if PUBLISHERS[name].simulate is not simulate_nothing and Kind.WEATHER not in source.kinds
)
# Their requests do not say whether they are for observations or forecasts: both are answered.
OF_BOTH_KINDS = ("rte",)


def bodies_of(
    source: Source, query: Query, without: Collection[str] = ()
) -> Iterator[list[Body]]:
    """Yield the bodies of each group that the source requests, its further requests too."""
    for group in source.requests(query):
        bodies: list[Body] = []
        waiting = list(group)
        while waiting:
            bodies += [
                send(source, request, query, number, without)
                for number, request in enumerate(waiting, len(bodies))
            ]
            waiting = list(source.following(bodies)) if source.following else []
        yield bodies


def send(
    source: Source, request: Request, query: Query, number: int, without: Collection[str]
) -> Body:
    """Return the simulated response to a request, which must be described as what it is."""
    publisher = PUBLISHERS[source.name]
    kind, zones = publisher.describe(request)
    assert kind is query.kind or (kind and source.name in OF_BOTH_KINDS)
    assert set(request.zones) <= set(zones)
    described = replace(request, kind=query.kind, zones=tuple(dict.fromkeys(zones)))
    reply = publisher.simulate(described, without, query.now)
    assert reply, request
    if reply.status in source.not_published:
        raise NothingYet(f"{source.name}: status {reply.status}")
    assert reply.status == 200 or reply.status in source.readable, reply
    return Body(request, reply.content, query.now, number, reply.status)
