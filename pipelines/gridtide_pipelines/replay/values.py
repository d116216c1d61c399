"""Values of the simulated grid under the names of all zones: mix, demand, flows, prices. Pure.

Every value depends on the zone and the slot alone, as in `simulation.grid`. A zone that is not
among its grids has the mix of the nearest one and a fiftieth of its size; no figure is a claim
about a real zone.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Final, TypeAlias

import numpy as np
import polars as pl

from gridtide_pipelines.forecast.forecaster import Floats
from gridtide_pipelines.simulation.grid import Grid, simulate, smooth
from gridtide_pipelines.simulation.zones import GRIDS
from gridtide_store import catalogue
from gridtide_store.vocabulary import INSTANT

Series: TypeAlias = tuple[Sequence[datetime], Sequence[float]]  # starts and values

EDGES: Final = ("start", "end")
# Fuels that make a slot dear.
DISPATCHED: Final = ("gas", "coal", "oil")
# About gCO2 per kWh at the stack.
EMITTED: Final[Mapping[str, float]] = {"coal": 900.0, "gas": 400.0, "oil": 700.0}
PART: Final = 0.02  # of the size of the nearest grid
TIE_MW: Final = 400.0  # about as much flows over a border
FORECAST_ERROR: Final = 0.05  # of a forecast a day ahead, a fraction


@cache
def grid_of(zone: str) -> Grid:
    """Return the simulated grid under the name of a zone of the catalogue.

    Where none of `GRIDS` has that name it is like the nearest one, with weather of its own.
    """
    record = catalogue.load().zones[zone]

    def distance(grid: Grid) -> tuple[bool, float]:
        turn = abs(grid.lon - record.lon)
        return grid.zone != zone, (grid.lat - record.lat) ** 2 + min(turn, 360 - turn) ** 2

    nearest = min(GRIDS, key=distance)
    if nearest.zone == zone:
        return nearest
    return replace(
        nearest,
        zone=zone,
        timezone=record.timezone,
        lat=record.lat,
        lon=record.lon,
        demand_mw=nearest.demand_mw * PART,
        capacity_mw={fuel: mw * PART for fuel, mw in nearest.capacity_mw.items()},
    )


@lru_cache(maxsize=256)
def mix(zone: str, start: datetime, end: datetime, length: timedelta) -> pl.DataFrame:
    """Return start, end and MW by fuel of the slots that lie within ``[start, end)``."""
    return simulate(grid_of(zone), start, end, length).filter(pl.col("end") <= end)


def by_codes(
    zone: str,
    start: datetime,
    end: datetime,
    length: timedelta,
    codes: Mapping[str, Sequence[str]],
    rest: str,
) -> tuple[Sequence[datetime], dict[str, Sequence[float]]]:
    """Return the starts of the slots of a mix, and MW by the codes of a publisher.

    Args:
        codes: the publisher's code of each fuel that it has; several of one have equal parts.
        rest: the code that also takes the fuels that it does not have.
    """
    slots = mix(zone, start, end, length)
    of = {fuel: (code,) if isinstance(code, str) else code for fuel, code in codes.items()}
    found = {code: np.zeros(slots.height) for each in of.values() for code in each}
    for fuel in slots.drop(EDGES).columns:
        mine = of.get(fuel, (rest,))
        for code in mine:
            found[code] = found.get(code, 0.0) + slots[fuel].to_numpy() / len(mine)
    return slots["start"].to_list(), {
        code: np.round(values, 1).tolist() for code, values in found.items()
    }


def by_slot(
    starts: Sequence[datetime], values: Mapping[str, Sequence[float]]
) -> Iterator[tuple[datetime, dict[str, float]]]:
    """Yield the start of each slot with its values by code."""
    for row, start in enumerate(starts):
        yield start, {code: column[row] for code, column in values.items()}


def both_directions(values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return what a store gives, and what it takes, which is negative."""
    return [max(each, 0.0) for each in values], [min(each, 0.0) for each in values]


def load(zone: str, start: datetime, end: datetime, length: timedelta) -> Series:
    """Return the load of the slots that lie within ``[start, end)``, MW."""
    slots = mix(zone, start, end, length)
    return slots["start"].to_list(), demand(slots).round(1).tolist()


def ahead(zone: str, name: str, start: datetime, end: datetime, length: timedelta) -> Series:
    """Return what was forecast a day ahead of the load or a fuel of a zone, MW.

    Args:
        name: ``load`` or a fuel; one that the zone does not have is 0 throughout.
    """
    slots = mix(zone, start, end, length)
    starts = slots["start"].to_list()
    if name == "load":
        actual = demand(slots)
    else:
        actual = slots[name].to_numpy() if name in slots.columns else np.zeros(slots.height)
    return starts, expected(zone, name, actual, starts).round(1).tolist()


def prices(zone: str, start: datetime, end: datetime, length: timedelta) -> Series:
    """Return the day-ahead price of the slots that lie within ``[start, end)``, per MWh."""
    slots = mix(zone, start, end, length)
    return slots["start"].to_list(), price(slots).tolist()


def labels(
    times: Sequence[datetime], stamp: str, timezone: str | timedelta = timedelta(0)
) -> list[str]:
    """Return the labels of times as publishers write them; months are in English everywhere.

    Args:
        timezone: IANA name, or the offset from UTC of a publisher that keeps one all year.
    """
    instants = pl.Series(times, dtype=INSTANT)
    if isinstance(timezone, timedelta):
        local = instants + timezone
    else:
        local = instants.dt.convert_time_zone(timezone)
    return local.dt.to_string(stamp).to_list()


def newest(now: datetime, length: timedelta, count: int = 1) -> tuple[datetime, datetime]:
    """Return start and end of the last `count` slots that are over."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    end = midnight + (now - midnight) // length * length
    return end - count * length, end


def demand(slots: pl.DataFrame) -> Floats:
    """Return the demand in the slots of a mix, MW: what is generated."""
    total: Floats = slots.drop(EDGES).sum_horizontal().to_numpy()
    return np.maximum(total, 0.0)


def price(slots: pl.DataFrame) -> Floats:
    """Return a day-ahead price in the slots of a mix, per MWh: dear where fuel is burned."""
    burned = [pl.lit(0.0), *(pl.col(each) for each in DISPATCHED if each in slots.columns)]
    total = slots.select(pl.sum_horizontal(burned)).to_series().to_numpy()
    share = total / np.maximum(demand(slots), 1.0)
    return np.round(-10.0 + 160.0 * np.clip(share, 0.0, 1.0), 2)


def intensity(slots: pl.DataFrame) -> Floats:
    """Return the direct emissions in the slots of a mix, gCO2 per kWh of what is generated."""
    burned = np.zeros(slots.height)
    for fuel, factor in EMITTED.items():
        if fuel in slots.columns:
            burned += factor * slots[fuel].to_numpy()
    return np.round(burned / np.maximum(demand(slots), 1.0), 1)


def end_of_tomorrow(now: datetime) -> datetime:
    """Return the midnight, UTC, until which forecasts a day ahead reach."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)


def flow(source: str, target: str, starts: Sequence[datetime]) -> Floats:
    """Return MW from one zone to another, negative against the arrow, by start of slot."""
    first, second = sorted((source, target))
    along = TIE_MW * _noise(f"{first}->{second}", starts, 8, 50)
    return along if source == first else -along


def expected(zone: str, name: str, actual: Floats, starts: Sequence[datetime]) -> Floats:
    """Return what was forecast a day ahead for actual values of a zone."""
    return actual * (1.0 + FORECAST_ERROR * _noise(f"{zone} {name}", starts, 6, 30))


def _noise(name: str, starts: Sequence[datetime], *hours: float) -> Floats:
    moments = np.array([int(each.timestamp()) for each in starts], dtype=np.int64)
    return smooth(zlib.crc32(name.encode()), moments, *hours)
