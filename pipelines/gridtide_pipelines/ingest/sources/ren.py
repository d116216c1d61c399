"""Generation by fuel, imports and exports of Portugal, from REN's data hub.

Docs:       https://datahub.ren.pt
Licence:    not stated for reuse, so it is restricted.
Unit:       MW.
Slots:      15 min, labelled by the start in Lisbon time: the categories of the axis, in order;
            92 or 100 on the days when clocks change.
Limits:     one day a request; a day appears when it is over.
Revisions:  for some days.
Body:       the day is in the request only (``date=``); without it a body is refused.
Fuels:      by name; pumping and batteries that charge are negative. Sums and demand are no
            generation, imports and exports one net import.
Last seen:  2026-05 (written, from the catalogue's shape).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

import polars as pl

from gridtide_pipelines.ingest.local_time import local_days, read_number
from gridtide_pipelines.ingest.parsing import check_shape, number
from gridtide_pipelines.ingest.source import (
    Body,
    Group,
    Kind,
    Query,
    Request,
    Source,
    Span,
    Tier,
)
from gridtide_pipelines.ingest.statements import (
    Statement,
    add_codes,
    fuel_signal,
    read_answer,
    rows_of,
    text,
)

NAME = "ren"
ZONE: Final = "PT"
TIMEZONE: Final = "Europe/Lisbon"
QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)
# Signs: what a series takes is negative, however it is written.
FUELS: Final = {
    "battery injection": "battery_storage",
    "battery consumption": "battery_storage",
    "biomass": "biomass",
    "coal": "coal",
    "hydro": "hydro",
    "hydro pumping": "hydro_storage",
    "pumping": "hydro_storage",
    "natural gas": "gas",
    "other thermal": "unknown",
    "solar": "solar",
    "wave": "unknown",
    "wind": "wind",
}
TAKES: Final = ("battery consumption", "hydro pumping", "pumping", "exports")
NO_FUEL: Final = re.compile(r"consumption.*|total.*|demand.*|load.*|.*day before.*")


def requests(query: Query) -> Sequence[Group]:
    """Return a request for each local day."""
    path = "/datahubapi/electricity/ElectricityProductionBreakdownDaily"
    return [
        [
            Request(
                *("GET", path, (("culture", "en-US"), ("date", f"{day}"))),
                *(query.kind, query.zones),
                span=span,
            )
        ]
        for day, span in local_days(Span(query.start, query.end), TIMEZONE)
    ]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return generation and net imports of each quarter of an hour of the days."""
    with check_shape(NAME):
        found = [each for i, body in enumerate(bodies) for each in _statements(i, body)]
        return add_codes(found, NAME)


def _statements(index: int, body: Body) -> Iterator[Statement]:
    document = read_answer(body.content)
    if document is None:
        return
    series = rows_of(document["series"])
    labels = rows_of(document["xAxis"]["categories"])
    named = re.search(r"date=(\d{4}-\d{2}-\d{2})", body.request.address)
    day = date.fromisoformat(named[1]) if named else None
    for each in series:
        name = text(each["name"])
        plain = name.lower()
        for position, (_, given) in enumerate(zip(labels, rows_of(each["data"]), strict=True)):
            if day is None:
                raise ValueError("a body without its day; name the request with --url")
            value = number(given)
            if value is not None and plain in TAKES:
                value = -abs(value)
            start = read_number(day, position + 1, QUARTER, TIMEZONE)
            if plain in ("imports", "exports"):
                yield Statement(*(ZONE, "imports", plain, start, start + QUARTER, value, index))
            elif not NO_FUEL.fullmatch(plain):
                signal, flag = fuel_signal(plain, FUELS)
                yield Statement(
                    *(ZONE, signal, plain, start, start + QUARTER, value, index, flag)
                )


SOURCE = Source(
    name=NAME,
    title="Data hub of REN",
    base_url="https://servicebus.ren.pt",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    step=QUARTER,
    max_span=7 * DAY,
    refetch=(Tier(2 * DAY), Tier(7 * DAY, DAY)),
    lag=timedelta(hours=30),
    licence="not stated",
    licence_url="https://datahub.ren.pt",
    attribution="REN",
    restricted=True,
    per_zone=True,
    whole_files=True,
    min_interval=timedelta(seconds=1),
    largest_body=2**20,
)
