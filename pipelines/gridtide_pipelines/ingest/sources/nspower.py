"""Generation of Nova Scotia over the last day, from NS Power.

Docs:       https://www.nspower.ca (Today's Power)
Licence:    not known, so it is restricted.
Unit:       MW, computed: the mix is published in percent of the load, imports included, and the
            load in MW beside it.
Slots:      1 h, labelled by epoch milliseconds, taken as the START.
Limits:     the last 24 hours, two files that are read together.
Revisions:  none known. An hour that is not over yet is left to the next answer.
Codes:      Solid Fuel is coal and petcoke; "HFO/Natural Gas" and LM 6000's burn gas, CT's oil.
Quirks:     the first load is 0, which is not a load: that hour is left out. A mix without a
            load is shares.
Last seen:  2017-10 (recorded bodies of both files).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.ingest.parsing import (
    check_shape,
    holds_nothing,
    number,
    read_json,
)
from gridtide_pipelines.ingest.source import Body, Group, Kind, Query, Request, Source, Tier
from gridtide_pipelines.ingest.statements import Statement, add_codes
from gridtide_store.vocabulary import generation, share

NAME, ZONE = "nspower", "CA-NS"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FILES: Final = ("CurrentMix", "CurrentLoad")
STAMP, LOAD, IMPORTS = "datetime", "Base Load", "Imports"
MILLISECONDS: Final = re.compile(r"/Date\((\d{1,14})\)/")

FUELS: Final[Mapping[str, str]] = {
    "Solid Fuel": "coal",
    "HFO/Natural Gas": "gas",
    "LM 6000's": "gas",
    "CT's": "oil",
    "Biomass": "biomass",
    "Hydro": "hydro",
    "Wind": "wind",
    "Solar": "solar",
    IMPORTS: "imports",
}


def requests(query: Query) -> Sequence[Group]:
    """Return both files, which hold the last day whatever is requested."""
    return [
        [
            Request(
                "GET", f"/library/CurrentLoad/{name}.json", kind=query.kind, zones=query.zones
            )
            for name in FILES
        ]
    ]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse the mix in MW and the load; the mix alone as shares."""
    with check_shape(NAME):
        loads: dict[datetime, tuple[float | None, int]] = {}
        mixes: list[tuple[int, datetime, dict[str, float | None]]] = []
        for index, body in enumerate(bodies):
            for start, values in _entries(body.content):
                if LOAD in values:
                    load, before = values[LOAD] or None, loads.get(start)
                    if before and before[1] == index and before[0] != load:
                        load = None  # two values: which of them holds is not known
                    loads[start] = (load, index)
                else:
                    mixes.append((index, start, values))
        found = _statements(loads, mixes)
        last = max(body.known_at for body in bodies)
        return add_codes([each for each in found if each.end <= last], NAME, partial=False)


def _entries(content: bytes) -> Iterator[tuple[datetime, dict[str, float | None]]]:
    document = read_json(content)
    if holds_nothing(document):
        return
    if not isinstance(document, list):
        raise TypeError("not a list of hours")
    for entry in document:
        yield _instant(entry[STAMP]), _numbers(entry)


def _numbers(entry: Mapping[str, Any]) -> dict[str, float | None]:
    return {code: number(value) for code, value in entry.items() if code != STAMP}


def _instant(text: str) -> datetime:
    found = MILLISECONDS.fullmatch(text)
    if found is None:
        raise ValueError(f"time {text!r} is not a date in milliseconds")
    return datetime.fromtimestamp(int(found[1]) // 1000, UTC)


def _statements(
    loads: Mapping[datetime, tuple[float | None, int]],
    mixes: Sequence[tuple[int, datetime, Mapping[str, float | None]]],
) -> Iterator[Statement]:
    for start, (load, index) in loads.items():
        if load is not None:
            yield Statement(ZONE, "load", LOAD, start, start + HOUR, load, index)
    for index, start, mix in mixes:
        load = loads.get(start, (None, index))[0]
        if loads and load is None:
            continue
        for code, percent in mix.items():
            fuel = FUELS.get(code, "unknown")
            flag = None if code in FUELS else f"unmapped_code:{code}"
            part = None if percent is None else percent / 100
            signal = fuel if code == IMPORTS else generation(fuel)
            value = None if part is None or load is None else part * load
            if load is None:
                signal, value = share(fuel), part
            slot = start, start + HOUR
            quality = str(Quality.DERIVED)
            yield Statement(ZONE, signal, code, *slot, value, index, flag, quality=quality)


SOURCE = Source(
    name=NAME,
    title="Today's Power",
    base_url="https://www.nspower.ca",
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
    attribution="Nova Scotia Power",
    restricted=True,
    whole_files=True,
    min_interval=timedelta(seconds=1),
    largest_body=2**20,
)
