"""Who is there: the answers of ``/v1/zones``."""

from __future__ import annotations

from typing import Any

from gridtide_store import catalogue
from tests.server.published import Asker


def by_key(answer: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    return {zone["zone"]: zone for zone in answer["zones"]}


def test_the_zones_with_data_are_listed_by_key(ask: Asker) -> None:
    answer = ask.json("/v1/zones")
    assert [zone["zone"] for zone in answer["zones"]] == [
        "BE",
        "DE",
        "ES",
        "FR",
        "GB",
        "NL",
        "PL",
    ]
    assert answer["as_of"] == "2026-03-02T12:00:00Z"
    assert answer["replay"] is False


def test_a_zone_lists_its_signals(ask: Asker) -> None:
    zone = by_key(ask.json("/v1/zones"))["DE"]
    assert zone == {
        "zone": "DE",
        "name": "Germany",
        "country": "DE",
        "timezone": "Europe/Berlin",
        "lat": 51.4,
        "lon": 10.47,
        "kind": "zone",
        "aliases": zone["aliases"],
        "signals": ["cfe_produced", "ci_direct_produced", "ci_lifecycle_produced"],
        "default_signal": "ci_lifecycle_produced",
        "newest_slot_end": "2026-03-02T12:00:00Z",
        "data_age_seconds": 0.0,
        "forecast": {
            "model": "weekly@1",
            "issued_at": "2026-03-02T12:00:00Z",
            "end": "2026-03-05T12:00:00Z",
        },
        "simulated": False,
        "source": "derived@ipcc_ar5/alpha",
        "licence": "CC-BY-4.0",
        "prices": [],
    }


def test_what_a_zone_does_not_have_is_null(ask: Asker) -> None:
    zones = by_key(ask.json("/v1/zones"))
    assert zones["PL"]["forecast"] is None
    assert zones["GB"]["default_signal"] is None
    assert zones["GB"]["signals"] == ["ci_direct_consumed"]
    assert zones["ES"]["data_age_seconds"] == 4 * 3600
    assert zones["NL"]["simulated"] is True


def test_all_lists_the_whole_catalogue(ask: Asker) -> None:
    zones = by_key(ask.json("/v1/zones?all=true"))
    assert sorted(zones) == sorted(catalogue.load().zones)
    empty = zones["AT"]
    assert empty["name"] == "Austria"
    assert empty["signals"] == []
    for name in ("default_signal", "newest_slot_end", "forecast", "source", "licence"):
        assert empty[name] is None


def test_as_of_lists_what_was_known_then(ask: Asker) -> None:
    zone = by_key(ask.json("/v1/zones?as_of=2026-03-02T09:30Z"))["DE"]
    assert zone["newest_slot_end"] == "2026-03-02T08:00:00Z"
    assert zone["forecast"]["model"] == "beta"


def test_as_of_shows_nothing_that_became_known_later(ask: Asker) -> None:
    # Of its three signals DE then had only the lifecycle intensity; FR had nothing yet.
    zones = by_key(ask.json("/v1/zones?as_of=2026-03-02T09:30Z"))
    assert zones["DE"]["signals"] == ["ci_lifecycle_produced"]
    assert "FR" not in zones
    every = by_key(ask.json("/v1/zones?all=true&as_of=2026-03-02T09:30Z"))
    assert (every["FR"]["signals"], every["FR"]["source"]) == ([], None)
