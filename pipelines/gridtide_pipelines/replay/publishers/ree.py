"""REE simulated: the day of one system, as its page fetches it; see the source's module."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.ree import CODES, DAY, SOURCE, timezone_of
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, zone_publisher
from gridtide_pipelines.replay.values import by_codes

FIVE: Final = timedelta(minutes=5)
FUELS: Final = {
    "nuclear": "nuc",
    "coal": "car",
    "gas": "cc",
    "oil": "die",
    "hydro": "gnhd",
    "wind": "eol",
    "solar": "solFot",
    "biomass": "resid",
    "battery_storage": "bat",
}


def zones_of(request: Request) -> Sequence[str]:
    """Return the zones of the system that is requested: two of them share one."""
    code = dict(request.params).get("curva")
    return [zone for zone, own in CODES.items() if own == code]


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the rows of a local day, as far as it is over."""
    timezone = ZoneInfo(timezone_of(zones[0]))
    day = datetime.fromisoformat(dict(request.params)["fecha"])
    start, end = (each.replace(tzinfo=timezone).astimezone(UTC) for each in (day, day + DAY))
    starts, values = by_codes(zones[0], start, min(end, now), FIVE, FUELS, "die")
    return _wrapped(
        [
            {
                "ts": _label(each, timezone),
                "dem": round(sum(column[row] for column in values.values()), 1),
                **{code: column[row] for code, column in values.items()},
            }
            for row, each in enumerate(starts)
        ]
    )


def _label(start: datetime, timezone: ZoneInfo) -> str:
    """Return the local label of a slot, with a letter where the hour is there twice."""
    local = start.astimezone(timezone)
    if local.utcoffset() == local.replace(fold=1 - local.fold).utcoffset():
        return f"{local:%Y-%m-%d %H:%M}"
    return f"{local:%Y-%m-%d} {local.hour}{'AB'[local.fold]}:{local:%M}"


def _wrapped(rows: Sequence[dict[str, Any]]) -> Reply:
    text = json.dumps({"valoresHorariosGeneracion": rows}, separators=(",", ":"))
    return Reply(f"null({text});".encode(), content_type="application/javascript")


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, _wrapped([]), zones_of)
