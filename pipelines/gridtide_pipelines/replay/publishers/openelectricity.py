"""OpenElectricity simulated: the file of the last seven days of a region; see the source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from datetime import timezone as dt_timezone
from typing import Any, Final

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.openelectricity import REGIONS, SOURCE, WEEK
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.values import by_codes, newest

FIVE: Final = timedelta(minutes=5)
OFFSET: Final = dt_timezone(timedelta(hours=10))
FUELS: Final = {
    "biomass": "BIOENERGY",
    "coal": "COAL_BLACK",
    "gas": "GAS_CCGT",
    "hydro": "HYDRO",
    "solar": "SOLAR_UTILITY",
    "wind": "WIND",
    "battery_storage": "BATTERY",
}


def zones_of(request: Request) -> Sequence[str]:
    """Return the region whose file is requested."""
    return [zone for zone, region in REGIONS.items() if region in request.path.split("/")]


def render(zones: Sequence[str], _: Request, now: datetime) -> Reply:
    """Return the series of each fuel."""
    span = newest(now, FIVE, WEEK // FIVE)
    starts, values = by_codes(zones[0], *span, FIVE, FUELS, "GAS_CCGT")
    labels = [each.astimezone(OFFSET).isoformat() for each in starts]
    region = REGIONS[zones[0]]
    results = [
        {
            "name": f"power_{region}|{code}",
            "columns": {"region": region, "fueltech": code},
            "data": list(zip(labels, column, strict=True)),
        }
        for code, column in values.items()
    ]
    network = "WEM" if region == "WEM" else "NEM"
    return _document(
        {"network_code": network, "metric": "power", "interval": "5m", "results": results}
    )


def _document(*entries: dict[str, Any]) -> Reply:
    return json_reply({"success": True, "error": None, "data": entries})


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, _document(), zones_of)
