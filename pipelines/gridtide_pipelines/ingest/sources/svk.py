"""Settled generation by fuel of Sweden's four areas, from Svenska kraftnat's Mimer.

Docs:       https://mimer.svk.se/ProductionConsumption/ProductionIndex
Licence:    not stated, so it is restricted.
Unit:       kWh in the hour, which is the mean kW: divided by 1,000.
Slots:      1 h, labelled by the start in CET all year (UTC+1), as Swedish settlement counts:
            24 hours on the days when clocks change, too.
Limits:     one area and one fuel a request; both dates are written month first and included.
Revisions:  settled about nine days later, and once more after that.
Body:       CSV with semicolons, a byte order mark and decimal commas; the last line is the sum
            (``Summa``), alone where there is nothing. Area and fuel are in the request only; a
            body without a request is of the whole country and of unknown fuel.
Fuels:      VA hydro, VI wind, SE solar, KK nuclear; OK other heat and OP not specified are
            unknown.
Last seen:  2021-11 (recorded body of wind in SN4).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from gridtide_pipelines.ingest.delimited import check_last
from gridtide_pipelines.ingest.local_time import local_days, read_at_offset
from gridtide_pipelines.ingest.parsing import check_shape
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
from gridtide_pipelines.ingest.statements import Statement, add_codes, fuel_signal

NAME = "svk"
OFFSET, HOUR, DAY = timedelta(hours=1), timedelta(hours=1), timedelta(days=1)
CODES: Final = {f"SE-SE{each}": f"SN{each}" for each in range(1, 5)}
ZONES: Final = {code: key for key, code in CODES.items()} | {"SN0": "SE"}
FUELS: Final = {
    "KK": "nuclear",
    "OK": "unknown",
    "OP": "unknown",
    "SE": "solar",
    "VA": "hydro",
    "VI": "wind",
}
NOT_SAID: Final = "not said"
NAMED: Final = re.compile(r"(ConstraintAreaId|ProductionSortId)=(\w+)")
PERIOD, SUM = "Period", "Summa"


def requests(query: Query) -> Sequence[Group]:
    """Return a group for each area and month, of a request for each fuel."""
    groups: list[Group] = []
    for zone in query.zones:
        for span in split_span(Span(query.start, query.end), SOURCE.max_span):
            days = [day for day, _ in local_days(span, OFFSET)]
            fixed = (
                ("PeriodFrom", f"{days[0]:%m/%d/%Y} 00:00:00"),
                ("PeriodTo", f"{days[-1]:%m/%d/%Y} 00:00:00"),
                ("ConstraintAreaId", CODES[zone]),
            )
            groups.append(
                [
                    Request(
                        *("GET", "/ProductionConsumption/DownloadText"),
                        (*fixed, ("ProductionSortId", code)),
                        *(query.kind, (zone,)),
                        span=span,
                    )
                    for code in FUELS
                ]
            )
    return groups


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return the generation of each hour in the bodies."""
    with check_shape(NAME):
        found = [each for i, body in enumerate(bodies) for each in _statements(i, body)]
        return add_codes(found, NAME)


def _statements(index: int, body: Body) -> Iterator[Statement]:
    named = dict(NAMED.findall(body.request.address))
    area = ZONES.get(named.get("ConstraintAreaId", "SN0"), "SE")
    zone = body.request.zones[0] if len(body.request.zones) == 1 else area
    code = named.get("ProductionSortId", NOT_SAID)
    signal, flag = fuel_signal(code, FUELS)
    lines = body.content.decode("utf-8-sig").strip().splitlines()
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=";"))
    if rows and rows[0][0] not in (PERIOD, SUM):
        raise ValueError(f"neither {PERIOD} nor {SUM} at the beginning")
    if not rows:
        raise ValueError("an empty body")
    data = [row for row in rows if row[0] not in (PERIOD, SUM)]
    if rows[0][0] == PERIOD:
        check_last(lines[-1].encode(), 3, separator=";")
    starts = read_at_offset([row[0] for row in data], OFFSET, "%Y-%m-%d %H:%M") if data else ()
    for row, start in zip(data, starts, strict=True):
        text = row[1].replace(",", ".")
        value = float(text) / 1000 if text else None
        yield Statement(zone, signal, code, start, start + HOUR, value, index, flag)


SOURCE = Source(
    name=NAME,
    title="Mimer",
    base_url="https://mimer.svk.se",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset(CODES),
    codes=CODES,
    requests=requests,
    parse=parse,
    step=HOUR,
    max_span=31 * DAY,
    refetch=(Tier(DAY), Tier(14 * DAY, DAY), Tier(60 * DAY, 30 * DAY)),
    lag=9 * DAY,
    licence="not stated",
    licence_url="https://mimer.svk.se",
    attribution="Svenska kraftnat",
    restricted=True,
    per_zone=True,
    whole_files=True,
    min_interval=timedelta(seconds=1),
    largest_body=2**19,
)
