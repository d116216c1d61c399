"""CAISO simulated: the files of its outlook, and the ZIPs of OASIS; see the source's module."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from gridtide_pipelines.ingest.local_time import midnight
from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.caiso import (
    AREA,
    DAY,
    FILES,
    HUB,
    SLOT,
    SOURCE,
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
from gridtide_pipelines.replay.publishers.eia import neighbours
from gridtide_pipelines.replay.values import Series, ahead, by_codes, flow, labels, load, prices

OUTLOOK: Final = re.compile(r"/outlook/(?:current|history/(\d{8}))/(\w+)\.csv")
OASIS: Final = "/oasisapi/SingleZip"
KINDS: Final = {name: kind for kind, name in FILES.items()} | {
    "SLD_REN_FCST": Kind.FORECAST,
    "SLD_FCST": Kind.FORECAST,
    "PRC_LMP": Kind.PRICE,
}
FUELS: Final = {
    "solar": "Solar",
    "wind": "Wind",
    "geothermal": "Geothermal",
    "biomass": ("Biomass", "Biogas"),
    "hydro": ("Small hydro", "Large Hydro"),
    "coal": "Coal",
    "nuclear": "Nuclear",
    "gas": "Natural gas",
    "battery_storage": "Batteries",
    "oil": "Other",
}
HOUR: Final = timedelta(hours=1)
CLOCK: Final = [f"{n // 12:02}:{n % 12 * 5:02}" for n in range(288)]
GMT: Final = "%Y-%m-%dT%H:%M:%S-00:00"
HEAD: Final = ("INTERVALSTARTTIME_GMT", "INTERVALENDTIME_GMT", "MARKET_RUN_ID", "MW")
HUBS: Final = ("NP15", "SP15", "ZP26")


def kind_of(request: Request) -> Kind | None:
    """Return the kind of a file or of a query of OASIS."""
    if request.path == OASIS:
        return KINDS.get(dict(request.params).get("queryname", ""))
    found = OUTLOOK.fullmatch(request.path)
    return KINDS.get(found[2]) if found else None


def render(_: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the file of a day, as far as it is over, or that of a query."""
    if request.path == OASIS:
        return _oasis(dict(request.params), now)
    found = OUTLOOK.fullmatch(request.path)
    if found is None:
        return PUBLISHER.refusal
    today = now.astimezone(ZoneInfo(TIMEZONE)).date()
    day = (
        datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=UTC).date() if found[1] else today
    )
    columns = _mix(day, now) if request.kind is Kind.GENERATION else _demand(day, now)
    return table_reply(("Time", *columns), zip(CLOCK, *columns.values(), strict=True))


def _mix(day: date, now: datetime) -> Mapping[str, Sequence[float | None]]:
    span = midnight(day, TIMEZONE), min(midnight(day + DAY, TIMEZONE), now)
    starts, values = by_codes(ZONE, *span, SLOT, FUELS, "Other")
    rows = _by_clock(starts)
    values = {**values, "Imports": _imports(starts)}
    return {
        code: [None if row is None else column[row] for row in rows]
        for code, column in values.items()
    }


def _imports(starts: Sequence[datetime]) -> Sequence[float]:
    """Return what flows in from the neighbours that EIA has here."""
    total = np.zeros(len(starts))
    for other in neighbours(ZONE):
        total += flow(other, ZONE, starts)
    return [round(float(each), 1) for each in total]


def _demand(day: date, now: datetime) -> Mapping[str, Sequence[float | None]]:
    start, end = midnight(day, TIMEZONE), midnight(day + DAY, TIMEZONE)
    foreseen = ahead(ZONE, "load", start, end, SLOT)
    actual = load(ZONE, start, min(end, now), SLOT)
    return {
        name: [None if row is None else values[row] for row in _by_clock(starts)]
        for name, (starts, values) in {
            "Hour ahead forecast": foreseen,
            "Current demand": actual,
        }.items()
    }


def _by_clock(starts: Sequence[datetime]) -> Sequence[int | None]:
    """Return the slot of each time of the day: none in the gap, the first in the fold."""
    rows: dict[str, int] = {}
    for row, label in enumerate(labels(starts, "%H:%M", TIMEZONE)):
        rows.setdefault(label, row)
    return [rows.get(label) for label in CLOCK]


def _oasis(params: Mapping[str, str], now: datetime) -> Reply:
    name = params["queryname"]
    start, end = (
        datetime.strptime(params[bound], "%Y%m%dT%H:%M-0000").replace(tzinfo=UTC)
        for bound in ("startdatetime", "enddatetime")
    )
    known = midnight(now.astimezone(ZoneInfo(TIMEZONE)).date() + 2 * DAY, TIMEZONE)
    end = min(end, known)  # a day ahead
    rows: list[tuple[object, ...]] = []
    if name == "PRC_LMP":
        more: Sequence[str] = ("NODE", "LMP_TYPE")
        rows += _rows(prices(ZONE, start, end, HOUR), HUB, "LMP")
    elif name == "SLD_FCST":
        more = ("TAC_AREA_NAME",)
        rows += _rows(ahead(ZONE, "load", start, end, HOUR), AREA)
    else:
        more = ("RENEWABLE_TYPE", "TRADING_HUB")
        for fuel in ("solar", "wind"):
            starts, values = ahead(ZONE, fuel, start, end, HOUR)
            part = [value / len(HUBS) for value in values]
            for hub in HUBS:
                rows += _rows((starts, part), fuel.capitalize(), hub)
    content = table((*HEAD, *more), rows)
    return zip_reply({f"{start:%Y%m%d}_{end:%Y%m%d}_{name}_DAM_v1.csv": content})


def _rows(series: Series, *more: str) -> list[tuple[object, ...]]:
    starts, values = series
    ends = labels([each + HOUR for each in starts], GMT)
    firsts = zip(labels(starts, GMT), ends, values, strict=True)
    return [(first, end, "DAM", round(value, 3), *more) for first, end, value in firsts]


PUBLISHER: Final[Publisher] = zone_publisher(
    SOURCE, render, table_reply(("Time", "Solar")), kind_of=kind_of
)
