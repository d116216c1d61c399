"""Generation, load and forecasts of the Midcontinent ISO, of today and yesterday.

Docs:       https://www.misoenergy.org/markets-and-operations/RTDataAPIs/
Licence:    terms of use, https://www.misoenergy.org/legal/; to be named.
Unit:       MW, as text.
Slots:      5 min, forecasts 1 h, labelled by their start in EST all year. Load has the time
            of the day alone; its day is in ``RefId``, or the one before where a time is later
            than that: just after midnight the rows are still those of the day that ended.
Fuels:      ``Other`` has hydro, pumped storage, waste and demand response in it. ``Imports``
            are net imports: no fuel. Battery storage charges where it is negative.
Limits:     not more than once a minute; nothing before yesterday, whose file may have rows of
            today, and of yesterday imports alone.
Forecasts:  Bodies of wind and solar are alike: their address tells them apart, without it the
            zeros of the night. When they were made is in ``RefId``. That of load stands beside
            the load, and comes with it; just after midnight its day is not known.
Revisions:  none known.
Last seen:  2026-06 (recorded bodies of generation and forecasts; load is written).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.ingest.columns import frame_of
from gridtide_pipelines.ingest.local_time import read_clock
from gridtide_pipelines.ingest.parsing import (
    check_shape,
    holds_nothing,
    number,
    read_json,
    readings,
    with_values,
)
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
from gridtide_pipelines.ingest.summing import by_fuel
from gridtide_store.vocabulary import INSTANT, generation

NAME: Final = "miso"
ZONE: Final = "US-MIDW-MISO"
EST: Final = timedelta(hours=-5)
SLOT, HOUR, DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
PATHS: Final = {
    Kind.LOAD: ("/api/RealTimeTotalLoad",),
    Kind.FORECAST: (
        "/api/WindSolar/getwindforecast",
        "/api/WindSolar/getsolarforecast",
    ),
}
LABEL: Final = "%Y-%m-%d %I:%M:%S %p"
ISSUED: Final = re.compile(r"(\d\d?-[A-Z][a-z]{2}-\d{4}) - Interval (\d\d?:\d\d)")
ROW: Final = pl.Schema([("start", INSTANT), ("code", pl.String()), ("value", pl.Float64())])
FUELS: Final = {
    "coal": "coal",
    "natural gas": "gas",
    "nuclear": "nuclear",
    "wind": "wind",
    "solar": "solar",
    "hydro": "hydro",
    "battery storage": "battery_storage",
    "imports": "imports",
    "other": "unknown",
}


def requests(query: Query) -> Sequence[Group]:
    """Build the requests of today and yesterday, or one of each forecast."""
    whole = Span(query.start, query.end)
    if query.kind is not Kind.GENERATION:
        return [_group(path, query, whole) for path in PATHS[query.kind]]
    today = datetime.combine((query.now.astimezone(UTC) + EST).date(), time(), UTC) - EST
    parts = (
        ("/api/FuelMix/Yesterday", Span(query.start, min(today, query.end))),
        ("/api/FuelMix/Today", Span(max(today, query.start), query.end)),
    )
    return [_group(path, query, part) for path, part in parts if part.start < part.end]


def _group(path: str, query: Query, span: Span) -> Group:
    return [Request("GET", path, (), query.kind, query.zones, span=span)]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse the values of every slot in the bodies."""
    with check_shape(NAME):
        mixes: list[pl.DataFrame] = []
        found: list[pl.DataFrame] = []
        for index, body in enumerate(bodies):
            document = read_json(body.content)
            if holds_nothing(document):
                continue
            if "Fuel" in document:
                mixes.append(_mix(index, document["Fuel"]["Type"] or ()))
            elif "Forecast" in document:
                found.append(_forecast(index, body, document))
            else:
                found += _load(index, body, document["LoadInfo"])
        if mixes:
            found.append(by_fuel(pl.concat(mixes), FUELS, zone=ZONE))
    return with_values(NAME, found)


def _mix(index: int, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    table = frame_of(
        ((_est(row["INTERVALEST"]), row["CATEGORY"], number(row["ACT"])) for row in rows), ROW
    )
    return table.with_columns(end=pl.col("start") + SLOT, body=pl.lit(index, pl.UInt32))


def _forecast(index: int, body: Body, document: Mapping[str, Any]) -> pl.DataFrame:
    rows = document["Forecast"]
    values = [number(row["Value"]) for row in rows]
    named = re.search(r"(wind|solar)forecast", body.request.address.lower())
    fuel = named[1] if named else "solar" if 0 in values else "wind"
    starts = [_est(row["DateTimeEST"]) for row in rows]
    return _readings(index, generation(fuel), starts, values, HOUR, _issued(document, body))


def _load(index: int, body: Body, info: Mapping[str, Any]) -> Iterator[pl.DataFrame]:
    """Yield the load of a day and its forecast."""
    said = ISSUED.search(info["RefId"])
    if said is None:
        raise ValueError(f"no day in {info['RefId']!r}")
    day = read_clock(said[1], "%d-%b-%Y").replace(tzinfo=UTC) - EST
    rows = [row["Load"] for row in info["FiveMinTotalLoad"] or ()]
    over = any(day + _clock(row["Time"]) > _issued(info, body) + SLOT for row in rows)
    if over:
        day -= DAY
    starts = [day + _clock(row["Time"]) for row in rows]
    yield _readings(index, "load", starts, [number(row["Value"]) for row in rows], SLOT)
    if over:
        return  # the forecast beside it is of that day or of this one; nothing says which
    ahead = [row["Forecast"] for row in info.get("MediumTermLoadForecast") or ()]
    starts = [day + (int(row["HourEnding"]) - 1) * HOUR for row in ahead]
    values = [number(row["LoadForecast"]) for row in ahead]
    yield _readings(index, "load", starts, values, HOUR, _issued(info, body))


def _readings(
    index: int,
    signal: str,
    starts: Sequence[datetime],
    values: Sequence[float | None],
    length: timedelta,
    issued_at: datetime | None = None,
) -> pl.DataFrame:
    return readings(
        zone=ZONE,
        signal=signal,
        start=starts,
        end=length,
        value=values,
        quality=Quality.FORECAST if issued_at else Quality.MEASURED,
        issued_at=issued_at,
        body=index,
    ).drop_nulls("value")


def _issued(document: Mapping[str, Any], body: Body) -> datetime:
    """Return when a forecast was made; when we received it if that is not said."""
    said = ISSUED.search(document["RefId"])
    if said is None:
        return body.known_at
    local = read_clock(f"{said[1]} {said[2]}", "%d-%b-%Y %H:%M")
    return local.replace(tzinfo=UTC) - EST


def _est(label: str) -> datetime:
    return read_clock(label, LABEL).replace(tzinfo=UTC) - EST


def _clock(label: str) -> timedelta:
    hours, minutes = label.split(":")[:2]
    return timedelta(hours=int(hours), minutes=int(minutes))


SOURCE = Source(
    name=NAME,
    title="MISO real-time data",
    base_url="https://public-api.misoenergy.org",
    kinds=frozenset({Kind.GENERATION, Kind.LOAD, Kind.FORECAST}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    step=SLOT,
    max_span=2 * DAY,
    refetch=(Tier(DAY),),
    lag=timedelta(minutes=15),
    reach=2 * DAY,
    licence="MISO terms of use",
    licence_url="https://www.misoenergy.org/legal/",
    attribution="Midcontinent Independent System Operator",
    whole_files=True,
    min_interval=timedelta(seconds=2),
    largest_body=4 * 2**20,
)
