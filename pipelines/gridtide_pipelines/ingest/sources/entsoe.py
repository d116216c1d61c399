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
Codes:      Codes of one fuel are added; where one of them is missing, the sum is flagged as
            partial and stored as unknown. A series with `outBiddingZone_Domain` is consumption
            (pumps, own use) and counts negative. An unknown code is unknown and flagged.
No data:    An acknowledgement with "No matching data found", with status 200 or 400. Other
            acknowledgements refuse the request.
Prices:     Auctions stand side by side: sequence 1 counts where one is named, and of series of
            two resolutions the finer one.
Exchanges:  One document states one direction. With both of a border the flow is their
            difference. Of several contract types the total (A05) counts.
Last seen:  2025-11 (recorded bodies of all seven document types).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

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
from gridtide_pipelines.ingest.sources.entsoe_documents import read_documents
from gridtide_pipelines.ingest.sources.entsoe_values import ACTUAL, Row, read_rows
from gridtide_store import catalogue

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
    """Every value in the documents, under the zone that was requested.

    Where several were requested, or none, a value is under the EIC code of its area; an
    exchange then is ``from->to``.

    Raises:
        SourceChanged: a body is not a document of these types, or refuses the request.
        NothingYet: all of them say that there is no data.
    """
    rows: list[Row] = []
    with check_shape(NAME):
        issued_at = max(body.known_at for body in bodies)  # a run is known with its last page
        for index, body in enumerate(bodies):
            for document in read_documents(body.content):
                rows += read_rows(document, index, issued_at)
        rows = _named(rows, [body.request.zones for body in bodies])
        frame = readings(
            zone=[row.area for row in rows],
            signal=[row.signal for row in rows],
            start=[row.start for row in rows],
            end=[row.start + row.length for row in rows],
            value=[row.value for row in rows],
            quality=[Quality.FORECAST if row.issued_at else Quality.MEASURED for row in rows],
            issued_at=[row.issued_at for row in rows],
            flag=[row.flag for row in rows],
            body=[row.body for row in rows],
        )
    if frame.is_empty():
        raise NothingYet(NAME, "the answer holds no value yet; normal at the live edge")
    return frame


def _named(rows: Sequence[Row], zones: Sequence[Sequence[str]]) -> list[Row]:
    """Put rows under the one zone, or the one border, that their body was requested for.

    The codes of one zone are added. The flow of a border is the difference of its two
    directions; where both were sent, a time that one of them lacks is unknown and left out.
    """
    named: list[Row] = []
    sums: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in rows:
        asked = zones[row.body]
        if len(asked) == 2 and "->" in row.area:
            sign = direction(row.area, asked[0], asked[1])
            value = None if row.value is None else sign * row.value
            row = row._replace(area="->".join(asked), value=value)
            sums[row.area, row.signal, row.start, row.length, row.issued_at].append(row)
        elif len(asked) == 1:
            row = row._replace(area=asked[0])
            sums[row.area, row.signal, row.start, row.length, row.issued_at].append(row)
        else:
            named.append(row)
    directions = len({row.body for row in rows if len(zones[row.body]) == 2})
    for found in sums.values():
        first = found[0]
        if len(zones[first.body]) == 2 and len(found) < directions:
            continue
        values = [row.value for row in found]
        total = None if None in values else sum(value for value in values if value is not None)
        flags = ";".join(dict.fromkeys(row.flag for row in found if row.flag)) or None
        named.append(first._replace(value=total, flag=flags))
    return named


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
    refetch=(Tier(timedelta(days=30)),),
    lag=timedelta(hours=3),
    licence="CC-BY-4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    attribution="ENTSO-E",
    readable=frozenset({400}),
    per_zone=True,
    min_interval=timedelta(milliseconds=200),
)
