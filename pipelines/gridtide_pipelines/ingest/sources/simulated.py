"""A simulated grid of a dozen zones: not real data, always available, the same every time.

Docs:       simulation.py says how it comes about.
Licence:    none needed; every answer made from it says `simulated`.
Unit:       MW by fuel; storage positive when it discharges.
Slots:      60 min, in GB and Australia 30, labelled by UTC start.
Limits:     31 days per request.
Revisions:  none. A slot is there as soon as it has ended; the future is never published.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import polars as pl

from gridtide.model import Quality, format_time, parse_time
from gridtide_pipelines.ingest.parsing import check_shape, readings
from gridtide_pipelines.ingest.source import (
    READING,
    Body,
    Group,
    Kind,
    Query,
    Request,
    Source,
    Span,
)
from gridtide_pipelines.simulation.grid import simulate
from gridtide_pipelines.simulation.zones import GRIDS
from gridtide_store.vocabulary import FUELS, generation

NAME = "simulated"
PATH = "/generation"
MAX_SPAN = timedelta(days=31)
BY_ZONE = {grid.zone: grid for grid in GRIDS}


def requests(query: Query) -> Sequence[Group]:
    """Build one request per 31 days for all the zones together."""
    groups = []
    start = query.start
    while start < query.end:
        until = min(start + MAX_SPAN, query.end)
        params = (("start", format_time(start)), ("end", format_time(until)))
        wanted = tuple(("zone", zone) for zone in query.zones)
        groups.append(
            [
                Request(
                    "GET",
                    PATH,
                    params + wanted,
                    query.kind,
                    query.zones,
                    span=Span(start, until),
                )
            ]
        )
        start = until
    return groups


def answer(request: Request) -> bytes:
    """Return simulated publisher's response: first start, resolution and mix of each zone."""
    params = dict(request.params)
    start, end = parse_time(params["start"]), parse_time(params["end"])
    zones = {}
    for name, zone in request.params:
        if name == "zone":
            grid = BY_ZONE[zone]
            # One slot more: the one that had not ended when the span before was requested.
            mix = simulate(grid, start - grid.step, end)
            if not mix.is_empty():
                zones[zone] = {
                    "start": format_time(mix["start"][0]),
                    "step_seconds": int(grid.step.total_seconds()),
                    "generation": mix.drop("start", "end").to_dict(as_series=False),
                }
    return json.dumps({"zones": zones}, separators=(",", ":")).encode()


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse generation by fuel of the slots that had ended when a body was received."""
    with check_shape(NAME):
        frames = [frame for i, body in enumerate(bodies) for frame in _frames(i, body)]
        return pl.concat([READING.to_frame(), *frames])


def _frames(index: int, body: Body) -> Iterator[pl.DataFrame]:
    for zone, said in json.loads(body.content)["zones"].items():
        first, step = (
            datetime.fromisoformat(said["start"]),
            timedelta(seconds=said["step_seconds"]),
        )
        for fuel, values in said["generation"].items():
            if fuel not in FUELS:
                raise ValueError(f"no fuel {fuel}")
            starts = [first + step * i for i in range(len(values))]
            frame = readings(
                zone=zone,
                signal=generation(fuel),
                start=starts,
                end=step,
                value=values,
                quality=Quality.SIMULATED,
                body=index,
            )
            yield frame.filter(pl.col("end") <= body.known_at)


SOURCE = Source(
    name=NAME,
    title="Simulated grid",
    base_url="simulated:",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset(BY_ZONE),
    requests=requests,
    parse=parse,
    answer=answer,
    step=timedelta(hours=1),
    max_span=MAX_SPAN,
    refetch=(),
    lag=timedelta(0),
    licence="simulated, not real data",
    licence_url="",
    attribution="simulated by gridtide, not real data",
    simulated=True,
)
