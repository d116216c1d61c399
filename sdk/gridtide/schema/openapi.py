"""JSON schema of definitions, as the OpenAPI has it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from gridtide.schema.definition import (
    FieldDefinition,
    definition_of,
    is_record,
    schema_name,
)

Json = dict[str, Any]
REFERENCE = "#/components/schemas/"
_PLAIN: Mapping[Any, Json] = {
    float: {"type": "number"},
    int: {"type": "integer"},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    time: {"type": "string", "examples": ["09:00"]},
    NoneType: {"type": "null"},
    timedelta: {
        "anyOf": [
            {"type": "number"},
            {"type": "string", "examples": ["4h", "90min", "PT4H"]},
        ]
    },
    Any: {},
}


def components(kinds: Iterable[type[Any]], *, closed: bool = False) -> dict[str, Json]:
    """The schemas of these definitions and of all that they refer to, by name.

    With `closed`, as of requests, unknown fields are refused and null stands for left out;
    responses may always gain fields.
    """
    found: dict[str, Json] = {}
    todo = list(kinds)
    while todo:
        kind = todo.pop(0)
        if schema_name(kind) not in found:
            found[schema_name(kind)] = _component(kind, closed=closed)
            todo += _referred(kind)
    return found


def reference(kind: type[Any]) -> Json:
    """A reference to the schema of a definition."""
    return {"$ref": f"{REFERENCE}{schema_name(kind)}"}


def parameters(kind: type[Any]) -> list[Json]:
    """The fields of a request as query parameters."""
    return [_parameter(each) for each in _encoded(kind)]


def _parameter(each: FieldDefinition) -> Json:
    about, name = each.about, each.about.parameter or each.name
    schema = _described(name, each, _property(each, null=True))
    if not each.required and each.default is not None:
        listed = isinstance(each.default, tuple)
        schema["default"] = list(each.default) if listed else each.default
    if each.required and get_origin(each.type) is tuple:
        schema["minItems"] = 1
    described = {"description": about.description} if about.description else {}
    place = {"name": name, "in": "query", "required": each.required}
    return {**place, "schema": schema, **described}


def _encoded(kind: type[Any]) -> list[FieldDefinition]:
    return [each for each in definition_of(kind).values() if not each.about.local]


def _component(kind: type[Any], *, closed: bool) -> Json:
    description = inspect.cleandoc(kind.__doc__ or "")
    if issubclass(kind, StrEnum):
        words = [each.value for each in kind]
        return {
            "type": "string",
            "enum": words,
            "title": schema_name(kind),
            "description": description,
        }
    definition = _encoded(kind)
    described: Json = {
        "properties": {
            each.name: _described(
                each.name, each, _property(each, null=each.nullable and not closed)
            )
            for each in definition
        },
        "type": "object",
        "required": [each.name for each in definition if each.required],
        "title": schema_name(kind),
        # What follows the first paragraph is about Python.
        "description": " ".join(description.partition("\n\n")[0].split()),
    }
    if closed or getattr(kind, "OPEN", False):
        described["additionalProperties"] = not closed
    return described


def _property(each: FieldDefinition, *, null: bool) -> Json:
    about = each.about
    schema = type_schema(each.encoded)
    if about.most is not None:
        schema["maxItems"] = about.most
    if null and each.nullable:
        return {"anyOf": [schema, {"type": "null"}]}
    bounds = {"exclusiveMinimum": about.above, "minimum": about.at_least}
    bounds["maximum"] = about.at_most
    known = {name: bound for name, bound in bounds.items() if bound is not None}
    return schema | known


def _described(name: str, each: FieldDefinition, schema: Json) -> Json:
    refers = "$ref" in schema or any("$ref" in one for one in schema.get("anyOf", ()))
    title = {} if refers else {"title": name.replace("_", " ").title()}
    said = {"description": each.about.description, "x-unit": each.about.unit}
    return schema | title | {key: text for key, text in said.items() if text}


def type_schema(hint: Any) -> Json:  # noqa: ANN401  # a type of any form
    """The JSON schema of one type."""
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        return {"items": type_schema(arguments[0]), "type": "array"}
    if origin is Literal:
        only = {"const": arguments[0]} if len(arguments) == 1 else {"enum": list(arguments)}
        return {"type": "string", **only}
    if origin in (Union, UnionType):
        return {"anyOf": [type_schema(each) for each in arguments]}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": type_schema(arguments[1])}
    return reference(hint)


def _referred(kind: type[Any]) -> list[type[Any]]:
    """The records and enumerations that the fields of `kind` refer to."""
    if not is_record(kind):
        return []
    return [found for each in _encoded(kind) for found in _named(each.encoded)]


def _named(hint: Any) -> list[type[Any]]:  # noqa: ANN401  # as above
    if is_record(hint) or (isinstance(hint, type) and issubclass(hint, StrEnum)):
        return [hint]
    return [found for each in get_args(hint) for found in _named(each)]
