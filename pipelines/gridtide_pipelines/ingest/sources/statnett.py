"""Generation and load of the Nordic and Baltic countries now, from Statnett's table.

Docs:       https://www.statnett.no/en/for-stakeholders-in-the-power-industry/data-from-the-power-system/
Licence:    not stated for reuse, so it is restricted.
Unit:       MW, as text with blanks between thousands; "-" is not listed.
Slots:      what holds at ``MeasuredAt`` (milliseconds since 1970) stands for the 5 min in which
            it lies.
Limits:     only the present.
Revisions:  none.
Codes:      ProductionConsumption.<column><country>Desc. Finland and the Baltic countries are
            zones; Sweden, Norway and Denmark are of several and only printed.
Fuels:      thermal and not specified are unknown. Load comes with generation; net exchange is
            not read, since its sign is not documented.
Last seen:  2026-02 (written, from the catalogue's shape and public clients).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import polars as pl

from gridtide_pipelines.ingest.local_time import end_of_moment
from gridtide_pipelines.ingest.parsing import check_shape
from gridtide_pipelines.ingest.schedule import is_recent
from gridtide_pipelines.ingest.source import Body, Group, Kind, Query, Request, Source
from gridtide_pipelines.ingest.statements import (
    Statement,
    add_codes,
    fuel_signal,
    read_answer,
    rows_of,
    text,
)

NAME = "statnett"
FIVE, HOUR = timedelta(minutes=5), timedelta(hours=1)
FUELS: Final = {
    "Hydro": "hydro",
    "NotSpecified": "unknown",
    "Nuclear": "nuclear",
    "Thermal": "unknown",
    "Wind": "wind",
}
NO_FUEL: Final = ("NetExchange", "Production")
COLUMN: Final = re.compile(r"(\w+)Data")
NOT_LISTED: Final = "-"
BLANKS: Final = re.compile(r"\s")


def requests(query: Query) -> Sequence[Group]:
    """Return the one request there is, unless only the past is wanted."""
    if not is_recent(query, FIVE):
        return []
    path = "/restapi/ProductionConsumption/GetLatestDetailedOverview"
    return [[Request("GET", path, (), query.kind, query.zones)]]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return generation and load of each country in the 5 min of their time."""
    with check_shape(NAME):
        found: list[Statement] = []
        for index, body in enumerate(bodies):
            document = read_answer(body.content)
            if document is not None:
                found += _statements(document, index, body.known_at)
        return add_codes(found, NAME)


def _statements(
    document: Mapping[str, Any], body: int, known_at: datetime
) -> Iterator[Statement]:
    moment = datetime.fromtimestamp(document["MeasuredAt"] // 1000, UTC)
    start = moment - timedelta(minutes=moment.minute % 5, seconds=moment.second)
    end = end_of_moment(start, FIVE, known_at)
    for name, column in document.items():
        named = COLUMN.fullmatch(name)
        if named is None or named[1] in NO_FUEL:
            continue
        code = re.compile(rf"ProductionConsumption\.{named[1]}([A-Z]{{2}})Desc")
        for each in rows_of(column):
            country = code.fullmatch(text(each.get("titleTranslationId") or ""))
            value = BLANKS.sub("", text(each["value"]))
            if country is None or value == NOT_LISTED:
                continue
            load = named[1] == "Consumption"
            signal, flag = ("load", None) if load else fuel_signal(named[1], FUELS)
            yield Statement(
                *(
                    country[1],
                    signal,
                    named[1],
                    start,
                    end,
                    float(value) if value else None,
                    body,
                    flag,
                )
            )


SOURCE = Source(
    name=NAME,
    title="Nordic power balance now",
    base_url="https://driftsdata.statnett.no",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset({"EE", "FI", "LT", "LV"}),
    requests=requests,
    parse=parse,
    step=FIVE,
    max_span=HOUR,
    refetch=(),
    lag=FIVE,
    reach=HOUR,
    licence="not stated",
    licence_url="https://www.statnett.no",
    attribution="Statnett",
    restricted=True,
    largest_body=2**18,
)
