"""Generation and forecast of solar power of PJM. Off by default: its terms allow internal use.

Docs:       https://dataminer2.pjm.com/list (feeds gen_by_fuel, hourly_solar_power_forecast)
Licence:    internal use only; to redistribute or publish what is derived needs a membership,
            https://www.pjm.com/about-pjm/legal. So no zone names this source: EIA has PJM's.
Unit:       MW; a forecast in MWh of the hour, which is the mean MW.
Slots:      1 h, labelled by UTC start.
Fuels:      ``Multiple Fuels``, ``Other`` and ``Other Renewables`` are unknown. A fuel may be
            absent in an hour. Storage is positive when it discharges.
Forecasts:  An answer has every run of each hour, with the time it was evaluated.
Limits:     50,000 rows an answer, further ones by ``startRow``; less than 366 days, 600
            connections a minute.
Revisions:  for some days.
Last seen:  2025-02 (recorded bodies of both).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from typing import Any, Final

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.ingest.paging import check_count, next_page
from gridtide_pipelines.ingest.parsing import (
    check_shape,
    holds_nothing,
    number,
    read_json,
    readings,
    with_values,
)
from gridtide_pipelines.ingest.schedule import split_span
from gridtide_pipelines.ingest.source import (
    Body,
    Credentials,
    Group,
    Header,
    Kind,
    Query,
    Request,
    Source,
    Span,
    Tier,
)
from gridtide_pipelines.ingest.summing import by_fuel
from gridtide_store.vocabulary import generation

NAME: Final = "pjm"
ZONE: Final = "US-MIDA-PJM"
HOUR: Final = timedelta(hours=1)
MAX_SPAN: Final = timedelta(days=31)
STAMP: Final = "%Y-%m-%dT%H:%M:%S"
START: Final = "datetime_beginning_utc"
FEEDS: Final = {
    Kind.GENERATION: ("gen_by_fuel", f"{START},fuel_type,mw"),
    Kind.FORECAST: (
        "hourly_solar_power_forecast",
        f"{START},evaluated_at_utc,solar_forecast_mwh",
    ),
}
FUELS: Final = {
    "coal": "coal",
    "gas": "gas",
    "hydro": "hydro",
    "multiple fuels": "unknown",
    "nuclear": "nuclear",
    "oil": "oil",
    "other": "unknown",
    "other renewables": "unknown",
    "solar": "solar",
    "storage": "battery_storage",
    "wind": "wind",
}


def requests(query: Query) -> Sequence[Group]:
    """Build a request for each 31 days."""
    feed, fields = FEEDS[query.kind]
    groups: list[Group] = []
    for part in split_span(Span(query.start, query.end), MAX_SPAN):
        start, end = (f"{each.astimezone(UTC):{STAMP}}" for each in (part.start, part.end))
        params = (
            ("rowCount", "50000"),
            ("startRow", "1"),
            ("fields", fields),
            (START, f"{start} to {end}"),
        )
        path = f"/api/v1/{feed}"
        groups.append([Request("GET", path, params, query.kind, query.zones, span=part)])
    return groups


def following(bodies: Sequence[Body]) -> Sequence[Request]:
    """Return the next page, or none when all rows the publisher counts have been sent."""
    with check_shape(NAME):
        pages = [_page(body) for body in bodies]
        counts = [(len(rows), stated) for rows, stated in pages]
        return next_page(bodies, counts, "startRow", first=1)


def _page(body: Body) -> tuple[Sequence[Mapping[str, Any]], object]:
    """Return the rows of a page, and how many rows it says there are in all."""
    document = read_json(body.content)
    if holds_nothing(document):
        return (), None
    return document["items"], document.get("totalRows")


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse generation by fuel, or every run of the forecast, of each hour in the answers."""
    with check_shape(NAME):
        pages = [_page(body) for body in bodies]
        rows = [(index, row) for index, (page, _) in enumerate(pages) for row in page]
        check_count(len(rows), [stated for _, stated in pages])
        ahead = [each for each in rows if "solar_forecast_mwh" in each[1]]
        frames = [_forecast(ahead)] if ahead else []
        if mix := [each for each in rows if "fuel_type" in each[1]]:
            frames.append(_mix(mix))
        if len(mix) + len(ahead) < len(rows):
            raise ValueError("a row of neither generation nor a forecast")
    return with_values(NAME, frames)


def _mix(rows: Sequence[tuple[int, Mapping[str, Any]]]) -> pl.DataFrame:
    table = pl.DataFrame(
        [(row[START], row["fuel_type"], number(row["mw"]), index) for index, row in rows],
        schema={"start": pl.String, "code": pl.String, "value": pl.Float64, "body": pl.UInt32},
        orient="row",
    )
    start = pl.col("start").str.to_datetime(STAMP, time_unit="us", time_zone="UTC")
    return by_fuel(table.with_columns(start, end=start + HOUR), FUELS, zone=ZONE)


def _forecast(rows: Sequence[tuple[int, Mapping[str, Any]]]) -> pl.DataFrame:
    evaluated = pl.Series([row["evaluated_at_utc"] for _, row in rows], dtype=pl.String)
    return readings(
        zone=ZONE,
        signal=generation("solar"),
        start=[row[START] for _, row in rows],
        end=HOUR,
        value=[number(row["solar_forecast_mwh"]) for _, row in rows],
        quality=Quality.FORECAST,
        issued_at=evaluated.str.to_datetime(STAMP, time_unit="us", time_zone="UTC"),
        body=[index for index, _ in rows],
        stamp=STAMP,
    ).drop_nulls("value")


SOURCE = Source(
    name=NAME,
    title="PJM Data Miner",
    base_url="https://api.pjm.com",
    kinds=frozenset({Kind.GENERATION, Kind.FORECAST}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    following=following,
    credentials=Credentials(
        ("PJM_API_KEY",), "https://apiportal.pjm.com/", Header("Ocp-Apim-Subscription-Key")
    ),
    step=HOUR,
    max_span=MAX_SPAN,
    refetch=(Tier(timedelta(days=3)), Tier(timedelta(days=14), timedelta(days=1))),
    lag=timedelta(hours=2),
    licence="PJM terms of use: internal use only",
    licence_url="https://www.pjm.com/about-pjm/legal",
    attribution="PJM Interconnection",
    restricted=True,
    min_interval=timedelta(milliseconds=200),
)
