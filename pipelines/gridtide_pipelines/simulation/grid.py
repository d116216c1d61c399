"""A simulated grid: demand, sun, wind and dispatch by fuel. Pure and the same every time.

Every value depends on the zone and the moment alone, so that any span can be requested, in
any order, and spans fit together. Nothing is integrated over time: weather is smooth noise
between hashed knots, storage follows a daily timetable. It resembles a grid; it is not a
real one.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from gridtide_pipelines.forecast.forecaster import Floats, Ints

Knots: TypeAlias = npt.NDArray[np.uint64]

HOUR_S, DAY_S = 3600, 86_400
YEAR_DAYS = 365.25
STEADY = {"nuclear": 0.93, "biomass": 0.7, "geothermal": 0.85}
# A plant that is not the last to be called leaves this part of the rest to those behind it.
CALLED = 0.85

# Part of its power that storage gives (positive) or takes at each local hour: it takes at
# night and at noon, gives in the morning and the evening, and loses a fifth.
TIMETABLE = np.array([
    -0.2, -0.5, -0.7, -0.7, -0.4, 0, 0.3, 0.5, 0.2, 0, -0.3, -0.6,
    -0.7, -0.6, -0.3, 0, 0.3, 0.7, 0.9, 0.8, 0.4, 0, 0, -0.1,
])  # fmt: skip
STORES = ("hydro_storage", "battery_storage")


@dataclass(frozen=True, slots=True)
class Grid:
    """Size and plants of a simulated zone.

    Attributes:
        demand_mw: its yearly mean.
        winter: how much demand rises in midwinter, a fraction; `summer` likewise.
        capacity_mw: by fuel.
        dispatched: fuels called to meet what the others leave, in order; the last one meets
            all the rest.
        step: length of its slots.
    """

    zone: str
    timezone: str
    lat: float
    lon: float
    demand_mw: float
    capacity_mw: Mapping[str, float]
    dispatched: tuple[str, ...]
    winter: float = 0.1
    summer: float = 0.0
    step: timedelta = timedelta(hours=1)


def simulate(
    grid: Grid, start: datetime, end: datetime, step: timedelta | None = None
) -> pl.DataFrame:
    """Simulate the mean power by fuel of every slot that starts in ``[start, end)``, in order.

    Values are those of the middle of the slot.

    Args:
        step: instead of the grid's own; a whole number of seconds.

    Returns:
        start, end and one column a fuel in MW; storage positive when it discharges.
    """
    length = int((step or grid.step).total_seconds())
    first, last = (math.ceil(moment.timestamp() / length) for moment in (start, end))
    starts = np.arange(first, last) * length
    power = _dispatch(grid, starts + length // 2)
    begin = pl.Series("start", starts * 1_000_000).cast(pl.Datetime("us", "UTC"))
    return pl.DataFrame(
        {
            "start": begin,
            "end": begin + timedelta(seconds=length),
            **{fuel: np.round(mw, 1) for fuel, mw in power.items()},
        }
    )


def sun(lat: float, lon: float, moments: Ints) -> Floats:
    """Return the sine of the sun's elevation, negative at night.

    Declination and equation of time after Duffie and Beckman, Solar Engineering of Thermal
    Processes, eq. 1.6.1a and 1.5.3 (Spencer's short form); good to about a degree.
    """
    day = _day_of_year(moments)
    angle = math.tau * (day - 81) / YEAR_DAYS
    declination = math.radians(23.45) * np.sin(angle)
    correction_min = 9.87 * np.sin(2 * angle) - 7.53 * np.cos(angle) - 1.5 * np.sin(angle)
    hour = moments % DAY_S / HOUR_S + lon / 15 + correction_min / 60
    turn = math.tau * (hour - 12) / 24
    high = math.sin(math.radians(lat)) * np.sin(declination)
    swing: Floats = math.cos(math.radians(lat)) * np.cos(declination) * np.cos(turn)
    return high + swing


def smooth(seed: int, moments: Ints, *hours: float) -> Floats:
    """Return noise of mean 0 and variance 1 that changes over each of these spans alike."""
    total = np.zeros(len(moments))
    if not len(moments):
        return total
    for octave, span in enumerate(hours):
        place = moments / (span * HOUR_S)
        knot = np.floor(place).astype(np.int64)
        part = place - knot
        turn = math.pi / 2 * part * part * (3 - 2 * part)
        first = knot.min()
        drawn = _hashed(seed * 31 + octave, np.arange(first, knot.max() + 2))
        # Cosine and sine as weights keep the variance even between the knots.
        total += np.cos(turn) * drawn[knot - first] + np.sin(turn) * drawn[knot - first + 1]
    return total / math.sqrt(len(hours))


def _dispatch(grid: Grid, moments: Ints) -> dict[str, Floats]:
    seed = zlib.crc32(grid.zone.encode())
    winter = _winter(grid.lat, moments)
    hour, weekday = _local(grid.timezone, moments)
    power = {
        fuel: np.maximum(grid.capacity_mw[fuel] * level * (1 + 0.04 * slow), 0.0)
        for fuel, level in STEADY.items()
        if fuel in grid.capacity_mw
        for slow in (smooth(seed + 1, moments, 500),)
    }
    if "hydro" in grid.capacity_mw and "hydro" not in grid.dispatched:
        wet = 0.45 + 0.12 * smooth(seed + 2, moments, 700) - 0.1 * winter
        power["hydro"] = grid.capacity_mw["hydro"] * np.clip(wet, 0.1, 0.9)
    for store in STORES:
        if store in grid.capacity_mw:
            mood = 0.7 + 0.2 * smooth(seed + 3, moments // DAY_S * DAY_S, 48)
            power[store] = grid.capacity_mw[store] * TIMETABLE[hour] * np.clip(mood, 0.2, 1.0)
    wanted = _demand(grid, seed, moments, winter, hour, weekday) - sum(power.values())
    free = _weather(grid, seed, moments, winter)
    offered = np.maximum(sum(free.values(), np.zeros(len(moments))), 1e-9)
    taken = np.clip(wanted / offered, 0.0, 1.0)
    power |= {fuel: mw * taken for fuel, mw in free.items()}
    rest = np.maximum(wanted - offered * taken, 0.0)
    for fuel in grid.dispatched[:-1]:
        power[fuel] = np.minimum(grid.capacity_mw[fuel], rest * CALLED)
        rest = rest - power[fuel]
    power[grid.dispatched[-1]] = rest
    return power


def _demand(
    grid: Grid, seed: int, moments: Ints, winter: Floats, hour: Ints, weekday: Ints
) -> Floats:
    clock = math.tau * (hour + moments % HOUR_S / HOUR_S) / 24
    daily = -0.12 * np.cos(clock - math.tau * 3 / 24) - 0.04 * np.cos(2 * clock - 1.0)
    season = grid.winter * np.maximum(winter, 0) + grid.summer * np.maximum(-winter, 0)
    weekend = np.where(weekday >= 6, -0.1 * np.sin(clock / 2), 0.0)
    whim = 0.02 * smooth(seed + 4, moments, 12, 72)
    return grid.demand_mw * (1 + daily + season + weekend + whim)


def _weather(grid: Grid, seed: int, moments: Ints, winter: Floats) -> dict[str, Floats]:
    """Return what wind and sun could generate."""
    free = {}
    if "wind" in grid.capacity_mw:
        gust = -1.0 + 0.3 * winter + 1.3 * smooth(seed + 5, moments, 18, 60, 160)
        free["wind"] = grid.capacity_mw["wind"] * 0.9 / (1 + np.exp(-gust))
    if "solar" in grid.capacity_mw:
        grey = (abs(grid.lat) - 45) / 12 + 0.4 * winter
        cloud = 1 / (1 + np.exp(-grey - 1.3 * smooth(seed + 6, moments, 5, 40, 120)))
        clear = np.maximum(sun(grid.lat, grid.lon, moments), 0) ** 1.2
        free["solar"] = grid.capacity_mw["solar"] * 0.85 * clear * (1 - 0.75 * cloud)
    return free


def _winter(lat: float, moments: Ints) -> Floats:
    """Return 1 in midwinter of that hemisphere, -1 in midsummer."""
    return math.copysign(1, lat) * np.cos(math.tau * (_day_of_year(moments) - 15) / YEAR_DAYS)


def _day_of_year(moments: Ints) -> Floats:
    epoch = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
    return (moments - epoch) / DAY_S % YEAR_DAYS + 1


def _local(timezone: str, moments: Ints) -> tuple[Ints, Ints]:
    """Return the local hour, and the weekday with Monday 1."""
    local = pl.Series(moments * 1_000_000).cast(pl.Datetime("us", "UTC"))
    local = local.dt.convert_time_zone(timezone)
    return (
        local.dt.hour().to_numpy().astype(np.int64),
        local.dt.weekday().to_numpy().astype(np.int64),
    )


def _hashed(salt: int, knots: Ints) -> Floats:
    """Return a number of mean 0 and variance 1 per knot: splitmix64, Steele et al., 2014."""
    mixed: Knots = knots.astype(np.uint64) + np.uint64(salt * 0x9E3779B97F4A7C15 % 2**64)
    mixed = (mixed + np.uint64(0x9E3779B97F4A7C15)) * np.uint64(1)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = mixed ^ (mixed >> np.uint64(31))
    return (mixed / 2.0**64 - 0.5) * math.sqrt(12)
