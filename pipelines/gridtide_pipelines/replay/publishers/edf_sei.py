"""EDF in Corsica simulated: an export of the records of a span; see the source's module."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.edf_sei import QUARTER, SOURCE
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import (
    Publisher,
    exported_span,
    json_reply,
    zone_publisher,
)
from gridtide_pipelines.replay.values import by_codes, by_slot

FUELS: Final = {
    "biomass": "bioenergies",
    "wind": "eolien",
    "hydro": "hydraulique",
    "oil": "moteur_diesel",
    "solar": "photovoltaique",
    "battery_storage": "solde_stockage",
}


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the records of the slots that the query selects, as far as they are over."""
    start, end = exported_span(request)
    found = by_codes(zones[0], start, min(end, now), QUARTER, FUELS, "moteur_diesel")
    return json_reply(
        [
            {"date": each.isoformat(), "statut": "Définitif"} | values
            for each, values in by_slot(*found)
        ]
    )


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, json_reply([]))
