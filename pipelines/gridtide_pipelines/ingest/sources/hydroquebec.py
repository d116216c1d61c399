"""Generation and demand of Québec yesterday and today, from Hydro-Québec.

Docs:       https://donnees.hydroquebec.com (production and demande, open data)
Licence:    CC BY-NC 4.0: not for commercial use.
Unit:       MW.
Slots:      generation 1 h at half past, demand 15 min, labelled in Montréal's time without an
            offset. The label is taken as the START; of the hour it may be the middle. Where
            clocks go back the second of two labels is the later; one that is there once is left
            out.
Limits:     two local days, and nothing of older ones.
Revisions:  today's values, for hours.
Future:     rows after ``recentHour`` are there with a total of 0, or empty: not zero output. A
            slot that is not over yet is left to the next answer.
Missing:    a fuel that other rows have is not known in a row without it, unless the total shows
            that it did not run.
Codes:      ``autres`` is mostly biomass, ``thermique`` gas. What is imported from private
            producers and Churchill Falls is counted in part.
Last seen:  2023-08 (recorded bodies of both files).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeAlias

import polars as pl

from gridtide_pipelines.ingest.local_time import read_local
from gridtide_pipelines.ingest.parsing import (
    check_shape,
    holds_nothing,
    number,
    read_json,
)
from gridtide_pipelines.ingest.source import Body, Group, Kind, Query, Request, Source, Tier
from gridtide_pipelines.ingest.statements import Statement, add_codes
from gridtide_store.vocabulary import generation

NAME, ZONE = "hydroquebec", "CA-QC"
TIMEZONE: Final = "America/Toronto"
HOUR, QUARTER, DAY = timedelta(hours=1), timedelta(minutes=15), timedelta(days=1)
FILES: Final = {Kind.GENERATION: "production", Kind.LOAD: "demande"}
TOTAL, DEMAND = "total", "demandeTotal"

FUELS: Final[Mapping[str, str]] = {
    "hydraulique": "hydro",
    "eolien": "wind",
    "solaire": "solar",
    "autres": "biomass",
    "thermique": "gas",
    "nucleaire": "nuclear",
}

_Row: TypeAlias = tuple[str, str, timedelta, float | None, str | None, int]


def requests(query: Query) -> Sequence[Group]:
    """Return the request for the file of both days."""
    path = f"/data/documents-donnees/donnees-ouvertes/json/{FILES[query.kind]}.json"
    return [[Request("GET", path, kind=query.kind, zones=query.zones)]]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse generation by fuel or demand of every slot that is not ahead."""
    with check_shape(NAME):
        rows = [row for index, body in enumerate(bodies) for row in _rows(index, body)]
        series = pl.Series(
            [f"{index} {code}" for code, _, _, _, _, index in rows], dtype=pl.String
        )
        start = read_local(
            [label for _, label, *_ in rows], TIMEZONE, "%Y-%m-%dT%H:%M:%S", series=series
        )
        last = max(body.known_at for body in bodies)
        found = [
            Statement(ZONE, _signal(code), code, at, at + length, value, index, flag)
            for at, (code, _, length, value, flag, index) in zip(start, rows, strict=True)
            if at is not None and at + length <= last
        ]
        return add_codes(found, NAME, partial=False)


def _rows(index: int, body: Body) -> Iterator[_Row]:
    document = read_json(body.content)
    if holds_nothing(document):
        return
    recent = document.get("recentHour") or ""
    rows: list[tuple[str, dict[str, Any]]] = [
        (each["date"], each["valeurs"])
        for each in document["details"]
        if each["date"] <= recent or set(each["valeurs"]) - {TOTAL}
    ]
    listed = {code for _, values in rows for code in values} - {TOTAL, DEMAND}
    for label, values in rows:
        if DEMAND in values:
            yield DEMAND, label, QUARTER, number(values[DEMAND]), None, index
            continue
        said = {code: number(value) for code, value in values.items()}
        known = sum(said[code] or 0 for code in said if code != TOTAL)
        missing = abs((said.get(TOTAL) or 0) - known) > len(said)  # each is rounded
        for code in sorted(listed if missing else listed & set(said)):
            flag = None if code in FUELS else f"unmapped_code:{code}"
            yield code, label, HOUR, said.get(code), flag, index


def _signal(code: str) -> str:
    return "load" if code == DEMAND else generation(FUELS.get(code, "unknown"))


SOURCE = Source(
    name=NAME,
    title="Electricity generation and demand, open data",
    base_url="https://www.hydroquebec.com",
    kinds=frozenset(FILES),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    step=HOUR,
    max_span=2 * DAY,
    reach=2 * DAY,
    refetch=(Tier(2 * DAY),),
    lag=2 * HOUR,
    licence="CC-BY-NC-4.0",
    licence_url="https://creativecommons.org/licenses/by-nc/4.0/",
    attribution="Hydro-Québec",
    restricted=True,
    whole_files=True,
    min_interval=timedelta(seconds=1),
    largest_body=4 * 2**20,
)
