"""NYISO simulated: the file of a local day, and the ZIP of a month; see the source's module."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from gridtide_pipelines.ingest.local_time import midnight
from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.nyiso import (
    DAY,
    FILES,
    HOUR,
    NEIGHBOURS,
    PART_OF_ANOTHER,
    PRICE,
    PRICED,
    SLOT,
    SOURCE,
    STAMP,
    TIMEZONE,
    ZONE,
)
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import (
    Publisher,
    table,
    table_reply,
    zip_reply,
    zone_publisher,
)
from gridtide_pipelines.replay.values import ahead, by_codes, flow, labels, load, mix, prices

NAMED: Final = re.compile(r"/public/csv/(\w+)/(\d{8})(\1(?:_zone)?)(_csv\.zip|\.csv)")
KINDS: Final = {name: kind for kind, name in FILES.items()}
FUELS: Final = {
    "gas": ("Dual Fuel", "Natural Gas"),
    "nuclear": "Nuclear",
    "oil": "Other Fossil Fuels",
    "biomass": "Other Renewables",
    "wind": "Wind",
    "hydro": "Hydro",
}
AREAS: Final = (
    *("CAPITL", "CENTRL", "DUNWOD", "GENESE", "HUD VL", "LONGIL", "MHK VL", "MILLWD"),
    *("N.Y.C.", "NORTH", "WEST"),
)
FORECAST: Final = 6 * DAY
MIX: Final = ("Time Stamp", "Time Zone", "Fuel Category", "Gen MW")


def kind_of(request: Request) -> Kind | None:
    """Return the kind of the file that is requested."""
    found = NAMED.fullmatch(request.path)
    return KINDS.get(found[1]) if found else None


def render(_: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the file of a day, as far as it is over, or all those of a month."""
    found = NAMED.fullmatch(request.path)
    if found is None or request.kind is None:
        return PUBLISHER.refusal
    name, day = found[3], date(int(found[2][:4]), int(found[2][4:6]), int(found[2][6:]))
    if found[4] == ".csv":
        return Reply(_file(request.kind, day, now), content_type="text/csv")
    last = min((day + 31 * DAY).replace(day=1) - DAY, now.astimezone(ZoneInfo(TIMEZONE)).date())
    days = [day + n * DAY for n in range((last - day).days + 1)]
    return zip_reply(
        {f"{each:%Y%m%d}{name}.csv": _file(request.kind, each, now) for each in days}
    )


def _file(kind: Kind, day: date, now: datetime) -> bytes:
    start, end = midnight(day, TIMEZONE), min(midnight(day + DAY, TIMEZONE), now)
    if kind is Kind.GENERATION:
        starts, values = by_codes(ZONE, start, end, SLOT, FUELS, "Other Renewables")
        stamps = [(*_marked(each + SLOT),) for each in starts]
        return table(
            MIX,
            (
                (*stamp, code, column[row])
                for row, stamp in enumerate(stamps)
                for code, column in values.items()
            ),
        )
    if kind is Kind.LOAD:
        starts, total = load(ZONE, start, end, SLOT)
        return table(
            ("Time Stamp", "Time Zone", "Name", "PTID", "Load"),
            (
                (*_marked(each), area, 61757 + n, round(value / len(AREAS), 4))
                for each, value in zip(starts, total, strict=True)
                for n, area in enumerate(AREAS)
            ),
            quoted=True,
        )
    if kind is Kind.PRICE:
        hours, price = prices(ZONE, start, midnight(day + DAY, TIMEZONE), HOUR)
        named = labels(hours, STAMP, TIMEZONE)
        rows = ((*each, PRICED) for each in zip(named, price, strict=True))
        return table(("Time Stamp", PRICE, "Name"), rows, quoted=True)
    if kind is Kind.FLOW:
        return _flows(mix(ZONE, start, end, SLOT)["start"].to_list())
    starts, total = ahead(ZONE, "load", start, midnight(day + FORECAST, TIMEZONE), HOUR)
    return table(
        ("Time Stamp", *AREAS, "NYISO"),
        (
            (stamp, *(round(value / len(AREAS)) for _ in AREAS), value)
            for stamp, value in zip(labels(starts, STAMP, TIMEZONE), total, strict=True)
        ),
        quoted=True,
    )


def _flows(starts: Sequence[datetime]) -> bytes:
    """Return the file of the interfaces: those with one neighbour have equal parts."""
    ties = {
        name: flow(other, ZONE, starts) / list(NEIGHBOURS.values()).count(other)
        for name, other in NEIGHBOURS.items()
    }
    ties[PART_OF_ANOTHER] = ties["SCH - HQ - NY"]
    return table(
        (
            *("Timestamp", "Interface Name", "Point ID", "Flow (MWH)"),
            *("Positive Limit (MWH)", "Negative Limit (MWH)"),
        ),
        (
            (stamp, name, 23312 + n, round(float(ties[name][row]), 2), 2000, -9999)
            for row, stamp in enumerate(labels(starts, STAMP, TIMEZONE))
            for n, name in enumerate(sorted(ties))
        ),
    )


def _marked(at: datetime) -> tuple[str, str]:
    local = at.astimezone(ZoneInfo(TIMEZONE))
    return f"{local:%m/%d/%Y %H:%M:%S}", local.tzname() or ""


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, table_reply(MIX), kind_of=kind_of)
