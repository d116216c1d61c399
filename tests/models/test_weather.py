"""Weather as models get it: of one weather model, as known, in the columns of the files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from gridtide.model import Signal
from gridtide_pipelines.forecast.history_files import WEATHER_MODEL
from gridtide_pipelines.forecast.store_history import StoreHistory
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.store import Store
from gridtide_store.weather import SCALES, WEATHER_RUN, append_weather

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FILES = ["issued_at", "lead_h", "wind_speed_m_s", "temp_k", "dewpoint_k", "dswrf_w_m2"]


def test_a_model_that_wants_weather_gets_the_runs_of_one_weather_model(tmp_path: Path) -> None:
    home = DataDirectory(tmp_path / "home")
    with writer_lock(home, "test", NOW), Store.open(home) as store:
        for name, hours in (
            *(("gfs_1p00@box1", each) for each in (30, 12, 6, 4)),
            *(("metno@box1", each) for each in (24, 6)),
        ):
            issued, known = NOW - hours * HOUR, NOW - (hours - 5) * HOUR
            run = ("DE", name, issued, known, known, "any", False, "temp_k", 3, 270.0 + hours)
            append_weather(store, pl.DataFrame([run], schema=WEATHER_RUN, orient="row"))
        wants = frozenset({"weather"})
        signal, memory = Signal.CI_LIFECYCLE_PRODUCED, timedelta(days=1)
        history = StoreHistory(store, "DE", signal, memory, wants)
        known_now, before = history.known(NOW), history.known(NOW - 30 * HOUR)
        plain = StoreHistory(store, "DE", signal, memory).known(NOW)
    assert known_now.weather is not None
    # Of 30 h ago a day is too short for, the one of 4 h ago is not known yet.
    assert known_now.weather["temp_k"].to_list() == [282.0, 276.0]
    assert known_now.weather.columns == ["issued_at", "lead_h", *SCALES]
    assert set(FILES) <= set(known_now.weather.columns)
    assert known_now.weather_model == "gfs_1p00@box1" != WEATHER_MODEL
    assert (before.weather, before.weather_model) == (None, "")
    assert (plain.weather, plain.weather_model) == (None, "")
