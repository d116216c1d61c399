"""Elexon simulated: half hours of metered fuels, cables, load, prices and forecasts of GB."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, TypeAlias

from gridtide_pipelines.ingest.local_time import midnight
from gridtide_pipelines.ingest.neso_portal import HALF, SQL, TIMEZONE, ZONE, settlement_date
from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.elexon import API, DAY, LINKS, SOURCE
from gridtide_pipelines.ingest.statements import instant
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.publishers import neso
from gridtide_pipelines.replay.values import (
    ahead,
    by_codes,
    by_slot,
    end_of_tomorrow,
    flow,
    load,
    newest,
    prices,
)

Rows: TypeAlias = Iterator[dict[str, Any]]

# Embedded generation is not metered.
FUELS: Final = {
    "biomass": "BIOMASS",
    "coal": "COAL",
    "gas": ("CCGT", "OCGT"),
    "hydro": "NPSHYD",
    "nuclear": "NUCLEAR",
    "oil": "OIL",
    "solar": "embedded solar",
    "hydro_storage": "PS",
    "wind": ("WIND", "embedded wind"),
}
CABLES: Final = Counter(LINKS.values())  # between GB and each zone
PARTS: Final = {
    "Solar": ("solar", 1),
    "Wind Onshore": ("wind", 2),
    "Wind Offshore": ("wind", 2),
}


def kind_of(request: Request) -> Kind | None:
    """Return the kind by the route."""
    if request.path == SQL:
        return Kind.GENERATION
    return ROUTES[request.path][0] if request.path in ROUTES else None


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the rows of the route; of the other host those of NESO's portal."""
    if request.path == SQL:
        return neso.render(zones, request, now)
    rows = list(ROUTES[request.path][1](dict(request.params), now))
    return json_reply(rows if request.path.endswith("/stream") else {"data": rows})


def _fuels(params: Mapping[str, str], now: datetime) -> Rows:
    start, end = _days(params["settlementDateFrom"], params["settlementDateTo"])
    starts, values = by_codes(ZONE, start, min(end, now), HALF, FUELS, "OTHER")
    metered = {code: column for code, column in values.items() if code.isupper()}
    cables = {
        code: (flow(zone, ZONE, starts) / CABLES[zone]).round(1).tolist()
        for code, zone in LINKS.items()
    }
    for each, row in by_slot(starts, metered | cables):
        for code, value in row.items():
            said = {
                "dataset": "FUELHH",
                **_labels(each),
                "publishTime": f"{each + HALF:%FT%TZ}",
            }
            yield said | {"fuelType": code, "generation": value}


def _load(params: Mapping[str, str], now: datetime) -> Rows:
    start, end = _days(params["from"], params["to"])
    for each, value in zip(*load(ZONE, start, min(end, now), HALF), strict=True):
        yield {"publishTime": f"{each + HALF:%FT%TZ}", **_labels(each), "quantity": value}


def _prices(params: Mapping[str, str], now: datetime) -> Rows:
    start, end = instant(params["from"]), instant(params["to"])
    for each, value in zip(*prices(ZONE, start, min(end, now), HALF), strict=True):
        yield {**_labels(each), "dataProvider": "APXMIDP", "price": value, "volume": 1200.0}


def _demand_ahead(_: Mapping[str, str], now: datetime) -> Rows:
    issued, start = newest(now, HALF)
    found = ahead(ZONE, "load", start, end_of_tomorrow(now), HALF)
    for each, value in zip(*found, strict=True):
        said = {"publishTime": f"{issued:%FT%TZ}", **_labels(each), "boundary": "N"}
        yield said | {"nationalDemand": value, "transmissionSystemDemand": value + 700}


def _wind_and_solar_ahead(params: Mapping[str, str], now: datetime) -> Rows:
    issued, start = newest(now, HALF)
    first, after = _days(params["from"], params["to"])
    until = min(after, end_of_tomorrow(now))
    for name, (fuel, parts) in PARTS.items():
        found = ahead(ZONE, fuel, max(first, start), until, HALF)
        for each, value in zip(*found, strict=True):
            said = {
                "publishTime": f"{issued:%FT%TZ}",
                **_labels(each),
                "processType": "Day ahead",
            }
            yield said | {"psrType": name, "quantity": round(value / parts, 2)}


def _days(first: str, last: str) -> tuple[datetime, datetime]:
    """Return start and end of the settlement dates from the first to the last."""
    start, end = date.fromisoformat(first), date.fromisoformat(last) + DAY
    return midnight(start, TIMEZONE), midnight(end, TIMEZONE)


def _labels(start: datetime) -> dict[str, Any]:
    day, period = f"{settlement_date(start)}", neso.period(start)
    return {
        "startTime": f"{start:%FT%TZ}",
        "settlementDate": day,
        "settlementPeriod": period,
    }


ROUTES: Final = {
    f"{API}/datasets/FUELHH/stream": (Kind.GENERATION, _fuels),
    f"{API}/demand/actual/total": (Kind.LOAD, _load),
    f"{API}/balancing/pricing/market-index": (Kind.PRICE, _prices),
    f"{API}/forecast/demand/day-ahead": (Kind.FORECAST, _demand_ahead),
    f"{API}/forecast/generation/wind-and-solar/day-ahead": (
        Kind.FORECAST,
        _wind_and_solar_ahead,
    ),
}
PUBLISHER: Final[Publisher] = zone_publisher(
    SOURCE, render, json_reply({"data": []}), kind_of=kind_of
)
