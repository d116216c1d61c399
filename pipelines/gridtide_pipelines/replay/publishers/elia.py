"""Elia simulated: an export of the generation of Belgium; see the source's module."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.elia import LENGTHS, SOURCE
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import (
    Publisher,
    exported_span,
    json_reply,
    zone_publisher,
)
from gridtide_pipelines.replay.values import by_codes, by_slot

QUARTER: Final = "PT15M"
FUELS: Final = {
    "battery_storage": "Energy Storage",
    "biomass": "Biomass",
    "coal": "Fossil Hard coal",
    "gas": "Fossil Gas",
    "hydro": "Hydro Run-of-river and poundage",
    "hydro_storage": "Hydro Pumped Storage",
    "nuclear": "Nuclear",
    "oil": "Fossil Oil",
    "solar": "Solar",
    "wind": ("Wind Offshore", "Wind Onshore"),
}


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return a record of each type and slot that is over."""
    start, end = exported_span(request)
    found = by_codes(zones[0], start, min(end, now), LENGTHS[QUARTER], FUELS, "Other")
    return json_reply(
        [
            {"datetime": each.isoformat(), "resolutioncode": QUARTER}
            | {"fueltypeentsoe": code, "fueltypepublication": code, "generatedpower": value}
            for each, values in by_slot(*found)
            for code, value in values.items()
        ]
    )


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, json_reply([]))
