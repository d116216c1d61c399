"""What a zone's files show of it at a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.forecast.history_files import FileHistory, read_histories

AT = datetime(2021, 7, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
ZONES = ("DE", "CISO", "NYISO")


def write(folder: Path, zone: str) -> None:
    """Two days before `AT` and three after it, mix, weather and day-ahead forecasts."""
    labels = [AT + HOUR * i for i in range(-48, 72)]
    hours = {"ts_utc": labels, "ci_lifecycle_g_per_kwh": [float(i) for i in range(120)]}
    more = {"gen_nat_gas_mwh": 5.0, "gen_wind_mwh": 7.0}
    pl.DataFrame(hours | more).write_parquet(folder / f"{zone}.parquet")
    if zone == "NYISO":
        return
    runs = [AT + timedelta(days=day) for day in (-1, 0, 1)]
    pl.DataFrame({"issued_at": runs, "lead_h": [0, 0, 0], "temp_k": [280.0] * 3}).write_parquet(
        folder / f"{zone}_weather.parquet"
    )
    pl.DataFrame({"ts_utc": labels, "da_wind_mwh": 9.0}).write_parquet(
        folder / f"{zone}_dayahead.parquet"
    )


@pytest.fixture
def histories(tmp_path: Path) -> dict[str, FileHistory]:
    for zone in ZONES:
        write(tmp_path, zone)
    warned: list[str] = []
    read = read_histories(tmp_path, ZONES, warn=warned.append)
    assert warned == []
    return {history.zone: history for history in read}


def test_hours_before_the_issue_are_known_and_the_issue_s_own_is_not(
    histories: dict[str, FileHistory],
) -> None:
    known = histories["DE"].known(AT)
    assert known.intensity["start"].max() == AT - HOUR
    assert known.intensity["value"].to_list() == [float(i) for i in range(48)]
    assert known.hours_before(AT, 3).tolist() == [45.0, 46.0, 47.0]


def test_the_mix_is_mean_power_by_our_fuels(histories: dict[str, FileHistory]) -> None:
    mix = histories["DE"].known(AT).mix
    assert mix is not None
    assert mix.group_by("fuel").agg(pl.len(), pl.mean("value")).sort("fuel").rows() == [
        ("gas", 48, 5.0),
        ("wind", 48, 7.0),
    ]
    assert mix["start"].max() == AT - HOUR


def test_weather_issued_later_is_not_shown(histories: dict[str, FileHistory]) -> None:
    weather = histories["DE"].known(AT).weather
    assert weather is not None
    assert weather["issued_at"].to_list() == [AT - timedelta(days=1), AT]


@pytest.mark.parametrize(
    ("zone", "last"),
    [
        # 22:00 UTC is midnight in Berlin in summer: the next day is not published yet.
        ("DE", AT + 21 * HOUR),
        # In California it is 16:00 then, and a day is all that is taken.
        ("CISO", AT + 23 * HOUR),
    ],
)
def test_day_ahead_forecasts_reach_to_the_end_of_the_local_day(
    zone: str, last: datetime, histories: dict[str, FileHistory]
) -> None:
    dayahead = histories[zone].known(AT).dayahead
    assert dayahead is not None
    assert dayahead["start"].max() == last
    assert dayahead.columns == ["start", "end", "da_wind_mwh"]


def test_files_that_are_not_there_are_none(histories: dict[str, FileHistory]) -> None:
    known = histories["NYISO"].known(AT)
    assert known.weather is None
    assert known.dayahead is None
    assert known.location.timezone == "America/New_York"


@pytest.mark.parametrize(
    "name",
    [
        *("AUS_QLD", "BPAT", "CISO", "DE", "ERCO", "ES", "FPL"),
        *("ISNE", "NL", "NYISO", "PJM", "PL", "SE"),
    ],
)
def test_carboncast_s_names_have_a_place(name: str, tmp_path: Path) -> None:
    write(tmp_path, name)
    (history,) = read_histories(tmp_path, [name], warn=pytest.fail)
    assert history.location.timezone != "UTC"
    assert history.location.lat is not None


def test_a_name_without_a_place_is_taken_to_be_utc_with_a_warning(tmp_path: Path) -> None:
    write(tmp_path, "Atlantis")
    warned: list[str] = []
    (history,) = read_histories(tmp_path, ["Atlantis"], warn=warned.append)
    assert history.location.timezone == "UTC"
    assert warned == ["Atlantis is not in the catalogue: its local time is taken to be UTC"]


def test_values_that_are_no_numbers_are_gaps(tmp_path: Path) -> None:
    labels = [AT + HOUR * i for i in range(-3, 0)]
    values = [1.0, float("nan"), float("inf")]
    pl.DataFrame({"ts_utc": labels, "ci_lifecycle_g_per_kwh": values}).write_parquet(
        tmp_path / "DE.parquet"
    )
    (history,) = read_histories(tmp_path, ["DE"], warn=pytest.fail)
    assert history.intensity["value"].to_list() == [1.0, None, None]
    assert history.mix is None
