"""AEMO's NEMWEB simulated: listings, files of intervals, archives of days; see the source.

Every unit of a fuel has an equal part of it, so that reports are as long as the real ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Final, TypeAlias

from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.aemo import (
    ARCHIVE,
    CURRENT,
    DIRECTORIES,
    ROOFTOPS,
    SOURCE,
)
from gridtide_pipelines.ingest.sources.aemo_reports import END, OFFSET
from gridtide_pipelines.ingest.sources.aemo_values import (
    AHEAD,
    DAY,
    FIVE,
    HALF,
    LINKS,
    REGIONS,
    ROOFTOP,
    SCADA,
    units,
)
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, table, zip_reply, zone_publisher
from gridtide_pipelines.replay.values import (
    EDGES,
    ahead,
    demand,
    flow,
    labels,
    mix,
    newest,
    price,
)

# Columns and rows of each table of a report.
Tables: TypeAlias = Mapping[str, tuple[Sequence[str], Sequence[Sequence[object]]]]

PATH: Final = re.compile(
    rf"/Reports/({CURRENT}|{ARCHIVE})/(.+?)/(?:PUBLIC_\w+?_(\d{{8}})(\d{{4}})?(_\d{{8}})?\.zip)?"
)
KINDS: Final = {name: kind for kind, names in DIRECTORIES.items() for name in names}
STEPS: Final = {ROOFTOPS: HALF, DIRECTORIES[Kind.FORECAST][0]: HALF}
NAMES: Final = {ROOFTOPS: "ROOFTOP_PV_ACTUAL_MEASUREMENT"}
LABEL: Final = "%Y/%m/%d %H:%M:%S"
LATE: Final = {ROOFTOPS: HALF}  # of the time in a file's name
WEEK: Final = 7 * DAY
MONDAY: Final = datetime(2026, 1, 5, tzinfo=UTC) - OFFSET
LISTED: Final = {CURRENT: 2 * DAY, ARCHIVE: 5 * WEEK}
ROOFTOP_PART: Final = 0.3  # of the least solar power in a half hour
LEFT: Final = "gas"  # a fuel of which every region has units, for those that it has none of
RUN: Final = ("SETTLEMENTDATE", "INTERVENTION")


def kind_of(request: Request) -> Kind | None:
    """Return the kind of a directory and its files."""
    found = PATH.fullmatch(request.path)
    return KINDS.get(found[2]) if found else None


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return a listing, the file of an interval, or the archive of a day or a week."""
    found = PATH.fullmatch(request.path)
    if found is None:
        return PUBLISHER.refusal
    folder, name, day, clock, until = found.groups()
    if day is None:
        return _listing(request.path, _files(folder, name, now))
    start = datetime.strptime(day + (clock or "0000"), "%Y%m%d%H%M").replace(tzinfo=UTC)
    start -= OFFSET
    if clock:
        return zip_reply(_interval(name, zones, start - LATE.get(name, 0 * DAY)))
    step = STEPS.get(name, FIVE)
    ends = (start + n * step for n in range(1, (WEEK if until else DAY) // step + 1))
    inner: dict[str, bytes] = {}
    for end in ends:
        if end <= now:
            files = _interval(name, zones, end)
            inner |= {f"{each}.zip": zip_reply(files).content for each in files}
    return zip_reply(inner)


def _files(folder: str, name: str, now: datetime) -> Iterator[str]:
    """Yield the names of the files in a directory: intervals, days or weeks that are over."""
    first = f"PUBLIC_{NAMES.get(name, name.replace('/', '_'))}"
    step = STEPS.get(name, FIVE)
    if folder == CURRENT:
        count = (2 * WEEK if name == ROOFTOPS else LISTED[folder]) // step
        start = newest(now, step, count)[0] + LATE.get(name, 0 * DAY)
        ends = [start + n * step for n in range(1, count + 1)]
        yield from (f"{first}_{stamp}.zip" for stamp in labels(ends, "%Y%m%d%H%M", OFFSET))
        return
    length = WEEK if name == ROOFTOPS else DAY
    last = MONDAY + (now - MONDAY) // length * length
    for n in range(LISTED[folder] // length, 0, -1):
        days = [last - n * length, last - (n - 1) * length - DAY]
        since, until = labels(days, "%Y%m%d", OFFSET)
        yield f"{first}_{since}{f'_{until}' if length == WEEK else ''}.zip"


def _interval(name: str, zones: Sequence[str], end: datetime) -> dict[str, bytes]:
    """Return the report of the interval that ends at a time, by its name."""
    (label,) = labels([end], LABEL, OFFSET)
    tables: Tables
    if name == ROOFTOPS:
        tables = _rooftops(label, zones, end)
    elif KINDS[name] is Kind.GENERATION:
        power = [(label, duid, mw) for zone in zones for duid, mw in _units(zone, end)]
        tables = {SCADA: (("SETTLEMENTDATE", "DUID", "SCADAVALUE"), power)}
    elif KINDS[name] is Kind.FORECAST:
        tables = _forecast(label, zones, end)
    else:
        tables = _dispatch(label, zones, end)
    return {f"{name.replace('/', '_')}_{end:%Y%m%d%H%M}.csv": _report(tables)}


def _rooftops(label: str, zones: Sequence[str], end: datetime) -> Tables:
    day, row = _position(end)
    columns = ("INTERVAL_DATETIME", "REGIONID", "POWER", "TYPE")
    rows = [(label, REGIONS[zone], _rooftop(zone, row, day), "MEASUREMENT") for zone in zones]
    return {ROOFTOP: (columns, rows)}


def _forecast(label: str, zones: Sequence[str], end: datetime) -> Tables:
    columns = ("INTERVAL_DATETIME", "LOAD_DATE", "REGIONID", "OPERATIONAL_DEMAND_POE50")
    rows: list[Sequence[object]] = []
    for zone in zones:
        starts, values = ahead(zone, "load", end, end + WEEK, HALF)
        ends = labels([each + HALF for each in starts], LABEL, OFFSET)
        rows += [(at, label, REGIONS[zone], mw) for at, mw in zip(ends, values, strict=True)]
    return {AHEAD: (columns, rows)}


def _dispatch(label: str, zones: Sequence[str], end: datetime) -> Tables:
    """Return prices, demand and flows of an interval: links of one border have equal parts."""
    borders = list(LINKS.values())
    day, row = _position(end)
    return {
        "DISPATCH.PRICE": (
            (*RUN, "REGIONID", "RRP"),
            [(label, 0, REGIONS[zone], _day(zone, day)["price"][row]) for zone in zones],
        ),
        "DISPATCH.REGIONSUM": (
            (*RUN, "REGIONID", "TOTALDEMAND"),
            [(label, 0, REGIONS[zone], _day(zone, day)["load"][row]) for zone in zones],
        ),
        "DISPATCH.INTERCONNECTORRES": (
            (*RUN, "INTERCONNECTORID", "METEREDMWFLOW"),
            [
                (label, 0, link, round(_flows(*pair, day)[row] / borders.count(pair), 3))
                for link, pair in LINKS.items()
                if set(pair) <= set(zones)
            ],
        ),
    }


@cache
def _duids(zone: str) -> Mapping[str, Sequence[str]]:
    """Return the units of a region by fuel."""
    found: dict[str, list[str]] = {}
    for duid, (region, fuel, consumes) in units().items():
        if region == REGIONS[zone] and not consumes:
            found.setdefault(fuel, []).append(duid)
    return found


def _position(end: datetime) -> tuple[datetime, int]:
    """Return the start of the market day of an interval, and its number in the day."""
    day = MONDAY + (end - FIVE - MONDAY) // DAY * DAY
    return day, (end - FIVE - day) // FIVE


@lru_cache(maxsize=64)
def _day(zone: str, day: datetime) -> Mapping[str, Sequence[float]]:
    """Return MW by fuel, load and price of the intervals of a market day."""
    slots = mix(zone, day, day + DAY, FIVE)
    power: dict[str, list[float]] = slots.drop(EDGES).to_dict(as_series=False)
    return power | {"load": demand(slots).tolist(), "price": price(slots).tolist()}


@lru_cache(maxsize=64)
def _flows(one: str, other: str, day: datetime) -> Sequence[float]:
    values: list[float] = flow(
        one, other, [day + n * FIVE for n in range(DAY // FIVE)]
    ).tolist()
    return values


def _rooftop(zone: str, row: int, day: datetime) -> float:
    """Return the solar power of rooftops in the half hour of an interval.

    It is less than that of each of its intervals: the plants have the rest.
    """
    first = row // 6 * 6
    return round(ROOFTOP_PART * min(_day(zone, day)["solar"][first : first + 6]), 2)


def _units(zone: str, end: datetime) -> Iterator[tuple[str, float]]:
    """Yield the power of each unit in the five minutes that end at a time."""
    day, row = _position(end)
    values = _day(zone, day)
    power = {fuel: values[fuel][row] for fuel in values.keys() - {"load", "price"}}
    power["solar"] -= _rooftop(zone, row, day)
    own = _duids(zone)
    power[LEFT] += sum(mw for fuel, mw in power.items() if fuel not in own)
    for fuel, duids in own.items():
        part = round(power.get(fuel, 0.0) / len(duids), 4)
        yield from ((duid, part) for duid in duids)


def _report(tables: Tables) -> bytes:
    lines: list[Sequence[object]] = []
    for name, (columns, rows) in tables.items():
        parts = name.split(".")
        lines.append(("I", *parts, 1, *columns))
        lines += [("D", *parts, 1, *row) for row in rows]
    return table(("C", "NEMP.WORLD"), [*lines, ("C", END, len(lines) + 2)])


def _listing(path: str, names: Iterable[str]) -> Reply:
    links = "".join(f'<A HREF="{path}{name}">{name}</A><br>' for name in names)
    title = f"<html><head><title>nemweb.com.au - {path}</title></head>"
    page = f"{title}<body><pre>{links}</pre></body></html>"
    return Reply(page.encode(), content_type="text/html")


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, _listing("/", ()), kind_of=kind_of)
