"""`/v1/plan` and `/v1/replan`: sums by hand over the numbers of `published`."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest

from gridtide.planning.decide.response import Plan
from gridtide.schema.definition import definition_of
from gridtide.schema.plans import PlanAnswer
from gridtide_store.data_directory import DataDirectory
from tests.server.published import HOUR, NOW, Asker, FixedClock, Publisher, observed, run

Json = dict[str, Any]


def question(hours: float = 2, **members: Any) -> Json:  # noqa: ANN401  # JSON
    """A job in DE, if not said otherwise."""
    where = {} if {"regions", "places"} & set(members) else {"region": "DE"}
    return {"job": {"hours": hours}} | where | members


def spans(plan: Json) -> list[tuple[str, str, float, str]]:
    """Hours of each slot, its power and its region."""
    return [
        (slot["start"][11:16], slot["end"][11:16], slot["power_kw"], slot["region"])
        for slot in plan["slots"]
    ]


def test_an_unbroken_job_gets_the_window_of_best_window_with_grams_and_savings(
    ask: Asker,
) -> None:
    plan = ask.post("/v1/plan", question(job={"hours": 2, "power": 3}))
    # 15:00 to 17:00: (100 + 150) / 2 = 125 g/kWh over 6 kWh; at once 290.
    assert spans(plan) == [("15:00", "17:00", 3.0, "DE")]
    assert (plan["kwh"], plan["grams"], plan["mean"]) == (6.0, 750.0, 125.0)
    assert plan["saving_now"] == pytest.approx((290 - 125) / 290)
    # Of the 71 starts on a slot's edge most lie in the 66 hours of 400.
    assert plan["saving_median"] == plan["saving_worst"] == pytest.approx((400 - 125) / 400)
    # p10 and p90 lie 10 to either side.
    assert plan["interval"] == {"low": 690.0, "high": 810.0}
    assert plan["reason"]["code"] == "best"
    window = ask.json("/v1/best-window?region=DE&hours=2")
    for name in (
        *("region", "zone", "zone_name", "resolved_by", "certainty", "meaning"),
        *("start", "end", "signal", "unit"),
        *("mean", "quality", "simulated", "source", "licence", "model", "issued_at"),
        *("data_age_seconds", "as_of", "replay"),
    ):
        assert plan[name] == window[name], name


def test_a_job_that_may_pause_takes_the_cheapest_hours(ask: Asker) -> None:
    bounds: Json = {"deadline": "2026-03-02T18:00:00Z"}
    plan = ask.post(
        "/v1/plan", question(job={"hours": 3, "kind": "interruptible"}, bounds=bounds)
    )
    # 14:00 200, 15:00 100, 16:00 150 are the cheapest three and lie side by side.
    assert (spans(plan), plan["grams"]) == ([("14:00", "17:00", 1.0, "DE")], 450.0)
    bounds["blackouts"] = [{"start": "2026-03-02T15:00Z", "end": "2026-03-02T16:00Z"}]
    plan = ask.post(
        "/v1/plan", question(job={"hours": 3, "kind": "interruptible"}, bounds=bounds)
    )
    # Without 15:00 the next best is 13:00 at 280: 200 + 150 + 280.
    assert plan["grams"] == 630.0
    assert [slot[:2] for slot in spans(plan)] == [("13:00", "15:00"), ("16:00", "17:00")]
    assert plan["segments"] == 2


def test_opening_hours_are_on_the_clock_of_their_zone(ask: Asker) -> None:
    # 13:00 to 15:00 in Berlin is 12:00 to 14:00 UTC in March.
    bounds = {"opening": {"zone": "Europe/Berlin", "hours": "Mon 13:00-15:00"}}
    plan = ask.post("/v1/plan", question(bounds=bounds))
    assert spans(plan) == [("12:00", "14:00", 1.0, "DE")]
    assert plan["reason"]["code"] in ("now_is_best", "no_choice")


def test_region_and_time_are_chosen_together_and_left_out_regions_named(ask: Asker) -> None:
    plan = ask.post("/v1/plan", question(regions=["DE", "FR", "ES"]))
    # FR 13:00 to 15:00: 60 a kWh. The forecast of ES has ended.
    assert spans(plan) == [("13:00", "15:00", 1.0, "FR")]
    assert (plan["region"], plan["zone"], plan["source"]) == ("FR", "FR", "beta")
    assert plan["grams"] == 120.0
    ((region, reason),) = [one.values() for one in plan["left_out"]]
    assert region == "ES"
    assert "ended 2026-03-02T11:00:00Z" in reason


def test_overhead_changes_the_chosen_region(ask: Asker) -> None:
    regions: list[Any] = ["DE", {"region": "FR", "pue": 2.5}]
    plan = ask.post("/v1/plan", question(regions=regions))
    # FR: 60 x 2.5 = 150 a kWh of the job; DE: 125.
    assert (plan["region"], plan["grams"]) == ("DE", 250.0)


def test_data_to_move_is_paid_at_both_ends(ask: Asker) -> None:
    places = {"places": ["DE", "FR"], "home": "DE", "data_gb": 20.0, "kwh_per_gb": 0.01}
    plan = ask.post("/v1/plan", question(places=places))
    # Moving takes 0.2 kWh, half of it at each end, at once: 0.1 x (300 + 80).
    assert plan["region"] == "FR"
    assert plan["kwh"] == pytest.approx(2.2)
    assert plan["grams"] == pytest.approx(120.0 + 38.0)
    places["data_gb"] = 100.0  # 190 g, which makes it 310, above the 250 of DE
    stays = ask.post("/v1/plan", question(places=places))
    assert (stays["region"], stays["kwh"]) == ("DE", 2.0)


def test_residency_and_latency_are_known_of_zones_and_cloud_regions(ask: Asker) -> None:
    places: Json = {"places": ["DE", "FR"], "residency": ["DE"]}
    plan = ask.post("/v1/plan", question(places=places))
    assert plan["region"] == "DE"
    assert "jurisdiction, FR" in plan["left_out"][0]["reason"]
    places = {"places": ["DE", "azure:francecentral"], "home": "DE", "max_latency_ms": 0.1}
    plan = ask.post("/v1/plan", question(places=places))
    assert plan["region"] == "DE"
    assert "round trip" in plan["left_out"][0]["reason"]


def test_the_objective_cfe_plans_on_a_cfe_fraction(ask: Asker) -> None:
    plan = ask.post("/v1/plan", question(1, goal={"objective": "cfe"}))
    # 0.2, 0.6, 0.4 from 12:00 on.
    assert spans(plan) == [("13:00", "14:00", 1.0, "DE")]
    assert (plan["signal"], plan["mean"], plan["grams"]) == ("cfe_produced", 0.6, None)
    assert plan["saving_now"] == pytest.approx(0.4)


def test_cost_decides_where_the_goal_says_so(ask: Asker) -> None:
    costs = {"unit": "EUR/kWh", "start": "2026-03-02T12:00Z", "step": 1, "values": [5, 1, 1, 9]}
    plan = ask.post("/v1/plan", question(goal={"objective": "cost", "costs": costs}))
    assert spans(plan) == [("13:00", "15:00", 1.0, "DE")]
    assert (plan["cost"], plan["cost_unit"], plan["grams"]) == (2.0, "EUR", 480.0)


def test_an_elastic_job_with_a_ramp_is_solved_here(ask: Asker) -> None:
    job = {"hours": 4, "kind": "elastic", "workers": {"maximum": 2, "ramp": 1}}
    plan = ask.post("/v1/plan", question(job=job, bounds={"deadline": "2026-03-02T18:00:00Z"}))
    sizes = [slot["workers"] for slot in plan["slots"]]
    assert max(sizes) == pytest.approx(2.0)
    work = sum(
        slot["workers"] * (int(slot["end"][11:13]) - int(slot["start"][11:13]))
        for slot in plan["slots"]
    )
    assert work == pytest.approx(4.0)


def test_as_of_answers_by_what_was_known_then(ask: Asker) -> None:
    plan = ask.post("/v1/plan", question(as_of="2026-03-02T10:00:00Z"))
    assert plan["as_of"] == "2026-03-02T10:00:00Z"
    assert plan["issued_at"] == "2026-03-02T10:00:00Z"
    problem = ask.problem("/v1/plan", 422, "bad_input", question(as_of="2026-03-02T12:01:00Z"))
    assert "later than now" in problem["detail"]


def test_no_cache_keeps_an_answer_to_a_post(ask: Asker) -> None:
    body = json.dumps(question()).encode()
    assert ask("/v1/plan", "POST", body=body).headers["cache-control"] == "no-store"


def test_a_simulated_region_makes_the_plan_simulated(ask: Asker) -> None:
    plan = ask.post("/v1/plan", question(regions=["NL"]))
    assert (plan["simulated"], plan["quality"]) == (True, "simulated")


def test_a_plan_that_moves_names_every_source_and_the_oldest_age(publisher: Publisher) -> None:
    publisher.add(
        observed("DE", [9.0], start=NOW - 5 * HOUR),
        observed("FR", [9.0], start=NOW - HOUR, source="beta"),
        run("DE", [1.0, 9.0, 1.0]),
        run("FR", [9.0, 1.0, 9.0], source="beta"),
    )
    publisher.publish()
    places = {"places": ["FR", "DE"], "moves": "follow"}
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        plan = ask.post("/v1/plan", question(3, places=places))
    assert [slot[3] for slot in spans(plan)] == ["DE", "FR", "DE"]
    assert (plan["region"], plan["grams"]) == ("DE", 3.0)
    assert plan["source"] == "beta, derived@ipcc_ar5/alpha"
    assert plan["licence"] == "CC-BY-4.0, public domain"
    # DE was last known at 08:00.
    assert plan["data_age_seconds"] == 4 * 3600.0


@pytest.mark.parametrize("member", ["home", "latency_from"])
def test_a_current_region_without_a_forecast_is_refused(ask: Asker, member: str) -> None:
    places = {"places": ["DE", "ES"], member: "ES"}
    problem = ask.problem("/v1/plan", 404, "no_data", question(places=places))
    assert problem["detail"].startswith("ES: the newest forecast")


def test_a_current_region_outside_the_candidates_is_refused(ask: Asker) -> None:
    places = {"places": ["DE", "FR"], "home": "ES"}
    problem = ask.problem("/v1/plan", 422, "bad_input", question(places=places))
    assert "'ES' must be one of the regions DE, FR; add it" in problem["detail"]


def test_the_wire_form_has_the_fields_of_the_sdk_s_plan() -> None:
    ours = {each.name for each in fields(Plan)} - {"problem"}
    assert ours < set(definition_of(PlanAnswer))


# Replan


def test_the_rest_is_planned_by_what_is_forecast_now(publisher: Publisher) -> None:
    publisher.add(observed("DE", [300.0], start=NOW - HOUR), run("DE", [5.0, 1.0, 2.0, 9.0]))
    publisher.publish()
    sent = question(job={"hours": 2, "kind": "interruptible"})
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        plan = ask.post("/v1/plan", sent)
    # The two cheapest of four.
    assert spans(plan) == [("13:00", "15:00", 1.0, "DE")]
    publisher.add(run("DE", [8.0, 7.0, 3.0], issued_at=NOW + HOUR))
    publisher.publish(NOW + 2 * HOUR)
    with Asker(publisher.home, FixedClock(NOW + 2 * HOUR)) as ask:
        rest = ask.post(
            "/v1/replan",
            {"plan": plan, "request": sent, "progress": {"done": 1, "running": True}},
        )
        earlier = ask.post(
            "/v1/replan",
            {"plan": plan, "request": sent, "progress": {"at": "2026-03-02T12:00:00Z"}},
        )
    # One hour is left, and of 14:00 and 15:00 the later is now the cheaper.
    assert spans(rest) == [("15:00", "16:00", 1.0, "DE")]
    assert (rest["kwh"], rest["grams"]) == (1.0, 3.0)
    # At noon only the first forecast was known.
    assert spans(earlier) == spans(plan)
    assert earlier["as_of"] == "2026-03-02T12:00:00Z"


def test_a_deadline_from_slack_stays_the_same_moment(home: DataDirectory, ask: Asker) -> None:
    sent = question(1, bounds={"slack_hours": 1})
    plan = ask.post("/v1/plan", sent)
    assert plan["end"] == "2026-03-02T14:00:00Z"
    with Asker(home, FixedClock(NOW + timedelta(minutes=30))) as later:
        body = {"plan": plan, "request": sent, "progress": {}}
        # Asked anew the slack would begin now, and end at 14:30.
        assert later.post("/v1/replan", body)["end"] == "2026-03-02T14:00:00Z"
        assert later.post("/v1/plan", sent)["end"] == "2026-03-02T14:30:00Z"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"progress": {"done": 2}}, "nothing is left to plan"),
        ({"progress": {"done": -1}}, "give 0 or more"),
        (
            {"progress": {"region": "FR"}},
            "'FR'; its region must be one of those of the request: DE",
        ),
        ({"progress": {"dome": 1}}, "progress.dome: unknown field; did you mean done?"),
        ({"plan": {}}, "plan: must be a response of the service"),
        ({"plan": 1}, "plan: must be a response of the service"),
        ({"request": None}, "request: required, the request it answered"),
    ],
)
def test_progress_that_does_not_fit_is_refused(ask: Asker, change: Json, words: str) -> None:
    sent = question()
    body = {"plan": ask.post("/v1/plan", sent), "request": sent, "progress": {}} | change
    assert words in ask.problem("/v1/replan", 422, "bad_input", body)["detail"]


def test_the_region_of_a_running_job_must_have_a_forecast(publisher: Publisher) -> None:
    publisher.add(
        *(observed(zone, [300.0], start=NOW - HOUR) for zone in ("DE", "FR")),
        run("DE", [300.0] * 9),
        run("FR", [50.0] * 3),
    )
    publisher.publish()
    body = {"job": {"hours": 2}, "regions": ["DE", "FR"]}
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        plan = ask.post("/v1/plan", body)
    assert plan["region"] == "FR"
    # Four hours later the forecast of FR has ended.
    progress = {"region": "FR", "done": 1, "running": True}
    with Asker(publisher.home, FixedClock(NOW + 4 * HOUR)) as later:
        again = {"plan": plan, "request": body, "progress": progress}
        problem = later.problem("/v1/replan", 404, "no_data", again)
    assert "FR: the newest forecast" in problem["detail"]
