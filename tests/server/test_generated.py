"""Every place of every question the OpenAPI describes, filled with what cannot be right."""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.server.generated import HOLE, Path, holes
from tests.server.published import Asker
from tests.server.test_openapi import GETS, POSTS, RIGHT

# Written as JSON by hand: Python's own writer has no way to say them.
BAD = [
    *("9" * 400, "-" + "9" * 400, "1e999", "-1e999", "NaN", "Infinity", "-Infinity"),
    *("-0", "-0.0", "0", "-1", "1e308", "5e-324", "1.0000000000000002"),
    *('""', '"x"', '"1e999"', '"-1h"', "true", "null", "[]", "[[1]]", "{}", '{"x": {}}'),
]
SCHEMA = {
    path: each["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[
        2
    ]
    for path, each in POSTS.items()
}
# What is refused even if it is right: it says what to do instead.
REFUSED = {
    ("/v1/footprint", ("offset_g",)),
    ("/v1/replan", ("progress", "workers")),  # the plan there is of a job without a size
    # Right beside the objectives of prices alone, which test_prices tries.
    *(
        (path, (*before, "goal", name))
        for path, *before in (("/v1/plan",), ("/v1/schedule",), ("/v1/replan", "request"))
        for name in ("carbon_price", "currency")
    ),
    *(("/v1/schedule", ("goal", name)) for name in ("budget_grams", "threshold", "min_saving")),
}


@pytest.fixture(scope="module")
def fixed(ask: Asker) -> dict[str, Any]:
    """Instances of schemas that are answers themselves."""
    return {"Plan": ask.post("/v1/plan", {"job": {"hours": 2}, "region": "DE"})}


def templates(path: str, fixed: dict[str, Any]) -> list[tuple[Path, str, Any]]:
    """(path, JSON with a hole, what is right there) for every place of a route's body."""
    return [(at, json.dumps(body), right) for at, body, right in holes(SCHEMA[path], fixed)]


def filled(template: str, bad: str) -> str:
    return template.replace(f'"{HOLE}"', bad)


@pytest.mark.parametrize("path", POSTS)
def test_a_question_is_answered_whose_values_are_right(
    ask: Asker, path: str, fixed: dict[str, Any]
) -> None:
    found = templates(path, fixed)
    assert len(found) > 30
    for at, template, right in found:
        answer = ask(path, "POST", body=filled(template, json.dumps(right)).encode())
        expected = 422 if (path, at) in REFUSED else 200
        assert answer.status_code == expected, f"{at}: {answer.text[:400]}"


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(POSTS.keys() - {"/v1/batch"}))
def test_no_bad_value_anywhere_makes_the_server_fail(
    ask: Asker, path: str, fixed: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        for at, template, _ in templates(path, fixed):
            if at[0] == "request":
                continue  # as /v1/plan, and in batches below
            for bad in BAD:
                answer = ask(path, "POST", body=filled(template, bad).encode())
                seen = f"{at} is {bad[:40]}: {answer.text[:400]}"
                assert answer.status_code < 500, seen
                if answer.status_code != 200:
                    problem = answer.json()
                    assert problem["status"] == answer.status_code, seen
                    assert problem["detail"], seen
                    assert len(problem["detail"]) < 2000, seen
    assert not caplog.records


@pytest.mark.slow
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad[:10])
def test_in_a_batch_each_bad_value_is_its_own_question_s_error(
    ask: Asker, bad: str, fixed: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    fine = json.dumps({"kind": "best_window", "region": "FR", "hours": 2})
    expected = ask.json("/v1/best-window?region=FR&hours=2")
    # Without the place of a whole question, and that of all of them.
    found = [each for each in templates("/v1/batch", fixed) if len(each[0]) > 2]
    with caplog.at_level(logging.ERROR):
        for at in range(0, len(found), 50):
            part = found[at : at + 50]
            questions = []
            for _, template, _ in part:
                whole = filled(template, bad)
                # {"questions": [...]} around the one question
                questions += [fine, whole[whole.index("[") + 1 : whole.rindex("]")]]
            body = f'{{"questions": [{", ".join([*questions, fine])}]}}'
            answer = ask("/v1/batch", "POST", body=body.encode())
            assert answer.status_code == 200, answer.text[:400]
            answers = answer.json()["answers"]
            assert answers[::2] == [expected] * (len(part) + 1)
            for (path, _, _), each in zip(part, answers[1::2], strict=True):
                seen = f"{path} is {bad[:40]}: {json.dumps(each)[:400]}"
                assert each.get("code") != "internal", seen
                assert each.get("status", 200) < 500, seen
    assert not caplog.records


def test_no_bad_value_of_any_parameter_is_a_fault_of_the_server(
    ask: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    texts = [each.strip('"')[:3000] for each in BAD]
    texts += ["\0", "\x7f", "é" * 500, "%", "+", "1e400h", "PT1e9H", "2026-03-02", "²", "٤"]
    sent = 0
    with caplog.at_level(logging.ERROR):
        for path, operation in GETS.items():
            parameters = operation.get("parameters", [])
            needed = {p["name"]: RIGHT[p["name"]] for p in parameters if p.get("required")}
            for parameter in parameters:
                for text in texts:
                    # Alone, and beside a right one.
                    for more in ([], [(parameter["name"], RIGHT.get(parameter["name"], "x"))]):
                        given = needed | {parameter["name"]: text}
                        zone = urlencode({"": given.pop("zone", "")})[1:]
                        query = urlencode([*given.items(), *more])
                        url = f"{path.replace('{zone}', zone)}?{query}"
                        answer = ask(url)
                        sent += 1
                        seen = f"{url[:400]}: {answer.text[:400]}"
                        if answer.status_code == 503:
                            assert path == "/readyz" or '"stale_data"' in answer.text, seen
                        else:
                            assert answer.status_code in {200, 404, 422}, seen
    assert not caplog.records
    assert sent > 1000
