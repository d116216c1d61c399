"""What is wrong with a question is said the same way over REST and in Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from gridtide.accounting.sci import Factors
from gridtide.client import Client
from gridtide.errors import BadInput, GridtideError, NoFeasibleWindow
from gridtide.planning import Bounds, CostSeries, Elastic, Goal, Job, PowerProfile
from gridtide.planning.errors import NeverUnder, OverBudget
from gridtide.planning.problem.state import Progress
from gridtide.schema.footprints import FootprintAnswer
from gridtide.schema.plans import PlanAnswer
from gridtide.schema.regions import Candidate, Candidates
from gridtide.schema.responses import BestWindow
from tests.server.published import HOUR, NOW, Asker

Json = dict[str, Any]
JOB = Job(2 * HOUR)
NAN = float("nan")


def body(**members: Any) -> Json:  # noqa: ANN401  # JSON
    return {"job": {"hours": 2}, "region": "DE"} | members


# A request over REST, the same in Python, the class, and words of the message.
CASES: list[tuple[str, Any, Callable[[Client], object], type[GridtideError], str]] = [
    (
        "no length",
        body(job={"hours": 0}),
        lambda ask: ask.plan(Job(timedelta(0)), "DE"),
        BadInput,
        "give more than 0",
    ),
    (
        "a negative length",
        body(job={"hours": -2}),
        lambda ask: ask.plan(Job(-2 * HOUR), "DE"),
        BadInput,
        "give more than 0",
    ),
    (
        "longer than the forecast",
        body(job={"hours": 73}),
        lambda ask: ask.plan(Job(73 * HOUR), "DE"),
        NoFeasibleWindow,
        "ask for at most that",
    ),
    (
        "more time to pause in than the forecast has",
        body(job={"hours": 73, "kind": "interruptible"}),
        lambda ask: ask.plan(Job(73 * HOUR, "interruptible"), "DE"),  # type: ignore[arg-type]  # the test passes what the type refuses
        NoFeasibleWindow,
        "for 72 h in all: ask for at most that",
    ),
    (
        "bounds in contradiction",
        body(bounds={"earliest": "2026-03-02T20:00Z", "deadline": "2026-03-02T18:00Z"}),
        lambda ask: ask.plan(JOB, "DE", Bounds(NOW + 8 * HOUR, NOW + 6 * HOUR)),
        BadInput,
        "deadline before start: 2026-03-02T18:00:00Z is not after the earliest start "
        "2026-03-02T20:00:00Z",
    ),
    (
        "no region",
        {"job": {"hours": 2}, "regions": []},
        lambda ask: ask.plan(JOB, []),
        BadInput,
        "no region is given; name at least one",
    ),
    (
        "a region twice, with different values",
        {"job": {"hours": 2}, "regions": ["DE", {"region": "DE", "pue": 2}]},
        lambda ask: ask.plan(JOB, ["DE", Candidate("DE", pue=2)]),
        BadInput,
        "a region is named twice",
    ),
    (
        "an unknown region",
        body(region="Germny"),
        lambda ask: ask.plan(JOB, "Germny"),
        GridtideError,
        "'Germny'",
    ),
    (
        "a gap in the only window",
        body(
            region="BE",
            bounds={"earliest": "2026-03-02T15:00Z", "deadline": "2026-03-02T18:00Z"},
        ),
        lambda ask: ask.plan(JOB, "BE", Bounds(NOW + 3 * HOUR, NOW + 6 * HOUR)),
        NoFeasibleWindow,
        "unbroken for at most 1 h",
    ),
    (
        "NaN in a cost series",
        json.dumps(
            body(
                goal={
                    "objective": "cost",
                    "costs": {
                        "unit": "EUR/kWh",
                        "start": "2026-03-02T12:00Z",
                        "step": 1,
                        "values": [1, NAN],
                    },
                }
            )
        ).encode(),
        lambda ask: ask.plan(
            JOB,
            "DE",
            goal=Goal("cost", CostSeries.regular("EUR/kWh", NOW, HOUR, [1, NAN])),  # type: ignore[arg-type]  # the test passes what the type refuses
        ),
        BadInput,
        "",
    ),
    (
        "a power profile longer than the job",
        body(job={"hours": 2, "power": [{"hours": 3, "kw": 1}]}),
        lambda ask: ask.plan(Job(2 * HOUR, power=PowerProfile(((3 * HOUR, 1.0),))), "DE"),
        BadInput,
        "the power profile lasts 3:00:00, longer than the job's 2:00:00; shorten the profile",
    ),
    (
        "a budget that no plan keeps",
        body(goal={"budget_grams": 100}),
        lambda ask: ask.plan(JOB, "DE", goal=Goal(budget_grams=100)),
        OverBudget,
        "raise the budget",
    ),
    (
        "a threshold never met",
        body(goal={"threshold": 50}),
        lambda ask: ask.plan(JOB, "DE", goal=Goal(threshold=50)),
        NeverUnder,
        "50",
    ),
    (
        "a throughput that is not concave",
        body(
            job={
                "hours": 2,
                "kind": "elastic",
                "workers": {
                    "maximum": 2,
                    "throughput": [{"workers": 1, "speed": 1}, {"workers": 2, "speed": 3}],
                },
            }
        ),
        lambda ask: ask.plan(
            Job(2 * HOUR, "elastic", workers=Elastic(2, throughput=((1, 1), (2, 3)))),  # type: ignore[arg-type]  # the test passes what the type refuses
            "DE",
        ),
        BadInput,
        "the throughput table is not concave",
    ),
    (
        "an overhead below 1",
        {"job": {"hours": 2}, "regions": [{"region": "DE", "pue": 0.9}]},
        lambda ask: ask.plan(JOB, Candidate("DE", pue=0.9)),
        BadInput,
        "give 1 or more",
    ),
    (
        "data to move from nowhere",
        {"job": {"hours": 2}, "places": {"places": ["DE", "FR"], "data_gb": 1}},
        lambda ask: ask.plan(JOB, Candidates(("DE", "FR"), data_gb=1)),
        BadInput,
        "give both",
    ),
    (
        "too many alternatives",
        body(alternatives=21),
        lambda ask: ask.plan(JOB, "DE", alternatives=21),
        BadInput,
        "give from 0 to 20",
    ),
    (
        "no signal of ours",
        body(signal="co2"),
        lambda ask: ask.plan(JOB, "DE", signal="co2"),
        BadInput,
        "one of ci_lifecycle_consumed",
    ),
]


@pytest.mark.parametrize(
    ("sent", "ask_sdk", "kind", "words"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_rest_and_python_refuse_alike(
    ask: Asker,
    client: Client,
    sent: object,
    ask_sdk: Callable[[Client], object],
    kind: type[GridtideError],
    words: str,
) -> None:
    answer = ask(
        "/v1/plan",
        "POST",
        body=sent if isinstance(sent, bytes) else json.dumps(sent).encode(),
    )
    problem = answer.json()
    with pytest.raises(kind) as caught:
        ask_sdk(client)
    assert (answer.status_code, problem["code"]) == (problem["status"], caught.value.code)
    assert 400 <= answer.status_code < 500
    assert words in problem["detail"]
    assert words in str(caught.value)


def test_nan_is_named_on_both_sides(ask: Asker, client: Client) -> None:
    said = b'{"job": {"hours": 2}, "region": "DE", "goal": {"threshold": NaN}}'
    problem = ask.problem("/v1/plan", 422, "bad_input", said)
    assert problem["detail"] == (
        "goal.threshold: nan is not finite; give a finite number, or null where unknown"
    )
    question = {"kind": "best_window", "region": "DE", "hours": NAN}
    refused, answered = client.batch([question, {**question, "hours": 2}])
    assert isinstance(refused, BadInput)
    assert str(refused).startswith("hours: must be a number, not 'nan'")
    assert isinstance(answered, BestWindow)


def test_what_python_cannot_write_spoils_no_other_question(client: Client) -> None:
    window = {"kind": "best_window", "region": "DE", "hours": 2}
    refused = [
        {**window, "region": object()},
        {**window, "region": (100, 200)},
        {"kind": "best_region", "regions": [(100, 200)], "hours": 2},
        {"kind": "best_region", "regions": 5, "hours": 2},
        {"kind": "plan", "job": JOB, "where": []},
        {**window, "deadline": NOW.replace(tzinfo=None)},
        5,
    ]
    *errors, answered = client.batch([*refused, window])  # type: ignore[list-item]  # both kinds in one list
    assert isinstance(answered, BestWindow)
    assert all(isinstance(each, BadInput) for each in errors)
    words = list(map(str, errors))
    assert "'<object object" in words[0]
    assert "not [100, 200]" in words[1]
    assert "not [100, 200]" in words[2]
    assert words[3] == "regions: must be a list, not 5"
    assert words[4] == "no region is given; name at least one"
    assert "has no UTC offset" in words[5]
    assert words[6].startswith("kind is None")


def test_a_batch_takes_and_gives_what_python_has(ask: Asker, client: Client) -> None:
    start = NOW - 24 * HOUR
    job = Job(3 * HOUR, "interruptible")  # type: ignore[arg-type]  # the test passes what the type refuses
    planned, drawn = client.batch(
        [
            {"kind": "plan", "job": job, "where": ["DE", "FR"]},
            {
                "kind": "footprint",
                "region": "DE",
                "rows": [(start, start + HOUR, 3)],
                "clean": [(start, start + HOUR, 1)],
            },
        ]
    )
    assert isinstance(planned, PlanAnswer)
    assert planned == client.plan(job, ["DE", "FR"])
    rows = [(start, start + HOUR, 3.0)]
    assert drawn == client.footprint(rows, region="DE", clean=[(start, start + HOUR, 1)])
    progress = Progress(NOW, HOUR)
    (rest,) = client.batch([{"kind": "replan", "plan": planned, "progress": progress}])
    assert isinstance(rest, PlanAnswer)
    assert rest == client.replan(planned, progress)
    # Each knows its question, for the next time.
    assert client.replan(rest, progress) == client.replan(planned, progress)
    before = Factors(hours=2, power_kw=1, g_per_kwh=100)
    (gained,) = client.batch(
        [{"kind": "footprint", "hours": 1, "power_kw": 1, "g_per_kwh": 100, "before": before}]
    )
    assert isinstance(gained, FootprintAnswer)
    assert gained.gain is not None
    assert gained.gain.total == 2
