"""EIA's files of six months simulated, as far as their hours are over; see the source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import polars as pl

from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.eia import CODES, HOUR
from gridtide_pipelines.ingest.sources.eia_bulk import FLOW, HALVES, SOURCE, STAMP, TABLES
from gridtide_pipelines.ingest.sources.eia_bulk_parts import (
    AHEAD,
    AUTHORITY,
    DEMAND,
    END,
    FUEL,
    NEIGHBOUR,
)
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, table_reply, zone_publisher
from gridtide_pipelines.replay.publishers.eia import filed_early, neighbours
from gridtide_pipelines.replay.values import demand, expected, flow, labels, mix

PATH: Final = re.compile(r".*/EIA930_([A-Z]+)_(\d{4})_(\w{3}_\w{3})\.csv")
KINDS: Final = {table: kind for kind, table in TABLES.items()}
FUELS: Final = {
    "coal": "Coal",
    "gas": "Natural Gas",
    "nuclear": "Nuclear",
    "oil": "All Petroleum Products",
    "hydro": "Hydropower Excluding Pumped Storage",
    "hydro_storage": "Pumped Storage",
    "solar": "Solar without Integrated Battery Storage",
    "wind": "Wind without Integrated Battery Storage",
    "geothermal": "Geothermal",
    "battery_storage": "Battery Storage",
    "biomass": "Other Fuel Sources",
}
COLUMNS: Final = (AUTHORITY, END, AHEAD, DEMAND, *(FUEL + name for name in FUELS.values()))


def kind_of(request: Request) -> Kind | None:
    """Return the kind of a file."""
    found = PATH.fullmatch(request.path)
    return KINDS.get(found[1]) if found else None


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the file of a half year: a row for each hour and authority, or border."""
    found = PATH.fullmatch(request.path)
    if found is None:
        return PUBLISHER.refusal
    year, half = int(found[2]), HALVES.index(found[3])
    start = datetime(year, 1 + 6 * half, 1, tzinfo=UTC)
    end = min(datetime(year + half, 7 - 6 * half, 1, tzinfo=UTC), now)
    of = _flows if request.kind is Kind.FLOW else _balance
    parts = [part for zone in zones for part in of(zone, start, end)]
    text = pl.concat(parts, how="diagonal").write_csv()
    return Reply(text.encode(), content_type="text/csv")


def _balance(zone: str, start: datetime, end: datetime) -> Iterator[pl.DataFrame]:
    """Yield the rows of an authority; the columns of fuels that it does not have are empty."""
    early = filed_early(zone, Kind.GENERATION)
    slots = mix(zone, start + early, end, HOUR)
    starts, load = slots["start"].to_list(), demand(slots)
    named = {
        AUTHORITY: [CODES[zone]] * slots.height,
        END: labels([each + HOUR - early for each in starts], STAMP),
        AHEAD: expected(zone, "load", load, starts).round().tolist(),
        DEMAND: load.round().tolist(),
    }
    fuels = {
        FUEL + name: slots[fuel].round() if fuel in slots.columns else [None] * slots.height
        for fuel, name in FUELS.items()
    }
    yield pl.DataFrame(named | fuels, schema_overrides=dict.fromkeys(fuels, pl.Float64))


def _flows(zone: str, start: datetime, end: datetime) -> Iterator[pl.DataFrame]:
    starts = mix(zone, start, end, HOUR)["start"].to_list()
    stamps = labels([each + HOUR for each in starts], STAMP)
    for other in neighbours(zone):
        yield pl.DataFrame(
            {
                AUTHORITY: [CODES[zone]] * len(stamps),
                NEIGHBOUR: [CODES[other]] * len(stamps),
                FLOW: flow(zone, other, starts).round().tolist(),
                END: stamps,
            }
        )


PUBLISHER: Final[Publisher] = zone_publisher(
    SOURCE, render, table_reply(COLUMNS), kind_of=kind_of
)
