"""eSett simulated: the energy of each hour of an area; see the source's module."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.esett import CODES, HOUR, SOURCE, ZONES
from gridtide_pipelines.ingest.statements import instant
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.values import by_codes, by_slot, labels

FUELS: Final = {
    "battery_storage": "energyStorage",
    "hydro": "hydro",
    "nuclear": "nuclear",
    "solar": "solar",
    "wind": ("wind", "windOffshore"),
}


def zones_of(request: Request) -> Sequence[str]:
    """Return the area that is requested."""
    code = dict(request.params).get("mba", "")
    return [ZONES[code]] if code in ZONES else []


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the MWh of each fuel in the hours that are over."""
    params = dict(request.params)
    start, end = instant(params["start"]), instant(params["end"])
    starts, values = by_codes(zones[0], start, min(end, now), HOUR, FUELS, "thermal")
    local = labels(starts, "%FT%T", "Europe/Oslo")
    return json_reply(
        [
            {"timestamp": label, "timestampUTC": f"{each:%FT%TZ}", "mba": CODES[zones[0]]}
            | {**row, "other": 0.0, "total": round(sum(row.values()), 1)}
            for (each, row), label in zip(by_slot(starts, values), local, strict=True)
        ]
    )


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, json_reply([]), zones_of)
