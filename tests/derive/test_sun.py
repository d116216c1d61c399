"""The sun's elevation, against printed values and geometry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from gridtide_pipelines.derive.sun import daylight, elevation


def height(moment: datetime, lat: float, lon: float) -> float:
    frame = pl.DataFrame({"at": [moment]}, schema={"at": pl.Datetime("us", "UTC")})
    value = frame.select(elevation(pl.col("at"), pl.lit(lat), pl.lit(lon))).item()
    assert isinstance(value, float)
    return value


@pytest.mark.parametrize(
    ("moment", "lat", "lon", "degrees"),
    [
        # NREL, Solar Position Algorithm (2008), Table A5.1: zenith 50.11162, refracted by 0.02.
        (datetime(2003, 10, 17, 19, 30, 30, tzinfo=UTC), 39.742476, -105.1786, 39.872),
        # At the solstices the sun stands 23.44 degrees from the equator.
        (datetime(2026, 6, 21, 12, 2, tzinfo=UTC), 51.48, 0.0, 90 - 51.48 + 23.44),
        (datetime(2026, 12, 21, 0, 0, tzinfo=UTC), 51.48, 0.0, 51.48 - 90 - 23.44),
        (datetime(2026, 12, 21, 2, 0, tzinfo=UTC), -36.85, 150.0, 90 - 36.85 + 23.44),
    ],
)
def test_the_elevation_is_the_printed_one(
    moment: datetime, lat: float, lon: float, degrees: float
) -> None:
    assert height(moment, lat, lon) == pytest.approx(degrees, abs=0.1)


def test_a_slot_is_night_or_day_only_as_a_whole_and_an_unlisted_zone_is_neither() -> None:
    day = datetime(2026, 3, 1, tzinfo=UTC)
    hours = [day + timedelta(hours=h) for h in range(24)]
    slots = pl.DataFrame(
        {
            "zone": ["DE"] * 25 + ["nowhere"],
            "slot_start": [*hours, day, day],
            "slot_end": [*(h + timedelta(hours=1) for h in hours), *[day + timedelta(1)] * 2],
        },
        schema_overrides={n: pl.Datetime("us", "UTC") for n in ("slot_start", "slot_end")},
    )
    found = daylight(slots).select("night", "day").rows()
    # By hand from the elevation of -12 (04:50 and 18:10) and +12 degrees (07:40 and 15:25).
    for hour, (night, light) in enumerate(found[:24]):
        assert night == (hour < 4 or hour >= 19), hour
        assert light == (8 <= hour < 15), hour
    assert found[24:] == [(False, False)] * 2
