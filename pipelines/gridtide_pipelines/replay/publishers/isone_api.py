"""ISO New England's web service simulated: the mix of a local day; see the source's module."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from gridtide_pipelines.ingest.local_time import midnight
from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.isone import DAY, SLOT
from gridtide_pipelines.ingest.sources.isone_api import SOURCE
from gridtide_pipelines.ingest.sources.isone_reports import TIMEZONE, ZONE
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.values import by_codes, labels

PATH: Final = re.compile(r"/api/v1\.1/genfuelmix/day/(\d{8})\.json")
STAMP: Final = "%Y-%m-%dT%H:%M:%S.000%:z"
FUELS: Final = {
    "gas": "NaturalGas",
    "biomass": "Wood",
    "oil": "Oil",
    "coal": "Coal",
    "nuclear": "Nuclear",
    "hydro": "Hydro",
    "wind": "Wind",
    "solar": "Solar",
    "battery_storage": "Batteries",
    "hydro_storage": "Other",
}


def render(_: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the mix of the day that is requested, as far as it is over."""
    found = PATH.fullmatch(request.path)
    if found is None:
        return PUBLISHER.refusal
    day = datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=UTC).date()
    span = midnight(day, TIMEZONE), min(midnight(day + DAY, TIMEZONE), now)
    starts, values = by_codes(ZONE, *span, SLOT, FUELS, "Other")
    return _document(
        [
            {"BeginDate": label, "GenMw": column[row], "FuelCategory": code}
            for row, label in enumerate(labels(starts, STAMP, TIMEZONE))
            for code, column in values.items()
        ]
    )


def _document(rows: Sequence[dict[str, object]]) -> Reply:
    return json_reply({"GenFuelMixes": {"GenFuelMix": rows}})


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, json_reply({}))
