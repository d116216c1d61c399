"""Text for a person: it says what is simulated, replayed, unknown or worse."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from gridtide.cli import show
from gridtide.schema.responses import BestWindow, Intensity, Zones
from gridtide.schema.text import SIMULATED, format_age, format_minute


def window(said: SimpleNamespace, **members: object) -> str:
    return show.best_window(BestWindow.from_json(said.best_window | members))


def test_simulated_and_replayed_answers_say_so(said: SimpleNamespace) -> None:
    text = window(said, simulated=True, quality="simulated", replay=True)
    assert "SIMULATED: numbers of the built-in simulated grid" in text
    assert "replay   as known at 2026-03-02T12:00Z, not now" in text
    assert "quality  simulated by weekly@1" in text
    plain = window(said)
    assert "SIMULATED" not in plain
    assert "replay" not in plain


def test_a_region_that_is_no_zone_key_is_shown_with_its_zone(said: SimpleNamespace) -> None:
    text = window(
        said, region="gcp:europe-west3", resolved_by="cloud region", certainty="inside"
    )
    assert text.startswith("gcp:europe-west3 = DE (Germany): start")
    assert "zone     by cloud region; the region lies inside it" in text


@pytest.mark.parametrize(
    ("members", "saying"),
    [
        ({"mean_now": None, "saving": None}, "300.0 gCO2e/kWh, at once: unknown"),
        ({"mean_now": 0.0, "saving": None}, "at once: 0.0 gCO2e/kWh"),
        ({"mean_now": 300.0, "saving": 0.0}, "300.0 gCO2e/kWh, no cleaner than at once\n"),
        ({"mean_now": 240.0, "saving": -0.25}, "25.0 % more than at once (240.0 gCO2e/kWh)"),
        (
            {"signal": "cfe_produced", "mean": 0.75, "mean_now": 0.5, "saving": 0.25},
            "75.0 %, 25.0 points more than at once (50.0 %)",
        ),
        (
            {"signal": "cfe_produced", "mean": 0.25, "mean_now": 0.5, "saving": -0.25},
            "25.0 %, 25.0 points fewer than at once (50.0 %)",
        ),
        ({"data_age_seconds": None}, "data     age unknown, a_source, b_source (CC-BY-4.0)"),
    ],
)
def test_what_is_known_is_said_and_what_is_not_too(
    said: SimpleNamespace, members: dict[str, object], saying: str
) -> None:
    assert saying in window(said, **members)


def test_now_says_unknown_for_an_unknown_slot_and_for_none(said: SimpleNamespace) -> None:
    latest = Intensity.from_json(said.intensity)
    assert show.now(latest).splitlines()[0] == (
        "DE (Germany): 410.2 gCO2e/kWh from 2026-03-02T11:00Z to 2026-03-02T11:30Z"
    )
    assert "quality  measured" in show.now(latest)
    said.intensity["slots"][0]["value"] = None
    assert "DE (Germany): unknown from" in show.now(Intensity.from_json(said.intensity))
    said.intensity["slots"] = []
    assert "DE (Germany): no slot is known" in show.now(Intensity.from_json(said.intensity))


def test_zones_say_what_is_simulated_replayed_or_missing(said: SimpleNamespace) -> None:
    (zone,) = said.zones["zones"]
    bare = zone | {
        "zone": "XX",
        "name": "Nowhere",
        "default_signal": None,
        "data_age_seconds": None,
        "forecast": None,
        "source": None,
        "simulated": True,
    }
    shown = show.zones(Zones.from_json(said.zones | {"zones": [zone, bare], "replay": True}))
    text = "\n".join(map(str, shown)).splitlines()
    assert text[2].split() == ["XX", "Nowhere", "-", "-", "-", "-", "-", "*"]
    assert text[3] == f"* {SIMULATED}"
    assert text[4] == "replay: the clock stands at 2026-03-02T12:00Z"
    (empty,) = show.zones(Zones.from_json(said.zones | {"zones": []}))
    assert str(empty).startswith("no zone has data yet")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "120 min"),
        (7200, "2 h"),
        (2e5, "2 d"),
    ],
)
def test_an_age_is_in_its_largest_fitting_unit(seconds: float, text: str) -> None:
    assert format_age(seconds) == text


def test_a_moment_shows_seconds_only_where_it_has_some() -> None:
    assert format_minute(datetime(2026, 3, 2, 0, 0, 0, 9, tzinfo=UTC)) == "2026-03-02T00:00Z"
    assert format_minute(datetime(2026, 3, 2, 0, 0, 7, tzinfo=UTC)) == "2026-03-02T00:00:07Z"
