"""Every fault of a request is reported at once, with its path and remedy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest

from gridtide.accounting.sci import Factors
from gridtide.errors import BadInput
from gridtide.planning import Bounds, Cap, Cost, Elastic, Goal, Job, Progress, Recurring
from gridtide.schema.batches import BestWindowQuestion, decode_question
from gridtide.schema.decode import decode_request, decoder_of
from gridtide.schema.definition import Field, definition_of
from gridtide.schema.footprints import FootprintRequest
from gridtide.schema.json_values import MOST_FAULTS
from gridtide.schema.openapi import Row, components, describe, parameters
from gridtide.schema.plans import PlanRequest
from gridtide.schema.regions import Candidate, Candidates
from gridtide.schema.requests import BestRegionRequest, BestWindowRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A request of the tests' own."""

    kwh: Annotated[float, Field("Energy.", unit="kWh", at_least=0)]
    labels: Annotated[tuple[str, ...], Field("Labels.", most=3)] = ()
    workers: Annotated[int | None, Field("Workers.", former=("chips",))] = None


def test_all_faults_of_a_request_are_reported_with_their_paths() -> None:
    request: dict[str, Any] = {
        "job": {"hours": True, "powr": 1, "pause_cost": {"kwh": "much"}},
        "region": 7,
        "bounds": {"deadline": "2026-03-02T12:00"},
    }
    with pytest.raises(BadInput) as caught:
        decode_request(PlanRequest, request)
    errors = caught.value.extra["errors"]
    assert isinstance(errors, list)
    assert [each["parameter"] for each in errors] == [
        "job.hours",
        "job.powr",
        "job.pause_cost.kwh",
        "region",
        "bounds.deadline",
    ]
    assert "did you mean power?" in str(caught.value)
    assert "write 2026-03-02T12:00:00Z for UTC" in str(caught.value)


def test_a_long_list_of_faults_is_cut() -> None:
    with pytest.raises(BadInput) as caught:
        decode_request(BestRegionRequest, {"hours": 1, "regions": [1] * 1000})
    errors = caught.value.extra["errors"]
    assert isinstance(errors, list)
    assert len(errors) == MOST_FAULTS


def test_a_former_name_is_decoded_and_not_described() -> None:
    assert decode_request(Example, {"kwh": 1, "chips": 2}) == Example(kwh=1.0, workers=2)
    described = components([Example], closed=True)["Example"]
    assert set(described["properties"]) == {"kwh", "labels", "workers"}
    with pytest.raises(BadInput, match=r"kwh: -1 is too small; give 0 or more"):
        decode_request(Example, {"kwh": -1})
    with pytest.raises(BadInput, match=r"labels: 4 entries; at most 3"):
        decode_request(Example, {"kwh": 1, "labels": ["a", "b", "c", "d"]})


def test_a_definition_is_listed_for_options_and_tables() -> None:
    plain: dict[str, Any] = {"unit": "", "bounds": "", "required": False, "default": ""}
    assert describe(Example) == [
        Row("kwh", "number", "kWh", "0 or more", True, "", "Energy."),  # noqa: FBT003  # a field
        Row(name="labels", type="list of text", description="Labels.", **plain),
        Row(name="workers", type="whole number", description="Workers.", **plain),
    ]
    schema = components([Example], closed=True)["Example"]
    assert schema["properties"]["kwh"] == {
        "type": "number",
        "minimum": 0,
        "title": "Kwh",
        "description": "Energy.",
        "x-unit": "kWh",
    }
    assert schema["additionalProperties"] is False
    assert [each["name"] for each in parameters(BestRegionRequest)][-1] == "region"


def test_what_is_decoded_fast_is_what_the_walk_decodes() -> None:
    walk = decoder_of(BestWindowQuestion)
    for given in (
        {"hours": 2, "region": "DE"},
        {"hours": 2.5, "region": "DE", "earliest": "2026-03-02T14:00:00+02:00"},
        {"hours": "150min", "region": "DE", "deadline": "2026-03-02T14:00Z", "signal": None},
    ):
        question = {"kind": "best_window", **given}
        request = decode_question(question)
        assert request == walk(question, "")
        assert isinstance(request, BestWindowRequest)
        assert type(request.hours) is float
        assert request.earliest in (None, datetime(2026, 3, 2, 12, tzinfo=UTC))
        assert request.earliest is None or request.earliest.tzinfo is UTC


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"hours": 0, "region": "DE"}, "hours: 0 is too small; give more than 0"),
        ({"hours": 1e400, "region": "DE"}, "hours: inf is not finite"),
        ({"hours": True, "region": "DE"}, "hours: must be a number, not true"),
        ({"hours": 2, "region": "DE", "earliest": "1960-01-01T00:00:00Z"}, "1970 to 2199"),
        ({"hours": 2, "region": "DE", "earliest": "2026-01-01T00:00:00"}, "no UTC offset"),
        ({"hours": 2, "regoin": "DE"}, "regoin: unknown field; did you mean region?"),
    ],
)
def test_the_walk_says_what_the_fast_way_refuses(given: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput) as caught:
        decode_question({"kind": "best_window", **given})
    assert words in str(caught.value)


def test_bounds_hold_for_requests_made_in_python() -> None:
    with pytest.raises(BadInput, match="hours is 0; give a number above 0"):
        BestWindowRequest(hours=0.0, region="DE")
    with pytest.raises(BadInput, match="no region is given"):
        BestRegionRequest(hours=1.0, regions=())


NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MADE: list[tuple[type[Any], dict[str, Any]]] = [
    (Job, {"duration": 2}),
    (Cost, {}),
    (Elastic, {"maximum": 2}),
    (Bounds, {}),
    (Recurring, {"cron": "@daily", "slack": 1}),
    (Goal, {}),
    (Cap, {}),
    (Progress, {"at": NOW}),
    (Candidate, {"region": "DE"}),
    (Candidates, {"regions": ["DE"]}),
    (PlanRequest, {"job": Job(2), "where": "DE"}),
    (Factors, {"hours": 1, "power_kw": 1, "g_per_kwh": 1}),
    (FootprintRequest, {"hours": 1, "power_kw": 1, "g_per_kwh": 1}),
]


def outside(about: Field) -> list[float]:
    """Numbers just outside the bounds of a field."""
    beside = {about.above: 0, about.at_least: -1, about.below: 0, about.at_most: 1}
    return [bound + more for bound, more in beside.items() if bound is not None]


OUTSIDE = [
    pytest.param(kind, needed, each.name, number, id=f"{kind.__name__}-{each.name}-{number:g}")
    for kind, needed in MADE
    for each in definition_of(kind).values()
    for number in outside(each.about)
]


@pytest.mark.parametrize(("kind", "needed", "name", "number"), OUTSIDE)
def test_bounds_of_a_definition_hold_in_python_and_in_json(
    kind: type[Any], needed: dict[str, Any], name: str, number: float
) -> None:
    each = definition_of(kind)[name]
    if each.type is int:
        number = int(number)
    with pytest.raises(BadInput, match=rf"{name} is .*; give {re.escape(each.about.bounds)}"):
        kind(**{**needed, name: number})
    with pytest.raises(BadInput) as caught:
        decode_request(kind, {each.key: number})
    assert re.search(
        rf"{each.key}: .* (is too|longer than any job).*; give ", str(caught.value)
    )
