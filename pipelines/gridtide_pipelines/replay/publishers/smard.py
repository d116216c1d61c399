"""SMARD simulated: the list of the weeks of a filter, and the file of one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from gridtide_pipelines.ingest.local_time import midnight
from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.smard import DAY, LOAD, PUMPING, QUARTER, SOURCE
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.values import both_directions, by_codes, load

TIMEZONE: Final = "Europe/Berlin"
FIRST: Final = date(2018, 1, 1)  # a Monday; the weeks since then are listed
STORED: Final = "4070"
FUELS: Final = {
    "biomass": "4066",
    "coal": ("1223", "4069"),
    "gas": "4071",
    "hydro": "1226",
    "hydro_storage": STORED,
    "nuclear": "1224",
    "solar": "4068",
    "wind": ("1225", "4067"),
}
LIST: Final = re.compile(r"/app/chart_data/\d+/DE/index_quarterhour\.json")
FILE: Final = re.compile(r"/app/chart_data/(\d+)/DE/\d+_DE_quarterhour_(\d+)\.json")
WEEK: Final = 7 * DAY


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the list, or the MWh of each quarter of an hour of a week; those to come null."""
    if LIST.fullmatch(request.path):
        return _list(list(_weeks(now)))
    ((code, milliseconds),) = FILE.findall(request.path)
    start = datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    monday = start.astimezone(ZoneInfo(TIMEZONE)).date()
    span = start, midnight(monday + WEEK, TIMEZONE)
    starts, values = by_codes(zones[0], *span, QUARTER, FUELS, "1227")
    turbined, pumped = both_directions(values[STORED])
    known = {**values, STORED: turbined, PUMPING: [-each for each in pumped]}
    known[LOAD] = load(zones[0], *span, QUARTER)[1]
    return json_reply(
        {
            "meta_data": {"version": 1},
            "series": [
                [int(each.timestamp()) * 1000, mw / 4 if each + QUARTER <= now else None]
                for each, mw in zip(starts, known.get(code, [0.0] * len(starts)), strict=True)
            ],
        }
    )


def _weeks(now: datetime) -> Iterator[datetime]:
    day = FIRST
    while (start := midnight(day, TIMEZONE)) < now:
        yield start
        day += WEEK


def _list(weeks: Sequence[datetime]) -> Reply:
    return json_reply({"timestamps": [int(each.timestamp()) * 1000 for each in weeks]})


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, _list([]))
