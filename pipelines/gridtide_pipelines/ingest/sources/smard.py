"""Generation by fuel and load of Germany, from SMARD of the Bundesnetzagentur.

Docs:       https://github.com/bundesAPI/smard-api; https://www.smard.de
Licence:    CC BY 4.0.
Unit:       MWh in the quarter of an hour: times four.
Slots:      15 min, labelled by the start in milliseconds since 1970; a file has a week of
            Berlin time, whatever its name says of it: the list of files says when each begins.
Limits:     one file for each fuel and week; the list first, then the files of the span.
Revisions:  for some weeks. Slots to come have null.
Codes:      numbers in the path; a body without a path is of unknown fuel. Pumping (4387) is
            negative in the sum.
Last seen:  2026-08 (written, from the catalogue's shape).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

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
)

NAME = "smard"
ZONE: Final = "DE"
QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)
WEEK: Final = 7 * DAY + timedelta(hours=1)  # the one in which clocks go back
LOAD, PUMPING = "410", "4387"
FUELS: Final = {
    "1223": "coal",
    "1224": "nuclear",
    "1225": "wind",
    "1226": "hydro",
    "1227": "unknown",
    "1228": "unknown",
    "4066": "biomass",
    "4067": "wind",
    "4068": "solar",
    "4069": "coal",
    "4070": "hydro_storage",
    "4071": "gas",
    PUMPING: "hydro_storage",
}
NOT_SAID: Final = "not said"
CODE: Final = re.compile(r"/chart_data/(\d+)/")


def requests(query: Query) -> Sequence[Group]:
    """Return one group with the list of files of each fuel and of the load."""
    span = Span(query.start, query.end)
    return [
        [
            Request(
                *("GET", f"/app/chart_data/{code}/DE/index_quarterhour.json", ()),
                *(query.kind, query.zones),
                span=span,
            )
            for code in (*FUELS, LOAD)
        ]
    ]


def following(bodies: Sequence[Body]) -> Sequence[Request]:
    """Return the files of the span that the lists name, once."""
    found: list[Request] = []
    with check_shape(NAME):
        for body in bodies:
            document = read_answer(body.content)
            if document is None:
                continue
            if "timestamps" not in document:
                return ()
            request = body.request
            for each in rows_of(document["timestamps"]):
                start = datetime.fromtimestamp(each / 1000, UTC)
                span = request.span
                if span and start < span.end and start + WEEK > span.start:
                    code = CODE.findall(request.path)[0]
                    path = f"/app/chart_data/{code}/DE/{code}_DE_quarterhour_{each}.json"
                    found.append(
                        Request("GET", path, (), request.kind, request.zones, span=span)
                    )
    return found


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return generation and load of each quarter of an hour in the files."""
    with check_shape(NAME):
        found = [each for i, body in enumerate(bodies) for each in _statements(i, body)]
        return add_codes(found, NAME)


def _statements(index: int, body: Body) -> Iterator[Statement]:
    document = read_answer(body.content)
    if document is None or "timestamps" in document:
        return
    named = CODE.search(body.request.path)
    code = named[1] if named else NOT_SAID
    signal, flag = ("load", None) if code == LOAD else fuel_signal(code, FUELS)
    for moment, energy in rows_of(document["series"]):
        start = datetime.fromtimestamp(moment / 1000, UTC)
        value = number(energy)
        power = None if value is None else 4 * value
        if power is not None and code == PUMPING:
            power = -abs(power)
        yield Statement(ZONE, signal, code, start, start + QUARTER, power, index, flag)


SOURCE = Source(
    name=NAME,
    title="SMARD",
    base_url="https://www.smard.de",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    following=following,
    step=QUARTER,
    max_span=31 * DAY,
    refetch=(Tier(2 * DAY), Tier(14 * DAY, DAY)),
    lag=timedelta(hours=3),
    licence="CC-BY-4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    attribution="Bundesnetzagentur, SMARD.de",
    per_zone=True,
    whole_files=True,
    min_interval=timedelta(milliseconds=250),
    largest_body=2**20,  # a group has the files of 14 codes for up to six weeks
)
