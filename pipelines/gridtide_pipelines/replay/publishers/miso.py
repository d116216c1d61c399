"""MISO simulated: mix of two days, load of one, forecasts of wind and solar; see the source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gridtide_pipelines.ingest.local_time import midnight
from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.miso import (
    DAY,
    EST,
    HOUR,
    LABEL,
    PATHS,
    SLOT,
    SOURCE,
    ZONE,
)
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.values import ahead, by_codes, labels, load, newest

MIX: Final = "/api/FuelMix/"
KINDS: Final = {path: kind for kind, paths in PATHS.items() for path in paths} | {
    f"{MIX}{day}": Kind.GENERATION for day in ("Today", "Yesterday")
}
FUELS: Final = {
    "coal": "Coal",
    "gas": "Natural Gas",
    "nuclear": "Nuclear",
    "wind": "Wind",
    "solar": "Solar",
    "hydro": "Hydro",
    "battery_storage": "Battery Storage",
    "hydro_storage": "Other",
}
FORECAST: Final = 6 * DAY


def kind_of(request: Request) -> Kind | None:
    """Return the kind of a path."""
    return KINDS.get(request.path)


def render(_: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return what there is at a path."""
    today = midnight((now + EST).date(), EST)
    at = newest(now, SLOT)[0]
    said = {"RefId": labels([at], "%d-%b-%Y - Interval %H:%M EST", EST)[0]}
    if request.kind is Kind.GENERATION:
        span = (today, now) if request.path.endswith("Today") else (today - DAY, today)
        return json_reply({**said, "Fuel": {"Type": _mix(*span)}})
    if request.kind is Kind.LOAD:
        # Just after midnight all is still of the day that ended.
        day = midnight((at + EST).date(), EST)
        return json_reply({"LoadInfo": {**said, **_load(day, now)}})
    fuel = "wind" if "wind" in request.path else "solar"
    start = now.replace(minute=0, second=0, microsecond=0) + HOUR
    starts, values = ahead(ZONE, fuel, start, today + FORECAST, HOUR)
    rows = [
        {"DateTimeEST": label, "Value": f"{value:.2f}"}
        for label, value in zip(labels(starts, LABEL, EST), values, strict=True)
    ]
    return json_reply({**said, "Forecast": rows})


def _mix(start: datetime, end: datetime) -> Sequence[dict[str, str]]:
    starts, values = by_codes(ZONE, start, end, SLOT, FUELS, "Other")
    return [
        {"INTERVALEST": label, "CATEGORY": code, "ACT": str(round(column[row]))}
        for row, label in enumerate(labels(starts, LABEL, EST))
        for code, column in values.items()
    ]


def _load(day: datetime, now: datetime) -> dict[str, object]:
    starts, values = load(ZONE, day, min(day + DAY, now), SLOT)
    _, foreseen = ahead(ZONE, "load", day, day + DAY, HOUR)
    return {
        "FiveMinTotalLoad": [
            {"Load": {"Time": label, "Value": str(round(value))}}
            for label, value in zip(labels(starts, "%H:%M", EST), values, strict=True)
        ],
        "MediumTermLoadForecast": [
            {"Forecast": {"HourEnding": str(hour), "LoadForecast": str(round(value))}}
            for hour, value in enumerate(foreseen, 1)
        ],
    }


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, json_reply({}), kind_of=kind_of)
