"""Wind and fossil generation, load and flows of the Aland Islands, from Kraftnat Aland.

Docs:       https://www.kraftnat.ax (a chart of its own pages; no document)
Licence:    not stated for reuse, so it is restricted.
Unit:       MW.
Slots:      15 min, labelled by local time (Mariehamn) without a date: the last 24 hours, of
            which the newest label is the last such time before the body was received. Labels
            that do not follow one another by a quarter of an hour are refused.
Limits:     only the last 24 hours. Solar power is missing.
Revisions:  none known.
Body:       HTML, in a script of which are the labels and six lists: Sweden, link to Finland,
            fossil, Gustavs (Finland), wind, load. Positive is into the islands.
Last seen:  2026-07 (written, from the catalogue's shape).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from gridtide_pipelines.ingest.parsing import check_shape, number
from gridtide_pipelines.ingest.schedule import is_recent
from gridtide_pipelines.ingest.source import Body, Group, Kind, Query, Request, Source
from gridtide_pipelines.ingest.statements import Statement, add_codes, rows_of, text
from gridtide_store.vocabulary import generation

NAME = "kraftnat_aland"
ZONE: Final = "AX"
TIMEZONE: Final = ZoneInfo("Europe/Mariehamn")
QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)
LISTS: Final = re.compile(r"data\s*:\s*(\[[^\[\]]*\])")
SERIES: Final = (
    ("SE-SE3->AX", "flow"),
    ("FI->AX", "flow"),
    (ZONE, generation("oil")),
    ("FI->AX", "flow"),
    (ZONE, generation("wind")),
    (ZONE, "load"),
)


def requests(query: Query) -> Sequence[Group]:
    """Return the one request there is, unless only older days are wanted."""
    if not is_recent(query, DAY):
        return []
    return [[Request("GET", "/grafer/tot_inm_24h_15.php", (), query.kind, query.zones)]]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return generation, load and flows of each quarter of an hour in the chart."""
    with check_shape(NAME):
        found = [each for i, body in enumerate(bodies) for each in _statements(i, body)]
        return add_codes(found, NAME)


def _statements(index: int, body: Body) -> Iterator[Statement]:
    page = body.content.decode()
    if not page.rstrip().lower().endswith("</html>"):
        raise ValueError("a page that is not whole")
    labels, *lists = [rows_of(json.loads(each)) for each in LISTS.findall(page)] or [[]]
    if len(lists) != len(SERIES):
        raise ValueError(f"{len(lists)} lists of values in place of {len(SERIES)}")
    starts = _starts([text(each) for each in labels], body.known_at)
    for position, ((zone, signal), values) in enumerate(zip(SERIES, lists, strict=True)):
        for start, value in zip(starts, values, strict=True):
            yield Statement(
                *(zone, signal, f"{position}", start, start + QUARTER, number(value), index)
            )


def _starts(labels: Sequence[str], known_at: datetime) -> list[datetime]:
    """Return the instants of labels without a date, the newest just before `known_at`."""
    if not labels:
        return []
    last = known_at.replace(second=0, microsecond=0) - timedelta(minutes=known_at.minute % 15)
    newest = next(
        moment
        for moment in (last - each * QUARTER for each in range(100))
        if f"{moment.astimezone(TIMEZONE):%H:%M}" == labels[-1]
    )
    starts = [newest - each * QUARTER for each in reversed(range(len(labels)))]
    if [f"{each.astimezone(TIMEZONE):%H:%M}" for each in starts] != list(labels):
        raise ValueError("labels that do not follow one another by a quarter of an hour")
    return starts


SOURCE = Source(
    name=NAME,
    title="Power balance of the last 24 hours",
    base_url="https://grafik.kraftnat.ax",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    step=QUARTER,
    max_span=DAY,
    refetch=(),
    lag=QUARTER,
    reach=DAY,
    licence="not stated",
    licence_url="https://www.kraftnat.ax",
    attribution="Kraftnat Aland",
    restricted=True,
    whole_files=True,
    largest_body=2**20,
)
