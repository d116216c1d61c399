"""Wind, solar, total generation, load, flows and CO2 intensity of Ireland, north and south.

Docs:       https://www.smartgriddashboard.com (its own requests; no document)
Licence:    none stated for reuse (https://www.eirgrid.ie/disclaimer), so it is restricted.
Unit:       MW, gCO2/kWh.
Slots:      15 min, labelled by the start in Dublin time without an offset. On the day when
            clocks go back an hour is known by its order; where it is there once it is left
            out, for which one it is would be a guess.
Limits:     31 days a request with ``dateRange=day``, both dates included; since 2015.
Revisions:  for some days. Slots to come have null.
Fuels:      only wind and solar are named. The rest of the total (GEN_EXP) is unknown; it is
            flagged as partial where wind or solar is listed without a value. A slot whose
            total is listed without a value is not complete yet, and no fuel follows from a
            total alone. Load and flows come with generation.
Links:      INTER_EWIC, INTER_GRNLK and INTER_MOYLE with Great Britain, positive into the
            region. Other fields (frequency, SNSP, sums) are not read.
Intensity:  CO2_INTENSITY, of generation by fuel and heat rate of each plant.
Last seen:  2025-06 (recorded bodies of this and of the older service; the same rows).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from gridtide.model import Quality, Signal
from gridtide_pipelines.ingest.local_time import read_local, refuse_values_without_time
from gridtide_pipelines.ingest.parsing import check_shape, number
from gridtide_pipelines.ingest.schedule import split_span
from gridtide_pipelines.ingest.source import (
    PARTIAL,
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
    newest_of,
    read_answer,
    rows_of,
    text,
)
from gridtide_store.vocabulary import generation

NAME = "eirgrid"
TIMEZONE: Final = "Europe/Dublin"
QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)
CODES: Final = {"GB-NIR": "NI", "IE": "ROI"}
ZONES: Final = {code: key for key, code in CODES.items()}
TOTAL: Final = "GEN_EXP"
PARTS: Final = {"SOLAR_ACTUAL": generation("solar"), "WIND_ACTUAL": generation("wind")}
OTHERS: Final = {"CO2_INTENSITY": str(Signal.CI_DIRECT_PRODUCED), "SYSTEM_DEMAND": "load"}
LINKS: Final = ("INTER_EWIC", "INTER_GRNLK", "INTER_MOYLE")
AHEAD: Final = {
    "DEMAND_FORECAST_VALUE": "load",
    "SOLAR_FCAST": generation("solar"),
    "WIND_FCAST": generation("wind"),
}
AREAS: Final = {
    Kind.GENERATION: "generationactual,windactual,solaractual,demandactual,interconnection",
    Kind.INTENSITY: "co2intensity",
    Kind.FORECAST: "windforecast,solarforecast,demandforecast",
}


def requests(query: Query) -> Sequence[Group]:
    """Return a request for each region and month."""
    groups: list[Group] = []
    for zone in query.zones:
        for span in split_span(Span(query.start, query.end), SOURCE.max_span):
            last = span.end - timedelta.resolution
            days = [each.astimezone(ZoneInfo(TIMEZONE)) for each in (span.start, last)]
            params = (
                ("areas", AREAS[query.kind]),
                ("chartType", "default"),
                ("region", CODES[zone]),
                ("dateRange", "day"),
                *(
                    (name, f"{day:%Y-%m-%d}")
                    for name, day in zip(("datefrom", "dateto"), days, strict=True)
                ),
            )
            request = Request("GET", "/api/chart", params, query.kind, (zone,), span=span)
            groups.append([request])
    return groups


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return what the rows of the bodies state, with the rest of each total as unknown."""
    with check_shape(NAME):
        found: list[Statement] = []
        for index, body in enumerate(bodies):
            document = read_answer(body.content)
            if document is not None:
                found += _statements(rows_of(document["Rows"]), index, body.known_at)
        found = newest_of(found)
        totals = {(each.zone, each.start): each for each in found if each.code == TOTAL}
        stated = [
            each for each in found if each.code != TOTAL and not _lacks_total(each, totals)
        ]
        return add_codes([*stated, *_rest(totals, stated)], NAME)


def _statements(
    rows: Sequence[dict[str, object]], body: int, known_at: datetime
) -> Iterator[Statement]:
    series = pl.Series([f"{row['Region']} {row['FieldName']}" for row in rows], dtype=pl.String)
    labels = [text(row["EffectiveTime"]) for row in rows]
    values = pl.Series([number(row["Value"]) for row in rows], dtype=pl.Float64)
    starts = read_local(labels, TIMEZONE, "%d-%b-%Y %H:%M:%S", series=series)
    spring = pl.Series(labels, dtype=pl.String).str.contains("-Mar-")
    refuse_values_without_time(starts.filter(spring), values.filter(spring))
    for row, start, value in zip(rows, starts, values, strict=True):
        region, code = text(row["Region"]), text(row["FieldName"])
        zone = ZONES.get(region, region)
        signal = {**PARTS, **OTHERS, **AHEAD, TOTAL: TOTAL}.get(code)
        if code in LINKS:
            zone, signal = f"GB->{zone}", "flow"
        if start is not None and signal is not None:
            yield Statement(
                *(zone, signal, code, start, start + QUARTER, value, body),
                issued_at=known_at if code in AHEAD else None,
                quality=Quality.ESTIMATED if code == "CO2_INTENSITY" else Quality.MEASURED,
            )


def _lacks_total(each: Statement, totals: dict[tuple[str, datetime], Statement]) -> bool:
    total = totals.get((each.zone, each.start))
    listed = total is not None and total.value is None and total.flag is None
    return each.code in PARTS and listed


def _rest(
    totals: dict[tuple[str, datetime], Statement], stated: Sequence[Statement]
) -> Iterator[Statement]:
    """Yield what is left of each total without its named parts; unknown in a conflict."""
    parts: dict[tuple[str, datetime], dict[str, float | None]] = defaultdict(dict)
    for each in stated:
        if each.code in PARTS:
            parts[each.zone, each.start][each.code] = each.value
    for key, each in totals.items():
        values = parts[key].values() if key in parts else ()
        if values and each.flag is not None:
            yield replace(each, signal=generation("unknown"))
        elif values and each.value is not None:
            rest = each.value - sum(value for value in values if value is not None)
            flag = PARTIAL if None in values else None
            yield replace(each, signal=generation("unknown"), value=rest, flag=flag)


SOURCE = Source(
    name=NAME,
    title="Smart Grid Dashboard",
    base_url="https://www.smartgriddashboard.com",
    kinds=frozenset(AREAS),
    zones=frozenset(CODES),
    codes=CODES,
    requests=requests,
    parse=parse,
    step=QUARTER,
    max_span=31 * DAY,
    ahead=5 * DAY,
    refetch=(Tier(2 * DAY), Tier(14 * DAY, DAY)),
    lag=timedelta(hours=1),
    licence="not stated",
    licence_url="https://www.eirgrid.ie/disclaimer",
    attribution="EirGrid and SONI",
    restricted=True,
    per_zone=True,
    whole_files=True,
    min_interval=timedelta(seconds=1),
    largest_body=4 * 2**20,
)
