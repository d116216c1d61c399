"""Generation and load of the Bonneville Power Administration, of the last seven days.

Docs:       https://transmission.bpa.gov/business/operations/Wind/
Licence:    public domain, a US government publication.
Unit:       MW.
Slots:      5 min, labelled by Pacific time without offset, in rows to the end of today; those
            still to come are empty. In the double hour the second of two equal labels is the
            later.
Fuels:      ``VER`` is wind and solar power in one and so unknown (it was ``Wind``), as are
            ``Fossil/Biomass`` and ``Thermal`` (with nuclear power, before that had a column).
            So EIA's split, a day later, counts before this source. ``Interchange`` is not read.
Limits:     one file, without a key.
Revisions:  none known.
Last seen:  2026-09 (written, from descriptions of two clients; recorded bodies are of 2014).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from gridtide_pipelines.ingest.delimited import number_of, read_csv
from gridtide_pipelines.ingest.local_time import placed
from gridtide_pipelines.ingest.parsing import check_shape, readings, with_values
from gridtide_pipelines.ingest.source import (
    Body,
    Group,
    Kind,
    Query,
    Request,
    Source,
    Tier,
)
from gridtide_pipelines.ingest.summing import by_fuel

NAME: Final = "bpa"
ZONE: Final = "US-NW-BPAT"
TIMEZONE: Final = "America/Los_Angeles"
SLOT: Final = timedelta(minutes=5)
WEEK: Final = timedelta(days=7)
TIME: Final = "Date/Time"
STAMP: Final = "%m/%d/%Y %H:%M"
OTHERS: Final = (TIME, "Load", "Interchange")
COMING: Final = re.compile(rb"^\d\d/\d\d/\d{4} \d\d:\d\d[ \t\r]*(\n|\Z)", re.MULTILINE)
LONGEST: Final = 40  # lines before the header
FUELS: Final = {
    "wind": "wind",
    "ver": "unknown",
    "hydro": "hydro",
    "thermal": "unknown",
    "fossil/biomass": "unknown",
    "nuclear": "nuclear",
}


def requests(query: Query) -> Sequence[Group]:
    """Build the request for the file of the last seven days."""
    path = "/business/operations/Wind/baltwg3.txt"
    return [[Request("GET", path, (), query.kind, query.zones)]]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse generation and load of every slot in the file."""
    with check_shape(NAME):
        found = [frame for index, body in enumerate(bodies) for frame in _frames(index, body)]
    return with_values(NAME, found)


def _frames(index: int, body: Body) -> list[pl.DataFrame]:
    content = COMING.sub(b"", body.content)
    lines = content.split(b"\n", LONGEST)[:LONGEST]
    skip = [line.startswith(TIME.encode()) for line in lines].index(True)
    table = read_csv(
        content, (TIME, "Load", "Hydro"), separator="\t", skip=skip, line_ends=True
    )
    fuels = [name for name in table.columns if name not in OTHERS and name]
    numbers = ["Load", *fuels]
    table = table.select(
        pl.col(TIME).str.strip_chars().alias("label"), *map(number_of, numbers)
    )
    known = pl.any_horizontal(pl.col(name).is_not_null() for name in numbers)
    long = table.filter(known).unpivot(numbers, index="label", variable_name="code")
    long = placed(long, TIMEZONE, STAMP, series="code").with_columns(
        end=pl.col("start") + SLOT, body=pl.lit(index, pl.UInt32)
    )
    said = pl.col("value").is_not_null() | pl.col("flag").is_not_null()
    load = long.filter(pl.col("code") == "Load", said)
    return [
        by_fuel(long.filter(pl.col("code") != "Load"), FUELS, zone=ZONE),
        readings(
            zone=ZONE,
            signal="load",
            start=load["start"],
            end=SLOT,
            value=load["value"],
            flag=load["flag"],
            body=index,
        ),
    ]


SOURCE = Source(
    name=NAME,
    title="BPA balancing authority load and generation",
    base_url="https://transmission.bpa.gov",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    step=SLOT,
    max_span=WEEK,
    refetch=(Tier(timedelta(days=1)),),
    lag=timedelta(minutes=15),
    reach=WEEK,
    licence="public domain",
    licence_url="https://www.bpa.gov/policies",
    attribution="Bonneville Power Administration",
    whole_files=True,
    min_interval=timedelta(seconds=1),
    largest_body=4 * 2**20,
)
