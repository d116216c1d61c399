"""Answers: read from their wire form, written back to it, tolerant of what is new."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from gridtide.errors import ApiError, MissingExtra
from gridtide.model import Quality, Signal
from gridtide.schema.responses import BestRegion, BestWindow, Forecast, Intensity, Zones
from gridtide.windows import best_window

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_every_answer_is_written_as_it_was_read(said: SimpleNamespace) -> None:
    assert Zones.from_json(said.zones).to_json() == said.zones
    assert Intensity.from_json(said.intensity).to_json() == said.intensity
    assert Forecast.from_json(said.forecast).to_json() == said.forecast
    assert BestWindow.from_json(said.best_window).to_json() == said.best_window
    assert BestRegion.from_json(said.best_region).to_json() == said.best_region


def test_members_are_typed_and_times_are_aware(said: SimpleNamespace) -> None:
    answer = BestWindow.from_json(said.best_window)
    assert answer.start == NOON + 2 * HOUR
    assert answer.issued_at == NOON - 0.5 * HOUR
    assert answer.start.tzinfo is UTC
    assert answer.signal is Signal.CI_LIFECYCLE_CONSUMED
    assert answer.quality is Quality.FORECAST
    assert (answer.mean, answer.mean_now, answer.saving) == (300, 400, 0.25)


def test_whole_numbers_are_read_as_numbers(said: SimpleNamespace) -> None:
    answer = BestWindow.from_json(said.best_window | {"mean": 300, "hours": 4})
    assert isinstance(answer.mean, float)
    assert answer.hours == 4


def test_a_member_of_a_newer_server_is_ignored(said: SimpleNamespace) -> None:
    newer = said.best_window | {"tariff": 12, "alternatives": [{}]}
    assert BestWindow.from_json(newer) == BestWindow.from_json(said.best_window)


def test_a_member_that_may_be_unknown_may_be_missing(said: SimpleNamespace) -> None:
    del said.best_window["saving"]
    assert BestWindow.from_json(said.best_window).saving is None


@pytest.mark.parametrize(
    ("member", "value", "seen"),
    [
        ("zone", None, "zone: missing"),
        ("start", "2026-03-02T14:00:00", "start 2026-03-02T14:00:00 has no UTC offset"),
        ("start", 5, "start: must be text, not 5"),
        ("mean", "low", "mean: must be a number, not 'low'"),
        ("mean", True, "mean: must be a number, not true"),
        ("signal", "karma", "signal: must be one of .*, not 'karma'"),
        ("replay", 1, "replay: must be true or false, not 1"),
        ("zone_name", 7, "zone_name: must be text, not 7"),
    ],
)
def test_what_does_not_fit_names_the_member(
    said: SimpleNamespace, member: str, value: object, seen: str
) -> None:
    with pytest.raises(ApiError, match=f"BestWindow cannot be decoded: {seen}; .*same version"):
        BestWindow.from_json(said.best_window | {member: value})


def test_what_is_missing_or_no_object_is_said(said: SimpleNamespace) -> None:
    del said.best_window["mean"]
    with pytest.raises(ApiError, match="mean: missing"):
        BestWindow.from_json(said.best_window)
    with pytest.raises(ApiError, match=r"slots\[0\]: must be a JSON object, not 7"):
        Forecast.from_json(said.forecast | {"slots": [7]})
    with pytest.raises(ApiError, match="slots: must be a list, not 7"):
        Forecast.from_json(said.forecast | {"slots": 7})


def test_a_ranking_keeps_windows_and_reasons_apart(said: SimpleNamespace) -> None:
    answer = BestRegion.from_json(said.best_region)
    assert [(one.zone, one.mean) for one in answer.ranking] == [("DE", 300), ("US-PJM", 350)]
    assert [(one.zone, one.reason) for one in answer.infeasible] == [
        ("FR", "FR: no unbroken run of 4 h")
    ]
    assert (answer.zone, answer.mean) == ("DE", 300)


def test_a_ranking_that_is_none_is_not_understood(said: SimpleNamespace) -> None:
    with pytest.raises(ApiError, match="ranking: missing"):
        BestRegion.from_json(said.best_window)
    with pytest.raises(ApiError, match=r"ranking\[0\]: must be a JSON object, not 7"):
        BestRegion.from_json(said.best_region | {"ranking": [7]})


def test_a_forecast_gives_a_series_to_decide_on(said: SimpleNamespace) -> None:
    series = Forecast.from_json(said.forecast).series()
    assert (series.zone, series.signal) == ("DE", Signal.CI_LIFECYCLE_CONSUMED)
    assert [(s.start, s.value, s.quality) for s in series.slots] == [
        (NOON, 400, Quality.FORECAST),
        (NOON + HOUR, 300, Quality.FORECAST),
    ]
    assert best_window(series, HOUR).start == NOON + HOUR


def test_an_unknown_intensity_stays_unknown_in_its_series(said: SimpleNamespace) -> None:
    said.intensity["slots"][0]["value"] = None
    (slot,) = Intensity.from_json(said.intensity).series().slots
    assert (slot.start, slot.end, slot.value) == (NOON - HOUR, NOON - 0.5 * HOUR, None)
    assert slot.quality is Quality.MEASURED


def test_zones_are_iterated_and_counted(said: SimpleNamespace) -> None:
    zones = Zones.from_json(said.zones)
    assert len(zones) == 1
    (zone,) = zones
    assert zone.forecast is not None
    assert zone.forecast.end == datetime(2026, 3, 5, 11, tzinfo=UTC)
    assert zone.signals == (Signal.CI_LIFECYCLE_CONSUMED, Signal.CFE_PRODUCED)
    bare = said.zones["zones"][0] | {"forecast": None, "newest_slot_end": None}
    (without,) = Zones.from_json(said.zones | {"zones": [bare]})
    assert without.forecast is None


def test_a_frame_has_a_row_for_each_slot_and_aware_times(said: SimpleNamespace) -> None:
    import polars as pl

    frame = Forecast.from_json(said.forecast).to_polars()
    assert frame.schema == {
        "start": pl.Datetime("us", "UTC"),
        "end": pl.Datetime("us", "UTC"),
        "p10": pl.Float64,
        "p50": pl.Float64,
        "p90": pl.Float64,
    }
    assert frame["p10"].to_list() == [380.0, None]
    assert frame["start"].to_list() == [NOON, NOON + HOUR]
    known = Intensity.from_json(said.intensity).to_polars()
    assert known.select("value", "quality", "source").rows() == [
        (410.25, "measured", "a_source")
    ]
    said.intensity["slots"] = []
    assert Intensity.from_json(said.intensity).to_polars().schema == known.schema


def test_a_frame_without_polars_says_what_to_install(
    said: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MissingExtra, match=r"pip install 'gridtide\[frames\]'"):
        Forecast.from_json(said.forecast).to_polars()


def test_fields_of_a_later_server_are_ignored_at_every_depth(said: SimpleNamespace) -> None:
    for kind, wire in (
        (Zones, said.zones),
        (Intensity, said.intensity),
        (Forecast, said.forecast),
        (BestWindow, said.best_window),
        (BestRegion, said.best_region),
    ):
        assert kind.from_json(with_news(wire)) == kind.from_json(wire)


def with_news(wire: Any) -> Any:  # noqa: ANN401  # any JSON value
    """`wire` with an unknown field in each of its objects."""
    if isinstance(wire, dict):
        known = {name: with_news(value) for name, value in wire.items()}
        return known | {"from_a_later_server": {"deep": [1]}}
    return [with_news(each) for each in wire] if isinstance(wire, list) else wire
