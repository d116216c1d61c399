"""SPP simulated: the files of the last two hours, the last year and a year; see the source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import polars as pl

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.spp import EAST, SLOT, SOURCE, TIME, YEAR
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
    """Return the area of a file: the other one is no zone of the catalogue."""
    return [] if "SWPW" in dict(request.params).get("path", "") else [EAST]


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
    # A year of 5 min has 105,000 rows: polars writes them.
    starts, values = by_codes(zones[0], start, end, SLOT, FUELS, "Other Market")
    frame = pl.DataFrame({TIME: labels(starts, STAMP), **values})
    load = pl.sum_horizontal(FUELS.values()).round(1).alias("Load")
    text = frame.with_columns(load, pl.lit("SWPP").alias("BAA")).write_csv()
    return Reply(text.encode(), content_type="text/csv")


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, table_reply(HEADER), zones_of)
