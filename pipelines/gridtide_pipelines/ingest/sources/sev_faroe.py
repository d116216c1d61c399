"""Generation of the Faroe Islands now, main islands and south island, from SEV.

Docs:       https://www.sev.fo (the requests of its own pages; no document)
Licence:    not stated for reuse, so it is restricted.
Unit:       MW, instantaneous, text with a decimal comma (``_E``). Shares (``_P``) are not read.
Slots:      what holds at ``tiden`` (Faroese time) stands for the 5 min in which it lies.
Limits:     only the present is requested; the history by plant is another shape, not read.
Revisions:  none.
Codes:      a fuel and an area, as VandH: H is the main islands, S the south island. Sums,
            tests and what is of all (Sev) are left out.
Last seen:  2026-07 (written, from the catalogue's shape).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from gridtide_pipelines.ingest.local_time import end_of_moment, read_local
from gridtide_pipelines.ingest.parsing import check_shape
from gridtide_pipelines.ingest.schedule import is_recent
from gridtide_pipelines.ingest.source import Body, Group, Kind, Query, Request, Source
from gridtide_pipelines.ingest.statements import (
    Statement,
    add_codes,
    fuel_signal,
    read_answer,
    text,
)

NAME = "sev_faroe"
FIVE, HOUR = timedelta(minutes=5), timedelta(hours=1)
CODES: Final = {"FO-MI": "H", "FO-SI": "S"}
ZONES: Final = {code: key for key, code in CODES.items()}
FUELS: Final = {
    "Biogas": "biomass",
    "Diesel": "oil",
    "Olie": "oil",
    "Sol": "solar",
    "Tidal": "unknown",
    "Vand": "hydro",
    "Vind": "wind",
}
FIELD: Final = re.compile(r"(?!Sum|Test|VnVand)([A-Z][a-z]+)([HS])_E")


def requests(query: Query) -> Sequence[Group]:
    """Return the one request there is, unless only the past is wanted."""
    if not is_recent(query, FIVE):
        return []
    return [[Request("GET", "/api/realtimemap/now", (), query.kind, query.zones)]]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return the generation of each fuel and area in the 5 min of its time."""
    with check_shape(NAME):
        found = [each for i, body in enumerate(bodies) for each in _statements(i, body)]
        return add_codes(found, NAME)


def _statements(index: int, body: Body) -> Iterator[Statement]:
    document = read_answer(body.content)
    if document is None:
        return
    (moment,) = read_local([text(document["tiden"])], "Atlantic/Faroe", "%d-%m-%Y %H:%M")
    if moment is None:  # the hour that is there twice, or the one that is missing
        return
    start = moment - timedelta(minutes=moment.minute % 5)
    end = end_of_moment(start, FIVE, body.known_at)
    for name, given in document.items():
        if found := FIELD.fullmatch(name):
            signal, flag = fuel_signal(found[1], FUELS)
            value = float(text(given).replace(".", "").replace(",", ".")) if given else None
            yield Statement(
                *(ZONES[found[2]], signal, found[1], start, end, value, index, flag)
            )


SOURCE = Source(
    name=NAME,
    title="Generation now",
    base_url="https://www.sev.fo",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset(CODES),
    codes=CODES,
    requests=requests,
    parse=parse,
    step=FIVE,
    max_span=HOUR,
    refetch=(),
    lag=FIVE,
    reach=HOUR,
    licence="not stated",
    licence_url="https://www.sev.fo",
    attribution="SEV",
    restricted=True,
    largest_body=2**16,
)
