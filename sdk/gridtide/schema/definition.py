"""Definitions of requests and responses, each a frozen dataclass that says everything once.

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Example:
        hours: Annotated[timedelta, Field("Length of the job.", unit="h", above=0)]

Type, unit, bounds and description stand in the annotation. `codec` encodes and decodes by it,
`validation` finds every fault by it, `openapi` describes it, and `describe` lists it for
command-line options and documentation tables. Nothing but the standard library is loaded here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Field:
    """What an annotation says of its field beside the type.

    Attributes:
        description: one line for OpenAPI, help texts and tables.
        unit: of the number, such as ``kWh``; left out where there is none.
        above: exclusive lower bound.
        at_least, at_most: inclusive bounds.
        most: most entries of a list.
        duration: whether the number is of hours, and may be text with a unit such as ``4h``.
        day: whether a date may stand for a time, as its start in UTC.
        name: its name in JSON, where that is another.
        parameter: its name in a query string, where that is another.
        divides: whether something is divided by the number, so that it is not tiny.
        former: names under which requests may still give it.
        encoded: the type it has in JSON, where that is another than in Python.
        local: whether it exists in Python alone; its JSON, if any, is in another field.
    """

    description: str = ""
    unit: str | None = None
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    most: int | None = None
    duration: bool = False
    day: bool = False
    name: str | None = None
    parameter: str | None = None
    divides: bool = False
    former: tuple[str, ...] = ()
    encoded: Any = None
    local: bool = False


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """One field of a definition.

    Attributes:
        type: without ``None`` and without `Annotated`.
        nullable: whether ``None`` is among its values.
        required: whether it has no default.
        default: its default, ``None`` where it is required.
        about: what the annotation says.
    """

    name: str
    type: Any
    nullable: bool
    required: bool
    default: Any
    about: Field

    @property
    def encoded(self) -> Any:  # noqa: ANN401  # a type of any form
        """Its type in JSON."""
        return self.type if self.about.encoded is None else self.about.encoded


@dataclass(frozen=True, slots=True)
class Row:
    """One field as command-line options and documentation tables show it."""

    name: str
    type: str
    unit: str
    required: bool
    default: str
    description: str


def by_kind(make: Callable[[type[Any]], V]) -> Callable[[type[Any]], V]:
    """Keep what `make` returns for each class."""
    return cast("Callable[[type[Any]], V]", cache(make))


@by_kind
def definition_of(kind: type[Any]) -> Mapping[str, FieldDefinition]:
    """The fields of a dataclass, by name and in order."""
    hints = get_type_hints(kind, include_extras=True)
    found = {}
    for each in fields(kind):
        inner, about = _split(hints[each.name])
        plain, nullable = without_none(inner)
        default = each.default
        if each.default_factory is not MISSING:
            default = each.default_factory()
        found[each.name] = FieldDefinition(
            each.name,
            plain,
            nullable,
            default is MISSING,
            None if default is MISSING else default,
            about,
        )
    return found


def schema_name(kind: type[Any]) -> str:
    """The name of a dataclass or enumeration in the OpenAPI."""
    return str(kind.__dict__.get("SCHEMA_NAME", kind.__name__))


def without_none(hint: Any) -> tuple[Any, bool]:  # noqa: ANN401  # a type of any form
    """A type without ``None``, and whether it had it."""
    if get_origin(hint) not in (Union, UnionType):
        return hint, False
    kinds = get_args(hint)
    others = tuple(each for each in kinds if each is not NoneType)
    return Union[others], len(others) < len(kinds)  # noqa: UP007  # of a list made here


def is_record(hint: Any) -> bool:  # noqa: ANN401  # as above
    """Whether a type is a dataclass with a definition of its own."""
    return isinstance(hint, type) and is_dataclass(hint)


def describe(kind: type[Any]) -> list[Row]:
    """The fields of a definition as text, in order, for options and tables."""
    return [
        Row(
            name=each.name,
            type=_type_text(each.type),
            unit=each.about.unit or "",
            required=each.required,
            default="" if each.required or each.default is None else str(each.default),
            description=each.about.description,
        )
        for each in definition_of(kind).values()
        if not each.about.local
    ]


def _split(hint: Any) -> tuple[Any, Field]:  # noqa: ANN401  # as above
    """The type of an annotation and its `Field`; the outermost description counts."""
    if get_origin(hint) is not Annotated:
        return hint, Field()
    inner, *said = get_args(hint)
    return inner, next((each for each in reversed(said) if isinstance(each, Field)), Field())


_NAMES = {
    float: "number",
    int: "whole number",
    str: "text",
    bool: "true or false",
    datetime: "time",
    timedelta: "duration",
}


def _type_text(hint: Any) -> str:  # noqa: ANN401  # as above
    if hint in _NAMES:
        return _NAMES[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        return f"list of {_type_text(arguments[0])}"
    if origin is Literal:
        return ", ".join(map(str, arguments))
    if origin in (Union, UnionType):
        return " or ".join(map(_type_text, arguments))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return ", ".join(hint)
    return schema_name(hint) if isinstance(hint, type) else "object"
