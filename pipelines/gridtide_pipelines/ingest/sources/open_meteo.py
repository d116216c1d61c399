"""Weather of single points from Open-Meteo: a stand-in, off by default.

Docs:       https://open-meteo.com/en/docs, https://open-meteo.com/en/docs/model-updates
Licence:    data CC BY 4.0; the free hosts are for use that is not commercial, so that they are
            restricted. The paid host (GRIDTIDE_OPEN_METEO_URL and OPEN_METEO_API_KEY) and one
            of your own are not.
Unit:       m/s at 10 and 100 m, degrees C at 2 m; W/m2 (mean) and mm (sum) of the hour before.
Slots:      every hour, labelled by instant or end, in seconds since 1970.
Limits:     free: 600 points a minute, 5,000 an hour, 10,000 a day, one request at a time. Here
            at most 5 points a zone, 150 a request, a request every 6 s.
Revisions:  none; past runs are not requested.
Quirks:     One point gives an object, several a list in their order; coordinates are those of
            the cell. The answer names no run: what the model says of itself before and after it
            must be the same. A fault while sending appends text to a 200. Without ``models``
            the answer mixes models.
Last seen:  2026-11 (written, from the publisher's description).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import polars as pl

from gridtide_pipelines.errors import NothingYet
from gridtide_pipelines.ingest.parsing import check_shape
from gridtide_pipelines.ingest.source import (
    Body,
    Credentials,
    Group,
    Kind,
    Parameter,
    Query,
    Request,
    Source,
)
from gridtide_pipelines.ingest.statements import read_answer, rows_of
from gridtide_pipelines.ingest.weather import LEADS, ZERO_CELSIUS, finite, weather_readings
from gridtide_pipelines.ingest.weather_points import FEW_POINTS, Floats, few_points, zones

NAME: Final = "open_meteo"
MODEL: Final = "gfs_global"
ABOUT: Final = "/data/ncep_gfs013/static/meta.json"
RUN: Final = "last_run_initialisation_time"
MOST: Final = 150  # points of one request
# Ours, theirs, their unit, the hours until the lead time that are read, and how: the mean of
# three instants or hours, or their sum; then what is added.
HOURLY: Final = (
    ("wind_speed_m_s", "wind_speed_10m", "m/s", 1, 1, 0.0),
    ("wind_speed_100m_m_s", "wind_speed_100m", "m/s", 1, 1, 0.0),
    ("temp_k", "temperature_2m", "°C", 1, 1, ZERO_CELSIUS),
    ("dewpoint_k", "dew_point_2m", "°C", 1, 1, ZERO_CELSIUS),
    ("dswrf_w_m2", "shortwave_radiation", "W/m²", 3, 3, 0.0),
    ("precip_mm", "precipitation", "mm", 3, 1, 0.0),
    ("cloud_pct", "cloud_cover", "%", 3, 3, 0.0),
)


def requests(query: Query) -> Sequence[Group]:
    """Return groups of zones: about the model's run, their points, and the run again."""
    groups: list[list[str]] = [[]]
    room = MOST
    for zone in query.zones:
        size = len(few_points().of_zone(zone))
        if size > room:
            groups.append([])
            room = MOST
        groups[-1].append(zone)
        room -= size
    return [_group(query.kind, tuple(mine)) for mine in groups if mine]


def _group(kind: Kind, mine: tuple[str, ...]) -> Group:
    places, at = few_points(), _locations_of(mine)
    form = (
        ("latitude", ",".join(f"{places.lat[each]:.4f}" for each in at)),
        ("longitude", ",".join(f"{places.lon[each]:.4f}" for each in at)),
        ("hourly", ",".join(theirs for _, theirs, *_ in HOURLY)),
        ("models", MODEL),
        ("timezone", "GMT"),
        ("timeformat", "unixtime"),
        ("wind_speed_unit", "ms"),
        ("past_days", "1"),
        ("forecast_days", "6"),
        ("cell_selection", "nearest"),
        ("elevation", ",".join("nan" for _ in at)),  # one a point, else it answers 400
    )
    before = Request("GET", ABOUT, (), kind, mine)
    again = Request("GET", ABOUT, (), kind, mine, headers=(("Cache-Control", "no-cache"),))
    return [before, Request("POST", "/v1/forecast", (), kind, mine, form=form), again]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse the means of each zone from the points of one request and the run they are of."""
    with check_shape(NAME):
        runs, points = [], dict[int, Mapping[int, Mapping[str, Any]]]()
        for body in bodies:
            document = read_answer(body.content)
            if isinstance(document, dict) and RUN in document:
                runs.append(_moment(document[RUN]))
            elif body.request.path == ABOUT:
                raise NothingYet(NAME, f"the answer about the model has no {RUN}")
            elif document is not None:
                points |= _by_place(document, body.request.zones)
        if not points:
            raise NothingYet(NAME, "the answer has no forecast")
        if not runs:
            raise ValueError(f"no answer about the model, with {RUN}")
        if len(set(runs)) > 1:
            raise NothingYet(NAME, "a new run came in while the points were requested")
        size = len(few_points().lat)
        at: dict[tuple[int, str], Floats] = defaultdict(lambda: np.full(size, np.nan))
        for place, hours in points.items():
            for lead in LEADS:
                end = int((runs[0] + timedelta(hours=lead)).timestamp())
                for quantity, value in _values(hours, end).items():
                    at[lead, quantity][place] = value
        wanted = {zone for body in bodies for zone in body.request.zones}
        return weather_readings(NAME, runs[0], at, wanted, few_points())


def _locations_of(mine: Sequence[str]) -> list[int]:
    """Return the points of zones in the order of the request."""
    return [each for zone in mine for each in few_points().of_zone(zone)]


def _moment(value: object) -> datetime:
    seconds = finite(value)
    if seconds is None:
        raise ValueError("a model without a run")
    return datetime.fromtimestamp(seconds, UTC)


def _by_place(
    document: object, mine: Sequence[str]
) -> dict[int, Mapping[int, Mapping[str, Any]]]:
    """Return the hours of each point, by our number of it."""
    answers = [document] if isinstance(document, dict) else rows_of(document)
    at = _locations_of(mine or sorted(zones()))
    if mine and len(answers) != len(at):
        raise ValueError(f"{len(answers)} points in answer to {len(at)}")
    found: dict[int, Mapping[int, Mapping[str, Any]]] = {}
    for place, answer in zip(at, answers, strict=False):
        units, hourly = answer["hourly_units"], answer["hourly"]
        for _, theirs, unit, *_ in HOURLY:
            if theirs in units and units[theirs] != unit:
                raise ValueError(f"{theirs} in {units[theirs]!r} in place of {unit!r}")
        if units["time"] != "unixtime":
            raise ValueError(f"times as {units['time']!r} in place of unixtime")
        times = [int(finite(each) or 0) for each in rows_of(hourly["time"])]
        columns = {
            theirs: [finite(each) for each in rows_of(hourly[theirs])]
            for _, theirs, *_ in HOURLY
            if theirs in hourly
        }
        rows = zip(*columns.values(), strict=True)
        found[place] = {
            time: dict(zip(columns, row, strict=True))
            for time, row in zip(times, rows, strict=True)
        }
    return found


def _values(hours: Mapping[int, Mapping[str, float | None]], end: int) -> dict[str, float]:
    """Return what is known of our quantities at a lead time, in our units."""
    found = {}
    for ours, theirs, _, count, parts, added in HOURLY:
        read = [hours.get(end - 3600 * back, {}).get(theirs) for back in range(count)]
        known = [value for value in read if value is not None]
        if len(known) == count:
            found[ours] = sum(known) / parts + added
    return found


SOURCE = Source(
    name=NAME,
    title="Weather forecast, GFS",
    base_url="https://api.open-meteo.com",
    kinds=frozenset({Kind.WEATHER}),
    zones=zones(),
    requests=requests,
    parse=parse,
    weather=f"open_meteo_{MODEL}@{FEW_POINTS}",
    step=timedelta(hours=6),
    max_span=timedelta(hours=6),
    reach=timedelta(hours=6),
    refetch=(),
    lag=timedelta(hours=6),
    licence="CC BY 4.0; free hosts: non-commercial use",
    licence_url="https://open-meteo.com/en/terms",
    attribution="Weather data by Open-Meteo.com",
    credentials=Credentials(
        ("OPEN_METEO_API_KEY",),
        "https://open-meteo.com/en/pricing",
        Parameter("apikey"),
        optional=True,
    ),
    restricted=True,
    only_own_hosts=True,
    per_zone=True,
    min_interval=timedelta(seconds=6),
)
