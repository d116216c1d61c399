"""Questions made from the OpenAPI: each right but for one hole, which any value can fill."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from tests.server.test_openapi import OPENAPI

SCHEMAS = OPENAPI["components"]["schemas"]
HOLE = "the hole"
Json = dict[str, Any]
Path = tuple[str | int, ...]

RUN: Json = {"start": "2026-03-02T10:00Z", "end": "2026-03-02T11:00Z"}
# What is right, by schema and property, where the type alone does not say it.
RIGHT: dict[tuple[str, str], Any] = {
    ("", "region"): "DE",
    ("", "regions"): ["DE", "FR"],
    **{
        (f"{name}[]", "regions"): "DE" for name in ("PlanRequest", "PlanQuestion", "JobRequest")
    },
    ("Candidates", "regions"): ["DE", "FR"],
    ("Candidates[]", "regions"): "DE",
    ("BestRegionQuestion[]", "regions"): "DE",
    ("", "zone"): "UTC",
    ("", "start"): RUN["start"],
    ("", "end"): RUN["end"],
    ("", "as_of"): "2026-03-02T12:00Z",
    ("", "earliest"): "2026-03-02T13:00Z",
    ("", "deadline"): "2026-03-03T13:00Z",
    ("", "signal"): "ci_lifecycle_produced",
    ("", "pue"): 1.2,
    ("Progress", "at"): "2026-03-02T12:00Z",
    ("Progress", "done"): 0,
    ("Progress", "segments"): 1,
    ("Goal", "budget_grams"): 1e9,
    ("Goal", "threshold"): 1e4,
    ("Goal", "min_saving"): 0.1,
    ("Progress", "running_for"): 0,
    ("Bounds", "next_working_day"): "09:00",
    ("Bounds", "slack_hours"): 9,
    ("Bounds", "holidays"): ["2026-03-03"],
    ("Bounds[]", "holidays"): "2026-03-03",
    ("Weekly", "hours"): "daily 00:00-12:00",
    ("DayRange", "first"): "2026-03-03",
    ("DayRange", "last"): "2026-03-03",
    ("Recurring", "cron"): "0 20 * * *",
    ("Recurring", "slack_hours"): 4,
    ("Candidates", "current_region"): "DE",
    ("Candidates", "allowed"): ["DE"],
    ("Candidates", "residency"): ["DE"],
    ("Candidates", "latency_from"): "DE",
    ("Candidates", "latency_ms"): {"DE": 1.0, "FR": 2.0},
    ("Candidate", "latitude"): 51.0,
    ("Candidate", "longitude"): 10.0,
    ("Costs", "values"): [0.1],
    ("Costs", "slots"): [{**RUN, "end": "2026-03-05T11:00Z", "value": 0.1}],
    ("CostSlot", "end"): "2026-03-05T11:00Z",
    ("Costs", "unit"): "EUR/kWh",
    ("Job", "power"): 1.5,
    ("Job", "min_segment"): 0.5,
    ("Job", "max_segments"): 2,
    ("Job", "checkpoints"): [0.5],
    ("Job[]", "checkpoints"): 0.5,
    ("Workers", "maximum"): 1,
    ("Workers", "throughput"): [{"workers": 1, "speed": 1}, {"workers": 3, "speed": 2}],
    ("ScheduleRequest", "caps"): {"DE": {"jobs": 1}},
    ("FootprintRequest", "rows"): [{**RUN, "kwh": 2}],
    ("FootprintQuestion", "rows"): [{**RUN, "kwh": 2}],
    ("FootprintRequest", "net_g_per_kwh"): 50,
    ("FootprintQuestion", "net_g_per_kwh"): 50,
}
WEIGHED = {"objective": "weighted", "carbon_weight": 1, "cost_weight": 1}
COSTS = {"unit": "EUR/kWh", "start": "2026-03-02T10:00Z", "step": 1, "values": [0.1] * 96}
NEEDED = {"hours": 2, "power_kw": 1, "g_per_kwh": 100}
ROWS = {"region": "DE", "rows": [{**RUN, "kwh": 2}]}
# What a property goes with, by schema; under "" what goes with any other property of it.
WITH: dict[str, dict[str, Json]] = {
    "PlanRequest": {"": {"region": "DE"}, "region": {}, "regions": {}, "candidates": {}},
    "Job": {
        "min_segment": {"kind": "segments", "max_segments": 2},
        "max_segments": {"kind": "segments", "min_segment": 0.5},
        "checkpoints": {"kind": "segments", "min_segment": 0.5, "max_segments": 2},
        "pause_cost": {"kind": "segments", "min_segment": 0.5, "max_segments": 2, "power": 1},
        "restart_cost": {"kind": "segments", "min_segment": 0.5, "max_segments": 2, "power": 1},
        "workers": {"kind": "elastic", "power": 1},
    },
    "Cost": {"": {"kwh": 0.1}},
    "Goal": {
        "costs": {"objective": "cost"},
        "carbon_weight": WEIGHED | {"costs": COSTS},
        "cost_weight": WEIGHED | {"costs": COSTS},
    },
    "Costs": {
        "": {"start": RUN["start"], "step": 1, "values": [0.1] * 96},
        "values": {"start": RUN["start"], "step": 96},
        "slots": {},
    },
    "CostSlot": {"": {"value": 0.1}},
    "Bounds": {"next_working_day": {"zone": "UTC"}, "holidays": {"next_working_day": "09:00"}},
    "Recurring": {"": {"slack_hours": 4}, "slack_hours": {}, "slack_fraction": {}},
    "Candidates": {
        "": {"regions": ["DE", "FR"]},
        "data_gb": {"current_region": "DE", "kwh_per_gb": 0.01},
        "kwh_per_gb": {"current_region": "DE", "data_gb": 1.0},
        "max_latency_ms": {"latency_from": "DE"},
        "latency_ms": {"max_latency_ms": 100.0, "latency_from": "DE", "regions": ["DE", "FR"]},
    },
    "Candidate": {"latitude": {"longitude": 10.0}, "longitude": {"latitude": 51.0}},
    "FootprintRequest": {
        "": NEEDED,
        "rows": {"region": "DE"},
        "region": ROWS,
        "clean": ROWS,
        "start": {"hours": 1, "power_kw": 1, "region": "DE"},
        "signal": ROWS,
        "as_of": ROWS,
        "requests": {"kwh_per_request": 0.1, "g_per_kwh": 100},
        "kwh_per_request": {"requests": 9, "g_per_kwh": 100},
        "per": NEEDED | {"embodied_g": 1},
        "embodied_g": NEEDED | {"per": 1},
    },
}
for _name, _like in (
    ("PlanQuestion", "PlanRequest"),
    ("JobRequest", "PlanRequest"),
    ("FootprintQuestion", "FootprintRequest"),
):
    WITH[_name] = WITH[_like]


def holes(name: str, fixed: Mapping[str, Json]) -> Iterator[tuple[Path, Any, Any]]:
    """(path, question with `HOLE` there, what is right there) for each place of a schema.

    Args:
        fixed: schemas of which an instance is known, such as that of a plan.
    """
    yield from _object(name, fixed)


def _object(name: str, fixed: Mapping[str, Json]) -> Iterator[tuple[Path, Any, Any]]:
    schema = SCHEMAS[name]
    if name in fixed:  # an answer that is handed back
        yield from _known(fixed[name])
        return
    needed = {
        each: _minimal(each, part, name, fixed)
        for each, part in schema["properties"].items()
        if each in schema.get("required", ())
    }
    with_ = WITH.get(name, {})
    for each, part in schema["properties"].items():
        rest = copy.deepcopy({**needed, **with_.get(each, with_.get("", {}))})
        for path, inner, right in _value(each, part, name, fixed):
            yield (each, *path), {**rest, each: inner}, right


def _value(
    each: str, part: Json, name: str, fixed: Mapping[str, Json]
) -> Iterator[tuple[Path, Any, Any]]:
    yield (), HOLE, _minimal(each, part, name, fixed)
    for way in part.get("anyOf", [part]):
        if "$ref" in way and "enum" in SCHEMAS[_named(way)]:
            continue
        if "$ref" in way:
            yield from _object(_named(way), fixed)
        elif way.get("type") == "array":
            for path, inner, right in _value(each, way["items"], f"{name}[]", fixed):
                yield (0, *path), [inner], right
        elif isinstance(way.get("additionalProperties"), dict):
            for path, inner, right in _value(
                each, way["additionalProperties"], f"{name}{{}}", fixed
            ):
                yield ("DE", *path), {"DE": inner}, right


def _known(value: Any) -> Iterator[tuple[Path, Any, Any]]:  # noqa: ANN401  # JSON
    """Every place of an instance."""
    yield (), HOLE, value
    members: Any = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for each, part in members:
        for path, inner, right in _known(part):
            whole = copy.copy(value)
            whole[each] = inner
            yield (each, *path), whole, right


def _minimal(each: str, part: Json, name: str, fixed: Mapping[str, Json]) -> Any:  # noqa: ANN401
    """A right value of one property."""
    for key in ((name, each), ("", each)):
        if key in RIGHT:
            return copy.deepcopy(RIGHT[key])
    way = part.get("anyOf", [part])[0]
    if "const" in way:
        return way["const"]
    if "enum" in way:
        return way["enum"][0]
    if "$ref" in way:
        named = _named(way)
        if named in fixed:
            return fixed[named]
        if "enum" in SCHEMAS[named]:
            return SCHEMAS[named]["enum"][0]
        with_ = WITH.get(named, {}).get("", {})
        own = SCHEMAS[named]
        return copy.deepcopy(with_) | {
            inner: _minimal(inner, described, named, fixed)
            for inner, described in own["properties"].items()
            if inner in own.get("required", ())
        }
    if way["type"] == "array":
        return [_minimal(each, way["items"], f"{name}[]", fixed)]
    if way["type"] == "object":
        return {"DE": _minimal(each, way["additionalProperties"], f"{name}{{}}", fixed)}
    return {"number": 1, "integer": 1, "boolean": True, "string": "DE", "null": None}[
        way["type"]
    ]


def _named(part: Json) -> str:
    return str(part["$ref"]).removeprefix("#/components/schemas/")
