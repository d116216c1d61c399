"""`/v1/batch`: the answers of the single questions, each in its place."""

from __future__ import annotations

from typing import Any

import pytest

from gridtide.errors import BadInput
from gridtide.model import MOST_QUESTIONS
from gridtide.schema.batches import Batch
from gridtide.schema.responses import BestWindow
from tests.server.published import Asker

Json = dict[str, Any]
WINDOW: Json = {"kind": "best_window", "region": "DE", "hours": 2}


def batch(ask: Asker, *questions: object) -> list[Any]:
    answer = ask.post("/v1/batch", {"questions": list(questions)})
    assert set(answer) == {"answers", "as_of", "replay"}
    assert (answer["as_of"], answer["replay"]) == ("2026-03-02T12:00:00Z", False)
    assert isinstance(answer["answers"], list)
    return answer["answers"]


def test_each_answer_is_that_of_the_question_alone(ask: Asker) -> None:
    plan = {"job": {"hours": 3, "kind": "interruptible"}, "regions": ["DE", "FR"]}
    answers = batch(
        ask,
        WINDOW,
        {"kind": "best_region", "regions": ["DE", "FR", "ES"], "hours": 1.5},
        {"kind": "plan", **plan},
        {**WINDOW, "region": "FR", "earliest": "2026-03-02T15:00Z", "signal": None},
        {**WINDOW, "as_of": "2026-03-02T10:00:00Z"},
        {**WINDOW, "hours": 1, "signal": "cfe_produced", "deadline": "2026-03-02T15:00+01:00"},
    )
    assert answers == [
        ask.json("/v1/best-window?region=DE&hours=2"),
        ask.json("/v1/best-region?region=DE,FR,ES&hours=1.5"),
        ask.post("/v1/plan", plan),
        ask.json("/v1/best-window?region=FR&hours=2&earliest=2026-03-02T15:00Z"),
        ask.json("/v1/best-window?region=DE&hours=2&as_of=2026-03-02T10:00:00Z"),
        ask.json(
            "/v1/best-window?region=DE&hours=1&signal=cfe_produced&deadline=2026-03-02T14:00Z"
        ),
    ]


def test_footprints_and_the_rest_of_a_job_are_questions_too(ask: Asker) -> None:
    sent = {"job": {"hours": 3, "kind": "interruptible"}, "region": "DE"}
    rest = {"plan": ask.post("/v1/plan", sent), "asked": sent, "progress": {"done": 1}}
    row = {"start": "2026-03-01T10:20Z", "end": "2026-03-01T12:40Z", "kwh": 3}
    drawn = {"region": "DE", "rows": [row]}
    answers = batch(ask, {"kind": "footprint", **drawn}, {"kind": "replan", **rest})
    assert answers == [ask.post("/v1/footprint", drawn), ask.post("/v1/replan", rest)]


def test_a_question_without_an_answer_gets_its_problem(ask: Asker) -> None:
    answers = batch(
        ask,
        WINDOW,
        {**WINDOW, "hours": 73},
        {**WINDOW, "region": "Germny"},
        {**WINDOW, "region": "PL"},
        {**WINDOW, "hours": 0},
        {**WINDOW, "hour": 2},
        {**WINDOW, "deadline": "2026-03-02T14:00"},
        {**WINDOW, "as_of": "2026-03-02T13:00Z"},
        {"kind": "best_region", "regions": ["DE"] * 501, "hours": 1},
        {"kind": "best_region", "regions": [], "hours": 1},
        {"kind": "plan", "job": {"hours": 2}, "region": "DE", "goal": {"budget_grams": 1}},
        {"kind": "best_windo", "region": "DE", "hours": 2},
        {"region": "DE", "hours": 2},
        7,
        WINDOW,
    )
    assert [answer.get("code") for answer in answers] == [
        None,
        "no_feasible_window",
        "unknown_region",
        "no_data",
        "bad_input",
        "bad_input",
        "bad_input",
        "bad_input",
        "too_many_regions",
        "bad_input",
        "over_budget",
        "bad_input",
        "bad_input",
        "bad_input",
        None,
    ]
    alone = ask.problem("/v1/best-window?region=Germny&hours=2", 404, "unknown_region")
    assert answers[2] == alone
    late = batch(ask, {**WINDOW, "deadline": "2026-03-02T11:00Z"})
    url = "/v1/best-window?region=DE&hours=2&deadline=2026-03-02T11:00Z"
    assert late == [ask.problem(url, 422, "bad_input")]
    assert "did you mean hours?" in answers[5]["detail"]
    assert "one of best_window, best_region, plan" in answers[12]["detail"]
    assert answers[0] == answers[-1]


def test_a_thousand_questions_are_answered_and_one_more_is_refused(ask: Asker) -> None:
    many = [{**WINDOW, "hours": 1 + k / 100} for k in range(MOST_QUESTIONS)]
    answers = batch(ask, *many)
    assert [answer["hours"] for answer in answers] == [each["hours"] for each in many]
    problem = ask.problem(
        "/v1/batch", 422, "too_many_questions", {"questions": [*many, WINDOW]}
    )
    assert "1001 in one call; at most 1000: split the batch" in problem["detail"]


def test_no_question_is_no_fault(ask: Asker) -> None:
    assert batch(ask) == []


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "questions: required"),
        ({"questions": {}}, "questions: must be a list"),
        ({"question": []}, "did you mean questions?"),
    ],
)
def test_what_is_no_batch_is_refused(ask: Asker, said: object, words: str) -> None:
    assert words in ask.problem("/v1/batch", 422, "bad_input", said)["detail"]


def test_answers_are_as_described(ask: Asker) -> None:
    requests = [WINDOW, {"kind": "x"}]
    window, problem = Batch.of(requests, ask.post("/v1/batch", {"questions": requests}))
    assert isinstance(window, BestWindow)
    assert isinstance(problem, BadInput)
