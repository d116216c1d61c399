"""The contract: what the OpenAPI says is what is answered, and no path is another's."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest

from gridtide.schema import health, responses
from gridtide.schema import openapi as described
from gridtide_server import openapi
from tests.server.published import Asker

OPENAPI = json.loads(openapi.document_text())
PATHS = OPENAPI["paths"]
# Questions in the address, and those in a body.
GETS = {path: each["get"] for path, each in PATHS.items() if "get" in each}
POSTS = {path: each["post"] for path, each in PATHS.items() if "post" in each}

# One value that is right, and values that are not, for each type of parameter.
RIGHT = {"zone": "DE", "region": "DE", "hours": "2", "model": "weekly@1", "all": "true"}
WRONG = [
    "",
    " ",
    "x",
    "-1",
    "0",
    "1e309",
    "nan",
    "null",
    "[]",
    "2026-03-02T14:00",
    "\0",
    "é" * 99,
]
WRONG += ["2026-03-02T14:00Z", "9999-12-31T23:59:59Z", "DE,FR", "91,181", "true", "🦆"]


def test_the_committed_openapi_is_that_of_the_code() -> None:
    anew = "python -m gridtide_server.openapi > server/gridtide_server/openapi.json"
    assert openapi.FILE.read_text(encoding="utf-8") == openapi.document_text(), (
        f"write it anew: {anew}"
    )


def test_every_route_has_one_method_a_description_and_a_described_answer() -> None:
    assert {**GETS, **POSTS}.keys() == PATHS.keys()
    for path, operations in PATHS.items():
        (operation,) = operations.values()
        assert operation["description"], path
        assert operation["responses"]["200"]["content"], path
    names = [each["operationId"] for each in (*GETS.values(), *POSTS.values())]
    assert len(names) == len(set(names))


def test_every_body_is_described_down_to_its_last_member() -> None:
    schemas = OPENAPI["components"]["schemas"]
    for path, operation in POSTS.items():
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        named = body["$ref"].removeprefix("#/components/schemas/")
        assert schemas[named]["additionalProperties"] is False, path
    for name in described.components(openapi.REQUESTS, closed=True):
        assert schemas[name]["description"], name
        assert all(each["description"] for each in schemas[name].get("properties", {}).values())


def test_every_parameter_of_v1_is_described() -> None:
    for path, operation in GETS.items():
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "query" and path.startswith("/v1"):
                assert parameter.get("description"), f"{path}: {parameter['name']}"


def questions() -> list[tuple[str, str]]:
    """Each route with all that it needs right, but for one parameter at a time."""
    found = []
    for path, operation in GETS.items():
        parameters = operation.get("parameters", [])
        needed = {p["name"]: RIGHT[p["name"]] for p in parameters if p.get("required")}
        for parameter in parameters:
            for value in [*WRONG, RIGHT.get(parameter["name"], "cfe_produced")]:
                given = needed | {parameter["name"]: value}
                zone = urlencode({"": given.pop("zone", "")})[1:]
                found.append((path, f"{path.replace('{zone}', zone)}?{urlencode(given)}"))
    return found


def test_every_status_and_body_is_as_described(ask: Asker) -> None:
    seen: dict[int, int] = {}
    for path, url in questions():
        answer = ask(url)
        described = GETS[path]["responses"]
        assert str(answer.status_code) in described, f"{url}: {answer.text}"
        media = answer.headers["content-type"].partition(";")[0]
        assert media in described[str(answer.status_code)]["content"], url
        if answer.status_code >= 400 and path != "/readyz":
            assert {"type", "title", "status", "detail", "code"} <= set(answer.json())
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
    assert set(seen) == {200, 404, 422, 503}
    assert sum(seen.values()) > 300


JOB = {"hours": 2}
QUESTIONS = {
    "/v1/plan": {"job": JOB, "regions": ["DE", "FR"]},
    "/v1/batch": {"questions": [{"kind": "best_window", "region": "DE", "hours": 2}]},
    "/v1/schedule": {"jobs": [{"job": JOB, "region": "DE"}], "caps": {}},
    "/v1/footprint": {"hours": 2, "power_kw": 1, "g_per_kwh": 100},
}


def test_every_answer_to_a_body_is_as_described(ask: Asker) -> None:
    sent: dict[str, Any] = {**QUESTIONS}
    plan = ask.post("/v1/plan", sent["/v1/plan"])
    sent["/v1/replan"] = {"plan": plan, "request": sent["/v1/plan"], "progress": {}}
    assert sent.keys() == POSTS.keys()
    for path, question in sent.items():
        answer = ask.post(path, question)
        schema = POSTS[path]["responses"]["200"]["content"]["application/json"]["schema"]
        named = schema["$ref"].removeprefix("#/components/schemas/")
        described = OPENAPI["components"]["schemas"][named]
        assert set(answer) == set(described["properties"]), path
        for said in (b"", b"[]", b"{}", b'{"x": NaN}', b"null", b"\x00", b'"\xff"'):
            problem = ask(path, "POST", body=said)
            assert (problem.status_code, problem.json()["code"]) == (422, "bad_input"), path
            assert "application/problem+json" in POSTS[path]["responses"]["422"]["content"]


def test_no_body_s_name_is_also_an_answer_s() -> None:
    answers = set(described.components(openapi.RESPONSES))
    requests = set(described.components(openapi.REQUESTS, closed=True))
    assert requests & answers == {"Signal"}


@pytest.mark.parametrize(
    ("url", "model"),
    [
        ("/v1/best-window?region=DE&hours=2", responses.BestWindow),
        ("/v1/best-region?region=DE,BE,ES,FR&hours=6", responses.BestRegion),
        ("/v1/zones?all=true", responses.Zones),
        ("/v1/zones/DE/intensity", responses.Intensity),
        ("/v1/zones/DE/intensity?start=2026-03-02T00:00Z", responses.Intensity),
        ("/v1/zones/BE/forecast", responses.Forecast),
        ("/healthz", health.Health),
        ("/readyz", health.Readiness),
    ],
)
def test_answers_have_the_members_described_and_no_others(
    ask: Asker, url: str, model: type[Any]
) -> None:
    body = ask(url).content
    assert model.from_json(json.loads(body)).to_json() == json.loads(body)
    schema = OPENAPI["components"]["schemas"][model.__name__]
    assert set(json.loads(body)) == set(schema["properties"])


def test_problems_are_described() -> None:
    assert {"type", "title", "status", "detail", "code"} <= set(
        OPENAPI["components"]["schemas"]["Problem"]["required"]
    )
    text = openapi.document_text()
    for name in re.findall(r"#/components/schemas/(\w+)", text):
        assert name in OPENAPI["components"]["schemas"]


# What other services' clients ask for at the root: those routes are theirs, so none of ours
# may take their paths. /metrics is one page for all.
THEIRS = re.findall(
    r"\S+",
    """
/emissions/bylocation /emissions/bylocations /emissions/bylocations/best
/emissions/forecasts/current /emissions/forecasts/batch
/emissions/average-carbon-intensity /emissions/average-carbon-intensity/batch /locations
/health /api/v1/swagger.yaml /swagger/v1/swagger.json /v3/carbon-intensity/latest
/v3/carbon-intensity/history /v3/carbon-intensity/past /v3/carbon-intensity/past-range
/v3/carbon-intensity/forecast /v4/carbon-intensity/latest /v3/power-breakdown/latest
/v3/renewable-energy/latest /v3/carbon-free-energy/latest
/v3/carbon-intensity-level/latest /v3/zones /v3/zone /v3/data-centers
/v3/carbon-aware-optimizer /v3/consumption-optimizer /beta/carbon-aware-optimizer
/v3/home-assistant /v1/latest /intensity /intensity/ /intensity/date
/intensity/date/2026-03-02 /intensity/2026-03-02T12:00Z/fw24h
/intensity/stats/2026-03-01T00:00Z/2026-03-02T00:00Z /intensity/factors /generation
/generation/2026-03-02T12:00Z/pt24h /regional/postcode/OX1 /regional/regionid/1
/regional/intensity/2026-03-02T12:00Z/fw48h/postcode/OX1 /login /v3/my-access
/v3/region-from-loc /v3/historical /v3/forecast /v3/forecast/historical /v3/signal-index
    """,
)


@pytest.mark.parametrize("path", THEIRS)
def test_no_route_of_ours_takes_a_path_of_another_service(ask: Asker, path: str) -> None:
    assert ask(path).json()["code"] == "not_found"
    assert ask(path, "POST").json()["code"] == "not_found"


def test_no_response_is_closed_to_new_fields() -> None:
    schemas = OPENAPI["components"]["schemas"]
    todo = [each["responses"] for path in OPENAPI["paths"].values() for each in path.values()]
    found: set[str] = set()
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            assert part.get("additionalProperties") is not False, part.get("title")
            name = str(part.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                todo.append(schemas[name])
            todo += part.values()
        elif isinstance(part, list):
            todo += part
    assert len(found) > 20
