"""Weather of single points from MET Norway: a stand-in for zones whose weather run is late.

Docs:       https://api.met.no/weatherapi/locationforecast/2.0/documentation
            https://docs.api.met.no/doc/TermsOfService
Licence:    NLOD 2.0 and CC BY 4.0; credit "Data from MET Norway".
Unit:       m/s at 10 m, degrees C at 2 m, percent, mm in the hour that follows a time.
Slots:      instants every hour, after some days every 6 h; 9 to 10 days ahead.
Limits:     20 requests/s of an application, at most 4 decimals of a coordinate, a User-Agent
            that names a contact; not again before Expires, then with If-Modified-Since.
            Requested 5 times a second, for at most 5 points a zone.
Revisions:  none, and no past: `updated_at` is when the forecast was made, not the run of a
            model. Its hour counts as the time of issue.
Quirks:     Radiation and wind at 100 m are not published: null. An hour of rain is stated at
            its beginning. Beyond the hourly part only instants at the lead time are read.
Last seen:  2026-11 (written, from the publisher's description).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import polars as pl

from gridtide_pipelines.errors import NothingYet
from gridtide_pipelines.ingest.headers import user_agent
from gridtide_pipelines.ingest.parsing import check_shape
from gridtide_pipelines.ingest.source import (
    Body,
    Credentials,
    Group,
    Header,
    Kind,
    Query,
    Request,
    Source,
)
from gridtide_pipelines.ingest.statements import instant, read_answer, rows_of
from gridtide_pipelines.ingest.weather import LEADS, ZERO_CELSIUS, finite, weather_readings
from gridtide_pipelines.ingest.weather_points import FEW_POINTS, Floats, few_points, zones

NAME: Final = "met_norway"
HOUR: Final = timedelta(hours=1)
UNITS: Final = {
    "air_temperature": "celsius",
    "dew_point_temperature": "celsius",
    "wind_speed": "m/s",
    "cloud_area_fraction": "%",
    "precipitation_amount": "mm",
}
NEAR: Final = 0.01  # degrees between a point and the one that was requested

# What a point has at a time: values by the publisher's names, with the rain of the next hour.
Hours = Mapping[datetime, Mapping[str, float | None]]


def requests(query: Query) -> Sequence[Group]:
    """Return the requests for the points of each zone."""
    places = few_points()
    return [
        [
            Request(
                "GET",
                "/weatherapi/locationforecast/2.0/complete",
                (("lat", f"{places.lat[at]:.4f}"), ("lon", f"{places.lon[at]:.4f}")),
                query.kind,
                (zone,),
            )
            for at in places.of_zone(zone)
        ]
        for zone in query.zones
    ]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse the means of each zone of which all points are there."""
    with check_shape(NAME):
        found = {}
        for body in bodies:
            document = read_answer(body.content)
            if document is not None:
                found[_location(body, document)] = document["properties"]
        if not found:
            raise NothingYet(NAME, "the answer has no forecast")
        made = max(instant(each["meta"]["updated_at"]) for each in found.values())
        issued_at = made.replace(minute=0, second=0, microsecond=0)
        size = len(few_points().lat)
        at: dict[tuple[int, str], Floats] = defaultdict(lambda: np.full(size, np.nan))
        for place, properties in found.items():
            hours = _hours(properties)
            for lead in LEADS:
                for quantity, value in _values(hours, issued_at + lead * HOUR).items():
                    at[lead, quantity][place] = value
        wanted = {zone for body in bodies for zone in body.request.zones}
        return weather_readings(NAME, issued_at, at, wanted, few_points())


def _location(body: Body, document: Mapping[str, Any]) -> int:
    """Return which of the points a forecast is of.

    Raises:
        ValueError: none, or not the one that was requested.
    """
    lon, lat = (finite(each) for each in document["geometry"]["coordinates"][:2])
    if lat is None or lon is None:
        raise ValueError("a forecast without coordinates")
    requested = dict(body.request.params)
    if (
        "lat" in requested
        and max(abs(float(requested["lat"]) - lat), abs(float(requested["lon"]) - lon)) > NEAR
    ):
        raise ValueError(
            f"a forecast of {lat}, {lon} in place of {requested['lat']}, {requested['lon']}"
        )
    places = few_points()
    away = np.maximum(np.abs(places.lat - lat), np.abs(places.lon - lon))
    if not away.min() <= NEAR:
        raise ValueError(f"a forecast of {lat}, {lon}, which is not a point of a zone")
    return int(away.argmin())


def _hours(properties: Mapping[str, Any]) -> Hours:
    """Return what is stated by time; the units are those that are read."""
    units = properties["meta"]["units"]
    for name, unit in UNITS.items():
        if units.get(name, unit) != unit:
            raise ValueError(f"{name} in {units[name]!r} in place of {unit!r}")
    found = {}
    for row in rows_of(properties["timeseries"]):
        data = row["data"]
        stated = {**data["instant"]["details"]}
        stated["rain"] = (
            data.get("next_1_hours", {}).get("details", {}).get("precipitation_amount")
        )
        found[instant(row["time"])] = {
            name: finite(stated.get(name)) for name in (*UNITS, "rain")
        }
    return found


def _values(hours: Hours, time: datetime) -> dict[str, float]:
    """Return what is known of our quantities at a lead time, in our units."""

    def at(name: str, before: int = 0) -> float | None:
        return hours.get(time - before * HOUR, {}).get(name)

    found: dict[str, float | None] = {"wind_speed_m_s": at("wind_speed")}
    for quantity, name in (
        ("temp_k", "air_temperature"),
        ("dewpoint_k", "dew_point_temperature"),
    ):
        warm = at(name)
        found[quantity] = None if warm is None else warm + ZERO_CELSIUS
    clouds = [at("cloud_area_fraction", each) for each in (2, 1, 0)]
    rain = [at("rain", each) for each in (3, 2, 1)]  # each of the hour that follows
    found["cloud_pct"] = _sum(clouds, 3)
    found["precip_mm"] = _sum(rain, 1)
    return {name: value for name, value in found.items() if value is not None}


def _sum(values: Sequence[float | None], parts: int) -> float | None:
    """Return the sum of `values` by `parts`; None where one is missing."""
    known = [value for value in values if value is not None]
    return sum(known) / parts if len(known) == len(values) else None


SOURCE = Source(
    name=NAME,
    title="Locationforecast",
    base_url="https://api.met.no",
    kinds=frozenset({Kind.WEATHER}),
    zones=zones(),
    requests=requests,
    parse=parse,
    weather=f"met_norway@{FEW_POINTS}",
    step=timedelta(hours=6),
    max_span=timedelta(hours=6),
    reach=timedelta(hours=6),
    refetch=(),
    lag=timedelta(hours=3),
    licence="NLOD 2.0 and CC BY 4.0",
    licence_url="https://api.met.no/doc/License",
    attribution="Data from MET Norway",
    credentials=Credentials(
        ("MET_NORWAY_CONTACT",),
        "https://docs.api.met.no/doc/TermsOfService",
        Header("User-Agent", prefix=f"{user_agent()} "),
        remedy="set it to your mail address or web page, which each request names; see",
    ),
    readable=frozenset({304}),
    cached=True,
    per_zone=True,
    min_interval=timedelta(milliseconds=200),
)
