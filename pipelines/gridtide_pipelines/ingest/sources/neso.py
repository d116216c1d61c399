"""GB generation mix since 2009 with embedded wind and solar, and NESO's wind forecast.

Docs:       https://www.neso.energy/data-portal (historic-generation-mix,
            day-ahead-wind-forecast, daily-demand-update), requested by SQL
Licence:    NESO Open Data Licence: free use with attribution.
Unit:       MW, the mean of the half hour. ``WIND`` is what the transmission system meters and
            ``WIND_EMB`` an estimate of what is connected below it: both are wind, which is
            estimated then. So is ``SOLAR``. ``IMPORTS`` is net.
Slots:      30 min, labelled by the start in UTC (``DATETIME``, ``Datetime_GMT``), or by local
            date and number of the settlement period: 46, 48 or 50 a day.
Limits:     1 request a second for the whole portal, 2 a minute for the datastore.
Revisions:  the mix is published about two days late and revised for some days.
Forecast:   Incentive_forecast, day-ahead, of metered wind; issued at Forecast_Timestamp, which
            is UTC, else when it was received.
Last seen:  2024-12 (recorded bodies, in part with numbers of the peer that kept them).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.ingest.neso_portal import (
    BASE_URL,
    DATE,
    HALF,
    INTERVAL,
    ZONE,
    read_embedded,
    records_of,
    select,
)
from gridtide_pipelines.ingest.parsing import check_shape, number
from gridtide_pipelines.ingest.schedule import split_span
from gridtide_pipelines.ingest.source import (
    Body,
    Group,
    Kind,
    Query,
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
)
from gridtide_store.vocabulary import generation

NAME = "neso"
DAY = timedelta(days=1)
MIX: Final = "f93d1835-75bc-43e5-84ad-12472b180a98"
WIND: Final = "7524ec65-f782-4258-aaf8-5b926c17b966"
FUELS: Final = {
    "BIOMASS": "biomass",
    "COAL": "coal",
    "GAS": "gas",
    "HYDRO": "hydro",
    "NUCLEAR": "nuclear",
    "OTHER": "unknown",
    "SOLAR": "solar",
    "STORAGE": "hydro_storage",
    "WIND": "wind",
    "WIND_EMB": "wind",
}
NO_FUEL: Final = re.compile(
    "_.*|DATETIME|GENERATION|CARBON_INTENSITY|(LOW|ZERO)_CARBON|RENEWABLE|FOSSIL|.*_perc"
)
ESTIMATED: Final = ("SOLAR", "WIND_EMB")
WINDS: Final = ("WIND", "WIND_EMB")
# What the demand update calls embedded generation is in the mix by another name.
NAMES: Final = {"EMBEDDED_SOLAR_GENERATION": "SOLAR", "EMBEDDED_WIND_GENERATION": "WIND_EMB"}


def requests(query: Query) -> Sequence[Group]:
    """Build one request for each month of the mix, and one for the forecast."""
    span = Span(query.start, query.end)
    resource, column = (
        (WIND, "Datetime_GMT") if query.kind is Kind.FORECAST else (MIX, "DATETIME")
    )
    return [
        [select(query, resource, column, f"{part.start:%FT%T}", f"{part.end:%FT%T}", part)]
        for part in split_span(span, SOURCE.max_span)
    ]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return the mix, the embedded generation or the wind forecast of every half hour."""
    with check_shape(NAME):
        found = [
            each
            for index, body in enumerate(bodies)
            for each in _statements(read_answer(body.content), index, body.known_at)
        ]
        return add_codes([*found, *_missing(found)], NAME)


def _statements(document: Any, body: int, known_at: datetime) -> Iterator[Statement]:  # noqa: ANN401  # any JSON
    if document is None:
        return
    for row in records_of(document):
        if "Incentive_forecast" in row:
            start = instant(row["Datetime_GMT"])
            stamp = row.get("Forecast_Timestamp")
            issued_at = instant(stamp) if stamp else known_at
            value = number(row["Incentive_forecast"])
            yield Statement(
                *(ZONE, generation("wind"), "WIND", start, start + HALF, value, body),
                issued_at=issued_at,
            )
        elif DATE in row:
            for each in read_embedded(row, body):
                yield replace(each, code=NAMES[each.code])
        else:
            yield from _mix(row, body)


def _mix(row: dict[str, Any], body: int) -> Iterator[Statement]:
    start = instant(row["DATETIME"])
    for code in row:
        if NO_FUEL.fullmatch(code):
            continue
        signal, flag = ("imports", None) if code == "IMPORTS" else fuel_signal(code, FUELS)
        quality = Quality.ESTIMATED if code in ESTIMATED else Quality.MEASURED
        value = number(row[code])
        yield Statement(
            *(ZONE, signal, code, start, start + HALF, value, body, flag), quality=quality
        )


def _missing(found: Sequence[Statement]) -> Iterator[Statement]:
    """Yield the one kind of wind power as a gap where only the other is stated."""
    for one, other in (WINDS, WINDS[::-1]):
        there = {each.start for each in found if each.code == other}
        for each in found:
            if each.code == one and each.issued_at is None and each.start not in there:
                yield replace(each, code=other, value=None)


SOURCE = Source(
    name=NAME,
    title="Data portal of NESO",
    base_url=BASE_URL,
    kinds=frozenset({Kind.GENERATION, Kind.FORECAST}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    step=HALF,
    max_span=31 * DAY,
    ahead=3 * DAY,
    refetch=(Tier(3 * DAY), Tier(14 * DAY, DAY)),
    lag=2 * DAY,
    licence="NESO Open Data Licence",
    licence_url="https://www.neso.energy/data-portal/neso-open-licence",
    attribution="Supported by National Energy SO Open Data",
    min_interval=INTERVAL,
    largest_body=4 * 2**20,
)
