"""Energy-Charts simulated: arrays of generation, load, flows and forecasts of a country."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Final

import numpy as np

from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.energy_charts import (
    AT_SEA,
    FORECASTS,
    HOUR,
    MISSING,
    NAMES,
    QUARTER,
    SOURCE,
    WINDS,
)
from gridtide_pipelines.ingest.sources.entsoe_areas import borders
from gridtide_pipelines.ingest.statements import instant
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.publishers.entsoe import IN_QUARTERS
from gridtide_pipelines.replay.values import (
    ahead,
    both_directions,
    by_codes,
    demand,
    end_of_tomorrow,
    flow,
    grid_of,
    mix,
)
from gridtide_store.vocabulary import GENERATION

FUELS: Final = {
    "biomass": "Biomass",
    "coal": "Fossil hard coal",
    "gas": "Fossil gas",
    "geothermal": "Geothermal",
    "hydro": "Hydro Run-of-River",
    "hydro_storage": "Hydro pumped storage",
    "nuclear": "Nuclear",
    "oil": "Fossil oil",
    "solar": "Solar",
}
WIND_TYPES: Final = ("Wind onshore", "Wind offshore")
STORED, PUMPED = "Hydro pumped storage", "Hydro pumped storage consumption"
KINDS: Final = {
    "/cbpf": Kind.FLOW,
    "/public_power": Kind.GENERATION,
    "/public_power_forecast": Kind.FORECAST,
}
ZONES: Final = {code: zone for zone, code in SOURCE.codes.items()}
COUNTRIES: Final = {zone: name for name, zone in NAMES.items() if zone in ZONES.values()}


def kind_of(request: Request) -> Kind | None:
    """Return the kind by the path."""
    return KINDS.get(request.path)


def zones_of(request: Request) -> Sequence[str]:
    """Return the country that is requested."""
    code = dict(request.params).get("country", "")
    return [ZONES[code]] if code in ZONES else []


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the arrays of the slots that are over, of forecasts those until tomorrow."""
    zone, params = zones[0], dict(request.params)
    start, end = instant(params["start"]), instant(params["end"])
    length = QUARTER if zone in IN_QUARTERS else HOUR
    if request.path == "/public_power_forecast":
        until = min(end, end_of_tomorrow(now))
        return _forecast(zone, params["production_type"], start, until, length)
    if request.path == "/cbpf":
        starts = mix(zone, start, min(end, now), HOUR)["start"].to_list()
        flows = {COUNTRIES[each]: flow(each, zone, starts) for each in neighbours(zone)}
        columns = {name: np.round(mw / 1000, 4).tolist() for name, mw in flows.items()}
        return _arrays(starts, countries=_named(columns))
    return _generation(zone, start, min(end, now), length)


def _generation(zone: str, start: datetime, end: datetime, length: timedelta) -> Reply:
    """Return the production types of a country, those that it has, and the load."""
    types = {**FUELS, "wind": WIND_TYPES if zone in AT_SEA else WIND_TYPES[:1]}
    codes = {fuel: types[fuel] for fuel in grid_of(zone).capacity_mw if fuel in types}
    starts, found = by_codes(zone, start, end, length, codes, "Others")
    values = {**found, "Load": demand(mix(zone, start, end, length)).round(1).tolist()}
    if STORED in values:
        values[STORED], values[PUMPED] = both_directions(values[STORED])
    return _arrays(starts, production_types=_named(values))


def _forecast(zone: str, code: str, start: datetime, end: datetime, length: timedelta) -> Reply:
    """Return a forecast of the load or a fuel; wind is halved where turbines stand at sea."""
    if code not in FORECASTS or (code == WINDS[0] and zone not in AT_SEA):
        return NOT_PUBLISHED
    starts, values = ahead(zone, FORECASTS[code].removeprefix(GENERATION), start, end, length)
    if code in WINDS and zone in AT_SEA:
        values = [value / 2 for value in values]
    about = {"production_type": code, "forecast_type": "day-ahead"}
    return _arrays(starts, forecast_values=values, **about)


@cache
def neighbours(zone: str) -> Sequence[str]:
    """Return the countries of one zone that a country exchanges power with."""
    ends = {end for pair, _ in borders() if zone in pair for end in pair}
    return sorted((ends - {zone}) & COUNTRIES.keys())


def _named(columns: Mapping[str, Sequence[float]]) -> list[dict[str, object]]:
    return [{"name": name, "data": values} for name, values in columns.items()]


def _arrays(starts: Sequence[datetime], **more: object) -> Reply:
    seconds = [int(each.timestamp()) for each in starts]
    return json_reply({"unix_seconds": seconds, **more, "deprecated": False})


NOT_PUBLISHED: Final = json_reply({"detail": "no data for this type"}, MISSING)
PUBLISHER: Final[Publisher] = zone_publisher(
    SOURCE, render, _arrays([], production_types=[]), zones_of, kind_of
)
