"""Hourly generation of US balancing authorities from EIA's web page, without a key.

Docs:       none: the data behind https://www.eia.gov/electricity/gridmonitor, undocumented, on
            an official host. It may change without notice, so it is a live stand-in: for the
            last days of zones whose other sources lack them, and for no history.
Licence:    public domain (https://www.eia.gov/about/copyrights_reuse.php); to be named.
Unit:       MWh in the hour, which is the mean MW.
Slots:      1 h, labelled by UTC END: one hour is taken off.
Codes:      Fuels have names in place of the codes of `eia`, in two spellings at times. The zone
            is in the address.
Limits:     10,000 values an answer, further ones by ``offset``; others are not published. Slow
            from addresses of cloud providers.
Revisions:  as for `eia`.
Last seen:  2026-09 (written, from descriptions of several clients).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, timedelta
from typing import Any, Final

import polars as pl

from gridtide_pipelines.ingest.paging import check_count, next_page
from gridtide_pipelines.ingest.parsing import (
    check_shape,
    holds_nothing,
    number,
    read_json,
    with_values,
)
from gridtide_pipelines.ingest.source import (
    Body,
    Group,
    Kind,
    Query,
    Request,
    Source,
    Tier,
)
from gridtide_pipelines.ingest.sources import eia
from gridtide_pipelines.ingest.sources.eia import CODES, HOUR, ZONES
from gridtide_pipelines.ingest.summing import by_fuel

NAME: Final = "eia_web"
PATH: Final = "/electricity/930-api/region_data_by_fuel_type/series_data"
STAMP: Final = "%m/%d/%Y %H:%M:%S"
REQUESTED: Final = "%m%d%Y %H:%M:%S"
RESPONDENT: Final = re.compile(r"respondent(?:\[0\]|%5B0%5D)=(\w+)", re.IGNORECASE)
DAYS: Final = timedelta(days=3)
FUELS: Final = {
    "coal": "coal",
    "natural gas": "gas",
    "nuclear": "nuclear",
    "petroleum": "oil",
    "hydro": "hydro",
    "pumped storage": "hydro_storage",
    "solar": "solar",
    "solar with integrated battery storage": "solar",
    "wind": "wind",
    "wind with integrated battery storage": "wind",
    "geothermal": "geothermal",
    "battery storage": "battery_storage",
    "other energy storage": "battery_storage",
    "unknown energy storage": "unknown",
    "other": "unknown",
    "unknown": "unknown",
}

# Of one series, under another name.
SPELLINGS: Final = {"battery": "Battery storage"}


def requests(query: Query) -> Sequence[Group]:
    """Build a request for each zone."""
    start, end = (
        f"{moment.astimezone(UTC):{REQUESTED}}" for moment in (query.start + HOUR, query.end)
    )
    return [
        [
            Request(
                "GET",
                PATH,
                (
                    ("type[0]", "NG"),
                    ("respondent[0]", CODES[zone]),
                    ("start", start),
                    ("end", end),
                    ("frequency", "hourly"),
                    ("timezone", "UTC"),
                    ("limit", "10000"),
                    ("offset", "0"),
                ),
                query.kind,
                (zone,),
            )
        ]
        for zone in query.zones
    ]


def following(bodies: Sequence[Body]) -> Sequence[Request]:
    """Return the next page, or none when all rows the publisher counts have been sent."""
    with check_shape(NAME):
        return next_page(bodies, [_count(_answers(body)) for body in bodies], "offset")


def _answers(body: Body) -> Sequence[Mapping[str, Any]]:
    document = read_json(body.content)
    if holds_nothing(document):
        return ()
    return document if isinstance(document, list) else [document]


def _count(answers: Sequence[Mapping[str, Any]]) -> tuple[int, object]:
    """Return how many values a page has, and how many it says there are in all."""
    there = sum(1 for answer in answers for _ in _rows(answer))
    return there, sum(int(answer.get("totalCount") or 0) for answer in answers)


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse generation by fuel of every hour in the answers, each of one zone."""
    with check_shape(NAME):
        parts: dict[str, list[tuple[str, str, float | None, int]]] = {}
        pages = [_answers(body) for body in bodies]
        counts = [_count(answers) for answers in pages]
        check_count(sum(there for there, _ in counts), [stated for _, stated in counts])
        for index, body in enumerate(bodies):
            for each in pages[index]:
                rows = _rows(each)
                parts.setdefault(_zone(body), []).extend((*row, index) for row in rows)
        found = [_of_zone(zone, rows) for zone, rows in parts.items()]
    return with_values(NAME, found)


def _rows(answer: Mapping[str, Any]) -> Iterator[tuple[str, str, float | None]]:
    if answer.get("error") or not isinstance(answer["data"], list):
        raise ValueError(f"no list of series: {answer}")
    for series in answer["data"]:
        values = series["VALUES"]
        for label, value in zip(values["DATES"], values["DATA"], strict=True):
            name = series["FUEL_TYPE_NAME"]
            yield label, SPELLINGS.get(name.strip().lower(), name), number(value)


def _zone(body: Body) -> str:
    """Return the zone of a body: that of its address, else the one requested."""
    said = RESPONDENT.search(body.request.address)
    if said:
        return ZONES.get(said[1], said[1])
    return body.request.zones[0] if body.request.zones else "unknown"


def _of_zone(zone: str, rows: Sequence[tuple[str, str, float | None, int]]) -> pl.DataFrame:
    table = pl.DataFrame(
        rows,
        schema={"end": pl.String, "code": pl.String, "value": pl.Float64, "body": pl.UInt32},
        orient="row",
    )
    end = pl.col("end").str.to_datetime(STAMP, time_unit="us", time_zone="UTC")
    return by_fuel(table.with_columns(end, start=end - HOUR), FUELS, zone=zone)


SOURCE = Source(
    name=NAME,
    title="EIA hourly electric grid monitor, web page",
    base_url="https://www.eia.gov",
    kinds=frozenset({Kind.GENERATION}),
    zones=eia.SOURCE.zones,
    requests=requests,
    parse=parse,
    following=following,
    codes=CODES,
    step=HOUR,
    max_span=DAYS,
    refetch=(Tier(timedelta(days=1)),),
    lag=timedelta(days=2),
    reach=DAYS,
    licence="public domain",
    licence_url="https://www.eia.gov/about/copyrights_reuse.php",
    attribution="U.S. Energy Information Administration",
    per_zone=True,
    min_interval=timedelta(seconds=1),
    largest_body=4 * 2**20,
)
