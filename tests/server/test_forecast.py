"""What will be: the answers of ``/v1/zones/{zone}/forecast``."""

from __future__ import annotations

import pytest

from tests.server.published import DE, Asker

URL = "/v1/zones/DE/forecast"


def test_the_newest_run_is_given_whole_as_issued(ask: Asker) -> None:
    answer = ask.json(URL)
    slots = answer.pop("slots")
    assert answer == {
        "region": "DE",
        "zone": "DE",
        "zone_name": "Germany",
        "resolved_by": "zone key",
        "certainty": "exact",
        "meaning": None,
        "signal": "ci_lifecycle_produced",
        "unit": "gCO2e/kWh",
        "quality": "forecast",
        "simulated": False,
        "source": "derived@ipcc_ar5/alpha",
        "licence": "CC-BY-4.0",
        "model": "weekly@1",
        "issued_at": "2026-03-02T12:00:00Z",
        "known_at": "2026-03-02T12:00:00Z",
        "data_age_seconds": 0.0,
        "estimates": [],
        "as_of": "2026-03-02T12:00:00Z",
        "replay": False,
    }
    assert slots[0] == {
        "start": "2026-03-02T12:00:00Z",
        "end": "2026-03-02T13:00:00Z",
        "p10": 290.0,
        "p50": 300.0,
        "p90": 310.0,
    }
    assert [slot["p50"] for slot in slots] == DE
    assert slots[-1]["end"] == "2026-03-05T12:00:00Z"


def test_the_saving_can_be_recomputed_from_the_rows(ask: Asker) -> None:
    p50 = {slot["start"]: slot["p50"] for slot in ask.json(URL)["slots"]}
    answer = ask.json("/v1/best-window?region=DE&hours=4")
    hours = [f"2026-03-02T{hour:02}:00:00Z" for hour in range(12, 20)]
    first = hours.index(answer["start"])
    mean = sum(p50[hour] for hour in hours[first : first + 4]) / 4
    at_once = sum(p50[hour] for hour in hours[:4]) / 4
    assert (answer["mean"], answer["mean_now"]) == (mean, at_once)
    assert answer["saving"] == pytest.approx((at_once - mean) / at_once)


def test_another_model_is_requested_by_name(ask: Asker) -> None:
    answer = ask.json(f"{URL}?model=beta")
    assert (answer["model"], answer["source"]) == ("beta", "beta")
    assert {slot["p50"] for slot in answer["slots"]} == {111.0}
    assert answer["issued_at"] == "2026-03-02T09:00:00Z"


def test_the_served_model_by_its_name_is_the_same_answer(ask: Asker) -> None:
    assert ask.json(f"{URL}?model=weekly@1") == ask.json(URL)


def test_a_model_without_a_run_names_the_one_there_is(ask: Asker) -> None:
    problem = ask.problem(f"{URL}?model=prophet@1", 404, "no_data")
    assert "'prophet@1'" in problem["detail"]
    assert "weekly@1" in problem["detail"]


def test_as_of_gives_the_run_known_then(ask: Asker) -> None:
    answer = ask.json(f"{URL}?as_of=2026-03-02T11:59:59Z")
    assert answer["issued_at"] == "2026-03-02T10:00:00Z"
    assert answer["slots"][0]["p50"] == 900.0
    assert ask.json(f"{URL}?as_of=2026-03-02T09:30Z")["model"] == "beta"


def test_another_signal_is_requested_by_name(ask: Asker) -> None:
    answer = ask.json(f"{URL}?signal=cfe_produced")
    assert [slot["p50"] for slot in answer["slots"]] == [0.2, 0.6, 0.4]


def test_a_slot_that_the_model_left_out_is_left_out(ask: Asker) -> None:
    slots = ask.json("/v1/zones/BE/forecast")["slots"]
    assert [slot["start"][11:13] for slot in slots] == ["12", "13", "14", "15", "17", "18"]


def test_a_run_that_has_ended_is_still_shown(ask: Asker) -> None:
    assert len(ask.json("/v1/zones/ES/forecast")["slots"]) == 3


def test_simulated_forecasts_say_so(ask: Asker) -> None:
    answer = ask.json("/v1/zones/NL/forecast")
    assert (answer["simulated"], answer["quality"]) == (True, "simulated")
