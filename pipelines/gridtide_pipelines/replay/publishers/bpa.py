"""BPA simulated: the file of the last seven days; see the source's module."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from gridtide_pipelines.ingest.local_time import midnight
from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.bpa import (
    SLOT,
    SOURCE,
    STAMP,
    TIME,
    TIMEZONE,
    WEEK,
    ZONE,
)
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, zone_publisher
from gridtide_pipelines.replay.values import by_codes, by_slot, labels, mix

FUELS: Final = {"wind": "VER", "solar": "VER", "hydro": "Hydro", "nuclear": "Nuclear"}
REST: Final = "Fossil/Biomass"
COLUMNS: Final = ("VER", "Hydro", REST, "Nuclear")
DAY: Final = timedelta(days=1)


def render(_: Sequence[str], __: Request, now: datetime) -> Reply:
    """Return the slots of seven days, and the labels of those of today that are to come."""
    today = now.astimezone(ZoneInfo(TIMEZONE)).date()
    start, end = midnight(today + DAY - WEEK, TIMEZONE), midnight(today + DAY, TIMEZONE)
    starts, values = by_codes(ZONE, start, now, SLOT, FUELS, REST)
    lines = []
    stamps = labels(starts, STAMP, TIMEZONE)
    for stamp, (_start, power) in zip(stamps, by_slot(starts, values), strict=True):
        load = round(sum(power.values()), 1)
        lines.append([stamp, load, *(power[code] for code in COLUMNS)])
    coming = mix(ZONE, starts[-1] + SLOT, end, SLOT)["start"].to_list() if starts else []
    return _file(lines + [[stamp] for stamp in labels(coming, STAMP, TIMEZONE)])


def _file(lines: Sequence[Sequence[object]]) -> Reply:
    rows = [["at 5-minute intervals, last 7 days"], [], [TIME, "Load", *COLUMNS], *lines]
    text = "\n".join("\t".join(map(str, row)) for row in [*rows, []])
    return Reply(text.encode(), content_type="text/plain")


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, _file([]))
