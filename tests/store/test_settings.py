"""Settings from the environment, and the messages about wrong values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gridtide.errors import BadInput
from gridtide_store.data_directory import Resources
from gridtide_store.settings import Settings


def test_silence_means_the_defaults_and_the_users_own_folder() -> None:
    settings = Settings.from_env({"HOME": "/users/ada"}, platform="darwin")
    assert settings.home == Path("/users/ada/Library/Application Support/gridtide")
    assert settings.now is None
    assert settings.allow_restricted is False
    assert settings.keep_raw == timedelta(days=90)
    assert settings.keep_runs == timedelta(days=60)


def test_each_setting_is_read() -> None:
    settings = Settings.from_env(
        {
            "GRIDTIDE_HOME": "/data",
            "GRIDTIDE_NOW": "2021-10-01T02:00+02:00",
            "GRIDTIDE_EIA_URL": "http://127.0.0.1:9",
            "EIA_API_KEY": "k",
            "GRIDTIDE_ALLOW_RESTRICTED": "yes",
            "GRIDTIDE_CORRECTIONS": "off",
            "GRIDTIDE_KEEP_RAW_DAYS": "30",
            "GRIDTIDE_KEEP_RUN_DAYS": "7",
            "GRIDTIDE_LOG_LEVEL": "info",
            "GRIDTIDE_LOG_JSON": "1",
            "GRIDTIDE_WORKERS": "3",
            "GRIDTIDE_MEMORY_MB": "300",
            "GRIDTIDE_THREADS": "4",
        }
    )
    assert settings.home == Path("/data")
    assert not settings.corrections
    assert Settings.from_env({}).corrections
    assert settings.now == datetime(2021, 10, 1, tzinfo=UTC)
    assert settings.base_urls == {"eia": "http://127.0.0.1:9"}
    assert settings.secrets == {"EIA_API_KEY": "k"}
    assert settings.allow_restricted is True
    assert (settings.keep_raw, settings.keep_runs) == (timedelta(days=30), timedelta(days=7))
    assert (settings.log_level, settings.log_json, settings.workers) == ("INFO", True, 3)
    assert settings.resources == Resources(memory_mb=300, threads=4)
    assert settings.unknown == ()


def test_what_is_kept_for_ever_is_named_so() -> None:
    settings = Settings.from_env(
        {"GRIDTIDE_KEEP_RAW_DAYS": "forever", "GRIDTIDE_KEEP_RUN_DAYS": "Forever"}
    )
    assert (settings.keep_raw, settings.keep_runs) == (None, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GRIDTIDE_NOW", "2021-10-01T00:00"),
        ("GRIDTIDE_NOW", "yesterday"),
        ("GRIDTIDE_ALLOW_RESTRICTED", "perhaps"),
        ("GRIDTIDE_CORRECTIONS", "some"),
        ("GRIDTIDE_KEEP_RAW_DAYS", "-1"),
        ("GRIDTIDE_KEEP_RUN_DAYS", "0"),
        ("GRIDTIDE_KEEP_RUN_DAYS", "36501"),
        ("GRIDTIDE_KEEP_RAW_DAYS", "99999999999"),
        ("GRIDTIDE_WORKERS", "many"),
        ("GRIDTIDE_WORKERS", "\u00b2"),
        ("GRIDTIDE_WORKERS", "9" * 5000),
        ("GRIDTIDE_MEMORY_MB", "63"),
        ("GRIDTIDE_THREADS", "0"),
        ("GRIDTIDE_LOG_LEVEL", "loud"),
        ("GRIDTIDE_LOG_JSON", "2"),
    ],
)
def test_a_value_that_cannot_be_read_is_named(name: str, value: str) -> None:
    with pytest.raises(BadInput, match=name):
        Settings.from_env({name: value})


def test_the_longest_retention_leaves_a_time_of_the_calendar() -> None:
    kept = Settings.from_env({"GRIDTIDE_KEEP_RUN_DAYS": "36500"}).keep_runs
    assert kept is not None
    assert (datetime(2026, 1, 1, tzinfo=UTC) - kept).year == 1926


def test_a_misspelt_name_is_a_remark_with_the_nearest_one_and_no_error() -> None:
    unknown = Settings.from_env({"GRIDTIDE_HOEM": "/x", "GRIDTIDE_PORT": "tcp://1"}).unknown
    assert unknown[0] == "unknown setting GRIDTIDE_HOEM; did you mean GRIDTIDE_HOME?"
    assert unknown[1].startswith("unknown setting GRIDTIDE_PORT")


def test_no_key_shows_when_settings_are_printed() -> None:
    assert "hush-hush" not in repr(Settings.from_env({"EIA_API_KEY": "hush-hush"}))


def test_the_maximum_age_is_six_hours_unless_set() -> None:
    assert Settings.from_env({}).max_age == timedelta(hours=6)
    assert Settings.from_env({"GRIDTIDE_MAX_AGE_HOURS": "0.5"}).max_age == timedelta(minutes=30)
    for text in ("0", "-1", "nan", "soon", "1e400"):
        with pytest.raises(BadInput, match="GRIDTIDE_MAX_AGE_HOURS"):
            Settings.from_env({"GRIDTIDE_MAX_AGE_HOURS": text})
