"""SPP simulated: the files of the last two hours, the last year and a year; see the source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import polars as pl

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.spp import (
    EAST,
    FOLDERS,
    SLOT,
    SOURCE,
    TIME,
    WEST,
    YEAR,
)
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, table_reply, zone_publisher
from gridtide_pipelines.replay.values import by_codes, labels, newest

STAMP: Final = "%Y-%m-%dT%H:%M:%SZ"
FUELS: Final = {
    "coal": "Coal Market",
    "oil": "Diesel Fuel Oil Market",
    "hydro": "Hydro Market",
    "gas": "Natural Gas Market",
    "nuclear": "Nuclear Market",
    "solar": "Solar Market",
    "biomass": "Waste Disposal Services Market",
    "wind": "Wind Market",
    "battery_storage": "Energy Storage Market",
    "hydro_storage": "Other Market",
}
HEADER: Final = (TIME, *FUELS.values(), "Load", "BAA")


def zones_of(request: Request) -> Sequence[str]:
    """Return the area of a file, both of a year's."""
    path = dict(request.params).get("path", "")
    return [WEST] if "SWPW" in path else [EAST] if "_SPP" in path else [EAST, WEST]


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the slots of a file, as far as they are over."""
    name = dict(request.params).get("path", "").rpartition("/")[2]
    if name.startswith("GenMix2Hour"):
        start, end = newest(now, SLOT, 24)
    elif name.startswith("GenMix365"):
        start, end = now - YEAR, now
    elif name.startswith("GenMix_"):
        year = int(name[7:11])
        start = datetime(year, 1, 1, tzinfo=UTC)
        end = min(datetime(year + 1, 1, 1, tzinfo=UTC), now)
    else:
        return PUBLISHER.refusal
    frames = [_area(zone, start, end) for zone in zones]
    return Reply(pl.concat(frames).write_csv().encode(), content_type="text/csv")


def _area(zone: str, start: datetime, end: datetime) -> pl.DataFrame:
    # A year of 5 min has 105,000 rows: polars writes them.
    starts, values = by_codes(zone, start, end, SLOT, FUELS, "Other Market")
    frame = pl.DataFrame({TIME: labels(starts, STAMP), **values})
    load = pl.sum_horizontal(FUELS.values()).round(1).alias("Load")
    return frame.with_columns(load, pl.lit(FOLDERS[zone]).alias("BAA"))


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, table_reply(HEADER), zones_of)
