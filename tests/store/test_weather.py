"""Weather forecasts in the store: added once, read as known, thinned, and small."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from gridtide.errors import BadInput
from gridtide_store.check import check
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.store import Store
from gridtide_store.vocabulary import WEATHER_UNITS
from gridtide_store.weather import (
    SCALES,
    WEATHER_RUN,
    append_weather,
    newest_weather,
    read_source_weather,
    read_weather,
    thin_weather,
    weather_models,
)

ISSUE = datetime(2026, 3, 2, tzinfo=UTC)
LAG = timedelta(hours=5)
MODEL = "gfs_1p00@box1"
EVER = datetime(2100, 1, 1, tzinfo=UTC)
LEADS = range(0, 97, 3)


def run(
    issued_at: datetime = ISSUE,
    zone: str = "DE",
    model: str = MODEL,
    **values: list[float | None],
) -> pl.DataFrame:
    """One run: values of each quantity, at leads of 0 h, 3 h and so on."""
    rows = [
        (zone, model, issued_at, issued_at + LAG, issued_at + LAG, "gfs", False, name, 3 * n, v)
        for name, column in values.items()
        for n, v in enumerate(column)
    ]
    return pl.DataFrame(rows, schema=WEATHER_RUN, orient="row")


def read(store: Store, as_of: datetime = EVER, model: str = MODEL) -> pl.DataFrame:
    return read_weather(store.connection, "DE", model, ISSUE - LAG, EVER, as_of=as_of)


def test_a_run_is_read_in_the_columns_of_the_carboncast_files(store: Store) -> None:
    warm, rain = [280.154, 281.0], [None, 0.0042]
    assert append_weather(store, run(temp_k=warm, precip_mm=rain, cloud_pct=[12.34, 99.9])) == 6
    assert append_weather(store, run(temp_k=[1.0, 2.0])) == 0  # the run is there
    frame = read(store)
    assert frame.columns == ["issued_at", "lead_h", *SCALES]
    assert frame.schema["lead_h"] == pl.Int16
    assert set(frame.dtypes[2:]) == {pl.Float32}
    assert frame["lead_h"].to_list() == [0, 3]
    assert frame["temp_k"].to_list() == pytest.approx([280.15, 281.0])
    assert frame["precip_mm"].to_list() == [None, pytest.approx(0.004)]
    assert frame["cloud_pct"].to_list() == pytest.approx([12.3, 99.9])
    assert frame["wind_speed_m_s"].to_list() == [None, None]
    assert SCALES.keys() == WEATHER_UNITS.keys()


def test_only_what_was_known_and_of_one_model_is_read(store: Store) -> None:
    later = ISSUE + timedelta(hours=6)
    append_weather(store, run(temp_k=[280.0]))
    append_weather(store, run(later, temp_k=[281.0]))
    append_weather(store, run(model="gfs_0p25@box1", temp_k=[200.0]))
    assert read(store, as_of=ISSUE + LAG - timedelta(seconds=1)).is_empty()
    assert read(store, as_of=ISSUE + LAG)["temp_k"].to_list() == [280.0]
    assert read(store)["issued_at"].to_list() == [ISSUE, later]
    assert read(store, model="gfs_0p25@box1")["temp_k"].to_list() == [200.0]
    assert weather_models(store.connection, "DE", as_of=EVER) == [MODEL, "gfs_0p25@box1"]
    assert newest_weather(store.connection) == {("gfs", "DE"): later}
    found = read_source_weather(store.connection, "gfs", ISSUE, later)
    assert found["value"].to_list() == [200.0, 280.0]


@pytest.mark.parametrize(
    ("odd", "word"),
    [
        (run(pressure=[1.0]), "unknown weather quantity 'pressure'"),
        (pl.concat([run(temp_k=[1.0]), run(temp_k=[2.0])]), "two values"),
        (run(temp_k=[1.0]).with_columns(lead_h=pl.lit(300, pl.Int16)), "lead times outside"),
        (
            pl.concat(
                [run(temp_k=[1.0]), run(cloud_pct=[2.0]).with_columns(known_at=pl.lit(EVER))]
            ),
            "two times",
        ),
    ],
    ids=range(4),
)
def test_rows_that_name_no_run_are_refused_whole(
    store: Store, odd: pl.DataFrame, word: str
) -> None:
    with pytest.raises(BadInput, match=word):
        append_weather(store, odd)
    assert newest_weather(store.connection) == {}


def test_of_old_runs_the_first_of_each_day_stays_and_the_newest(store: Store) -> None:
    for hours in (6, 12, 24, 30, 48, 54):
        append_weather(store, run(ISSUE + timedelta(hours=hours), temp_k=[280.0, 281.0]))
    append_weather(store, run(ISSUE + timedelta(hours=12), "FR", temp_k=[280.0]))
    thinned = thin_weather(store.connection, ISSUE + timedelta(hours=54))
    assert (thinned.runs, thinned.values) == (2, 4)
    left = (read(store)["issued_at"].unique().sort() - ISSUE).dt.total_hours().to_list()
    assert left == [6, 24, 48, 54]
    assert ("gfs", "FR") in newest_weather(store.connection)


def test_check_finds_values_without_a_run(home: DataDirectory, now: datetime) -> None:
    with writer_lock(home, "test", now), Store.open(home) as store:
        append_weather(store, run(temp_k=[280.0, 281.0]))
    assert check(home, now) == []
    with writer_lock(home, "test", now), Store.open(home) as store:
        store.connection.execute("INSERT INTO weather VALUES (7, 'temp_k', 3, 1)")
        store.connection.execute("INSERT INTO weather VALUES (0, 'temp_k', 3, 1)")
        store.connection.execute("INSERT INTO weather_run SELECT * FROM weather_run")
    found = " ".join(each.problem for each in check(home, now))
    for rule in ("weather: of no run", "weather: two of one run", "weather_run: two of one"):
        assert rule in found


def test_a_value_takes_less_than_five_bytes(home: DataDirectory, now: datetime) -> None:
    seeded = np.random.default_rng(20_211)
    zones, runs = 100, 30  # fewer would be the blocks that every table begins with
    spread = {"temp_k": (280, 8), "dewpoint_k": (274, 8), "cloud_pct": (50, 20)}
    rows = zones * runs * len(LEADS)
    issues = pl.DataFrame({"issued_at": [ISSUE + n * timedelta(hours=6) for n in range(runs)]})
    leads = pl.DataFrame({"lead_h": LEADS}, schema={"lead_h": pl.Int16})
    names = pl.DataFrame({"zone": [f"Z{n}" for n in range(zones)]})
    key = names.join(issues, how="cross").join(leads, how="cross")
    frame = pl.concat(
        key.with_columns(
            quantity=pl.lit(name),
            value=np.abs(seeded.normal(*spread.get(name, (0, 5)), rows)).clip(0, 330),
        )
        for name in SCALES
    ).with_columns(
        model=pl.lit(MODEL),
        known_at=pl.col("issued_at") + LAG,
        received_at=pl.col("issued_at") + LAG,
        source=pl.lit("gfs"),
        simulated=pl.lit(value=False),
    )
    with writer_lock(home, "test", now), Store.open(home) as store:
        store.connection.execute("CHECKPOINT")
        before = home.live.stat().st_size
        assert append_weather(store, frame) == len(frame) == len(SCALES) * rows
        store.connection.execute("CHECKPOINT")
        taken = (home.live.stat().st_size - before) / len(frame)
    assert taken < 5.0
