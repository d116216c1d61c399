"""Generation, load and interchange of Alberta now, and its wind and solar forecast, from AESO.

Docs:       http://ets.aeso.ca (Current Supply Demand Report) and https://developer-apim.aeso.ca
Licence:    AESO's terms for its website; what they allow is not known, so it is restricted.
Unit:       MW: the report at the minute of its update, forecasts the mean of the hour.
Slots:      the report is one moment, labelled in Mountain time without an offset (the API in
            UTC): it stands for the 5 min that follow, as far as
            they are over. A label of the hour that is there twice
            in autumn is the later one that is not after the answer. Forecasts are 1 h, labelled
            by their local START; one in that hour that is there once is left out.
Limits:     now only, without a key. The API wants one and says the same; its answers are read,
            too. History is not published by fuel.
Revisions:  none.
Report:     blocks split by blank lines: what is total, generation by fuel, interchange, then
            units. A block ends with TOTAL, which must be the sum of its rows.
Codes:      OTHER is mostly biomass, and DUAL FUEL may be coal or gas: both are unknown. Gas is
            one code or several kinds of plant. A store that charges reads 0. Interchange is
            negative when Alberta imports.
Forecasts:  the column Most Likely. Two files of the same form; where the request does not say
            which one a file is, the one that is 0 at night is solar.
Last seen:  2025-03 (recorded bodies of the report, the API and the forecasts).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Final, TypeAlias

import polars as pl

from gridtide_pipelines.ingest.delimited import MARKUP, number_of, read_csv
from gridtide_pipelines.ingest.local_time import (
    end_of_moment,
    latest_instant,
    read_clock,
    read_local,
)
from gridtide_pipelines.ingest.parsing import (
    check_shape,
    holds_nothing,
    number,
    read_json,
)
from gridtide_pipelines.ingest.schedule import is_recent
from gridtide_pipelines.ingest.source import Body, Group, Kind, Query, Request, Source, Tier
from gridtide_pipelines.ingest.statements import Statement, add_codes, fuel_signal
from gridtide_store.vocabulary import generation

NAME, ZONE = "aeso", "CA-AB"
TIMEZONE: Final = "America/Edmonton"
FIVE, HOUR, DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
REPORT: Final = "/ets_web/ip/Market/Reports/CSDReportServlet"
FORECASTS: Final = "/Market/Reports/Manual/Operations/prodweb_reports/wind_solar_forecast"
LABEL, LIKELY = "Forecast Transaction Date", "Most Likely"

FUELS: Final[Mapping[str, str]] = {
    "COAL": "coal",
    "GAS": "gas",
    "COGENERATION": "gas",
    "COMBINED CYCLE": "gas",
    "GAS FIRED STEAM": "gas",
    "SIMPLE CYCLE": "gas",
    "HYDRO": "hydro",
    "ENERGY STORAGE": "battery_storage",
    "SOLAR": "solar",
    "WIND": "wind",
    "DUAL FUEL": "unknown",
    "OTHER": "unknown",
}
TIES: Final = {
    "British Columbia": "CA-BC",
    "Montana": "US-NW-NWMT",
    "Saskatchewan": "CA-SK",
}


Codes: TypeAlias = Sequence[tuple[str, float | None]]


@dataclass(frozen=True, slots=True)
class _Report:
    """What a report says: its time, the load, generation by code and flow by tie."""

    at: datetime
    load: float | None
    generation: Codes
    flow: Codes


def requests(query: Query) -> Sequence[Group]:
    """Return the request for the report, or those for both forecasts."""
    kind, zones = query.kind, query.zones
    if kind is Kind.FORECAST:
        paths = [f"{FORECASTS}/{each}_rpt_longterm.csv" for each in ("wind", "solar")]
        return [[Request("GET", path, kind=kind, zones=zones) for path in paths]]
    if not is_recent(query, FIVE):
        return []
    return [[Request("GET", REPORT, (("contentType", "csv"),), kind=kind, zones=zones)]]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse reports and forecasts."""
    with check_shape(NAME):
        found = [each for n, body in enumerate(bodies) for each in _statements(n, body)]
        # A report is whole, and another may name the same plants by other codes.
        last = {each.start: each.body for each in found if each.issued_at is None}
        found = [each for each in found if each.issued_at or each.body == last[each.start]]
        return add_codes(found, NAME, partial=False)


def _statements(index: int, body: Body) -> Iterator[Statement]:
    if LABEL.encode() in body.content[:200]:
        yield from _forecast(index, body)
        return
    report = _read_api(body) if body.content.lstrip()[:1] in b"{[n" else _read_report(body)
    if report is None:
        return
    slot = report.at, end_of_moment(report.at, FIVE, body.known_at)
    yield Statement(ZONE, "load", "load", *slot, report.load, index)
    for code, value in report.generation:
        fuel, flag = fuel_signal(code, FUELS)
        yield Statement(ZONE, fuel, code, *slot, value, index, flag)
    for tie, value in report.flow:
        flag = None if tie in TIES else f"unmapped_code:{tie}"
        zone = f"{ZONE}->{TIES.get(tie, tie)}"
        yield Statement(zone, "flow", tie, *slot, value, index, flag)


def _read_report(body: Body) -> _Report:
    """Read the report as text: its first four blocks."""
    if MARKUP.match(body.content):
        raise ValueError("markup where a report was expected")
    rows = [[cell.strip() for cell in row] for row in csv.reader(_lines(body.content))]
    head = "Last Update :"
    said = next(iter(row[0] for row in rows if row and row[0].startswith(head)), None)
    if said is None:
        raise ValueError(f"a report without {head!r}")
    label = said.removeprefix(head).strip()
    first = next((n for n, row in enumerate(rows) if len(row) == 4), len(rows))
    totals = {row[0]: row[1] for row in rows[:first] if len(row) == 2}
    fuels = _block(rows[first:], 2, 4)
    ties = _block(rows[first + len(fuels) + 1 :], 1, 2)
    at = latest_instant(read_clock(label, "%b %d, %Y %H:%M"), TIMEZONE, body.known_at)
    return _Report(at, number(totals["Alberta Internal Load (AIL)"]), fuels, ties)


def _lines(content: bytes) -> Iterator[str]:
    return iter(content.decode("utf-8-sig").splitlines())


def _block(rows: Sequence[Sequence[str]], column: int, width: int) -> Codes:
    """Return one column of a block by its codes; its sum must be that of its last row."""
    wide = [row for row in rows if len(row) == width]
    inside = list(takewhile(lambda row: row[0] != "TOTAL", wide))
    total = float(wide[len(inside)][column])  # a block without it is cut short
    values = [float(row[column]) for row in inside]
    if abs(sum(values) - total) > len(values):  # each is rounded
        raise ValueError(f"rows of {sum(values)} MW with a total of {total} MW")
    return [(row[0], value) for row, value in zip(inside, values, strict=True)]


def _read_api(body: Body) -> _Report | None:
    document = read_json(body.content)
    if holds_nothing(document):
        return None
    said = document["return"]
    stamp = said.get("effective_datetime_utc") or said["last_updated_datetime_utc"]
    return _Report(
        datetime.fromisoformat(stamp.removesuffix("Z")).replace(tzinfo=UTC),
        number(said["alberta_internal_load"]),
        [
            (str(each["fuel_type"]), number(each["aggregated_net_generation"]))
            for each in said["generation_data_list"]
        ],
        [(str(each["path"]), number(each["actual_flow"])) for each in said["interchange_list"]],
    )


def _forecast(index: int, body: Body) -> Iterator[Statement]:
    table = read_csv(body.content, (LABEL, LIKELY)).select(LABEL, number_of(LIKELY))
    start = read_local(table[LABEL], TIMEZONE, "%Y-%m-%d %H:%M").alias("start")
    table = table.with_columns(start).drop_nulls("start")
    fuel = _fuel(index, body, table)
    for at, value in table.select("start", LIKELY).iter_rows():
        yield Statement(
            ZONE, generation(fuel), fuel, at, at + HOUR, value, index, None, body.known_at
        )


def _fuel(index: int, body: Body, table: pl.DataFrame) -> str:
    """Return which fuel a forecast is of: by its address, by its nights, by its place."""
    for fuel in ("wind", "solar"):
        if f"{fuel}_rpt" in body.request.path:
            return fuel
    night = table.filter(pl.col(LABEL).str.slice(11, 2).is_in(["00", "01", "02"]))[LIKELY]
    if night.is_empty():
        return ("wind", "solar")[index % 2]
    return "solar" if (night.fill_null(0) == 0).all() else "wind"


SOURCE = Source(
    name=NAME,
    title="Current Supply Demand Report",
    base_url="https://ets.aeso.ca",
    kinds=frozenset({Kind.GENERATION, Kind.FORECAST}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    step=FIVE,
    max_span=9 * DAY,
    reach=9 * DAY,
    refetch=(Tier(DAY),),
    lag=FIVE,
    licence="AESO terms",
    licence_url="https://www.aeso.ca/legal/",
    attribution="Alberta Electric System Operator (AESO)",
    restricted=True,
    min_interval=timedelta(seconds=2),
    largest_body=4 * 2**20,
)
