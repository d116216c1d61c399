"""Settled generation of the areas of Norway, Sweden, Denmark and Finland, from eSett.

Docs:       https://opendata.esett.com (EXP16), https://api.opendata.esett.com/swagger
Licence:    not stated for reuse, so it is restricted.
Unit:       MWh in the period: divided by its length.
Slots:      60 min (Aggregate), labelled by the start in UTC (``timestampUTC``); local time
            stands beside it. The end of a request is exclusive.
Limits:     100,000 rows a request. 204 means that there is nothing.
Revisions:  one to two days late, final after 13 days.
Codes:      of Finland and of Norway but NO5 with underscores. Several areas of one request are
            added by the publisher, so each has a request of its own.
Fuels:      thermal and other are unknown; energyStorage is a battery.
Last seen:  2026-08 (written, from the catalogue's shape).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import polars as pl

from gridtide_pipelines.ingest.parsing import check_shape, number
from gridtide_pipelines.ingest.schedule import split_span
from gridtide_pipelines.ingest.source import (
    Body,
    Group,
    Kind,
    Query,
    Request,
    Source,
    Span,
    Tier,
)
from gridtide_pipelines.ingest.statements import (
    Statement,
    add_codes,
    fuel_signal,
    instant,
    read_answer,
    rows_of,
    text,
)

NAME = "esett"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CODES: Final = {
    "DK-DK1": "10YDK-1--------W",
    "DK-DK2": "10YDK-2--------M",
    "FI": "10YFI_1________U",
    "NO-NO1": "10YNO_1________2",
    "NO-NO2": "10YNO_2________T",
    "NO-NO3": "10YNO_3________J",
    "NO-NO4": "10YNO_4________9",
    "NO-NO5": "10Y1001A1001A48H",
    "SE-SE1": "10Y1001A1001A44P",
    "SE-SE2": "10Y1001A1001A45N",
    "SE-SE3": "10Y1001A1001A46L",
    "SE-SE4": "10Y1001A1001A47J",
}
ZONES: Final = {code: key for key, code in CODES.items()}
FUELS: Final = {
    "energyStorage": "battery_storage",
    "hydro": "hydro",
    "nuclear": "nuclear",
    "other": "unknown",
    "solar": "solar",
    "thermal": "unknown",
    "wind": "wind",
    "windOffshore": "wind",
}
NO_FUEL: Final = ("timestamp", "timestampUTC", "mba", "total")


def requests(query: Query) -> Sequence[Group]:
    """Return a request for each area and month."""
    return [
        [
            Request(
                "GET",
                "/EXP16/Aggregate",
                (
                    ("start", f"{span.start:%Y-%m-%dT%H:%M:%S.000Z}"),
                    ("end", f"{span.end:%Y-%m-%dT%H:%M:%S.000Z}"),
                    ("mba", CODES[zone]),
                    ("resolution", "hour"),
                ),
                query.kind,
                (zone,),
                span=span,
            )
        ]
        for zone in query.zones
        for span in split_span(Span(query.start, query.end), SOURCE.max_span)
    ]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return the generation of each area and period in the bodies."""
    with check_shape(NAME):
        found: list[Statement] = []
        for index, body in enumerate(bodies):
            document = read_answer(body.content)
            if document is not None:
                rows = rows_of(document)
                length = _length(rows)
                for row in rows:
                    found += _statements(row, length, index)
        return add_codes(found, NAME)


def _length(rows: Sequence[Mapping[str, Any]]) -> timedelta:
    """Return a quarter of an hour if a period begins within an hour, else an hour."""
    starts = [instant(row["timestampUTC"]) for row in rows]
    return HOUR if all(each.minute == 0 for each in starts) else HOUR / 4


def _statements(row: Mapping[str, Any], length: timedelta, body: int) -> Iterator[Statement]:
    code = text(row["mba"])
    zone, start = ZONES.get(code, code), instant(row["timestampUTC"])
    for name, energy in row.items():
        if name not in NO_FUEL:
            signal, flag = fuel_signal(name, FUELS)
            value = number(energy)
            power = None if value is None else value * (HOUR / length)
            yield Statement(zone, signal, name, start, start + length, power, body, flag)


SOURCE = Source(
    name=NAME,
    title="Open data of eSett",
    base_url="https://api.opendata.esett.com",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset(CODES),
    codes=CODES,
    requests=requests,
    parse=parse,
    step=HOUR,
    max_span=31 * DAY,
    refetch=(Tier(3 * DAY), Tier(14 * DAY, DAY)),
    lag=2 * DAY,
    licence="not stated",
    licence_url="https://opendata.esett.com",
    attribution="eSett",
    restricted=True,
    per_zone=True,
    not_published=frozenset({204}),
    min_interval=timedelta(seconds=1),
    largest_body=4 * 2**20,
)
