"""EIA's web page simulated: the series of each fuel of an authority; see the source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Final

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.eia import HOUR, ZONES
from gridtide_pipelines.ingest.sources.eia_web import PATH, REQUESTED, SOURCE, STAMP
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.values import by_codes, labels

FUELS: Final = {
    "coal": "Coal",
    "gas": "Natural gas",
    "nuclear": "Nuclear",
    "oil": "Petroleum",
    "hydro": "Hydro",
    "hydro_storage": "Pumped storage",
    "solar": "Solar",
    "wind": "Wind",
    "geothermal": "Geothermal",
    "battery_storage": "Battery storage",
    "biomass": "Other",
}


def zones_of(request: Request) -> Sequence[str]:
    """Return the authority that is requested."""
    code = dict(request.params).get("respondent[0]", "")
    return [ZONES[code]] if code in ZONES else []


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return one page of the values of the hours that are over; labels are their ends."""
    if request.path != PATH:
        return PUBLISHER.refusal
    params = dict(request.params)
    first, last = (
        datetime.strptime(params[bound], REQUESTED).replace(tzinfo=UTC)
        for bound in ("start", "end")
    )
    starts, values = by_codes(zones[0], first - HOUR, min(last, now), HOUR, FUELS, "Other")
    stamps = labels([each + HOUR for each in starts], STAMP)
    rows = [
        (code, stamp, value)
        for code, column in values.items()
        for stamp, value in zip(stamps, column, strict=True)
    ]
    offset, limit = int(params["offset"]), int(params["limit"])
    return _page(rows[offset : offset + limit], len(rows))


def _page(rows: Sequence[tuple[str, str, float]], count: int) -> Reply:
    """Return a page of the values of some codes and labels, of so many in all."""
    data = []
    for code, group in groupby(rows, key=itemgetter(0)):
        mine = list(group)
        values = {"DATES": [row[1] for row in mine], "DATA": [row[2] for row in mine]}
        data.append({"FUEL_TYPE_NAME": code, "VALUES": values})
    counts = {"recordCount": str(len(rows)), "totalCount": str(count)}
    return json_reply([{"data": data, **counts}])


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, _page([], 0), zones_of)
