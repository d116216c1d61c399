"""RTE's eco2mix simulated: an export of the records of a span; see the source's module."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from gridtide_pipelines.ingest.local_time import midnight
from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.rte import HALF, QUARTER, RECENT, SOURCE, TIMEZONE
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import (
    Publisher,
    exported_span,
    json_reply,
    zone_publisher,
)
from gridtide_pipelines.replay.values import (
    ahead,
    both_directions,
    by_codes,
    by_slot,
    demand,
    end_of_tomorrow,
    intensity,
    mix,
)

PARTS: Final = ("hydraulique_fil_eau_eclusee", "hydraulique_lacs")
FUELS: Final = {
    "biomass": "bioenergies",
    "coal": "charbon",
    "gas": "gaz",
    "hydro": PARTS,
    "hydro_storage": "pompage",
    "nuclear": "nucleaire",
    "oil": "fioul",
    "solar": "solaire",
    "wind": "eolien",
}


def kind_of(_: Request) -> Kind:
    """Return generation: a record has the forecast too, and the request does not say."""
    return Kind.GENERATION


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return records of quarters of an hour, or the consolidated ones of half hours.

    Records of slots to come, until tomorrow, have the forecast alone.
    """
    start, end = exported_span(request)
    consolidated = midnight((now - RECENT).astimezone(ZoneInfo(TIMEZONE)).date(), TIMEZONE)
    if "cons-def" in request.path:
        return json_reply(_records(zones[0], start, min(end, consolidated), HALF, now))
    span = max(start, consolidated), min(end, end_of_tomorrow(now))
    return json_reply(_records(zones[0], *span, QUARTER, now))


def _records(
    zone: str, start: datetime, end: datetime, length: timedelta, now: datetime
) -> list[dict[str, Any]]:
    slots = mix(zone, start, end, length)
    starts, values = by_codes(zone, start, end, length, FUELS, "fioul")
    turbined, pumped = both_directions(values["pompage"])
    observed = {
        **values,
        "pompage": pumped,
        "hydraulique_step_turbinage": turbined,
        "hydraulique": [
            sum(each) for each in zip(turbined, *(values[part] for part in PARTS), strict=True)
        ],
        "consommation": demand(slots).round(1).tolist(),
        "taux_co2": intensity(slots).tolist(),
    }
    _, foreseen = ahead(zone, "load", start, end, length)
    return [
        {
            **{"perimetre": "France", "nature": "Données temps réel"},
            "date_heure": each.isoformat(),
            **{code: value if each + length <= now else None for code, value in row.items()},
            **{"prevision_j1": foresight, "prevision_j": foresight},
        }
        for (each, row), foresight in zip(by_slot(starts, observed), foreseen, strict=True)
    ]


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, json_reply([]), kind_of=kind_of)
