"""`/v1/schedule`: jobs beside each other, by hand over the numbers of `published`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gridtide import JobRequest
from gridtide.client import Client
from gridtide.errors import BadInput, NoFeasibleWindow, UnknownRegion
from gridtide.local import Host, LocalTransport
from gridtide.planning import Bounds, Job, Kind
from gridtide.planning.batch.capacity import Cap
from tests.server.published import HOUR, NOW, Asker, FixedClock, Publisher, observed, run

Json = dict[str, Any]
PATH = "/v1/schedule"
EVENING = "2026-03-02T18:00:00Z"


def job(hours: float = 1, region: str = "DE", **members: Any) -> Json:  # noqa: ANN401  # JSON
    """A job that may pause, in DE until 18:00."""
    return {
        "job": {"hours": hours, "kind": "interruptible", **members},
        "region": region,
        "bounds": {"deadline": EVENING},
    }


def test_a_cap_of_one_job_shares_the_cheapest_hours_out(ask: Asker) -> None:
    answer = ask.post(PATH, {"jobs": [job(), job()], "caps": {"DE": {"jobs": 1}}})
    # 15:00 at 100 and 16:00 at 150, one each; alone both would take 15:00.
    assert sorted(plan["grams"] for plan in answer["plans"]) == [100.0, 150.0]
    assert answer["total"] == pytest.approx(250.0)
    assert (answer["exact"], answer["method"]) == (True, "programme")
    assert answer["least"] == pytest.approx(250.0)
    assert "capped" in {plan["reason"]["code"] for plan in answer["plans"]}
    plan = answer["plans"][0]
    assert (plan["zone_name"], plan["source"]) == ("Germany", "derived@ipcc_ar5/alpha")
    assert (answer["as_of"], answer["replay"]) == ("2026-03-02T12:00:00Z", False)
    free = ask.post(PATH, {"jobs": [job(), job()], "caps": {}})
    assert free["total"] == pytest.approx(200.0)


def test_a_cap_on_power_counts_kilowatts(ask: Asker) -> None:
    caps = {"DE": {"kw": 3}}
    answer = ask.post(PATH, {"jobs": [job(power=2), job(power=1)], "caps": caps})
    # 2 + 1 kW fit side by side at 15:00.
    assert answer["total"] == pytest.approx(300.0)
    answer = ask.post(PATH, {"jobs": [job(power=2), job(power=2)], "caps": caps})
    assert answer["total"] == pytest.approx(2 * 100 + 2 * 150)


def test_jobs_have_regions_of_their_own_on_one_signal(ask: Asker) -> None:
    answer = ask.post(PATH, {"jobs": [job(), job(region="FR")], "caps": {"FR": {"jobs": 1}}})
    assert [plan["region"] for plan in answer["plans"]] == ["DE", "FR"]
    problem = ask.problem(
        PATH, 422, "no_common_signal", {"jobs": [job(), job(region="GB")], "caps": {}}
    )
    assert "signals" in problem


def test_all_jobs_go_by_the_signal_that_all_regions_have(publisher: Publisher) -> None:
    publisher.add(
        observed("DE", [9.0], start=NOW - HOUR),
        run("DE", [5.0, 6.0], signal="ci_lifecycle_consumed"),
        run("DE", [8.0, 7.0]),
        run("FR", [1.0, 2.0]),
    )
    publisher.publish()
    jobs = [{"job": {"hours": 1}, "region": region} for region in ("DE", "FR")]
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        answer = ask.post(PATH, {"jobs": jobs, "caps": {}})
    assert [plan["signal"] for plan in answer["plans"]] == ["ci_lifecycle_produced"] * 2
    assert answer["total"] == pytest.approx(7.0 + 1.0)


@pytest.mark.parametrize(
    ("question", "code", "words"),
    [
        ({"jobs": [], "caps": {}}, "bad_input", "the batch has no job"),
        ({"jobs": [job()]}, "bad_input", "caps: required"),
        (
            {"jobs": [job()], "caps": {"FR": {"jobs": 1}}},
            "bad_input",
            "caps: 'FR' must be one of the regions DE; add it",
        ),
        ({"jobs": [job()], "caps": {"DE": {"jobs": 0}}}, "bad_input", "give 1 or more"),
        ({"jobs": [job()], "caps": {"DE": {"job": 1}}}, "bad_input", "did you mean jobs?"),
        ({"jobs": [job()] * 201, "caps": {}}, "bad_input", "201 entries; at most 200"),
        (
            {"jobs": [job()], "caps": {}, "goal": {"budget_grams": 5}},
            "bad_input",
            "a batch minimises",
        ),
        ({"jobs": [job(hours=7)], "caps": {}}, "no_feasible_window", "job 1"),
        (
            {"jobs": [job(hours=4), job(hours=4)], "caps": {"DE": {"jobs": 1}}},
            "no_feasible_window",
            "raise a cap",
        ),
    ],
)
def test_what_cannot_be_scheduled_is_refused(
    ask: Asker, question: Json, code: str, words: str
) -> None:
    assert words in ask.problem(PATH, 422, code, question)["detail"]


def test_python_gets_what_rest_answers_and_refuses_alike(ask: Asker) -> None:
    bounds = Bounds(deadline=NOW + 6 * HOUR)
    question = JobRequest(Job(HOUR, Kind.INTERRUPTIBLE), "DE", bounds)
    with Client("http://test", transport=LocalTransport(Host(ask.app))) as client:
        answer = client.schedule([question, question], {"DE": Cap(jobs=1)})
        body = {"jobs": [job(), job()], "caps": {"DE": {"jobs": 1}}}
        assert answer.to_json() == ask.post(PATH, body)
        with pytest.raises(BadInput, match="caps: 'FR' must be one of the regions DE; add it"):
            client.schedule([question], {"FR": Cap(jobs=1)})
        long = JobRequest(Job(timedelta(hours=7)), "DE", bounds)
        with pytest.raises(NoFeasibleWindow, match="job 1"):
            client.schedule([long], {})
        with pytest.raises(UnknownRegion):
            client.schedule([JobRequest(question.job, "Germny")], {})
        with pytest.raises(BadInput, match="no region is given"):
            client.schedule([JobRequest(question.job, [])], {})
