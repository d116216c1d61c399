"""Describe definitions: as JSON schema for the OpenAPI, and as rows for tables."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from gridtide.schema.definition import (
    Field,
    FieldDefinition,
    definition_of,
    is_list,
    is_record,
    json_fields,
    schema_name,
)
from gridtide.schema.result import Record

Json = dict[str, Any]
REFERENCE = "#/components/schemas/"
# Of an enumeration with more words a table shows its name.
MOST_WORDS = 5
_PLAIN: Mapping[Any, Json] = {
    float: {"type": "number"},
    int: {"type": "integer"},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    time: {"type": "string", "examples": ["09:00"]},
    NoneType: {"type": "null"},
    Any: {},
    object: {},
}
_LENGTH_TEXT: Json = {"type": "string", "examples": ["4h", "90min", "PT4H"]}


@dataclass(frozen=True, slots=True)
class Row:
    """One field as command-line options and documentation tables show it."""

    name: str
    type: str
    unit: str
    bounds: str
    required: bool
    default: str
    description: str


def components(kinds: Iterable[type[Any]], *, closed: bool = False) -> dict[str, Json]:
    """Return the schemas of these definitions and of all that they refer to, by name.

    With `closed`, as of requests, unknown fields are refused and null stands for left out;
    responses may always gain fields.
    """
    found: dict[str, Json] = {}
    todo = list(kinds)
    while todo:
        kind = todo.pop(0)
        if schema_name(kind) not in found and not (closed and issubclass(kind, Record)):
            found[schema_name(kind)] = _component(kind, closed=closed)
            if is_record(kind):
                todo += [
                    one for each in json_fields(kind).values() for one in _named(each.encoded)
                ]
    return found


def reference(kind: type[Any]) -> Json:
    """Return a reference to the schema of a definition."""
    return {"$ref": f"{REFERENCE}{schema_name(kind)}"}


def parameters(kind: type[Any]) -> list[Json]:
    """Return the fields of a request as query parameters."""
    return [_parameter(each) for each in definition_of(kind).values() if not each.about.local]


def describe(kind: type[Any]) -> list[Row]:
    """List the fields of a definition as text, for options and tables."""
    return [
        Row(
            name=name,
            type=_type_text(each.encoded, each.about),
            unit=each.about.unit or "",
            bounds=each.about.bounds,
            required=each.needed,
            default=_default_text(each),
            description=each.about.description,
        )
        for name, each in json_fields(kind).items()
    ]


def _parameter(each: FieldDefinition) -> Json:
    about, name = each.about, each.about.parameter or each.name
    schema = _described(name, each, _property(each, null=True))
    if not each.required and each.default is not None:
        listed = isinstance(each.default, tuple)
        schema["default"] = list(each.default) if listed else each.default
    if each.required and is_list(each.type):
        schema["minItems"] = 1
    described = {"description": about.description} if about.description else {}
    where = {"name": name, "in": "query", "required": each.required}
    return {**where, "schema": schema, **described}


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
    fields = json_fields(kind)
    described: Json = {
        "properties": {
            name: _described(name, each, _property(each, null=each.nullable and not closed))
            for name, each in fields.items()
        },
        "type": "object",
        "required": [name for name, each in fields.items() if each.needed],
        "title": schema_name(kind),
        # What follows the first paragraph is about Python.
        "description": " ".join(description.partition("\n\n")[0].split()),
    }
    if closed or getattr(kind, "OPEN", False):
        described["additionalProperties"] = not closed
    return described


def _property(each: FieldDefinition, *, null: bool) -> Json:
    schema = type_schema(each.encoded, each.about)
    return {"anyOf": [schema, {"type": "null"}]} if null and each.nullable else schema


def _described(name: str, each: FieldDefinition, schema: Json) -> Json:
    refers = "$ref" in schema or any("$ref" in one for one in schema.get("anyOf", ()))
    title = {} if refers else {"title": name.replace("_", " ").title()}
    notes = {"description": each.about.description, "x-unit": each.about.unit}
    return schema | title | {key: text for key, text in notes.items() if text}


def type_schema(hint: Any, about: Field = Field()) -> Json:  # noqa: ANN401, B008  # any type; immutable
    """Return the JSON schema of one type."""
    if hint is timedelta or about.duration:
        return {"anyOf": [{"type": "number"} | _bounds(about), dict(_LENGTH_TEXT)]}
    if hint in _PLAIN:
        return _PLAIN[hint] | (_bounds(about) if hint in (float, int) else {})
    origin, arguments = get_origin(hint), get_args(hint)
    if is_list(hint):
        most = {} if about.most is None else {"maxItems": about.most}
        return {"items": type_schema(arguments[0]), "type": "array", **most}
    if origin is Literal:
        only = {"const": arguments[0]} if len(arguments) == 1 else {"enum": list(arguments)}
        return {"type": "string", **only}
    if origin in (Union, UnionType):
        return {"anyOf": [type_schema(each, about) for each in arguments]}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": type_schema(arguments[1])}
    if hasattr(hint, "ENCODED"):
        return reference(hint.ENCODED)
    if hasattr(hint, "SHORT"):
        fields = definition_of(hint)
        each = fields[hint.SHORT]
        short = type_schema(each.encoded, each.about)
        return short if len(fields) == 1 else {"anyOf": [short, reference(hint)]}
    return reference(hint)


def _bounds(about: Field) -> Json:
    bounds = {
        "exclusiveMinimum": about.above,
        "minimum": about.at_least,
        "exclusiveMaximum": about.below,
        "maximum": about.at_most,
    }
    return {name: bound for name, bound in bounds.items() if bound is not None}


def _named(hint: Any) -> list[type[Any]]:  # noqa: ANN401  # any type
    """Return the definitions and enumerations to which the schema of a type refers."""
    if hasattr(hint, "ENCODED"):
        return [hint.ENCODED]
    if hasattr(hint, "SHORT"):
        each = definition_of(hint)[hint.SHORT]
        return _named(each.encoded) + ([hint] if len(definition_of(hint)) > 1 else [])
    if is_record(hint) or (isinstance(hint, type) and issubclass(hint, StrEnum)):
        return [hint]
    return [found for each in get_args(hint) for found in _named(each)]


_NAMES = {
    float: "number",
    int: "whole number",
    str: "text",
    bool: "true or false",
    datetime: "time",
    date: "date",
    time: "time of day",
    timedelta: "duration",
    NoneType: "null",
}


def _type_text(hint: Any, about: Field) -> str:  # noqa: ANN401  # any type
    if about.duration:
        return "duration"
    if hint in _NAMES:
        return _NAMES[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if is_list(hint):
        one = _type_text(arguments[0], about)
        return (
            f"list of {one}s"
            if one in ("number", "time", "duration", "date")
            else f"list of {one}"
        )
    if origin is Literal:
        return ", ".join(map(str, arguments))
    if origin in (Union, UnionType):
        return " or ".join(_type_text(each, about) for each in arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"{_type_text(arguments[1], about)} by name"
    if isinstance(hint, type) and issubclass(hint, StrEnum) and len(hint) <= MOST_WORDS:
        return ", ".join(hint)
    if hasattr(hint, "SHORT"):
        short = _type_text(definition_of(hint)[hint.SHORT].encoded, about)
        return short if len(definition_of(hint)) == 1 else f"{schema_name(hint)} or {short}"
    return schema_name(hint) if isinstance(hint, type) else "object"


def _default_text(each: FieldDefinition) -> str:
    default = each.default
    if default is None or default in ((), frozenset(), {}) or is_record(type(default)):
        return ""
    if isinstance(default, timedelta):
        return f"{default / timedelta(hours=1):g}"
    if isinstance(default, bool):
        return "true" if default else "false"
    return f"{default:g}" if isinstance(default, float) else str(default)
