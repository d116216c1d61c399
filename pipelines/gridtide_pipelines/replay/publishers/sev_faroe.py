"""SEV simulated: the generation of both areas in the five minutes that are over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.sev_faroe import CODES, FIVE, SOURCE
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.values import by_codes, newest

TIMEZONE: Final = ZoneInfo("Atlantic/Faroe")
FUELS: Final = {"oil": "Olie", "hydro": "Vand", "wind": "Vind", "solar": "Sol"}


def render(zones: Sequence[str], _: Request, now: datetime) -> Reply:
    """Return the power of each fuel and area at the start of the newest slot."""
    start, end = newest(now, FIVE)
    document = {"tiden": f"{start.astimezone(TIMEZONE):%d-%m-%Y %H:%M}"}
    for zone in zones:
        _starts, values = by_codes(zone, start, end, FIVE, FUELS, "Olie")
        for code, column in values.items():
            document[f"{code}{CODES[zone]}_E"] = f"{column[0]}".replace(".", ",")
    return json_reply(document)


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, json_reply({}))
