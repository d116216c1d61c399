"""NTESMO simulated: the listing of its files, and the file of each week; see the source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from gridtide_pipelines.ingest.local_time import read_clock, write_clock
from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.ntesmo import DAY, HALF, LISTING, OFFSET, SOURCE, STAMP
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, zone_publisher
from gridtide_pipelines.replay.values import by_codes

FUELS: Final = {
    "gas": "DK_Fossil fuel",
    "solar": "DK_Utility Solar",
    "biomass": "DK_Biomass",
    "battery_storage": "DK_Battery",
}
WEEKS: Final = 9  # that are listed
MONDAY: Final = datetime(2026, 1, 5, tzinfo=UTC) - OFFSET
NAMED: Final = re.compile(r"Generation_mix_data_(\d+_[A-Za-z]+_\d+)_-_")
DATE: Final = "%d_%B_%Y"


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the listing of the weeks that are over, or the file of one of them."""
    if request.path == LISTING:
        return _listing(now)
    named = NAMED.search(request.path)
    if named is None:
        return PUBLISHER.refusal
    start = read_clock(named[1], DATE).replace(tzinfo=UTC) - OFFSET
    end = min(start + 7 * DAY, now)
    starts, values = by_codes(zones[0], start, end, HALF, FUELS, "DK_Fossil fuel")
    lines = [",".join((STAMP, *values))]
    for row, each in enumerate(starts):
        label = f"{each + OFFSET:%d/%m/%Y %H:%M}"
        lines.append(",".join((label, *(str(column[row]) for column in values.values()))))
    return Reply("\n".join((*lines, "")).encode(), content_type="text/csv")


def _listing(now: datetime) -> Reply:
    last = MONDAY + (now - MONDAY) // (7 * DAY) * 7 * DAY + OFFSET
    links = []
    for week in range(1, WEEKS + 1):
        first = last - week * 7 * DAY
        ends = (write_clock(day, DATE) for day in (first, first + 6 * DAY))
        name = f"Generation_mix_data_{'_-_'.join(ends)}.csv"
        links.append(f'<a href="/__data/{name}">{name}</a>')
    return _page("".join(links))


def _page(inner: str) -> Reply:
    page = f"<html><body>ntesmo {inner}</body></html>"
    return Reply(page.encode(), content_type="text/html")


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, _page(""))
