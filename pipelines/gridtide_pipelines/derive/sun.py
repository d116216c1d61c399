"""The sun's elevation over a zone: whether solar power that is left out can be zero. Pure."""

from __future__ import annotations

import math
from typing import Final

import polars as pl

from gridtide_store import catalogue

# Of a zone one point in its middle is known. The sun stands at most as many degrees higher
# elsewhere as that location is away: 12 degrees are 1,330 km, and the sun gives no power at the
# end of nautical twilight. Below -MARGIN it is night in all of the zone, above MARGIN day.
MARGIN: Final = 12.0  # degrees

DEGREE: Final = math.pi / 180
J2000: Final = 10_957.5  # days from 1970 to 2000-01-01T12:00Z


def elevation(moment: pl.Expr, lat: pl.Expr, lon: pl.Expr) -> pl.Expr:
    """Return the degrees of the sun's centre above the horizon, without refraction.

    Low-precision formulas of the Astronomical Almanac (page C5), good to 0.01 degrees from 1950
    to 2050.

    Args:
        moment: in UTC, microseconds.
        lat: degrees, north positive.
        lon: degrees, east positive.
    """
    days = moment.dt.timestamp("us") / 86_400e6 - J2000
    mean = (280.460 + 0.9856474 * days) % 360
    anomaly = (357.528 + 0.9856003 * days) * DEGREE
    ecliptic = (mean + 1.915 * anomaly.sin() + 0.020 * (2 * anomaly).sin()) * DEGREE
    tilt = (23.439 - 4e-7 * days) * DEGREE
    ascension = pl.arctan2(tilt.cos() * ecliptic.sin(), ecliptic.cos())
    declination = (tilt.sin() * ecliptic.sin()).arcsin()
    sidereal = (280.46061837 + 360.98564736629 * days + lon) % 360 * DEGREE
    latitude = lat * DEGREE
    height = latitude.sin() * declination.sin() + (
        latitude.cos() * declination.cos() * (sidereal - ascension).cos()
    )
    return height.clip(-1, 1).arcsin() / DEGREE


def daylight(slots: pl.DataFrame) -> pl.DataFrame:
    """Return `slots` with ``night`` and ``day``: whether the sun is down, or up, everywhere.

    Both are false near sunrise and sunset, and for a zone that is not in the catalogue.

    Args:
        slots: zone, slot_start, slot_end.
    """
    zones = catalogue.load()
    found = [(name, zones.find(name)) for name in slots["zone"].unique()]
    points = pl.DataFrame(
        [(name, zone.lat, zone.lon) for name, zone in found if zone is not None],
        schema={"zone": pl.String, "lat": pl.Float64, "lon": pl.Float64},
        orient="row",
    )
    start, end = pl.col("slot_start"), pl.col("slot_end")
    moments = (start, start + (end - start) / 2, end)
    heights = {
        f"height_{number}": elevation(moment, pl.col("lat"), pl.col("lon"))
        for number, moment in enumerate(moments)
    }
    return (
        slots.join(points, on="zone", how="left", maintain_order="left")
        .with_columns(**heights)  # by themselves, as each is used twice
        .with_columns(
            (pl.max_horizontal(*heights) < -MARGIN).fill_null(value=False).alias("night"),
            (pl.min_horizontal(*heights) > MARGIN).fill_null(value=False).alias("day"),
        )
        .drop("lat", "lon", *heights)
    )
