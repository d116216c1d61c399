"""EirGrid's dashboard simulated: the rows of the local days of a region; see the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

from gridtide_pipelines.ingest.local_time import midnight
from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.eirgrid import (
    AREAS,
    CODES,
    DAY,
    QUARTER,
    SOURCE,
    TIMEZONE,
    TOTAL,
    ZONES,
)
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.values import (
    ahead,
    by_codes,
    flow,
    intensity,
    labels,
    load,
    mix,
)

FUELS: Final = {"solar": "SOLAR_ACTUAL", "wind": "WIND_ACTUAL"}
CABLES: Final = {"GB-NIR": ("INTER_MOYLE",), "IE": ("INTER_EWIC", "INTER_GRNLK")}
FORESEEN: Final = {
    "DEMAND_FORECAST_VALUE": "load",
    "SOLAR_FCAST": "solar",
    "WIND_FCAST": "wind",
}
KINDS: Final = {areas: kind for kind, areas in AREAS.items()}


def kind_of(request: Request) -> Kind | None:
    """Return the kind by the areas of the dashboard."""
    return KINDS.get(dict(request.params).get("areas", ""))


def zones_of(request: Request) -> Sequence[str]:
    """Return the zone of the region."""
    code = dict(request.params).get("region", "")
    return [ZONES[code]] if code in ZONES else []


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the rows of whole days, field by field; observations to come are null."""
    zone, params, kind = zones[0], dict(request.params), kind_of(request)
    first, last = (date.fromisoformat(params[name]) for name in ("datefrom", "dateto"))
    span = midnight(first, TIMEZONE), midnight(last + DAY, TIMEZONE)
    starts, fields = _fields(zone, *span, kind)
    stamps = labels(starts, "%d-%b-%Y %H:%M:%S", TIMEZONE)
    known = [each + QUARTER <= now or kind is Kind.FORECAST for each in starts]
    return _rows(
        [
            {"EffectiveTime": stamp, "FieldName": name, "Region": CODES[zone]}
            | {"Value": value if there else None}
            for name, values in fields.items()
            for stamp, value, there in zip(stamps, values, known, strict=True)
        ]
    )


def _fields(
    zone: str, start: datetime, end: datetime, kind: Kind | None
) -> tuple[Sequence[datetime], Mapping[str, Sequence[float]]]:
    """Return the starts of the slots, and the values of the fields of a kind."""
    slots = mix(zone, start, end, QUARTER)
    starts = slots["start"].to_list()
    if kind is Kind.INTENSITY:
        return starts, {"CO2_INTENSITY": intensity(slots).tolist()}
    if kind is Kind.FORECAST:
        return starts, {
            code: ahead(zone, name, start, end, QUARTER)[1] for code, name in FORESEEN.items()
        }
    _, fuels = by_codes(zone, start, end, QUARTER, FUELS, "others")
    _, total = load(zone, start, end, QUARTER)
    into = flow("GB", zone, starts) / len(CABLES[zone])
    cables = dict.fromkeys(CABLES[zone], into.round(2).tolist())
    named = {code: fuels[code] for code in FUELS.values()}
    return starts, {TOTAL: total, **named, "SYSTEM_DEMAND": total, **cables}


def _rows(rows: Sequence[Mapping[str, object]]) -> Reply:
    return json_reply({"Rows": rows})


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, _rows([]), zones_of, kind_of)
