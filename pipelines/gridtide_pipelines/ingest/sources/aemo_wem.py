"""Generation of the facilities of Western Australia's market (WEM), from AEMO's data site.

Docs:       https://data.wa.aemo.com.au
Licence:    AEMO copyright permissions: any use, AEMO is to be named.
Unit:       MWh in the interval: times 12, or times 2 before October 2023.
Slots:      5 min, labelled by START with the offset +08:00, all year; before October 2023
            30 min, in a CSV file of a month, labelled by START without an offset. Trading days
            begin at 08:00 there, which is midnight in UTC, and so do their files.
Limits:     no key; a listing, then a file of each day, which is there on a later day.
Revisions:  none known.
Fuels:      by AEMO's own list of facilities, which is fetched with each group: the column that
            names a fuel. A facility without one, or of an unknown fuel, is unknown and flagged.
Solar:      rooftops are not among the facilities, so solar power is printed, and stored as
            unknown.
Last seen:  2026-08 (written, from the catalogue's shape; that of the list of facilities is
            taken by its columns).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import polars as pl

from gridtide_pipelines.ingest.delimited import number_of, read_csv
from gridtide_pipelines.ingest.limits import at_most
from gridtide_pipelines.ingest.local_time import read_at_offset
from gridtide_pipelines.ingest.parsing import check_shape, number
from gridtide_pipelines.ingest.schedule import split_span
from gridtide_pipelines.ingest.source import (
    Body,
    Group,
    Kind,
    Query,
    Request,
    Source,
    Span,
    Tier,
)
from gridtide_pipelines.ingest.statements import (
    Statement,
    add_codes,
    instant,
    read_answer,
    rows_of,
    text,
)
from gridtide_store.vocabulary import generation

NAME, ZONE = "aemo_wem", "AU-WA"
OFFSET: Final = timedelta(hours=8)
FIVE, HALF, HOUR = timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=1)
DAY: Final = timedelta(days=1)
FIVE_MINUTES_SINCE: Final = datetime(2023, 10, 1, tzinfo=UTC)
DATA: Final = "/public/public-data/datafiles"
FACILITIES: Final = f"{DATA}/facilities/facilities.csv"
LISTING: Final = "/public/market-data/wemde/facilityScada/previous/"
FILE: Final = re.compile(rb'href="([^"<>]{1,300}\.json)"', re.IGNORECASE)
DATE: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)")
FACILITY, START, ENERGY = "Facility Code", "Trading Interval", "Energy Generated (MWh)"
MOST_VALUES: Final = 100_000  # of a body; a day of all facilities has 20,000
FUEL: Final = re.compile("fuel", re.IGNORECASE)
FUELS: Final[Mapping[str, str]] = {
    "battery": "battery_storage",
    "bioenergy": "biomass",
    "biomass": "biomass",
    "coal": "coal",
    "diesel": "oil",
    "distillate": "oil",
    "gas": "gas",
    "hydro": "hydro",
    "landfill gas": "biomass",
    "solar": "solar",
    "storage": "battery_storage",
    "wind": "wind",
}


def requests(query: Query) -> Sequence[Group]:
    """Return the list of facilities with the listing of days, or with the file of a month."""

    def request(path: str, span: Span) -> Request:
        return Request("GET", path, (), query.kind, query.zones, span=span)

    months: dict[str, Span] = {}
    for day in split_span(Span(query.start, min(query.end, FIVE_MINUTES_SINCE)), DAY):
        path = f"{DATA}/facility-scada/facility-scada-{day.start.astimezone(UTC):%Y-%m}.csv"
        months[path] = Span(months.get(path, day).start, day.end)
    since = Span(max(query.start, FIVE_MINUTES_SINCE), query.end)
    groups = [
        [request(FACILITIES, part), request(LISTING, part)]
        for part in split_span(since, SOURCE.max_span)
    ]
    old = [[request(FACILITIES, span), request(path, span)] for path, span in months.items()]
    return [*old, *groups]


def following(bodies: Sequence[Body]) -> Sequence[Request]:
    """Return the files of the days that the listing names."""
    listing = bodies[-1]
    if listing.request.path != LISTING or not _is_listing(listing.content):
        return ()  # what stands there instead is refused by `parse`
    request, now = listing.request, listing.known_at
    span = request.span or Span(now - SOURCE.max_span, now)
    found: dict[str, Request] = {}
    with check_shape(NAME):
        for name in FILE.findall(listing.content):
            file = name.decode().rpartition("/")[2]
            stamp = DATE.search(file)
            if stamp is None:
                continue
            start = datetime.strptime("".join(stamp.groups()), "%Y%m%d").replace(tzinfo=UTC)
            if start < span.end and span.start < start + DAY:
                found[file] = replace(request, path=LISTING + file)
    return [found[file] for file in sorted(found)]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return the generation of each fuel and interval, by the list of facilities."""
    with check_shape(NAME):
        fuels: dict[str, str] = {}
        given: list[tuple[str, datetime, timedelta, float | None, int]] = []
        for index, body in enumerate(bodies):
            content = body.content
            if _is_listing(content):
                continue
            if content.lstrip()[:1] in (b"{", b"[", b"n"):
                given += _intervals(read_answer(content), index)
            elif ENERGY.encode() in content.partition(b"\n")[0]:
                given += _half_hours(content, index)
            else:
                fuels |= _fuels(content)
        return add_codes(_statements(given, fuels), NAME)


def _is_listing(content: bytes) -> bool:
    """Say whether a body is the listing of the directory, and a whole one."""
    whole = content.rstrip().lower().endswith(b"</html>")
    return whole and content.lstrip()[:1] == b"<" and LISTING.encode() in content


def _intervals(
    document: Mapping[str, Any] | None, body: int
) -> Iterator[tuple[str, datetime, timedelta, float | None, int]]:
    if document is None:
        return
    inner = document.get("data", document)
    for each in at_most(rows_of(inner["facilityScadaDispatchIntervals"]), MOST_VALUES):
        energy = number(each["quantity"])
        power = None if energy is None else energy * (HOUR / FIVE)
        yield text(each["code"]), instant(each["dispatchInterval"]), FIVE, power, body


def _half_hours(
    content: bytes, body: int
) -> Iterator[tuple[str, datetime, timedelta, float | None, int]]:
    table = read_csv(content, (FACILITY, START, ENERGY))
    starts = read_at_offset(table[START], OFFSET, "%Y-%m-%d %H:%M:%S")
    power = table.select(number_of(ENERGY) * (HOUR / HALF)).to_series()
    for facility, start, value in zip(table[FACILITY], starts, power, strict=True):
        yield facility, start, HALF, value, body


def _fuels(content: bytes) -> dict[str, str]:
    """Return the fuel of each facility in their list, as it is written there."""
    table = read_csv(content, (FACILITY,))
    column = next((name for name in table.columns if FUEL.search(name)), None)
    if column is None:
        return {}
    rows = table.select(FACILITY, column).drop_nulls().iter_rows()
    return {facility.strip(): fuel.strip().lower() for facility, fuel in rows}


def _statements(
    given: Sequence[tuple[str, datetime, timedelta, float | None, int]],
    fuels: Mapping[str, str],
) -> Iterator[Statement]:
    for facility, start, length, power, body in given:
        fuel = FUELS.get(fuels.get(facility, ""))
        flag = None if fuel else f"unmapped_code:{facility}"
        signal = generation(fuel or "unknown")
        yield Statement(ZONE, signal, facility, start, start + length, power, body, flag)
    for start, length, body in sorted({(row[1], row[2], row[4]) for row in given}):
        yield Statement(ZONE, generation("solar"), "", start, start + length, None, body)


SOURCE = Source(
    name=NAME,
    title="Data of the WEM",
    base_url="https://data.wa.aemo.com.au",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset({ZONE}),
    requests=requests,
    following=following,
    parse=parse,
    step=FIVE,
    max_span=7 * DAY,
    refetch=(Tier(3 * DAY), Tier(14 * DAY, DAY)),
    lag=2 * DAY,
    licence="AEMO copyright permissions",
    licence_url="https://aemo.com.au/privacy-and-legal-notices/copyright-permissions",
    attribution="Australian Energy Market Operator (AEMO)",
    per_zone=True,
    whole_files=True,
    min_interval=timedelta(milliseconds=500),
)
