"""A region without data comes last with its reason; the others are answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gridtide.cli import script
from gridtide.client import Client
from gridtide.local import Host, LocalTransport
from gridtide_store.data_directory import DataDirectory
from tests.server.published import NOW, Asker, FixedClock

# A region of each kind without what the others have, and a word of its reason.
LACKING = [
    ("AT", "has no data here"),
    ("PL", "gridtide issue --zone PL"),
    ("ES", "ended 2026-03-02T11:00:00Z"),
    ("GB", "it has ci_direct_consumed"),
]
JOB: dict[str, Any] = {"job": {"hours": 2}}


@pytest.mark.parametrize(("region", "reason"), LACKING)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_region_without_data_is_last_wherever_it_was_named(
    ask: Asker, region: str, reason: str, place: int
) -> None:
    question = ["DE", "FR"]
    question.insert(place, region)
    url = f"/v1/best-region?region={','.join(question)}&hours=2"
    alone = ask.json("/v1/best-region?region=DE,FR&hours=2")
    answer = ask.json(url)
    *found, last = answer["ranking"]
    assert found == alone["ranking"]
    assert (last["region"], last["window"]) == (region, None)
    assert reason in last["reason"]
    plan = ask.post("/v1/plan", {**JOB, "places": {"places": question}})
    assert plan["region"] == "FR"
    assert [each["region"] for each in plan["left_out"]] == [region]
    assert reason in plan["left_out"][0]["reason"]
    rules = {"regions": question, "allowed": question, "latency_ms": {region: 5}}
    assert ask.post("/v1/plan", {**JOB, "candidates": rules}) == plan
    batch = ask.post(
        "/v1/batch",
        {
            "questions": [
                {"kind": "best_region", "regions": question, "hours": 2},
                {"kind": "plan", **JOB, "places": {"places": question}},
            ]
        },
    )
    assert batch["answers"] == [answer, plan]


def test_all_kinds_of_left_out_regions_are_reported(ask: Asker) -> None:
    question = ["AT", "DE", "PL", "ES", "FR", "GB"]
    answer = ask.json(f"/v1/best-region?region={','.join(question)}&hours=2")
    assert [each["region"] for each in answer["ranking"]] == [
        "FR",
        "DE",
        "AT",
        "PL",
        "ES",
        "GB",
    ]
    jobs = [{**JOB, "places": {"places": question}}, {**JOB, "region": "DE"}]
    caps = {"GB": {"jobs": 1}, "FR": {"jobs": 1}}
    reply = ask.post("/v1/schedule", {"jobs": jobs, "caps": caps})
    assert [each["region"] for each in reply["plans"]] == ["FR", "DE"]
    assert [each["region"] for each in reply["plans"][0]["left_out"]] == [
        "AT",
        "PL",
        "ES",
        "GB",
    ]


def test_all_without_data_is_an_error_that_names_each(ask: Asker) -> None:
    said = [
        ask.problem("/v1/best-region?region=AT,PL,ES&hours=2", 404, "no_data"),
        ask.problem(
            "/v1/plan", 404, "no_data", {**JOB, "places": {"places": ["AT", "PL", "ES"]}}
        ),
    ]
    for problem in said:
        for zone in ("AT", "PL", "ES"):
            assert f"{zone} (" in problem["detail"] or f"{zone}:" in problem["detail"]


def test_where_no_other_has_a_window_either_the_error_names_all(ask: Asker) -> None:
    problem = ask.problem("/v1/best-region?region=AT,DE&hours=80", 422, "no_feasible_window")
    assert "AT (Austria) has no data" in problem["detail"]
    assert "DE: no unbroken run" in problem["detail"]


def test_a_forecast_that_has_ended_does_not_choose_the_signal(ask: Asker) -> None:
    problem = ask.problem("/v1/best-region?region=ES,GB&hours=2", 422, "no_common_signal")
    assert set(problem["signals"]) == {"ES", "GB"}


def test_the_current_region_must_have_a_forecast(ask: Asker) -> None:
    places = {"places": ["DE", "PL"], "home": "PL", "data_gb": 1.0, "kwh_per_gb": 0.1}
    problem = ask.problem("/v1/plan", 404, "no_data", {**JOB, "places": places})
    assert problem["detail"].startswith("PL ")


@pytest.mark.parametrize(
    "question",
    [
        ["PL", "DE", "FR"],
        ["AT", "DE", "PL", "ES", "FR", "GB"],
        ["BE", "ES", "DE"],
        ["DE"],
    ],
)
@pytest.mark.parametrize("hours", [2, 7])
def test_a_ranking_is_one_list_over_every_interface(
    home: DataDirectory, question: list[str], hours: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with Asker(home, FixedClock(NOW)) as ask:
        rest = ask.json(f"/v1/best-region?region={','.join(question)}&hours={hours}")
        transport = LocalTransport(Host(ask.app))
        with Client("http://test", transport=transport) as client:
            answer = client.best_region(question, hours)
    windows = [each for each in rest["ranking"] if "window" not in each]
    without = [each for each in rest["ranking"] if "window" in each]
    assert rest["ranking"] == windows + without
    assert len(windows) + len(without) == len(question)
    assert answer.to_json() == rest
    assert [each.to_json() for each in answer.ranking] == windows
    assert [(each.region, each.reason) for each in answer.infeasible] == [
        (each["region"], each["reason"]) for each in without
    ]
    own = {"GRIDTIDE_HOME": str(home.root), "GRIDTIDE_NOW": NOW.isoformat()}
    with Client(environ=own) as client:
        local = client.best_region(question, hours).to_json()
    words = ["best-region", ",".join(question), "--hours", str(hours), "--json"]
    assert script.main(words, own) == 0
    assert json.loads(capsys.readouterr().out) == local
    assert local == {**rest, "replay": True, "ranking": local["ranking"]}
    assert local["ranking"] == [*({**each, "replay": True} for each in windows), *without]


def test_sdk_and_shell_show_the_same(
    home: DataDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    with Asker(home, FixedClock(NOW)) as ask:
        transport = LocalTransport(Host(ask.app))
        with Client("http://test", transport=transport) as client:
            answer = client.best_region(["PL", "DE", "FR"], 2)
    assert [each.region for each in answer.ranking] == ["FR", "DE"]
    assert [each.region for each in answer.infeasible] == ["PL"]
    words = ["--home", str(home.root), "--now", NOW.isoformat()]
    assert script.main([*words, "best-region", "PL,DE,FR", "--hours", "2"], {}) == 0
    assert "PL: no window; PL (Poland) has no forecast" in capsys.readouterr().out
    assert script.main([*words, "plan", "PL", "DE", "--hours", "2", "--json"], {}) == 0
    assert json.loads(capsys.readouterr().out)["left_out"][0]["region"] == "PL"
