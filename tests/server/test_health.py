"""Signs of life: ``/healthz``, ``/readyz``, ``/metrics``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gridtide.clock import Clock
from gridtide_store.data_directory import DataDirectory
from tests.server.published import HOUR, NOW, Asker, FixedClock, Publisher, observed, run

DAY = timedelta(days=1)


@pytest.fixture
def one_zone(publisher: Publisher) -> DataDirectory:
    """DE up to now, with a forecast of 72 h; BPAT's history ended in 2021."""
    publisher.add(
        observed("DE", [300.0], start=NOW - HOUR),
        run("DE", [300.0] * 72),
        observed("US-NW-BPAT", [50.0], start=NOW - 2000 * DAY),
    )
    publisher.publish()
    return publisher.home


@pytest.fixture
def nothing(tmp_path: Path) -> Iterator[Asker]:
    """A server over a home that is not there."""
    with Asker(DataDirectory(tmp_path / "nowhere"), FixedClock(NOW)) as ask:
        yield ask


def ready(
    home: DataDirectory, after: timedelta, query: str = ""
) -> tuple[int, dict[str, object]]:
    with Asker(home, FixedClock(NOW + after)) as ask:
        answer = ask(f"/readyz{query}")
    return answer.status_code, answer.json()


def test_the_process_is_alive_whatever_is_published(ask: Asker, nothing: Asker) -> None:
    assert ask.json("/healthz")["status"] == "alive"
    assert nothing.json("/healthz")["status"] == "alive"


def test_current_data_are_ready_and_old_imports_do_not_spoil_it(
    one_zone: DataDirectory,
) -> None:
    status, reply = ready(one_zone, 0 * DAY)
    assert (status, reply["status"]) == (200, "ready")
    assert (reply["zones"], reply["stale"], reply["reasons"]) == (1, [], [])


def test_an_unknown_zone_is_a_fault_of_the_request(one_zone: DataDirectory) -> None:
    status, reply = ready(one_zone, 0 * DAY, "?zone=Germany")
    assert (status, reply["status"]) == (200, "ready")
    for name, code in (("ZZ", 404), ("Germny", 404), ("", 422)):
        assert ready(one_zone, 0 * DAY, f"?zone={name}")[0] == code, name
    assert ready(one_zone, 0 * DAY, "?zone=Germny")[1]["code"] == "unknown_region"


def test_three_publication_periods_without_news_are_stale(one_zone: DataDirectory) -> None:
    assert ready(one_zone, 3 * DAY - HOUR)[0] == 200
    status, reply = ready(one_zone, 3 * DAY + HOUR)
    assert (status, reply["status"]) == (503, "stale")
    assert reply["stale"] == [
        {
            "zone": "DE",
            "reasons": [
                "the newest slot ended 2026-03-02T12:00:00Z",
                "the forecast ended 2026-03-05T12:00:00Z",
            ],
        }
    ]
    assert reply["reasons"] == ["1 of 1 zones are stale"]


def test_where_all_is_old_nothing_is_ready(one_zone: DataDirectory) -> None:
    status, reply = ready(one_zone, 30 * DAY)
    assert (status, reply["zones"]) == (503, 2)


def test_a_zone_requested_by_name_is_judged_however_old(one_zone: DataDirectory) -> None:
    assert ready(one_zone, 0 * DAY, "?zone=DE")[0] == 200
    status, reply = ready(one_zone, 0 * DAY, "?zone=DE,US-NW-BPAT")
    assert (status, reply["zones"]) == (503, 2)
    assert [each["zone"] for each in reply["stale"]] == ["US-NW-BPAT"]  # type: ignore[attr-defined]  # added at run time
    assert ready(one_zone, 0 * DAY, "?zone=AT")[0] == 503


def test_a_forecast_that_ended_or_never_was_is_not_ready(ask: Asker) -> None:
    answer = ask("/readyz")
    assert answer.status_code == 503
    reply = {each["zone"]: each["reasons"] for each in answer.json()["stale"]}
    assert reply == {
        "ES": ["the forecast ended 2026-03-02T11:00:00Z"],
        "PL": ["there is no forecast"],
    }


def test_a_replay_is_judged_at_its_own_time(home: DataDirectory) -> None:
    with Asker(home, Clock(NOW - HOUR)) as ask:
        reply = ask("/readyz").json()
    assert reply["replay"] is True
    assert reply["now"] == "2026-03-02T11:00:00Z"
    # ES ended at 11:00 sharp: half-open, so it no longer covers that moment.
    assert "ES" in [each["zone"] for each in reply["stale"]]


def test_without_a_snapshot_everything_but_life_and_metrics_is_503(nothing: Asker) -> None:
    answer = nothing("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert "gridtide refresh" in answer.json()["reasons"][0]
    for url in ("/v1/zones", "/v1/best-window?region=DE&hours=1", "/v1/zones/DE/forecast"):
        problem = nothing.problem(url, 503, "unavailable")
        for remedy in ("gridtide refresh", "gridtide import", "gridtide publish"):
            assert remedy in problem["detail"]
        assert nothing(url).headers["retry-after"] == "60"


Samples = dict[str, list[tuple[dict[str, str], float]]]


def samples(ask: Asker) -> Samples:
    answer = ask("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    found: Samples = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def test_ages_are_reported_where_there_is_a_value_only(home: DataDirectory) -> None:
    with Asker(home, FixedClock(NOW + HOUR)) as ask:
        found = samples(ask)
    slots = {
        (label["zone"], label["signal"]): value
        for label, value in found["zone_newest_slot_age_seconds"]
    }
    assert slots["DE", "ci_lifecycle_produced"] == 3600
    assert slots["ES", "ci_lifecycle_produced"] == 5 * 3600
    assert ("GB", "ci_lifecycle_produced") not in slots
    runs = {
        (label["zone"], label["model"]): value for label, value in found["forecast_age_seconds"]
    }
    assert runs["DE", "weekly@1"] == 3600
    assert runs["ES", "weekly@1"] == 5 * 3600
    assert not [zone for zone, _ in runs if zone == "PL"]
    assert found["snapshot_age_seconds"] == [({}, 3600.0)]
    ((snapshot, _),) = found["snapshot_info"]
    assert snapshot["replay"] == "false"


def test_a_series_without_any_value_has_no_age(publisher: Publisher) -> None:
    publisher.add(
        observed("DE", [None], start=NOW - HOUR), observed("FR", [1.0], start=NOW - HOUR)
    )
    publisher.publish()
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        found = samples(ask)["zone_newest_slot_age_seconds"]
    assert [label["zone"] for label, _ in found] == ["FR"]


def test_requests_are_counted_by_route_and_status_not_by_path(home: DataDirectory) -> None:
    with Asker(home, FixedClock(NOW)) as ask:
        for path in ("/v1/zones/DE/forecast", "/v1/zones/FR/forecast", "/v1/zones/PL/forecast"):
            ask(path)
        for path in ("/a", "/b", "/v1/zones/x/y"):
            ask(path)
        found = samples(ask)["http_request_seconds_count"]
    counts = {(label["route"], label["status"]): value for label, value in found}
    assert counts == {
        ("/v1/zones/{zone}/forecast", "200"): 2,
        ("/v1/zones/{zone}/forecast", "404"): 1,
        ("unmatched", "404"): 3,
    }


def test_without_a_snapshot_there_are_metrics_but_no_ages(nothing: Asker) -> None:
    nothing("/healthz")
    found = samples(nothing)
    assert "http_request_seconds_count" in found
    assert not [name for name in found if "age" in name or "snapshot" in name]


def test_two_applications_count_apart(home: DataDirectory) -> None:
    with Asker(home, FixedClock(NOW)) as one, Asker(home, FixedClock(NOW)) as other:
        one("/healthz")
        assert "http_request_seconds_count" not in samples(other)
