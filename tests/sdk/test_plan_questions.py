"""Plans and batches asked of a service: what goes out, what comes back, what is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

import gridtide
from gridtide import shortcuts
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
