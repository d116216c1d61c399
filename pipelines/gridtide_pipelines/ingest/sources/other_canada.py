"""Load of three Canadian provinces that publish no mix, from their utilities' pages.

Docs:       https://www.princeedwardisland.ca/windenergy, https://www.saskpower.com,
            https://www.nlhydro.com (supply and demand)
Licence:    not known, so it is restricted.
Unit:       MW.
Slots:      the moment of an update, which stands for the 15 min that follow, as far as
            they are over: epoch seconds
            (Prince Edward Island), or local time without an offset (Saskatchewan, UTC-6 all
            year; Newfoundland, of a label that is there twice the later one that is not after
            the answer).
Limits:     now only.
Revisions:  none.
Island:     Prince Edward Island states load, wind and fossil power; the rest comes over the
            cables from New Brunswick: that flow is derived. What it calls exported wind is a
            contract, not a flow. Its fossil fuel is oil; solar power is not published.
Labrador:   Newfoundland's page is the island alone, so that its load is an estimate of that of
            the province.
Last seen:  2017-10 (recorded bodies of three older pages; newer ones have other shapes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.ingest.local_time import end_of_moment, latest_instant, read_clock
from gridtide_pipelines.ingest.parsing import (
    check_shape,
    holds_nothing,
    number,
    read_json,
    readings,
    with_values,
)
from gridtide_pipelines.ingest.schedule import is_recent
from gridtide_pipelines.ingest.source import Body, Group, Kind, Query, Request, Source, Tier
from gridtide_store.vocabulary import generation

NAME: Final = "other_canada"
QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)
PAGES: Final = {
    "CA-NL": ("newfoundland", "/system-information/"),
    "CA-PE": ("", "/windenergy/chart-values.php"),
    "CA-SK": ("saskatchewan", "/sysloadJSON.json"),
}
POWER: Final = re.compile(
    r"Current Island System Generation</h3>\s*<p[^<>]{0,300}>\s*([\d,.]+) MW"
)
AS_OF: Final = re.compile(
    r"AS OF (?:<span[^<>]{0,100}>)?\s*(\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2} [AP]M)"
)

_Row: TypeAlias = tuple[str, str, datetime, float | None, str, int]


def requests(query: Query) -> Sequence[Group]:
    """Return the page of each zone."""
    if not is_recent(query, QUARTER):
        return []
    return [
        [Request("GET", PAGES[zone][1], kind=query.kind, zones=(zone,), host=PAGES[zone][0])]
        for zone in query.zones
    ]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse the pages of all three."""
    with check_shape(NAME):
        rows = [row for index, body in enumerate(bodies) for row in _rows(index, body)]
        frame = readings(
            zone=[row[0] for row in rows],
            signal=[row[1] for row in rows],
            start=[row[2] for row in rows],
            end=[end_of_moment(row[2], QUARTER, bodies[row[5]].known_at) for row in rows],
            value=[row[3] for row in rows],
            quality=[row[4] for row in rows],
            body=[row[5] for row in rows],
        )
    return with_values(NAME, [frame])


def _rows(index: int, body: Body) -> Iterator[_Row]:
    if body.content.lstrip().startswith(b"<"):
        yield from _newfoundland(index, body)
        return
    document = read_json(body.content)
    if holds_nothing(document):
        return
    if isinstance(document, list):
        for each in document:
            yield from _island(index, each)
        return
    stamp = document["updatedTS"]
    local = read_clock(stamp, "%Y-%m-%d %I:%M %p")
    at = latest_instant(local, "America/Regina", body.known_at)
    load = _plain(document["currentSysLoad"])
    yield "CA-SK", "load", at, load, Quality.MEASURED, index


def _island(index: int, said: dict[str, Any]) -> Iterator[_Row]:
    if said.get("error"):
        raise ValueError(f"the publisher says error {said['error']}")
    at = datetime.fromtimestamp(int(said["updateDate"]), UTC)
    load, wind, fossil = (number(said[name]) for name in ("data1", "data2", "data3"))
    yield "CA-PE", "load", at, load, Quality.MEASURED, index
    yield "CA-PE", generation("wind"), at, wind, Quality.MEASURED, index
    yield "CA-PE", generation("oil"), at, fossil, Quality.MEASURED, index
    if load is not None and wind is not None and fossil is not None:
        rest = load - wind - fossil
        yield "CA-NB->CA-PE", "flow", at, rest, Quality.DERIVED, index


def _newfoundland(index: int, body: Body) -> Iterator[_Row]:
    text = body.content.decode("utf-8", errors="replace")
    power, time = POWER.search(text), AS_OF.search(text)
    if power is None or time is None or "</html>" not in text.lower():
        raise ValueError("a page without the generation of the island and its time")
    local = read_clock(time[1], "%m/%d/%Y %I:%M %p")
    at = latest_instant(local, "America/St_Johns", body.known_at)
    yield "CA-NL", "load", at, _plain(power[1]), Quality.ESTIMATED, index


def _plain(text: object) -> float | None:
    return number(text.replace(",", "") if isinstance(text, str) else text)


SOURCE = Source(
    name=NAME,
    title="Pages of utilities in Newfoundland, Prince Edward Island and Saskatchewan",
    base_url="https://www.princeedwardisland.ca",
    hosts={
        "newfoundland": "https://www.nlhydro.com",
        "saskatchewan": "https://www.saskpower.com",
    },
    kinds=frozenset({Kind.LOAD}),
    zones=frozenset(PAGES),
    requests=requests,
    parse=parse,
    step=QUARTER,
    max_span=2 * DAY,
    reach=2 * DAY,
    refetch=(Tier(DAY),),
    lag=QUARTER,
    licence="not stated",
    licence_url="",
    attribution="Government of Prince Edward Island, SaskPower, NL Hydro",
    restricted=True,
    per_zone=True,
    min_interval=timedelta(seconds=1),
    largest_body=4 * 2**20,
)
