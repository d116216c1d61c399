"""EDF in Corsica simulated: an export of the records of a span; see the source's module."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.edf_sei import QUARTER, SOURCE
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.values import by_codes

FUELS: Final = {
    "biomass": "bioenergies",
    "wind": "eolien",
    "hydro": "hydraulique",
    "oil": "moteur_diesel",
    "solar": "photovoltaique",
    "battery_storage": "solde_stockage",
}
DATE: Final = re.compile(r"date'([^']+)'")


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the records of the slots that the query selects, as far as they are over."""
    found = DATE.findall(dict(request.params).get("where", ""))
    if len(found) != 2:  # from and to
        return PUBLISHER.refusal
    start, end = (datetime.fromisoformat(each) for each in found)
    starts, values = by_codes(zones[0], start, min(end, now), QUARTER, FUELS, "moteur_diesel")
    return json_reply(
        [
            {"date": each.isoformat(), "statut": "Définitif"}
            | {code: column[row] for code, column in values.items()}
            for row, each in enumerate(starts)
        ]
    )


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, json_reply([]))
