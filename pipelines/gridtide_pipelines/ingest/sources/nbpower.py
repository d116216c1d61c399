"""Load, scheduled interchange and load forecast of New Brunswick, from NB Power.

Docs:       https://tso.nbpower.com/Public/en/ (System Information, Load Forecast)
Licence:    not known, so it is restricted.
Unit:       MW.
Slots:      the page is one moment, in Atlantic time without an offset: it stands for the 5 min
            that follow, as far as they are over. Of a label that is there twice in autumn it is
            the later one that is not after the answer. The forecast is 1 h, labelled by its
            START; AS and AD after a label say standard (UTC-4) or daylight time (UTC-3).
Limits:     now only. No generation by fuel is published anywhere.
Revisions:  none.
Interchange: net and scheduled, positive when it leaves New Brunswick. ISO-NE, EMEC and MPS are
            three ties to New England: they are added. What is scheduled is not metered, so
            flows are estimates.
Quirks:     "NB Load" is read; "NB Demand" beside it has what is served outside the province.
Last seen:  2017-11 (recorded bodies of the page and the forecast).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.ingest.local_time import (
    end_of_moment,
    latest_instant,
    read_clock,
)
from gridtide_pipelines.ingest.parsing import check_shape, number
from gridtide_pipelines.ingest.schedule import is_recent
from gridtide_pipelines.ingest.source import Body, Group, Kind, Query, Request, Source, Tier
from gridtide_pipelines.ingest.statements import Statement, add_codes
from gridtide_pipelines.ingest.xml import check_page

NAME, ZONE = "nbpower", "CA-NB"
TIMEZONE: Final = "America/Moncton"
FIVE, HOUR, DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
PAGE: Final = "/Public/en/SystemInformation_realtime.asp"
OFFSETS: Final = {"AS": timedelta(hours=-4), "AD": timedelta(hours=-3)}

HOUR_LINE: Final = re.compile(r"(\d{14})(AS|AD)")
CELL: Final = re.compile(r"<td[^<>]{0,200}>(?:<b>)?([^<>]{0,100})(?:</b>)?</td>", re.IGNORECASE)
TIME: Final = re.compile(r"(\w{3} \d{1,2}, \d{4} \d{1,2}:\d{2}:\d{2}) Atlantic Time")
TIES: Final[Mapping[str, str]] = {
    "ISO-NE": "US-NE-ISNE",
    "EMEC": "US-NE-ISNE",
    "MPS": "US-NE-ISNE",
    "QUEBEC": "CA-QC",
    "NOVA SCOTIA": "CA-NS",
    "PEI": "CA-PE",
}
LOAD: Final = "NB Load"


def requests(query: Query) -> Sequence[Group]:
    """Return the page of the moment, or the forecast of this hour."""
    kind, zones = query.kind, query.zones
    if kind is Kind.FORECAST:
        made = query.now.astimezone(ZoneInfo(TIMEZONE))
        folder = "/reports%20%26%20assessments/load%20forecast/hourly"
        return [[Request("GET", f"{folder}/{made:%Y-%m-%d%%20%H}.csv", kind=kind, zones=zones)]]
    if not is_recent(query, FIVE):
        return []
    return [[Request("GET", PAGE, kind=kind, zones=zones)]]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse pages of the moment and forecasts."""
    with check_shape(NAME):
        found: list[Statement] = []
        for index, body in enumerate(bodies):
            text = body.content.decode("utf-8-sig")
            reader = _forecast if HOUR_LINE.match(text) else _page
            found += reader(index, body.known_at, text)
        return add_codes(found, NAME, partial=False)


def _forecast(index: int, known_at: datetime, text: str) -> Iterator[Statement]:
    if not text.endswith("\n") and text.split()[-1].count(",") < 2:
        # Where a third column follows, a number is whole; without one it may be cut.
        raise ValueError("the last row has no end: the body may be cut short")
    for row in csv.reader(text.split()):
        found = HOUR_LINE.fullmatch(row[0])
        if found is None:
            raise ValueError(f"hour {row[0][:30]!r} is neither AS nor AD")
        local, clock = found.groups()
        at = datetime.strptime(local, "%Y%m%d%H%M%S").replace(tzinfo=UTC) - OFFSETS[clock]
        slot = at, at + HOUR
        yield Statement(ZONE, "load", LOAD, *slot, number(row[1]), index, None, known_at)


def _page(index: int, known_at: datetime, text: str) -> Iterator[Statement]:
    check_page(text.encode())
    time = TIME.search(text)
    cells = [each.replace("&nbsp;", "").strip() for each in CELL.findall(text)]
    if time is None or LOAD not in cells:
        raise ValueError("a page without a time or a load")
    local = read_clock(time[1], "%b %d, %Y %H:%M:%S")
    at = latest_instant(local, TIMEZONE, known_at)
    slot = at, end_of_moment(at, FIVE, known_at)
    names = cells[cells.index(LOAD) :]
    first = next(n for n, cell in enumerate(names) if re.fullmatch(r"-?\d+", cell))
    scheduled = str(Quality.ESTIMATED)
    for name, value in zip(names[:first], names[first : 2 * first], strict=True):
        if name == LOAD:
            yield Statement(ZONE, "load", name, *slot, number(value), index)
        elif name in TIES:
            zone, flow = f"{ZONE}->{TIES[name]}", number(value)
            yield Statement(zone, "flow", name, *slot, flow, index, quality=scheduled)


SOURCE = Source(
    name=NAME,
    title="System Information",
    base_url="https://tso.nbpower.com",
    kinds=frozenset({Kind.LOAD, Kind.FORECAST}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    step=FIVE,
    max_span=2 * DAY,
    reach=2 * DAY,
    refetch=(Tier(DAY),),
    lag=FIVE,
    licence="not stated",
    licence_url="",
    attribution="NB Power",
    restricted=True,
    not_published=frozenset({404}),
    min_interval=timedelta(seconds=1),
    largest_body=2**20,
)
