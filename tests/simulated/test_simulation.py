"""The simulated grid: the same every time, in pieces as in one, and shaped like a grid."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtide_pipelines.simulation.grid import TIMETABLE, Grid, simulate, smooth, sun
from gridtide_pipelines.simulation.zones import GRIDS, invent_zones
from gridtide_store import catalogue
from gridtide_store.vocabulary import FUELS

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EVERY = pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: grid.zone)
BY_ZONE = {grid.zone: grid for grid in GRIDS}


def hours_of(moment: datetime, count: int) -> np.ndarray:
    return int(moment.timestamp()) + 3600 * np.arange(count)


def total(frame: pl.DataFrame) -> pl.Series:
    return frame.select(pl.sum_horizontal(pl.exclude("start", "end"))).to_series()


def test_there_are_a_dozen_zones_in_four_areas_where_the_catalogue_has_them() -> None:
    assert len(GRIDS) == 12
    assert {"US", "CA", "AU", "DE"} <= {grid.zone[:2] for grid in GRIDS}
    for grid in GRIDS:
        record = catalogue.load().zones[grid.zone]
        assert grid.timezone == record.timezone
        assert abs(grid.lat - record.lat) < 0.1
        assert abs(grid.lon - record.lon) < 0.1
        assert set(grid.capacity_mw) <= set(FUELS)


@settings(deadline=None)
@given(
    grid=st.sampled_from(GRIDS),
    minutes=st.integers(0, 60 * 24 * 800),
    first=st.integers(1, 3000),
    second=st.integers(1, 3000),
)
def test_two_pieces_are_the_same_as_the_whole(
    grid: Grid, minutes: int, first: int, second: int
) -> None:
    start = START + timedelta(minutes=minutes)
    middle = start + grid.step * first
    end = middle + grid.step * second
    whole = simulate(grid, start, end)
    assert pl.concat([simulate(grid, start, middle), simulate(grid, middle, end)]).equals(whole)


@pytest.mark.parametrize(
    ("start", "end", "labels"),
    [
        (0, 60, [0]),
        (0, 61, [0, 60]),
        (1, 120, [60]),
        (30, 150, [60, 120]),
        (0, 0, []),
        (120, 60, []),
    ],
)
def test_slots_start_inside_and_are_labelled_by_start(
    start: int, end: int, labels: list[int]
) -> None:
    made = simulate(
        BY_ZONE["DE"], START + timedelta(minutes=start), START + timedelta(minutes=end)
    )
    assert made["start"].to_list() == [START + timedelta(minutes=m) for m in labels]
    assert (made["end"] - made["start"] == HOUR).all()


@EVERY
def test_supply_meets_demand_and_only_storage_is_ever_negative(grid: Grid) -> None:
    made = simulate(grid, START, START + 366 * DAY)
    plants = made.drop("start", "end", *(n for n in made.columns if n.endswith("_storage")))
    assert plants.select(pl.min_horizontal(pl.all().min())).item() >= 0
    met = total(made)
    assert met.min() > 0.5 * grid.demand_mw
    assert met.max() < 1.7 * grid.demand_mw
    assert abs(met.mean() / grid.demand_mw - 1) < 0.15
    for fuel, capacity in grid.capacity_mw.items():
        assert made[fuel].max() <= capacity * 1.15


@EVERY
def test_half_hours_average_to_nearly_the_hours(grid: Grid) -> None:
    hours = simulate(grid, START, START + 30 * DAY, HOUR)
    halves = simulate(grid, START, START + 30 * DAY, HOUR / 2)
    assert len(halves) == 2 * len(hours)
    paired = total(halves).to_numpy().reshape(-1, 2).mean(1)
    np.testing.assert_allclose(paired, total(hours).to_numpy(), rtol=0.03)


def test_the_sun_stands_where_the_almanac_has_it() -> None:
    # Sine of the noon elevation, 90 - |latitude - declination| degrees, at Greenwich: on an
    # equinox over the equator 90, on the June solstice at 51.48 N 61.95, in December 15.08.
    for moment, lat, degrees in (
        (datetime(2026, 3, 20, 12, 7, tzinfo=UTC), 0.0, 90.0),
        (datetime(2026, 6, 21, 12, 2, tzinfo=UTC), 51.48, 61.95),
        (datetime(2026, 12, 21, 11, 58, tzinfo=UTC), 51.48, 15.08),
    ):
        (high,) = sun(lat, 0.0, np.array([int(moment.timestamp())]))
        assert abs(np.degrees(np.arcsin(min(high, 1.0))) - degrees) < 1.5


@pytest.mark.parametrize("lon", [-120.0, 0.0, 148.0])
def test_the_sun_is_highest_when_it_is_noon_at_that_longitude(lon: float) -> None:
    minutes = int(START.timestamp()) + 60 * np.arange(1440)
    noon = minutes[sun(30.0, lon, minutes).argmax()] - int(START.timestamp())
    # The equation of time on 1 January is about -3.5 minutes (noon at 12:03:30).
    assert abs((noon / 3600 + lon / 15) % 24 - 12 - 3.5 / 60) < 0.05


def test_there_is_no_sun_at_night_and_more_of_it_in_summer() -> None:
    grid = BY_ZONE["AU-NSW"]
    year = simulate(grid, START, START + 365 * DAY)
    local = year["start"].dt.convert_time_zone(grid.timezone)
    assert year.filter(local.dt.hour().is_in([22, 23, 0, 1, 2, 3]))["solar"].max() == 0
    january = year.filter(local.dt.month() == 1)["solar"].mean()
    july = year.filter(local.dt.month() == 7)["solar"].mean()
    assert january > 1.5 * july


def test_demand_is_lowest_at_night_and_lower_at_weekends() -> None:
    grid = BY_ZONE["FR"]
    made = simulate(grid, START, START + 364 * DAY)
    local = made["start"].dt.convert_time_zone(grid.timezone)
    frame = pl.DataFrame(
        {"hour": local.dt.hour(), "day": local.dt.weekday(), "mw": total(made)}
    )
    by_hour = frame.group_by("hour").agg(pl.mean("mw")).sort("mw")
    assert by_hour["hour"][0] in range(1, 5)
    weekend = frame.filter(pl.col("day") >= 6)["mw"].mean()
    assert weekend < 0.96 * frame.filter(pl.col("day") < 6)["mw"].mean()


@pytest.mark.parametrize("zone", ["FR", "NO-NO2", "AU-SA"])
def test_seasons_are_those_of_the_hemisphere(zone: str) -> None:
    grid = BY_ZONE[zone]
    year = simulate(grid, START, START + 365 * DAY)
    months = year.select(month=pl.col("start").dt.month(), mw=total(year))
    january, july = (months.filter(pl.col("month") == m)["mw"].mean() for m in (1, 7))
    # Heat takes more than cold in South Australia, cold more than heat in the others.
    assert january > july


def test_clocks_go_by_local_time_and_follow_it_into_summer() -> None:
    grid = BY_ZONE["DE"]
    made = simulate(grid, datetime(2026, 3, 27, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    full = [hour for hour, part in enumerate(TIMETABLE) if part == TIMETABLE.max()]
    local = [moment.astimezone(ZoneInfo(grid.timezone)) for moment in made["start"]]
    peak = made.with_columns(
        hour=pl.Series([m.hour for m in local]), day=pl.Series([m.day for m in local])
    )
    best = peak.sort("hydro_storage").group_by("day", maintain_order=True).last()
    assert set(best.filter(pl.col("day") != 1)["hour"]) == set(full)


def test_storage_gives_back_four_fifths_of_what_it_takes() -> None:
    assert len(TIMETABLE) == 24
    taken, given_back = -TIMETABLE[TIMETABLE < 0].sum(), TIMETABLE[TIMETABLE > 0].sum()
    assert given_back / taken == pytest.approx(0.8, abs=0.01)


def test_noise_has_mean_0_and_variance_1_and_does_not_jump() -> None:
    hours = hours_of(START, 20 * 8766)
    noise = smooth(5, hours, 6, 48)
    assert abs(noise.mean()) < 0.05
    assert abs(noise.var() - 1) < 0.05
    assert np.abs(np.diff(noise)).max() < 1.5
    assert abs(np.corrcoef(noise, smooth(6, hours, 6, 48))[0, 1]) < 0.05


def test_zones_have_weather_of_their_own() -> None:
    one, other = (
        simulate(grid, START, START + 60 * DAY)["wind"] / grid.capacity_mw["wind"]
        for grid in invent_zones(25)[::24]
    )
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.4


def test_any_number_of_zones_can_be_invented() -> None:
    grids = invent_zones(400)
    assert len({grid.zone for grid in grids}) == 400
    assert all(-180 <= grid.lon < 180 and grid.step == HOUR for grid in grids)
