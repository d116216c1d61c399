"""What the replay server must know of a publisher to play it, and how to find zones by code."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from gridtide_pipelines.ingest.source import Kind, Request, Source
from gridtide_pipelines.replay.faults import Reply


def simulate_nothing(_request: Request, _without: Collection[str], _now: datetime) -> None:
    """Return None: this publisher is not simulated."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """A publisher as the replay server plays it.

    Attributes:
        describe: returns what a request is for, None where that is unknown, and the zones that
            it names.
        no_data: its way to say that it has no data for a request.
        refusal: its way to refuse a request that it does not understand.
        simulate: returns the simulated response to a described request, without the values of
            some zones and with observations up to a time; None where there is none.
    """

    describe: Callable[[Request], tuple[Kind | None, Sequence[str]]]
    no_data: Reply
    refusal: Reply
    simulate: Callable[[Request, Collection[str], datetime], Reply | None] = simulate_nothing


def json_reply(document: object, status: int = 200) -> Reply:
    """Return a response with a JSON body as publishers write it, without spaces."""
    return Reply(json.dumps(document, separators=(",", ":")).encode(), status)


def zone_publisher(
    source: Source,
    render: Callable[[Sequence[str], Request, datetime], Reply],
    no_data: Reply,
    zones_of: Callable[[Request], Sequence[str]] | None = None,
) -> Publisher:
    """Return a simulated publisher whose requests are all of one kind.

    Args:
        render: returns the response about some zones to a request at a time.
        zones_of: returns the zones that a request names; None: all, always.
    """
    (kind,) = source.kinds

    def describe(request: Request) -> tuple[Kind, Sequence[str]]:
        return kind, sorted(source.zones) if zones_of is None else zones_of(request)

    def simulate(request: Request, without: Collection[str], now: datetime) -> Reply:
        zones = [zone for zone in request.zones if zone not in without]
        return render(zones, request, now) if zones else no_data

    refusal = json_reply({"error": "invalid request"}, 400)
    return Publisher(describe, no_data, refusal, simulate)


def plain_publisher(source: Source) -> Publisher:
    """Return a publisher of which nothing more is known than its codes: it is not simulated.

    Zones are found where a part of the path or a value of the query is their code; a source of
    one zone is always requested for that one.
    """
    zones = {source.codes.get(zone, zone): zone for zone in source.zones}

    def describe(request: Request) -> tuple[None, Sequence[str]]:
        texts = [*request.path.split("/"), *(value for _, value in request.params)]
        if len(zones) == 1:
            return None, list(zones.values())
        return None, [zones[text] for text in texts if text in zones]

    return Publisher(
        describe, json_reply({"data": []}), json_reply({"error": "invalid request"}, 400)
    )
