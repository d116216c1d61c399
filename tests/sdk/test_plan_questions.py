"""Plans and batches asked of a service: what goes out, what comes back, what is shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

import gridtide
from gridtide import shortcuts
from gridtide.cli.script import main
from gridtide.client import AsyncClient, Client
from gridtide.errors import (
    ApiError,
    BadInput,
    NoFeasibleWindow,
    ServiceUnavailable,
    TooManyQuestions,
)
from gridtide.planning import Bounds, Goal, Job, Kind, Progress
from gridtide.planning.errors import NeverUnder, NoSolver, OverBudget, TooFine
from gridtide.schema.plans import PlanAnswer

Ask = Callable[..., Any]
Service = Any  # that of conftest
HOUR = timedelta(hours=1)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
JOB = Job(2 * HOUR, Kind.INTERRUPTIBLE, power=2.5)
JOB_JSON = {"hours": 2.0, "kind": "interruptible", "power": 2.5}


@pytest.fixture(params=["Client", "AsyncClient"])
def ask(
    request: pytest.FixtureRequest,
    transport: httpx.BaseTransport,
    async_transport: httpx.AsyncBaseTransport,
) -> Ask:
    """Asks a question by its name, of either client; pauses take no time."""
    url = "http://service"
    if request.param == "Client":
        client = Client(url, environ={}, transport=transport, pause=lambda _: None)
        return lambda question, *args, **kwargs: getattr(client, question)(*args, **kwargs)

    async def no_pause(_: float) -> None:
        return

    later = AsyncClient(url, environ={}, transport=async_transport, pause=no_pause)
    return lambda question, *args, **kwargs: asyncio.run(
        getattr(later, question)(*args, **kwargs)
    )


def test_a_plan_is_asked_in_a_body_and_answered_typed(
    ask: Ask,
    said: SimpleNamespace,
    service: Service,
) -> None:
    plan = ask(
        "plan",
        JOB,
        ["DE", "FR"],
        Bounds(slack_fraction=0.5),
        Goal(min_saving=0.1),
        signal="cfe_produced",
        as_of="2026-03-02T13:00+01:00",
        alternatives=0,
    )
    (asked,) = service.asked
    assert (asked.method, asked.path, asked.params) == ("POST", "/v1/plan", [])
    assert asked.headers["content-type"] == "application/json"
    assert asked.body == {
        "job": JOB_JSON,
        "regions": ["DE", "FR"],
        "bounds": {"slack_fraction": 0.5},
        "goal": {"min_saving": 0.1},
        "signal": "cfe_produced",
        "as_of": "2026-03-02T12:00:00Z",
        "alternatives": 0,
    }
    assert isinstance(plan, PlanAnswer)
    assert plan.to_json() == said.plan
    assert plan.slots[1].start == NOON + 5 * HOUR
    assert (plan.reason.code, plan.grams, plan.left_out[0].region) == ("best", 1500.0, "FR")


def test_a_plan_can_be_planned_again(
    ask: Ask,
    said: SimpleNamespace,
    service: Service,
) -> None:
    plan = ask("plan", JOB, "DE")
    again = ask("replan", plan, Progress(NOON + HOUR, done=HOUR))
    third = ask("replan", again, Progress(NOON + 2 * HOUR, done=HOUR))
    assert third.to_json() == said.plan
    question = {"job": JOB_JSON, "region": "DE"}
    assert [each.body for each in service.asked[1:]] == [
        {
            "plan": said.plan,
            "request": question,
            "progress": {"at": f"2026-03-02T{hour}:00:00Z", "done": 1.0},
        }
        for hour in (13, 14)
    ]
    with pytest.raises(BadInput, match="does not contain its request"):
        ask("replan", PlanAnswer.from_json(said.plan), Progress(NOON))


def test_a_plan_is_asked_for_again_when_the_service_is_away(ask: Ask, service: Service) -> None:
    service.problem("unavailable", 503, "restarting")
    assert ask("plan", JOB, "DE").region == "DE"
    assert [each.body for each in service.asked] == [{"job": JOB_JSON, "region": "DE"}] * 2


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("over_budget", 422, OverBudget),
        ("never_under", 422, NeverUnder),
        ("too_fine", 422, TooFine),
        ("no_solver", 501, NoSolver),
        ("no_feasible_window", 422, NoFeasibleWindow),
    ],
)
def test_a_problem_becomes_the_planner_s_own_class(
    ask: Ask,
    service: Service,
    code: str,
    status: int,
    kind: type[Exception],
) -> None:
    service.problem(code, status, "what to do", least_grams=7)
    with pytest.raises(kind, match="what to do") as caught:
        ask("plan", JOB, "DE")
    assert type(caught.value) is kind
    assert caught.value.extra == {"least_grams": 7}  # type: ignore[attr-defined]  # added at run time
    assert len(service.asked) == 1


# Batch


def test_a_batch_has_answers_and_errors_in_their_places(
    ask: Ask,
    said: SimpleNamespace,
    service: Service,
) -> None:
    problem = {"code": "no_data", "status": 404, "title": "Nothing", "detail": "none yet"}
    away = {"code": "internal", "status": 500, "title": "Fault", "detail": "ours"}
    answers = [said.best_window, problem, said.plan, said.best_region, away]
    wire = {"answers": answers, "as_of": "2026-03-02T12:00:00Z", "replay": False}
    service.reply(200, wire)
    batch = ask(
        "batch",
        [
            {"kind": "best_window", "region": (52.5, 13.4), "hours": 4, "deadline": NOON},
            {
                "kind": "best_window",
                "region": "DE",
                "hours": 4,
                "earliest": datetime(2026, 1, 1),  # noqa: DTZ001
            },
            {"kind": "plan", "job": JOB, "where": ["DE", "FR"], "bounds": Bounds(slack=HOUR)},
            {"kind": "best_region", "regions": "DE", "hours": 4},
            {"kind": "plan", "job": {"hours": 1}, "regions": [(1, 2)]},
        ],
    )
    assert service.asked[0].body["questions"] == [
        {
            "kind": "best_window",
            "region": "52.5,13.4",
            "hours": 4,
            "deadline": "2026-03-02T12:00:00Z",
        },
        # A naive time is the service's to refuse, in its place.
        {
            "kind": "best_window",
            "region": "DE",
            "hours": 4,
            "earliest": "2026-01-01T00:00:00",
        },
        {
            "kind": "plan",
            "job": JOB_JSON,
            "regions": ["DE", "FR"],
            "bounds": {"slack_hours": 1.0},
        },
        {"kind": "best_region", "regions": ["DE"], "hours": 4},
        {"kind": "plan", "job": {"hours": 1}, "regions": ["1.0,2.0"]},
    ]
    window, nothing, plan, region, fault = batch
    assert window.to_json() == said.best_window
    assert isinstance(nothing, gridtide.NoData)
    assert str(nothing) == "none yet"
    assert plan.to_json() == said.plan
    assert region.to_json() == said.best_region
    assert isinstance(fault, ServiceUnavailable)
    assert (len(batch), batch.as_of, batch.replay) == (5, NOON, False)
    assert batch.to_json() == wire


def test_too_many_questions_are_refused_here(ask: Ask, service: Service) -> None:
    with pytest.raises(TooManyQuestions, match=r"1001 in one call; at most 1000"):
        ask("batch", [{"kind": "best_window"}] * 1001)
    assert service.asked == []


@pytest.mark.parametrize(
    "wire",
    [
        {},
        {"answers": [], "as_of": "2026-03-02T12:00:00Z"},
        {"answers": [{}]},
        {"answers": [7], "as_of": "2026-03-02T12:00:00Z"},
        {"answers": [{}], "as_of": "2026-03-02T12:00:00Z"},
    ],
)
def test_an_answer_that_is_no_batch_is_not_taken_for_one(
    ask: Ask,
    service: Service,
    wire: object,
) -> None:
    service.reply(200, wire)
    with pytest.raises(ApiError):
        ask("batch", [{"kind": "best_window", "region": "DE", "hours": 1}])


def test_shortcuts_ask_for_plans_too(
    address: str, said: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDTIDE_URL", address)
    plan = gridtide.plan(JOB, "DE")
    assert plan.to_json() == said.plan
    assert gridtide.replan(plan, Progress(NOON)).to_json() == said.plan
    with pytest.raises(ApiError):
        gridtide.batch([])
    shortcuts._clients.close()


# The script

Capture = pytest.CaptureFixture[str]


def test_json_of_the_script_is_that_of_rest(
    address: str,
    capsys: Capture,
    said: SimpleNamespace,
    service: Service,
    tmp_path: Path,
) -> None:
    wire = {"answers": [said.plan], "as_of": "2026-03-02T12:00:00Z", "replay": False}
    file = tmp_path / "question.json"
    file.write_text(json.dumps({"job": {"hours": 2}, "region": "DE"}))
    for words in (["plan", "DE", "--hours", "2"], ["plan", "--question", str(file)]):
        assert main([*words, "--json", "--url", address], {}) == 0
        out, err = capsys.readouterr()
        plan = json.loads(out)
        assert plan.pop("request")["job"]["hours"] == 2
        assert (plan, err) == (said.plan, "")
    file.write_text(json.dumps([{"kind": "plan", "job": {"hours": 2}, "region": "DE"}]))
    service.reply(200, wire)
    assert main(["batch", str(file), "--json", "--url", address], {}) == 0
    asked = {"job": {"hours": 2}, "region": "DE"}
    printed = json.loads(capsys.readouterr().out)
    assert printed == {**wire, "answers": [{**said.plan, "request": asked}]}


def test_options_are_the_members_of_the_question(
    address: str,
    service: Service,
    tmp_path: Path,
) -> None:
    costs = tmp_path / "costs.json"
    slots = {"unit": "EUR/kWh", "start": "2026-03-02T12:00Z", "step": 1, "values": [1, None]}
    costs.write_text(json.dumps(slots))
    words = ["plan", "DE,FR", "-33.9,18.4", "--hours", "8", "--kind", "segments"]
    words += ["--power", "2h:1.5,1h:0.8", "--min-piece", "1", "--max-pieces", "4"]
    words += ["--pause-cost", "0.5", "--restart-cost", "1:0.25", "--checkpoint", "2"]
    words += ["--checkpoint", "4", "--earliest", "2026-03-02T13:00Z", "--deadline"]
    words += ["2026-03-03T12:00Z", "--slack", "50%", "--next-working-day", "09:00"]
    words += ["--opening", "Mon-Fri 08:00-18:00", "--timezone", "Europe/Berlin"]
    words += [
        "--blackout",
        "2026-03-02T20:00Z/2026-03-02T22:00Z",
        "--blackout",
        "Sat 10:00-12:00",
    ]
    words += ["--goal", "weighted", "--costs", str(costs), "--carbon-weight", "1e-4"]
    words += ["--cost-weight", "1", "--min-saving", "0.05", "--quantile", "p90"]
    words += ["--pue", "1.2", "--from", "DE", "--data-gb", "5", "--kwh-per-gb", "0.01"]
    words += ["--max-latency-ms", "30", "--residency", "DE, FR", "--follow"]
    words += ["--signal", "ci_direct_produced", "--as-of", "2026-03-02T11:00Z"]
    assert main([*words, "--alternatives", "5", "--url", address], {}) == 0
    (asked,) = service.asked
    assert asked.body == {
        "job": {
            "hours": 8.0,
            "kind": "segments",
            "power": [{"hours": 2.0, "kw": 1.5}, {"hours": 1.0, "kw": 0.8}],
            "min_segment": 1.0,
            "max_segments": 4,
            "pause_cost": {"kwh": 0.5},
            "restart_cost": {"kwh": 1.0, "hours": 0.25},
            "checkpoints": [2.0, 4.0],
        },
        "candidates": {
            "regions": [
                {"region": "DE", "pue": 1.2},
                {"region": "FR", "pue": 1.2},
                {"region": "-33.9,18.4", "pue": 1.2},
            ],
            "current_region": "DE",
            "residency": ["DE", "FR"],
            "max_latency_ms": 30.0,
            "data_gb": 5.0,
            "kwh_per_gb": 0.01,
            "moves": "follow",
        },
        "bounds": {
            "earliest": "2026-03-02T13:00:00Z",
            "deadline": "2026-03-03T12:00:00Z",
            "slack_fraction": 0.5,
            "next_working_day": "09:00",
            "opening": {
                "zone": "Europe/Berlin",
                "hours": "; ".join(
                    f"{d} 08:00-18:00" for d in ("mon", "tue", "wed", "thu", "fri")
                ),
            },
            "blackouts": [
                {"start": "2026-03-02T20:00:00Z", "end": "2026-03-02T22:00:00Z"},
                {"zone": "Europe/Berlin", "hours": "sat 10:00-12:00"},
            ],
            "zone": "Europe/Berlin",
        },
        "goal": {
            "objective": "weighted",
            "costs": {
                "unit": "EUR/kWh",
                "slots": [
                    {
                        "start": "2026-03-02T12:00:00Z",
                        "end": "2026-03-02T13:00:00Z",
                        "value": 1.0,
                    },
                    {
                        "start": "2026-03-02T13:00:00Z",
                        "end": "2026-03-02T14:00:00Z",
                        "value": None,
                    },
                ],
            },
            "carbon_weight": 0.0001,
            "cost_weight": 1.0,
            "min_saving": 0.05,
            "quantile": "p90",
        },
        "signal": "ci_direct_produced",
        "as_of": "2026-03-02T11:00:00Z",
        "alternatives": 5,
    }


def test_chips_make_a_job_elastic_and_slack_is_in_hours(address: str, service: Service) -> None:
    words = ["plan", "DE", "--hours", "4", "--chips", "1:8", "--ramp", "2", "--slack", "12h"]
    assert main([*words, "--power", "3", "--budget-grams", "9", "--url", address], {}) == 0
    assert service.asked[0].body == {
        "job": {
            "hours": 4.0,
            "kind": "elastic",
            "power": 3.0,
            "workers": {"maximum": 8.0, "minimum": 1.0, "ramp": 2.0},
        },
        "region": "DE",
        "bounds": {"slack_hours": 12.0},
        "goal": {"budget_grams": 9.0},
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["plan", "DE"], "job.hours: required"),
        (["plan", "--hours", "2"], "no region is given"),
        (["plan", "DE", "--hours", "0"], "give more than 0"),
        (["plan", "DE", "--hours", "2", "--kind", "tidy"], "must be one of unbroken"),
        (["plan", "DE", "--hours", "2", "--slack", "lots"], "--slack is 'lots'; give"),
        (
            ["plan", "DE", "--hours", "2", "--power", "3h:x"],
            "--power: must be a number such as 4 or 1.5, not 'x'",
        ),
        (["plan", "DE", "--hours", "2", "--power", "3h:1"], "longer than the job's 2:00:00"),
        (["plan", "DE", "--hours", "2", "--costs", "/none"], "/none cannot be read as JSON"),
        (["plan", "DE", "--hours", "2", "--deadline", "2026-03-02T12:00"], "UTC offset"),
        (["batch", "/none"], "/none cannot be read as JSON"),
    ],
)
def test_bad_input_is_said_on_standard_error_with_exit_2(
    capsys: Capture, words: list[str], message: str
) -> None:
    assert main([*words, "--url", "http://127.0.0.1:9"], {}) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


def test_text_says_when_why_what_else_and_where_from(address: str, capsys: Capture) -> None:
    assert main(["plan", "DE", "--hours", "2", "--url", address], {}) == 0
    assert capsys.readouterr().out == (
        "DE (Germany): start 2026-03-02T15:00Z, end 2026-03-02T18:00Z (2 segments)\n"
        "  why      Run in DE.\n"
        "  energy   5 kWh, 1500 g (1400 to 1600.5)\n"
        "  mean     300.0 gCO2e/kWh\n"
        "  change   A later deadline.\n"
        "\n"
        "from               to                 power   region\n"
        "2026-03-02T15:00Z  2026-03-02T16:00Z  2.5 kW  DE\n"
        "2026-03-02T17:00Z  2026-03-02T18:00Z  2.5 kW  DE\n"
        "\n"
        "or           region  from               to                 mean             saves\n"
        "run at once  DE      2026-03-02T12:00Z  2026-03-02T14:00Z  400.0 gCO2e/kWh  0.0 %\n"
        "\n"
        "  FR: left out; no forecast\n"
        "  signal   ci_lifecycle_consumed\n"
        "  quality  forecast by weekly@1, issued 2026-03-02T11:30Z\n"
        "  data     35 min old, a_source (CC-BY-4.0)\n"
        "  zone     by zone key\n"
    )


def test_text_of_a_batch_is_a_line_for_each(
    address: str,
    capsys: Capture,
    said: SimpleNamespace,
    service: Service,
    tmp_path: Path,
) -> None:
    problem = {"code": "no_data", "status": 404, "title": "Nothing", "detail": "none yet"}
    answers = [said.best_window, said.best_region, said.plan, problem]
    service.reply(200, {"answers": answers, "as_of": "2026-03-02T12:00:00Z", "replay": False})
    kinds = ("best_window", "best_region", "plan", "best_window")
    file = tmp_path / "questions.json"
    file.write_text(json.dumps({"questions": [{"kind": kind} for kind in kinds]}))
    assert main(["batch", str(file), "--url", address], {}) == 0
    assert capsys.readouterr().out.splitlines() == [
        "1  DE: 2026-03-02T14:00Z to 2026-03-02T18:00Z, 300.0 gCO2e/kWh",
        "2  DE: 2026-03-02T14:00Z to 2026-03-02T18:00Z, 300.0 gCO2e/kWh; best of 2",
        "3  DE: 2026-03-02T15:00Z to 2026-03-02T18:00Z, 300.0 gCO2e/kWh, 5 kWh",
        "4  no_data: none yet",
    ]
