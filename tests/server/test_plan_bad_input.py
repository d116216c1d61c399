"""What is wrong with a question is said the same way over REST and in Python."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from gridtide.accounting.sci import Factors
from gridtide.client import Client
from gridtide.errors import BadInput, GridtideError, NoFeasibleWindow, TooLarge
from gridtide.local import Host, LocalTransport
from gridtide.planning import Bounds, CostSeries, Elastic, Goal, Job, PowerProfile
from gridtide.planning.errors import NeverUnder, OverBudget
from gridtide.planning.problem.state import Progress
from gridtide.schema.footprints import FootprintAnswer
from gridtide.schema.plans import PlanAnswer
from gridtide.schema.regions import Candidate, Candidates
from gridtide.schema.responses import BestWindow
from gridtide_server.http.limits import Limits
from tests.server.published import HOUR, NOW, Asker

Json = dict[str, Any]
JOB = Job(2 * HOUR)
NAN = float("nan")


@pytest.fixture(scope="module")
def client(ask: Asker) -> Iterator[Client]:
    """The SDK, asking the very application that `ask` asks."""
    with Client("http://test", transport=LocalTransport(Host(ask.app))) as client:
        yield client


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


# What multiplies or divides to more than any number: refused where it stands, never a fault
# of ours. Each case once made one.
BEYOND: list[tuple[str, Json, str]] = [
    ("/v1/plan", body(job={"hours": 2, "power": 1e308}), "job.power: 1e+308 is beyond 1e+15"),
    ("/v1/plan", body(job={"hours": 1e9}), "job.hours: 1000000000.0 hours are longer"),
    ("/v1/plan", body(bounds={"slack_hours": 1e9}), "bounds.slack_hours: 1000000000.0 hours"),
    ("/v1/plan", body(bounds={"slack_fraction": 1e15}), "a slack of 1e+15 of the duration"),
    (
        "/v1/plan",
        body(job={"hours": 2, "kind": "elastic", "workers": {"maximum": 1e308}}),
        "job.workers.maximum: 1e+308 is beyond",
    ),
    (
        "/v1/plan",
        body(job={"hours": 2, "kind": "elastic", "workers": {"maximum": 2, "base": 1e-300}}),
        "too small; check their unit",
    ),
    (
        "/v1/plan",
        {"job": {"hours": 2}, "regions": [{"region": "DE", "pue": 1e308}]},
        "regions[0].pue: 1e+308 is beyond",
    ),
    (
        "/v1/plan",
        body(
            goal={
                "objective": "cost",
                "costs": {
                    "unit": "EUR",
                    "start": "2026-03-02T12:00Z",
                    "step": 1e6,
                    "values": [1] * 72,
                },
            }
        ),
        "the last slot ends beyond the calendar; check step",
    ),
    (
        "/v1/footprint",
        {"region": "DE", "hours": 1e8, "power_kw": 1, "start": "2199-01-01T00:00Z"},
        "1e+08 hours from 2199-01-01T00:00:00Z on end beyond the calendar",
    ),
    (
        "/v1/footprint",
        {
            "region": "DE",
            "rows": [
                {"start": "2026-03-01T10:00Z", "end": "2026-03-01T11:00Z", "kwh": 1e308},
            ]
            * 2,
        },
        "rows[0].kwh: 1e+308 is beyond",
    ),
    (
        "/v1/schedule",
        {
            "jobs": [{**body(), "bounds": {"slack_fraction": 1e15}}],
            "caps": {"DE": {"jobs": 1}},
        },
        "a slack of 1e+15 of the duration",
    ),
]


@pytest.mark.parametrize(("path", "sent", "words"), BEYOND)
def test_what_is_beyond_any_number_is_refused(
    ask: Asker, path: str, sent: Json, words: str
) -> None:
    assert words in ask.problem(path, 422, "bad_input", sent)["detail"]


def test_what_was_sent_is_not_repeated_at_any_length(ask: Asker) -> None:
    problem = ask.problem("/v1/plan", 422, "bad_input", body(bounds={"zone": "x" * 10_000}))
    assert len(problem["detail"]) < 5_000


WINDOWS: list[tuple[str, dict[str, Any]]] = [
    ("hours=0", {"hours": 0}),
    ("hours=-4", {"hours": -4}),
    ("hours=nan", {"hours": NAN}),
    ("hours=1e300", {"hours": 1e300}),
    ("hours=four", {"hours": "four"}),
    ("hours=73", {"hours": 73}),
    ("hours=2&deadline=2026-03-02T18:00", {"hours": 2, "deadline": "2026-03-02T18:00"}),
    (
        "hours=2&earliest=2026-03-02T20:00Z&deadline=2026-03-02T18:00Z",
        {"hours": 2, "earliest": NOW + 8 * HOUR, "deadline": NOW + 6 * HOUR},
    ),
]


@pytest.mark.parametrize(("query", "sent"), WINDOWS)
def test_a_window_is_refused_in_the_same_words_everywhere(
    ask: Asker, client: Client, query: str, sent: dict[str, Any]
) -> None:
    said = ask(f"/v1/best-window?region=DE&{query}").json()
    with pytest.raises(GridtideError) as caught:
        client.best_window("DE", **sent)
    assert (caught.value.code, str(caught.value)) == (said["code"], said["detail"])


def test_no_region_is_refused_in_the_same_words_everywhere(ask: Asker, client: Client) -> None:
    said = ask.problem("/v1/best-region?hours=2", 422, "bad_input")
    with pytest.raises(BadInput) as caught:
        client.best_region([], hours=2)
    assert str(caught.value) == said["detail"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"", "the body is empty"),
        (b"{", "the body is not JSON"),
        (b"\xff", "the body is not JSON"),
        (b'{"job": 1e999}', "job: must be a JSON object, not inf"),
        ('{"jöb": 1}'.encode("utf-16"), "jöb: unknown field; did you mean job?"),
        (b"[" * 100_000, "nested too deep"),
        (b"[]", "PlanRequest: must be a JSON object, not []"),
        (b"null", "must be a JSON object, not null"),
        (b"{}", "job: required, the job to run"),
        (body(job=None), "job: required"),
        (body(job=4), "job: must be a JSON object, not 4"),
        (body(jobs={}), "jobs: unknown field; did you mean job?"),
        (body(colour="red"), "colour: unknown field; known fields: job, region, regions"),
        (body(job={"hours": 2, "min_pece": 1}), "job.min_pece: unknown field; did you mean"),
        (body(job={"hours": "2"}), "job.hours: must be a number, not '2'"),
        (body(job={"hours": True}), "job.hours: must be a number, not true"),
        (
            body(job={"hours": 1e300}),
            "job.hours: 1e+300 hours are longer than any job",
        ),
        (body(job={"hours": 10**400}), "job.hours: inf is not finite; give a finite number"),
        (body(job={"hours": 2, "kind": "tidy"}), "job.kind: must be one of unbroken"),
        (body(job={"hours": 2, "power": "3"}), "job.power: must be a list or a number"),
        (
            body(job={"hours": 2, "power": [{"hours": 1, "kw": None}]}),
            "job.power[0].kw: required",
        ),
        (
            body(job={"hours": 2, "max_segments": 1.5}),
            "max_segments: must be a whole",
        ),
        (body(bounds={"deadline": "2026-03-02T18:00"}), "bounds.deadline"),
        (body(bounds={"deadline": "2026-03-02T18:00"}), "has no UTC offset"),
        (body(bounds={"deadline": "2201-01-01T00:00Z"}), "outside 1970 to 2199"),
        (body(bounds={"slack_hours": 1, "slack_fraction": 1}), "both given; give one"),
        (body(bounds={"next_working_day": "9 am"}), "must be a time of day such as 09:00"),
        (body(bounds={"holidays": ["1.5.2026"]}), "bounds.holidays[0]"),
        (body(bounds={"zone": "Berlin"}), "give an IANA name such as Europe/Berlin"),
        (body(bounds={"blackouts": ["night"]}), "bounds.blackouts[0]: must be an object"),
        (body(regions=["DE"]), "give one of region, regions and candidates"),
        (
            {"job": {"hours": 2}},
            "give one of region, regions and candidates: no region is given",
        ),
        (body(region="DE,FR"), "one region is expected here, not 2 (DE, FR)"),
        ({"job": {"hours": 2}, "regions": [4]}, "regions[0]: must be text or an object"),
        (
            body(goal={"objective": "cfe", "min_saving": "x"}),
            "min_saving: must be a number",
        ),
        (body(goal={"objective": "cost"}), "need a cost series"),
        (body(goal={"objective": "cost", "costs": {"unit": "EUR"}}), "costs: give slots"),
        (body(signal="cfe_produced", goal={}), "goal carbon does not fit cfe_produced"),
    ],
)
def test_what_cannot_be_read_is_named_with_the_remedy(
    ask: Asker, said: object, words: str
) -> None:
    problem = ask.problem("/v1/plan", 422, "bad_input", said)
    assert words in problem["detail"]


def test_the_member_that_is_wrong_is_named_for_machines(ask: Asker) -> None:
    problem = ask.problem("/v1/plan", 422, "bad_input", body(job={"hours": "2"}))
    (fault,) = problem["errors"]
    assert fault["parameter"] == "job.hours"


def test_a_query_beside_the_body_is_refused(ask: Asker) -> None:
    problem = ask.problem("/v1/plan?hours=2", 422, "bad_input", body())
    assert "hours: this route takes no query parameters" in problem["detail"]


def test_the_routes_of_questions_in_a_body_take_no_get(ask: Asker) -> None:
    for path in ("/v1/plan", "/v1/replan", "/v1/batch"):
        assert ask.problem(path, 405, "method_not_allowed")


def test_a_body_beyond_the_limit_is_not_read(ask: Asker, client: Client) -> None:
    large = b'"' + b"x" * Limits().body_bytes + b'"'
    problem = ask.problem("/v1/plan", 413, "too_large", large)
    assert "1,000,000 bytes" in problem["detail"]
    with pytest.raises(TooLarge):
        client.batch([{"kind": "best_window", "region": "x" * Limits().body_bytes, "hours": 1}])
