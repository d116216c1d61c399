"""Generation of Iceland now: hydro, geothermal, oil, from Landsnet.

Docs:       https://amper.landsnet.is
Licence:    not stated for reuse, so it is restricted.
Unit:       MW, instantaneous.
Slots:      what holds at ``timestamp`` (UTC) stands for the 5 min in which it lies.
Limits:     only the present; nothing of the past. Iceland is not in ENTSO-E's data.
Revisions:  none.
Last seen:  2026-08 (written, from the catalogue's shape).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from gridtide_pipelines.ingest.local_time import end_of_moment
from gridtide_pipelines.ingest.parsing import check_shape, number
from gridtide_pipelines.ingest.schedule import is_recent
from gridtide_pipelines.ingest.source import Body, Group, Kind, Query, Request, Source
from gridtide_pipelines.ingest.statements import (
    Statement,
    add_codes,
    fuel_signal,
    instant,
    read_answer,
)

NAME = "landsnet"
ZONE: Final = "IS"
FIVE, HOUR = timedelta(minutes=5), timedelta(hours=1)
FUELS: Final = {"geothermal": "geothermal", "hydro": "hydro", "oil": "oil"}


def requests(query: Query) -> Sequence[Group]:
    """Return the one request there is, unless only the past is wanted."""
    if not is_recent(query, FIVE):
        return []
    return [[Request("GET", "/generation/api/Values", (), query.kind, query.zones)]]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return the generation of each fuel in the 5 min of its time."""
    with check_shape(NAME):
        found = []
        for index, body in enumerate(bodies):
            document = read_answer(body.content)
            if document is None:
                continue
            moment = instant(document["timestamp"])
            late = timedelta(minutes=moment.minute % 5, seconds=moment.second)
            start = moment - late - timedelta(microseconds=moment.microsecond)
            end = end_of_moment(start, FIVE, body.known_at)
            for code, value in document.items():
                if code != "timestamp":
                    signal, flag = fuel_signal(code, FUELS)
                    found.append(
                        Statement(
                            *(ZONE, signal, code, start, end, number(value), index),
                            flag,
                        )
                    )
        return add_codes(found, NAME)


SOURCE = Source(
    name=NAME,
    title="Generation now",
    base_url="https://amper.landsnet.is",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    step=FIVE,
    max_span=HOUR,
    refetch=(),
    lag=FIVE,
    reach=HOUR,
    licence="not stated",
    licence_url="https://www.landsnet.is",
    attribution="Landsnet",
    restricted=True,
    largest_body=2**16,
)
