"""Jobs that come back: the plan is that of the next time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gridtide.client import Client
from gridtide.errors import BadInput
from gridtide.local import Host, LocalTransport
from gridtide.planning import Bounds, Cap, Job, Progress, Recurring
from gridtide.schema.plans import JobRequest
from tests.server.published import HOUR, NOW, Asker

Json = dict[str, Any]
CRON = "0 14 * * *"


def question(**members: Any) -> Json:  # noqa: ANN401  # JSON
    return {"job": {"hours": 2}, "region": "DE"} | members


@pytest.mark.parametrize(
    ("recurring", "bounds", "start"),
    [
        # From 14:00 to 19:00 the cleanest 2 h are 15:00 to 17:00.
        ({"cron": CRON, "slack_hours": 3}, None, "2026-03-02T15:00:00Z"),
        ({"cron": CRON, "slack_fraction": 1.5}, None, "2026-03-02T15:00:00Z"),
        ({"cron": CRON, "slack_hours": 0}, None, "2026-03-02T14:00:00Z"),
        (
            {"cron": "0 15 * * *", "zone": "Europe/Berlin", "slack_hours": 0},
            None,
            "2026-03-02T14:00:00Z",
        ),
        ({"cron": "30 12 * * tue", "slack_hours": 0}, None, "2026-03-03T12:30:00Z"),
        (
            {"cron": CRON, "slack_hours": 0},
            {"earliest": "2026-03-02T14:01Z"},
            "2026-03-03T14:00:00Z",
        ),
        (
            {"cron": CRON, "slack_hours": 3},
            {"deadline": "2026-03-02T16:00Z"},
            "2026-03-02T14:00:00Z",
        ),
    ],
)
def test_the_plan_is_that_of_the_next_time(
    ask: Asker, recurring: Json, bounds: Json | None, start: str
) -> None:
    plan = ask.post("/v1/plan", question(recurring=recurring, bounds=bounds))
    assert plan["start"] == start


@pytest.mark.parametrize(
    ("recurring", "bounds", "words"),
    [
        ({"cron": CRON}, None, "give slack (slack_hours in JSON) or slack_fraction"),
        (
            {"cron": CRON, "slack_hours": 1, "slack_fraction": 1},
            None,
            "slack and slack_fraction are both given; give one",
        ),
        (
            {"cron": CRON, "slack_hours": 1},
            {"slack_hours": 2},
            "leave that of the bounds out",
        ),
        ({"cron": "0 0 30 2 *", "slack_hours": 1}, None, "does not name a day in the next"),
        ({"cron": "at night", "slack_hours": 1}, None, "has 2 fields; give five"),
        ({"cron": "61 * * * *", "slack_hours": 1}, None, "'61' is not a valid minute"),
        ({"cron": CRON, "slack_hours": 1, "zone": "Mars"}, None, "give an IANA name"),
        ({"slack_hours": 1}, None, "recurring.cron: required"),
    ],
)
def test_what_cannot_come_back_is_refused(
    ask: Asker, recurring: Json, bounds: Json | None, words: str
) -> None:
    sent = question(recurring=recurring, bounds=bounds)
    assert words in ask.problem("/v1/plan", 422, "bad_input", sent)["detail"]


def test_the_rest_of_a_job_stays_in_the_time_it_was_planned_for(ask: Asker) -> None:
    # Asked at 10:00 for 11:00 and what follows until 16:00; at 12:00 it has not begun.
    sent = question(
        recurring={"cron": "0 11 * * *", "slack_hours": 3}, as_of="2026-03-02T10:00Z"
    )
    plan = ask.post("/v1/plan", sent)
    rest = ask.post("/v1/replan", {"plan": plan, "request": sent, "progress": {}})
    # Of 12:00 to 16:00 the cleanest 2 h are 14:00 to 16:00: (200 + 100) / 2.
    assert (rest["start"], rest["mean"]) == ("2026-03-02T14:00:00Z", 150)


def test_python_sends_the_same(ask: Asker) -> None:
    daily = Recurring(CRON, timedelta(hours=3))
    job, wire = Job(2 * HOUR), {"cron": CRON, "slack_hours": 3.0}
    with Client("http://test", transport=LocalTransport(Host(ask.app))) as client:
        plan = client.plan(job, "DE", recurring=daily)
        assert plan.to_json() == ask.post("/v1/plan", question(recurring=wire))
        later = client.plan(
            job, "DE", Bounds(NOW + 3 * HOUR), recurring=Recurring(CRON, 1.5, "Europe/Berlin")
        )
        assert later.start == NOW + 25 * HOUR
        assert client.replan(plan, Progress(NOW)).start == plan.start
        (batched,) = client.batch(
            [{"kind": "plan", "job": job, "where": "DE", "recurring": daily}]
        )
        assert batched == plan
        request = JobRequest(job, "DE", recurring=daily)
        jobs = client.schedule([request, request], {"DE": Cap(jobs=1)}).plans
        first, last = sorted(jobs, key=lambda each: each.start)
        # One after the other, both within 14:00 to 19:00.
        assert NOW + 2 * HOUR <= first.start < first.end <= last.start
        assert last.end <= NOW + 7 * HOUR
        with pytest.raises(BadInput, match="leave that of the bounds out"):
            client.plan(job, "DE", Bounds(slack=1.0), recurring=daily)
