"""Pages of three Canadian provinces simulated: the newest 15 minutes; see the source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.other_canada import PAGES, QUARTER, SOURCE
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import (
    Publisher,
    json_reply,
    page_reply,
    zone_publisher,
)
from gridtide_pipelines.replay.values import by_codes, labels, newest


def zones_of(request: Request) -> Sequence[str]:
    """Return the province whose page is requested."""
    return [zone for zone, page in PAGES.items() if page == (request.host, request.path)]


def render(zones: Sequence[str], _: Request, now: datetime) -> Reply:
    """Return the load; of Prince Edward Island wind and fossil power too."""
    span = newest(now, QUARTER)
    (at,), values = by_codes(zones[0], *span, QUARTER, {"wind": "wind"}, "rest")
    wind, rest = values["wind"][0], values.get("rest", [0.0])[0]
    load = round(wind + rest, 1)
    if zones[0] == "CA-PE":
        said = {
            "data1": load,
            "data2": wind,
            "data3": rest,
            "updateDate": round(at.timestamp()),
        }
        return json_reply([{**said, "error": 0}])
    if zones[0] == "CA-SK":
        (stamp,) = labels([at], "%Y-%m-%d %I:%M %p", "America/Regina")
        return json_reply({"updatedTS": stamp, "currentSysLoad": f"{load:,}"})
    (stamp,) = labels([at], "%m/%d/%Y %I:%M %p", "America/St_Johns")
    title = "<h3>Current Island System Generation</h3>"
    return page_reply(f"{title}<p> {load:,} MW </p><p>AS OF <span>{stamp}</span></p>")


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, json_reply([]), zones_of)
