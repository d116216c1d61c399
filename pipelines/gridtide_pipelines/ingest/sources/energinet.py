"""CO2 intensity and its forecast, generation, flows and prices of Denmark, from Energinet.

Docs:       https://www.energidataservice.dk/guides/api-guides, one page for each data set
Licence:    free use with attribution, by the terms of Energi Data Service.
Unit:       MW; gCO2/kWh, direct, of what is consumed, imports included; EUR and DKK per MWh.
Slots:      5 min (intensity, generation), 60 or since 2025-10 15 min (prices), 60 min
            (forecasts); labelled by the start, in UTC and in Danish time: the former is read.
            ``start`` and ``end`` are Danish time unless ``timezone`` says UTC. Newest first.
Limits:     one address is limited in pace; all rows with ``limit=0``.
Revisions:  intensity and generation are preliminary for an hour; forecasts are overwritten.
Fuels:      plants below and above 100 MW are one unknown fuel; wind on land and at sea.
            Records of ElectricityBalanceNonv (hours, all fuels, load) are read, not requested.
            Another column with numbers is a fuel that is new.
Links:      Exchange columns are positive into the area, a flow each. The cable between
            Bornholm and SE4 is not read. Flows come with generation.
Forecasts:  of intensity (CO2EmisProg, today and from about 15:00 tomorrow), issued when
            received; of wind and solar (Forecasts_Hour: day-ahead, else the current one).
Last seen:  2025-02 (recorded bodies of generation and of one record of intensity).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from gridtide.model import Quality, Signal
from gridtide_pipelines.ingest.paging import check_count
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
from gridtide_store.vocabulary import generation

NAME = "energinet"
ALL: Final = ("limit", "0")  # of the rows, in one answer
FIVE, HOUR, DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
CODES: Final = {"DK-DK1": "DK1", "DK-DK2": "DK2"}
ZONES: Final = {code: key for key, code in CODES.items()}
CONSUMED: Final = str(Signal.CI_DIRECT_CONSUMED)
FUELS: Final = {
    "Biomass": "biomass",
    "FossilGas": "gas",
    "FossilHardCoal": "coal",
    "FossilOil": "oil",
    "HydroPower": "hydro",
    "OffshoreWindPower": "wind",
    "OnshoreWindPower": "wind",
    "OtherRenewable": "unknown",
    "ProductionGe100MW": "unknown",
    "ProductionLt100MW": "unknown",
    "SolarPower": "solar",
    "Waste": "biomass",
}
PAIRS: Final = (
    ("OffshoreWindPower", "OnshoreWindPower"),
    ("ProductionGe100MW", "ProductionLt100MW"),
)
LINKS: Final[Mapping[tuple[str, str], str]] = {
    ("DK-DK1", "ExchangeGreatBelt"): "DK-DK2",
    ("DK-DK2", "ExchangeGreatBelt"): "DK-DK1",
    ("DK-DK1", "ExchangeGermany"): "DE",
    ("DK-DK2", "ExchangeGermany"): "DE",
    ("DK-DK1", "ExchangeGreatBritain"): "GB",
    ("DK-DK1", "ExchangeNetherlands"): "NL",
    ("DK-DK1", "ExchangeNorway"): "NO-NO2",
    ("DK-DK1", "ExchangeSweden"): "SE-SE3",
    ("DK-DK2", "ExchangeSweden"): "SE-SE4",
}
PRICES: Final = {
    "DayAheadPriceDKK": "price_dkk",
    "DayAheadPriceEUR": "price_eur",
    "SpotPriceDKK": "price_dkk",
    "SpotPriceEUR": "price_eur",
}
FORESEEN: Final = {"Offshore Wind": "wind", "Onshore Wind": "wind", "Solar": "solar"}
# Data sets with their column of time; prices moved to a new one with the quarter hours.
SETS: Final = {
    Kind.GENERATION: (("ElectricityProdex5MinRealtime", "Minutes5UTC"),),
    Kind.INTENSITY: (("CO2Emis", "Minutes5UTC"),),
    Kind.PRICE: (("Elspotprices", "HourUTC"), ("DayAheadPrices", "TimeUTC")),
    Kind.FORECAST: (("CO2EmisProg", "Minutes5UTC"), ("Forecasts_Hour", "HourUTC")),
}
LABELS: Final = ("Minutes5UTC", "HourUTC", "TimeUTC")
NO_FUEL: Final = re.compile(
    "Minutes5.*|(Hour|Time)(UTC|DK)|PriceArea|TotalLoad|Exchange.*|Bornholm.*"
)


def requests(query: Query) -> Sequence[Group]:
    """Return a group for each week, with a request for each data set of the kind."""
    areas = json.dumps({"PriceArea": [CODES[zone] for zone in query.zones]})
    groups: list[Group] = []
    for span in split_span(Span(query.start, query.end), SOURCE.max_span):
        params = (
            ("start", f"{span.start:%Y-%m-%dT%H:%M}"),
            ("end", f"{span.end:%Y-%m-%dT%H:%M}"),
            ("filter", areas),
            ("timezone", "UTC"),
            ALL,
        )
        groups.append(
            [
                Request(
                    *("GET", f"/dataset/{name}", (*params, ("sort", f"{column} asc"))),
                    *(query.kind, query.zones),
                    span=span,
                )
                for name, column in SETS[query.kind]
            ]
        )
    return groups


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return what the records of the data sets state."""
    with check_shape(NAME):
        found: list[Statement] = []
        for index, body in enumerate(bodies):
            document = read_answer(body.content)
            if document is not None:
                records = rows_of(document["records"])
                if ALL in body.request.params:
                    check_count(len(records), [document.get("total")])
                named = document.get("dataset") or body.request.path.rpartition("/")[2]
                lengths = _lengths(records, named)
                ahead = named == "CO2EmisProg"
                for row in records:
                    found += _statements(row, lengths, index, body.known_at, ahead=ahead)
        return add_codes(found, NAME)


def _lengths(records: Sequence[Mapping[str, Any]], dataset: object) -> timedelta:
    """Return how long a slot is: of prices by quarter hours 15 min."""
    if all("Minutes5UTC" in row for row in records):
        return FIVE
    return timedelta(minutes=15) if dataset == "DayAheadPrices" else HOUR


def _statements(
    row: Mapping[str, Any], length: timedelta, body: int, known_at: datetime, *, ahead: bool
) -> Iterator[Statement]:
    area = text(row["PriceArea"])
    zone = ZONES.get(area, area)
    start = instant(next(row[label] for label in LABELS if label in row))

    def state(of: str, signal: str, code: str, issued_at: datetime | None = None) -> Statement:
        quality = Quality.ESTIMATED if signal == CONSUMED else Quality.MEASURED
        return Statement(
            *(of, signal, code, start, start + length, number(row[code]), body),
            issued_at=issued_at,
            quality=quality,
        )

    if "ForecastType" in row:
        kind = text(row["ForecastType"])
        given = [each for each in ("ForecastDayAhead", "ForecastCurrent") if each in row]
        best = next((each for each in given if row[each] is not None), given[0])
        if kind in FORESEEN:
            one = state(zone, generation(FORESEEN[kind]), best, known_at)
            yield replace(one, code=kind)
    elif "CO2Emission" in row:
        yield state(zone, CONSUMED, "CO2Emission", known_at if ahead else None)
    elif prices := [code for code in PRICES if code in row]:
        for code in prices:
            yield state(zone, PRICES[code], code)
    elif not FUELS.keys().isdisjoint(row):
        # Of a pair of columns that make one fuel both are needed.
        absent = (each for pair in PAIRS if not row.keys().isdisjoint(pair) for each in pair)
        row = dict.fromkeys(absent) | dict(row)
        for code in row:
            if NO_FUEL.fullmatch(code) or (code not in FUELS and isinstance(row[code], str)):
                continue
            signal, flag = fuel_signal(code, FUELS)
            yield replace(state(zone, signal, code), flag=flag)
        for code in row:
            if (zone, code) in LINKS and row[code] is not None:
                yield state(f"{LINKS[zone, code]}->{zone}", "flow", code)
        if "TotalLoad" in row:
            yield state(zone, "load", "TotalLoad")
    else:
        raise ValueError(f"no column that is read here among {sorted(row)}")


SOURCE = Source(
    name=NAME,
    title="Energi Data Service",
    base_url="https://api.energidataservice.dk",
    kinds=frozenset(SETS),
    zones=frozenset(CODES),
    codes=CODES,
    requests=requests,
    parse=parse,
    step=FIVE,
    max_span=7 * DAY,
    ahead=3 * DAY,
    refetch=(Tier(DAY), Tier(7 * DAY, DAY)),
    lag=timedelta(minutes=30),
    day_ahead=True,
    licence="terms of Energi Data Service (free, with attribution)",
    licence_url="https://www.energidataservice.dk/terms-and-conditions",
    attribution="Energinet, Energi Data Service",
    min_interval=timedelta(seconds=1),
    largest_body=4 * 2**20,
)
