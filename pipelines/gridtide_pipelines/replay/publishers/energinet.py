"""Energi Data Service simulated: the records of the data sets of Denmark's two areas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.energinet import (
    CODES,
    FIVE,
    HOUR,
    LINKS,
    SETS,
    SOURCE,
    ZONES,
)
from gridtide_pipelines.ingest.statements import instant
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.values import (
    ahead,
    by_codes,
    by_slot,
    end_of_tomorrow,
    expected,
    flow,
    intensity,
    mix,
    prices,
)

Rows: TypeAlias = Iterator[tuple[datetime, dict[str, Any]]]

FUELS: Final = {
    "biomass": "ProductionLt100MW",
    "solar": "SolarPower",
    "wind": ("OffshoreWindPower", "OnshoreWindPower"),
}
PARTS: Final = {
    "Offshore Wind": ("wind", 2),
    "Onshore Wind": ("wind", 2),
    "Solar": ("solar", 1),
}
EXCHANGES: Final = sorted({column for _, column in LINKS})
DANISH: Final = ZoneInfo("Europe/Copenhagen")
QUARTERS_SINCE: Final = datetime(2025, 9, 30, 22, tzinfo=UTC)  # of prices
KRONER: Final = 7.46  # a euro


def kind_of(request: Request) -> Kind | None:
    """Return the kind by the data set."""
    name = request.path.rpartition("/")[2]
    return next((kind for kind, sets in SETS.items() if name in dict(sets)), None)


def zones_of(request: Request) -> Sequence[str]:
    """Return the areas that the filter names."""
    try:
        areas = json.loads(dict(request.params)["filter"])["PriceArea"]
    except (LookupError, ValueError):
        return []
    return [ZONES[area] for area in areas if area in ZONES]


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the records of the areas in the time that is requested, area by area."""
    name, params = request.path.rpartition("/")[2], dict(request.params)
    start, end = instant(params["start"]), instant(params["end"])
    label, rows_of = DATA_SETS[name]
    local = label.replace("UTC", "DK")
    records = [
        {label: f"{each:%FT%T}", local: f"{each.astimezone(DANISH):%FT%T}"}
        | {"PriceArea": CODES[zone], **values}
        for zone in zones
        for each, values in rows_of(zone, start, end, now)
    ]
    return json_reply({"total": len(records), "dataset": name, "records": records})


def _generation(zone: str, start: datetime, end: datetime, now: datetime) -> Rows:
    found = by_codes(zone, start, min(end, now), FIVE, FUELS, "ProductionGe100MW")
    flows = {
        column: flow(other, zone, found[0]).round(1).tolist()
        for (each, column), other in LINKS.items()
        if each == zone
    }
    for each, values in by_slot(found[0], {**found[1], **flows}):
        yield each, {**dict.fromkeys(EXCHANGES), "BornholmSE4": None, **values}


def _intensity(zone: str, start: datetime, end: datetime, now: datetime) -> Rows:
    slots = mix(zone, start, min(end, now), FIVE)
    yield from by_slot(slots["start"].to_list(), {"CO2Emission": intensity(slots).tolist()})


def _intensity_ahead(zone: str, start: datetime, end: datetime, now: datetime) -> Rows:
    slots = mix(zone, start, min(end, end_of_tomorrow(now)), FIVE)
    starts = slots["start"].to_list()
    foreseen = expected(zone, "intensity", intensity(slots), starts).round(1).tolist()
    yield from by_slot(starts, {"CO2Emission": foreseen})


def _power_ahead(zone: str, start: datetime, end: datetime, now: datetime) -> Rows:
    for name, (fuel, parts) in PARTS.items():
        found = ahead(zone, fuel, start, min(end, end_of_tomorrow(now)), HOUR)
        for each, value in zip(*found, strict=True):
            mw = round(value / parts, 2)
            yield each, {"ForecastType": name, "ForecastDayAhead": mw, "ForecastCurrent": mw}


def _prices_of_hours(zone: str, start: datetime, end: datetime, _: datetime) -> Rows:
    return _prices(zone, start, min(end, QUARTERS_SINCE), HOUR, "SpotPrice")


def _prices_of_quarters(zone: str, start: datetime, end: datetime, _: datetime) -> Rows:
    return _prices(zone, max(start, QUARTERS_SINCE), end, HOUR / 4, "DayAheadPrice")


def _prices(zone: str, start: datetime, end: datetime, length: timedelta, name: str) -> Rows:
    starts, euros = prices(zone, start, end, length)
    kroner = [round(each * KRONER, 2) for each in euros]
    yield from by_slot(starts, {f"{name}EUR": euros, f"{name}DKK": kroner})


DATA_SETS: Final = {
    "ElectricityProdex5MinRealtime": ("Minutes5UTC", _generation),
    "CO2Emis": ("Minutes5UTC", _intensity),
    "Elspotprices": ("HourUTC", _prices_of_hours),
    "DayAheadPrices": ("TimeUTC", _prices_of_quarters),
    "CO2EmisProg": ("Minutes5UTC", _intensity_ahead),
    "Forecasts_Hour": ("HourUTC", _power_ahead),
}
NO_DATA: Final = json_reply({"total": 0, "records": []})
PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, NO_DATA, zones_of, kind_of)
