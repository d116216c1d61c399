"""NS Power simulated: the shares of the mix and the load of a day; see the source's module."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.nspower import (
    DAY,
    HOUR,
    IMPORTS,
    LOAD,
    SOURCE,
    STAMP,
    ZONE,
)
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.values import by_codes, by_slot, newest

FUELS: Final = {
    "coal": "Solid Fuel",
    "gas": "HFO/Natural Gas",
    "oil": "CT's",
    "biomass": "Biomass",
    "hydro": "Hydro",
    "wind": "Wind",
    "solar": "Solar",
}


def render(_: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the load, or each fuel in percent of it, of the last 24 hours."""
    rows: list[dict[str, object]] = []
    mixes = by_codes(ZONE, *newest(now, HOUR, DAY // HOUR), HOUR, FUELS, "HFO/Natural Gas")
    for start, power in by_slot(*mixes):
        load = sum(power.values())
        row: dict[str, object] = {STAMP: f"/Date({round(start.timestamp()) * 1000})/"}
        if "CurrentMix" in request.path:
            row |= {code: round(100 * mw / load, 4) for code, mw in power.items()}
            row[IMPORTS] = 0
        else:
            row[LOAD] = round(load, 1)
        rows.append(row)
    return json_reply(rows)


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, json_reply([]))
