"""Generation of the Yukon over the last day and now, from Yukon Energy.

Docs:       https://yukonenergy.ca/energy-in-yukon/electricity-101/current-energy-consumption
Licence:    not known, so it is restricted.
Unit:       MW, the mean of the hour.
Slots:      1 h, labelled by START at UTC-7 all year, also in years in which older rules of time
            zones have UTC-8 in winter.
Limits:     the last day, without a key; the values of now beside it are not read, as they have
            no time.
Revisions:  none known.
Codes:      a row is hydro, wind, solar and thermal power. Thermal is LNG and diesel in one, so
            it is unknown.
Last seen:  2025-09 (written, from a description of the script in the page).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from gridtide_pipelines.ingest.local_time import read_at_offset
from gridtide_pipelines.ingest.parsing import (
    check_shape,
    number,
    read_json,
    readings,
    with_values,
)
from gridtide_pipelines.ingest.source import Body, Group, Kind, Query, Request, Source, Tier
from gridtide_pipelines.ingest.xml import check_page
from gridtide_store.vocabulary import generation

NAME, ZONE = "yukon_energy", "CA-YT"
OFFSET: Final = timedelta(hours=-7)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PATH: Final = "/consumption/chart_current.php"
ROWS: Final = re.compile(r"rows_chart_past_day\s*=\s*parseDates\(([^()]*)\)\s*;")
FUELS: Final = ("hydro", "wind", "solar", "unknown")


def requests(query: Query) -> Sequence[Group]:
    """Return the page of the chart, which holds the last day whatever is requested."""
    params = (("chart", "current"), ("width", "420"))
    return [[Request("GET", PATH, params, kind=query.kind, zones=query.zones)]]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse the four kinds of power of every hour that is over."""
    with check_shape(NAME):
        rows = [
            (str(hour[0]), fuel, number(value), index)
            for index, body in enumerate(bodies)
            for hour in _hours(body.content)
            for fuel, value in zip(FUELS, hour[1:], strict=True)
        ]
        start = read_at_offset([row[0] for row in rows], OFFSET, "%Y-%m-%dT%H:%M:%S")
        frame = readings(
            zone=ZONE,
            signal=[generation(row[1]) for row in rows],
            start=start,
            end=HOUR,
            value=[row[2] for row in rows],
            body=[row[3] for row in rows],
        )
    frame = frame.filter(pl.col("end") <= max(body.known_at for body in bodies))
    return with_values(NAME, [frame])


def _hours(content: bytes) -> list[list[object]]:
    check_page(content)
    found = ROWS.search(content.decode("utf-8"))
    if found is None:
        raise ValueError("a page without the rows of the past day")
    hours = read_json(found[1].encode())
    if not isinstance(hours, list):
        raise TypeError("the rows of the past day are not a list")
    return hours


SOURCE = Source(
    name=NAME,
    title="Current energy consumption",
    base_url="https://www.yukonenergy.ca",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    step=HOUR,
    max_span=DAY,
    reach=DAY,
    refetch=(Tier(DAY),),
    lag=2 * HOUR,
    licence="not stated",
    licence_url="",
    attribution="Yukon Energy",
    restricted=True,
    whole_files=True,
    min_interval=timedelta(seconds=1),
    largest_body=2**20,
)
