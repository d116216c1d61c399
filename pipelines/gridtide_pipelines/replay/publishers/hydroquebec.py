"""Hydro-Québec simulated: generation and demand of yesterday and today; see the source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from gridtide_pipelines.ingest.local_time import midnight
from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.hydroquebec import (
    DAY,
    DEMAND,
    FILES,
    HOUR,
    QUARTER,
    SOURCE,
    TIMEZONE,
    TOTAL,
    ZONE,
)
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.values import by_codes, by_slot, labels, load

KINDS: Final = {f"{name}.json": kind for kind, name in FILES.items()}
FUELS: Final = {
    "hydro": "hydraulique",
    "wind": "eolien",
    "solar": "solaire",
    "biomass": "autres",
    "gas": "thermique",
    "nuclear": "nucleaire",
}
STAMP: Final = "%Y-%m-%dT%H:%M:%S"


def kind_of(request: Request) -> Kind | None:
    """Return the kind of a file."""
    return KINDS.get(request.path.rpartition("/")[2])


def render(_: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the slots of two local days that are over; generation is labelled at half past."""
    start = midnight(now.astimezone(ZoneInfo(TIMEZONE)).date() - DAY, TIMEZONE)
    if request.kind is Kind.LOAD:
        starts, used = load(ZONE, start, now, QUARTER)
        rows = [{DEMAND: value} for value in used]
    else:
        halves, values = by_codes(ZONE, start + HOUR / 2, now, HOUR / 2, FUELS, "thermique")
        halves = halves[: len(halves) // 2 * 2]
        power = [each for _, each in by_slot(halves, values)]
        starts = halves[::2]
        rows = [
            {code: round((first[code] + second[code]) / 2, 1) for code in first}
            for first, second in zip(power[::2], power[1::2], strict=True)
        ]
        rows = [{TOTAL: round(sum(each.values()), 1), **each} for each in rows]
    return _document(labels(starts, STAMP, TIMEZONE), rows)


def _document(stamps: Sequence[str], rows: Sequence[dict[str, float]]) -> Reply:
    details = [
        {"date": stamp, "valeurs": values} for stamp, values in zip(stamps, rows, strict=True)
    ]
    return json_reply({"recentHour": stamps[-1] if stamps else "", "details": details})


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, _document([], []), kind_of=kind_of)
