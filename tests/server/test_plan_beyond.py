"""Numbers beyond any limit and bodies that cannot be read, over REST and in Python."""

from __future__ import annotations

from typing import Any

import pytest

from gridtide.client import Client
from gridtide.errors import BadInput, GridtideError, TooLarge
from gridtide_server.http.limits import Limits
from tests.server.published import HOUR, NOW, Asker
from tests.server.test_plan_bad_input import NAN, Json, body

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
