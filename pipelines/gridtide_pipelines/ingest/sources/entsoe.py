"""Generation, load, flows, prices and official forecasts of Europe, from ENTSO-E.

Docs:       https://transparency.entsoe.eu/content/static_content/Static%20content/web%20api/Guide.html
            (document types A75, A65, A69, A71, A11, A09, A44; EIC codes of areas)
Licence:    CC BY 4.0 for most items; ENTSO-E asks to be named.
Unit:       MW, the mean of the interval; prices in a currency per MWh.
Slots:      15, 30 or 60 min by zone, date and item; labelled by the UTC start of a period and
            the position in it. One document may change its resolution. Curve A01 states every
            position; in curve A03 a position that is left out repeats the one before it, to the
            end of its period. Time between two periods is a gap.
Limits:     400 requests a minute for each token, a year for each request; beyond it, ten
            minutes of 429. A long answer comes as a ZIP of several documents.
Revisions:  strong; of 1,056 values of DE on 2021-01-01, 1,050 were revised within four years.
            Of two bodies about one area and code the newest counts; intraday forecasts count
            before day-ahead ones, and current ones before both.
Codes:      Codes of one fuel, and of one zone, are added; where one of them is missing, the
            sum is flagged as partial and stored as unknown. A series with
            `outBiddingZone_Domain` is consumption (pumps, own use) and counts negative. An
            unknown code is unknown and flagged.
No data:    An acknowledgement with "No matching data found", with status 200 or 400. Other
            acknowledgements refuse the request.
Prices:     Auctions stand side by side: sequence 1 counts where one is named, and of series of
            two resolutions the finer one.
Exchanges:  One document states one direction. With both of a border the flow is their
            difference. Of several contract types the total (A05) counts.
Last seen:  2025-11 (recorded bodies of all seven document types).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.errors import NothingYet
from gridtide_pipelines.ingest.parsing import check_shape, readings
from gridtide_pipelines.ingest.source import (
    Body,
    Credentials,
    Group,
    Kind,
    Parameter,
    Query,
    Request,
    Source,
    Tier,
)
from gridtide_pipelines.ingest.sources.entsoe_areas import areas, borders, direction
from gridtide_pipelines.ingest.sources.entsoe_documents import (
    Slots,
    read_documents,
    seconds_of,
    starts_of,
)
from gridtide_pipelines.ingest.sources.entsoe_sums import Sums, Wanted, add_values
from gridtide_pipelines.ingest.sources.entsoe_values import ACTUAL, Values, read_values
from gridtide_store import catalogue
from gridtide_store.vocabulary import INSTANT

NAME = "entsoe"

DAY_AHEAD: Final = "A01"
STAMP: Final = "%Y%m%d%H%M"
DOMAINS: Final = {
    "A75": ("in_Domain",),
    "A69": ("in_Domain",),
    "A71": ("in_Domain",),
    "A65": ("outBiddingZone_Domain",),
    "A44": ("in_Domain", "out_Domain"),
}


def requests(query: Query) -> Sequence[Group]:
    """Return a group for each zone, or for each border of one, and item."""
    kind, zones, start, end = query.kind, query.zones, query.start, query.end
    match kind:
        case Kind.GENERATION:
            return _of_zones("generation", "A75", ACTUAL, kind, zones, start, end)
        case Kind.LOAD:
            return _of_zones("load", "A65", ACTUAL, kind, zones, start, end)
        case Kind.PRICE:
            return _of_zones("price", "A44", "", kind, zones, start, end)
        case Kind.FLOW:
            return [
                [
                    _request(
                        [("documentType", "A11"), ("in_Domain", into), ("out_Domain", out)],
                        kind,
                        pair,
                        start,
                        end,
                    )
                    for into, out in (codes, codes[::-1])
                ]
                for pair, codes in borders()
                if not set(zones).isdisjoint(pair)
            ]
        case _:
            return [
                *_of_zones("generation", "A69", DAY_AHEAD, kind, zones, start, end),
                *_of_zones("generation", "A71", DAY_AHEAD, kind, zones, start, end),
                *_of_zones("load", "A65", DAY_AHEAD, kind, zones, start, end),
            ]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return every value in the documents, under the zone that was requested.

    Where several were requested, or none, a value is under the EIC code of its area; an
    exchange then is ``from->to``.

    Raises:
        SourceChanged: a body is not a document of these types, or refuses the request.
        NothingYet: all of them say that they have no data.
    """
    found: list[Values] = []
    with check_shape(NAME):
        issued_at = max(body.known_at for body in bodies)  # a run is known with its last page
        for index, body in enumerate(bodies):
            for document in read_documents(body.content, SOURCE.largest_unpacked):
                number = len(found)
                found += read_values(document, index, number, issued_at)
        frame = _frame(_summed([each for each in found if len(each.slots)], bodies))
    if frame.is_empty():
        raise NothingYet(NAME, "the answer holds no value yet; normal at the live edge")
    return frame


def _frame(found: Sequence[Sums]) -> pl.DataFrame:
    """Return sums as readings; NaN becomes null."""

    def repeat(each: Callable[[Sums], object]) -> list[object]:
        return [item for sums in found for item in [each(sums)] * len(sums.slots)]

    def instants(seconds: Slots) -> pl.Series:
        return pl.Series(seconds * 1_000_000).cast(INSTANT)

    slots = np.concatenate([np.empty(0, np.int64), *(each.slots for each in found)])
    values = np.concatenate([np.empty(0), *(each.values for each in found)])
    return readings(
        zone=repeat(lambda each: each.zone),
        signal=repeat(lambda each: each.signal),
        start=instants(starts_of(slots)),
        end=instants(starts_of(slots) + seconds_of(slots)),
        value=pl.Series(values, nan_to_null=True),
        quality=repeat(
            lambda each: str(Quality.FORECAST if each.issued_at else Quality.MEASURED)
        ),
        issued_at=repeat(lambda each: each.issued_at),
        flag=[flag for each in found for flag in each.flags],
        body=pl.Series(
            np.concatenate([np.empty(0, np.int64), *(each.bodies for each in found)])
        ),
    )


def _summed(found: Sequence[Values], bodies: Sequence[Body]) -> list[Sums]:
    """Return the sums of values under the one zone, or the one border, that was requested.

    The codes of one zone are added; where one of them lacks a time that it was requested for,
    the sum is flagged as partial. The flow of a border is the difference of its two directions;
    where both were requested, a time that one of them lacks is unknown and left out.
    """
    parts: dict[tuple[str, str, datetime | None], list[Values]] = defaultdict(list)
    areas_of: dict[int, set[str]] = defaultdict(set)
    holding: dict[tuple[str, str], set[int]] = defaultdict(set)
    for each in found:
        requested, zone = bodies[each.body].request.zones, each.area
        if len(requested) == 2 and "->" in each.area:
            sign = direction(each.area, requested[0], requested[1])
            zone = "->".join(requested)
            each = replace(each, values=sign * each.values)
        elif len(requested) == 1:
            zone = requested[0]
        parts[zone, each.signal, each.issued_at].append(each)
        holding[zone, each.signal].add(each.body)
        areas_of[each.body].add(each.area)
    sums = []
    for (zone, signal, _), mine in parts.items():
        zones = bodies[mine[0].body].request.zones
        # A code of the zone that has no such fuel is not missed; one without any value is late.
        silent = [
            index
            for index, body in enumerate(bodies)
            if index not in areas_of and 1 <= len(zones) <= 2 and body.request.zones == zones
        ]
        areas_here = {each.area for each in mine}
        wanted = [
            Wanted(index, area, *_requested_span(bodies[index].request))
            for index in (*sorted(holding[zone, signal]), *silent)
            for area in sorted(areas_of[index] & areas_here) or [_area(bodies[index], index)]
        ]
        sums.append(add_values(zone, mine, wanted))
    return sums


def _area(body: Body, index: int) -> str:
    """Return the area, or the exchange, that a body without values was requested for."""
    params = dict(body.request.params)
    domains = [params[each] for each in ("out_Domain", "in_Domain") if each in params]
    return "->".join(dict.fromkeys(domains)) or params.get(
        "outBiddingZone_Domain", f"body {index}"
    )


def _requested_span(request: Request) -> tuple[float, float]:
    """Return the time a request was for, seconds since the epoch; any if it is unknown."""
    params = dict(request.params)

    def seconds(name: str, otherwise: float) -> float:
        text = params.get(name)
        if text is None:
            return otherwise
        return datetime.strptime(text, STAMP).replace(tzinfo=UTC).timestamp()

    return seconds("periodStart", -math.inf), seconds("periodEnd", math.inf)


def _of_zones(
    item: str,
    document: str,
    process: str,
    kind: Kind,
    zones: Sequence[str],
    start: datetime,
    end: datetime,
) -> list[Group]:
    """Return a group for each zone, of a request for each of its codes at that time."""
    groups: list[Group] = []
    for zone in zones:
        group = []
        for area in areas():
            if (area.zone, area.item) != (zone, item):
                continue
            since, until = max(start, area.since or start), min(end, area.until or end)
            if since >= until:
                continue
            params = [("documentType", document)]
            params += [("processType", process)] if process else []
            params += [(name, area.eic) for name in DOMAINS[document]]
            group.append(_request(params, kind, (zone,), since, until))
        if group:
            groups.append(group)
    return groups


def _request(
    params: Sequence[tuple[str, str]],
    kind: Kind,
    zones: tuple[str, ...],
    start: datetime,
    end: datetime,
) -> Request:
    span = (("periodStart", f"{start:{STAMP}}"), ("periodEnd", f"{end:{STAMP}}"))
    return Request("GET", "/api", (*params, *span), kind=kind, zones=zones)


SOURCE = Source(
    name=NAME,
    title="Transparency Platform",
    base_url="https://web-api.tp.entsoe.eu",
    kinds=frozenset({Kind.GENERATION, Kind.LOAD, Kind.FLOW, Kind.PRICE, Kind.FORECAST}),
    zones=frozenset(
        zone.key for zone in catalogue.load().zones.values() if NAME in zone.sources
    ),
    requests=requests,
    parse=parse,
    credentials=Credentials(
        ("ENTSOE_API_TOKEN",), "https://transparency.entsoe.eu", Parameter("securityToken")
    ),
    step=timedelta(minutes=15),
    max_span=timedelta(days=31),
    ahead=timedelta(days=3),
    refetch=(
        Tier(timedelta(days=3)),
        Tier(timedelta(days=30), timedelta(days=1)),
        Tier(timedelta(days=365), timedelta(days=30)),
    ),
    lag=timedelta(hours=3),
    day_ahead=True,
    licence="CC-BY-4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    attribution="ENTSO-E",
    readable=frozenset({400}),
    per_zone=True,
    min_interval=timedelta(milliseconds=200),
    concurrency=4,
    largest_unpacked=32 * 2**20,
)
