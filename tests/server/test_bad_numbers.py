"""No number, time or text of a question makes the server fail, or hurts another question."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from gridtide_server.answers import batches
from tests.server.published import Asker

# Written as JSON by hand: Python's own writer has no way to say them.
BAD = [
    "9" * 400,
    "-" + "9" * 400,
    "9" * 5000,
    "1e400",
    "-1e400",
    "1e308",
    "1e-400",
    "1" + "0" * 30,
    "-1",
    "NaN",
    "Infinity",
    "true",
    "null",
    '""',
    '"\\ud800"',
    '"\\u0000"',
    '"x"',
    '"1e400"',
    '"0000-01-01T00:00Z"',
    '"0001-01-01T00:00+14:00"',
    '"9999-12-31T23:59:59-14:00"',
    '"9999-12-31"',
    '"2026-03-02T12:00"',
    '"PT1e400S"',
    '"1:99999999999999999999"',
    "[]",
    "{}",
    "[" * 150 + "]" * 150,
    "[" * 200_000,
]
HOLE = "the hole"
JOB: dict[str, Any] = {
    "hours": 2,
    "kind": "segments",
    "power_kw": 1.5,
    "min_segment": 0.5,
    "max_segments": 3,
    "restart_cost": {"kwh": 0.1, "hours": 0.1},
    "pause_cost": {"kwh": 0.1, "hours": 0.1},
}
PLAN: dict[str, Any] = {
    "job": JOB,
    "places": {
        "places": [
            {"region": "DE", "pue": 1.2, "latitude": 51.5, "longitude": 10.0},
            {"region": "FR", "pue": 1.1},
        ],
        "home": "DE",
        "data_gb": 1.0,
        "kwh_per_gb": 0.01,
        "max_latency_ms": 100.0,
    },
    "bounds": {
        "earliest": "2026-03-02T13:00Z",
        "deadline": "2026-03-03T13:00Z",
        "blackouts": [{"start": "2026-03-02T14:00Z", "end": "2026-03-02T15:00Z"}],
    },
    "goal": {"objective": "carbon", "quantile": 0.5, "min_saving": 0.1},
    "alternatives": 2,
    "as_of": "2026-03-02T12:00Z",
}
ELASTIC: dict[str, Any] = {
    "job": {"kind": "elastic", "hours": 2, "power_kw": 1, "elasticity": {"min": 1, "max": 2}},
    "region": "DE",
}
RECURRING: dict[str, Any] = {
    "job": {"hours": 1},
    "region": "DE",
    "recurring": {"cron": "0 2 * * *", "zone": "UTC", "slack_hours": 4, "slack_fraction": 0.5},
}
COST: dict[str, Any] = {
    "job": {"hours": 1},
    "region": "DE",
    "goal": {
        "objective": "weighted",
        "carbon_weight": 1.0,
        "cost_weight": 2.0,
        "budget_grams": 10.0,
        "threshold": 300.0,
        "costs": {
            "unit": "EUR/kWh",
            "start": "2026-03-02T12:00Z",
            "step_hours": 1,
            "values": [0.1, 0.2],
        },
    },
}
FOOTPRINT: dict[str, Any] = {
    "region": "DE",
    "rows": [{"start": "2026-03-02T10:00Z", "end": "2026-03-02T11:00Z", "kwh": 2.0}],
    "clean": [{"start": "2026-03-02T10:00Z", "end": "2026-03-02T11:00Z", "kwh": 1.0}],
    "pue": 1.1,
    "per": 10,
    "embodied_g": 3.0,
    "as_of": "2026-03-02T12:00Z",
}
RECKONED: dict[str, Any] = {
    "hours": 3,
    "power_kw": 0.3,
    "processors": 4,
    "g_per_kwh": 300.0,
    "net_g_per_kwh": 100.0,
    "pue": 1.1,
    "before": {
        "hours": 6,
        "power_kw": 0.3,
        "g_per_kwh": 400,
        "processors": 8,
        "pue": 1.5,
    },
}
INFERENCE: dict[str, Any] = {"requests": 1000, "kwh_per_request": 0.001, "g_per_kwh": 300.0}
SCHEDULE: dict[str, Any] = {
    "jobs": [{"job": {"hours": 1, "power_kw": 2}, "region": "DE"}],
    "caps": {"DE": {"jobs": 1, "kw": 3.0}},
    "as_of": "2026-03-02T12:00Z",
}
RUN: dict[str, Any] = {
    "kind": "best_window",
    "region": "DE",
    "hours": 2,
    "earliest": "2026-03-02T13:00Z",
    "deadline": "2026-03-03T13:00Z",
    "as_of": "2026-03-02T12:00Z",
}
FINE: dict[str, Any] = {"kind": "best_window", "region": "FR", "hours": 2}


def holes(value: Any, top: Any) -> Iterator[str]:  # noqa: ANN401  # JSON
    """`top` as JSON, once for each leaf and each object in it, with a hole in its place."""
    members: Any = (
        list(value) if isinstance(value, dict) else range(len(value)) if value else ()
    )
    for name in members:
        kept, value[name] = value[name], HOLE
        yield json.dumps(top)
        value[name] = kept
        if isinstance(kept, dict | list):
            yield from holes(kept, top)


ASKED = [
    ("/v1/plan", PLAN),
    ("/v1/plan", ELASTIC),
    ("/v1/plan", RECURRING),
    ("/v1/plan", COST),
    ("/v1/footprint", FOOTPRINT),
    ("/v1/footprint", RECKONED),
    ("/v1/footprint", INFERENCE),
    ("/v1/schedule", SCHEDULE),
    ("/v1/batch", {"questions": [RUN, {"kind": "plan", "job": {"hours": 2}, "region": "DE"}]}),
]


@pytest.mark.parametrize(("url", "question"), ASKED)
def test_no_bad_value_anywhere_in_a_body_makes_the_server_fail(
    ask: Asker, url: str, question: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    question = copy.deepcopy(question)
    with caplog.at_level(logging.ERROR):
        for template in holes(question, question):
            for bad in BAD:
                body = template.replace(f'"{HOLE}"', bad).encode()
                answer = ask(url, "POST", body=body)
                seen = f"{template[:400]} with {bad[:40]}: {answer.text[:400]}"
                assert answer.status_code < 500, seen
                assert '"internal"' not in answer.text, seen
    assert not caplog.records


@pytest.mark.parametrize(
    "bad", ["9" * 400, "-" + "9" * 400, "1e400", "NaN", "[" * 150 + "]" * 150]
)
def test_in_a_batch_a_bad_value_is_that_question_s_error(ask: Asker, bad: str) -> None:
    template = json.dumps(
        {
            "questions": [
                FINE,
                {**RUN, "hours": HOLE},
                {"kind": "plan", "job": {"hours": 2}, "region": "DE"},
                FINE,
            ]
        }
    )
    body = template.replace(f'"{HOLE}"', bad).encode()
    answer = ask("/v1/batch", "POST", body=body)
    assert answer.status_code == 200, answer.text
    first, wrong, plan, last = answer.json()["answers"]
    assert first == last == ask.json("/v1/best-window?region=FR&hours=2")
    assert (wrong["code"], wrong["status"]) == ("bad_input", 422)
    assert "hours" in wrong["detail"]
    assert plan["region"] == "DE"


@pytest.mark.parametrize("name", ["hours", "earliest", "deadline", "as_of", "start", "end"])
def test_no_bad_value_of_a_query_is_a_fault_of_the_server(ask: Asker, name: str) -> None:
    texts = [bad.strip('"').replace("\\u0000", "\0") for bad in BAD if "ud800" not in bad]
    for path, rest in (
        ("/v1/best-window", {"region": "DE", "hours": "2"}),
        ("/v1/best-region", {"region": "DE", "hours": "2"}),
        ("/v1/zones/DE/intensity", {"start": "2026-03-02T10:00Z"}),
        ("/v1/zones/DE/forecast", {}),
        ("/v1/zones", {}),
    ):
        for text in texts:
            url = f"{path}?{urlencode({**rest, name: text[:3000]})}"
            assert ask(url).status_code < 500, url


def test_an_unexpected_error_is_internal_for_its_question_alone(
    ask: Asker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a fault nobody foresaw")

    monkeypatch.setattr(batches, "build_plan", fail)
    questions = [FINE, {"kind": "plan", "job": {"hours": 2}, "region": "DE"}, FINE]
    first, failed, last = ask.post("/v1/batch", {"questions": questions})["answers"]
    assert first == last
    assert (failed["code"], failed["status"]) == ("internal", 500)
    assert "nobody foresaw" not in failed["detail"]
    assert "nobody foresaw" in caplog.text


@pytest.mark.parametrize(
    "body", [b'{"a": %s', b'{"a": %s, "b": nope}', b"[%s]}", b'{"a": "%s}', b"\xff%s"]
)
def test_what_is_no_json_is_so_with_a_long_number_in_it(ask: Asker, body: bytes) -> None:
    problem = ask.problem("/v1/plan", 422, "bad_input", body.replace(b"%s", b"9" * 400))
    assert "not JSON" in problem["detail"]
