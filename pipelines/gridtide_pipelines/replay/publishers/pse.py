"""PSE's report simulated: a local day of Poland; see the source's module."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from gridtide_pipelines.ingest.local_time import midnight
from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.pse import DAY, QUARTER, SOURCE
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.values import by_codes, by_slot

TIMEZONE: Final = "Europe/Warsaw"
FUELS: Final = {
    "biomass": "B01",
    "coal": "B05",
    "gas": "B04",
    "hydro": "B12",
    "solar": "B16",
    "wind": "B19",
}
NAMED: Final = re.compile(r"business_date eq '(.+)'")


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return a row of each type and slot of the day that is over, with the end as its time."""
    (day,) = map(date.fromisoformat, NAMED.findall(dict(request.params)["$filter"]))
    end = min(midnight(day + DAY, TIMEZONE), now)
    found = by_codes(zones[0], midnight(day, TIMEZONE), end, QUARTER, FUELS, "B20")
    return _rows(
        [
            {
                **{"dtime": _label(each + QUARTER), "dtime_utc": f"{each + QUARTER:%F %T}"},
                **{"business_date": f"{day}", "alias_entsoe": code},
                "value": f"{value}".replace(".", ","),
            }
            for each, values in by_slot(*found)
            for code, value in values.items()
        ]
    )


def _label(end: datetime) -> str:
    """Return the local label of an end, with ``a`` in the first hour that is there twice."""
    local = end.astimezone(ZoneInfo(TIMEZONE))
    after = (end + timedelta(hours=1)).astimezone(ZoneInfo(TIMEZONE))
    letter = "a" if (after.hour, after.fold) == (local.hour, 1) else ""
    return f"{local:%F %H}{letter}:{local:%M:%S}"


def _rows(rows: Sequence[dict[str, str]]) -> Reply:
    return json_reply({"value": rows})


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, _rows([]))
