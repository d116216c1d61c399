"""EIA simulated: pages of rows, one for each label, authority and code; see `sources.eia`.

Authorities that file their hours under a wrong label do so here too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, Final, TypeAlias

from gridtide_pipelines.ingest.corrections import corrections
from gridtide_pipelines.ingest.merges import merges
from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.eia import CODES, HOUR, NAME, PAGE, STAMP, ZONES
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply
from gridtide_pipelines.replay.values import demand, expected, flow, mix
from gridtide_store import catalogue

Row: TypeAlias = dict[str, str]

KINDS: Final = {
    "fuel-type-data": Kind.GENERATION,
    "region-data": Kind.LOAD,
    "interchange-data": Kind.FLOW,
}
FACETS: Final = ("facets[respondent][]", "facets[fromba][]", "facets[toba][]")
TYPE: Final = "facets[type][]"
FUELS: Final = {
    "coal": ("COL", "Coal"),
    "gas": ("NG", "Natural Gas"),
    "oil": ("OIL", "Petroleum"),
    "nuclear": ("NUC", "Nuclear"),
    "hydro": ("WAT", "Hydro"),
    "wind": ("WND", "Wind"),
    "solar": ("SUN", "Solar"),
    "geothermal": ("GEO", "Geothermal"),
    "hydro_storage": ("PS", "Pumped storage"),
    "battery_storage": ("BAT", "Battery storage"),
    "biomass": ("OTH", "Other"),
}
DEMANDS: Final = {"D": "Demand", "DF": "Day-ahead demand forecast"}
NEIGHBOURS: Final = 3


def describe(request: Request) -> tuple[Kind | None, Sequence[str]]:
    """Return the kind and zones of a request: all where it names none."""
    codes = [value for name, value in request.params if name in FACETS]
    kind = KINDS.get(_route(request))
    if (TYPE, "DF") in request.params:
        kind = Kind.FORECAST
    return kind, [ZONES[code] for code in codes if code in ZONES] or sorted(CODES)


def simulate(request: Request, without: Collection[str], now: datetime) -> Reply | None:
    """Return one page of the rows of the zones and labels that were requested."""
    route, params = _route(request), dict(request.params)
    if route not in KINDS:
        return None
    try:
        first, last = (
            datetime.strptime(params[name], STAMP).replace(tzinfo=UTC)
            for name in ("start", "end")
        )
        offset, length = int(params.get("offset", "0")), int(params.get("length", PAGE))
    except (KeyError, ValueError):
        return REFUSAL
    types = tuple(value for name, value in request.params if name == TYPE)
    zones = tuple(zone for zone in request.zones if zone not in without)
    # Day-ahead forecasts are there before their hour is over.
    last = last if request.kind is Kind.FORECAST else min(last, now.replace(minute=0))
    last = last.replace(second=0, microsecond=0)
    rows = _rows(KINDS[route], zones, types or tuple(DEMANDS), first, last)
    page = rows[offset : offset + min(length, PAGE)]
    head: dict[str, Any] = {}
    if len(page) < len(rows):
        said = f"The API can only return {PAGE} rows in JSON format."
        head["warnings"] = [{"warning": "incomplete return", "description": said}]
    head |= {"total": str(len(rows)), "dateFormat": 'YYYY-MM-DD"T"HH24'}
    response = {**head, "frequency": "hourly", "data": page}
    return json_reply({"response": response, "apiVersion": "2.1.4"})


def _route(request: Request) -> str:
    """Return ``fuel-type-data`` of ``/v2/electricity/rto/fuel-type-data/data/``."""
    return (request.path.strip("/").split("/") + [""] * 4)[3]


@lru_cache(maxsize=8)  # the pages of a request are of the same rows
def _rows(
    kind: Kind, zones: Sequence[str], types: Sequence[str], first: datetime, last: datetime
) -> Sequence[Row]:
    """Return the rows of all pages, by label, authority and code."""
    rows: list[tuple[str, str, str, Row]] = []
    for zone in zones:
        for label, code, more in _values(kind, zone, types, first, last):
            facet = "fromba" if kind is Kind.FLOW else "respondent"
            named = {"period": label, facet: CODES[zone], f"{facet}-name": _name(zone)}
            row = {**named, **more, "value-units": "megawatthours"}
            rows.append((label, CODES[zone], code, row))
    return [row for *_, row in sorted(rows, key=lambda each: each[:3])]


def _values(
    kind: Kind, zone: str, types: Sequence[str], first: datetime, last: datetime
) -> Iterator[tuple[str, str, Row]]:
    """Yield label, code and the rest of each row of one authority."""
    early = filed_early(zone, kind)
    slots = mix(zone, first + early - HOUR, last, HOUR)
    starts = slots["start"].to_list()
    labels = [f"{start + HOUR - early:{STAMP}}" for start in starts]
    columns: list[tuple[str, Row, Sequence[float]]] = []
    if kind is Kind.GENERATION:
        for fuel, (code, title) in FUELS.items():
            if fuel in slots.columns:
                row = {"fueltype": code, "type-name": title}
                columns.append((code, row, slots[fuel].to_list()))
    elif kind is Kind.FLOW:
        for other in neighbours(zone):
            row = {"toba": CODES[other], "toba-name": _name(other)}
            columns.append((CODES[other], row, flow(zone, other, starts).tolist()))
    else:
        load = demand(slots)
        by_type = {"D": load, "DF": expected(zone, "load", load, starts)}
        for code in types:
            if code in by_type:
                row = {"type": code, "type-name": DEMANDS[code]}
                columns.append((code, row, by_type[code].tolist()))
    for code, row, values in columns:
        for label, value in zip(labels, values, strict=True):
            yield label, code, {**row, "value": str(round(value))}


@cache
def filed_early(zone: str, kind: Kind) -> timedelta:
    """Return how far the labels of an authority are before the end of the hour, to this day."""
    hours = [
        float(each.amount)
        for each in corrections()
        if NAME in each.sources
        and (each.zone, each.signal) == (zone, str(kind))
        and (each.rule, each.until, each.timezone) == ("shift", None, "")
    ]
    return timedelta(hours=sum(hours))


@cache
def neighbours(zone: str) -> Sequence[str]:
    """Return the zones of EIA with which a zone exchanges power here: the nearest ones.

    An authority that is merged into zones exchanges power with these alone.
    """
    into = {each.into for each in merges(NAME) if each.part == zone}
    if into:
        return sorted(into)
    parts = {each.part for each in merges(NAME)}
    zones = catalogue.load().zones
    own = zones[zone]

    def distance(key: str) -> float:
        return (zones[key].lat - own.lat) ** 2 + (zones[key].lon - own.lon) ** 2

    return sorted(CODES.keys() - parts - {zone}, key=lambda key: (distance(key), key))[
        :NEIGHBOURS
    ]


def _name(zone: str) -> str:
    return catalogue.load().zones[zone].name


REFUSAL: Final = json_reply(
    {"error": "Invalid frequency, start or end provided.", "code": 400}, 400
)
PUBLISHER: Final = Publisher(
    describe=describe,
    no_data=json_reply(
        {
            "response": {"total": "0", "dateFormat": 'YYYY-MM-DD"T"HH24', "data": []},
            "apiVersion": "2.1.4",
        }
    ),
    refusal=REFUSAL,
    simulate=simulate,
)
