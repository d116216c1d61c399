"""Decode requests from JSON, strictly: every fault at once, unknown names with the nearest.

The members of an object follow from the definition of its dataclass, see `shape_of`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, Generic, NoReturn, TypeVar, get_args, get_origin

from gridtide.schema.definition import (
    Field,
    FieldDefinition,
    definition_of,
    is_record,
    schema_name,
)
from gridtide.schema.faults import Faults, seen, wrong
from gridtide.schema.forms import (
    BOOLEAN,
    DATE,
    HOURS,
    HOURS_NUMBER,
    INTEGER,
    MOMENT,
    NUMBER,
    SIZE,
    TEXT,
    Form,
    by_name,
    hours_up_to,
    list_of,
    one_of,
)
from gridtide.values import SHOWN

T = TypeVar("T")


@dataclass(frozen=True)
class Member:
    """One member of an object.

    Attributes:
        former: names under which requests may also give it.
        field: its name in Python, where it is a field there.
        default: value at which it is left out when it is written.
    """

    form: Form[Any]
    about: str
    required: bool = False
    former: tuple[str, ...] = ()
    field: str | None = None
    default: Any = None


@dataclass(frozen=True)
class Shape(Generic[T]):
    """An object with these members and no others; null is as good as left out.

    Attributes:
        make: of the members given, by their names.
        about: what it is, for the schema.
        spread: writes those fields that are several members in JSON.
    """

    name: str
    about: str
    members: Mapping[str, Member]
    make: Callable[..., T]
    spread: Callable[[T], dict[str, Any]] | None = None

    def read(self, wire: object, where: str = "") -> T:
        """The value of a JSON object that stands at `where`.

        Raises:
            BadInput: an unknown or a missing member, or what `make` refuses.
        """
        if not isinstance(wire, Mapping):
            wrong(where or self.name, f"a JSON object belongs here, not {seen(wire)}")
        values: dict[str, Any] = {}
        given: set[str] = set()
        with Faults() as faults:
            for name, value in wire.items():
                field = self._names.get(name)
                if field is None:
                    faults.attempt(self._refuse, str(name), where)
                elif value is not None:
                    given.add(field)
                    member = self.members[field]
                    path = f"{where}.{name}" if where else name
                    values[member.field or field] = faults.attempt(
                        member.form.read, value, path
                    )
            for name, member in self.members.items():
                if member.required and name not in given:
                    path = f"{where}.{name}" if where else name
                    faults.attempt(_missing, member.about, path)
        return self.make(**values)

    def write(self, value: T) -> dict[str, Any]:
        """Return the JSON object of a value; what has its default is left out."""
        wire = {} if self.spread is None else self.spread(value)
        for name, member in self.members.items():
            if member.field is None:
                continue
            given = getattr(value, member.field)
            if member.required or given != member.default:
                wire[name] = member.form.write(given)
        return wire

    @property
    def form(self) -> Form[T]:
        """This shape as the type of a member."""
        schema = {"$ref": f"#/components/schemas/{self.name}"}
        return Form(self.read, schema, self.write)

    def schema(self) -> dict[str, Any]:
        """Its JSON schema; other shapes are referred to by name."""
        return {
            "type": "object",
            "description": self.about,
            "properties": {
                name: {"description": member.about, **member.form.schema}
                for name, member in self.members.items()
            },
            "required": [name for name, member in self.members.items() if member.required],
            "additionalProperties": False,
        }

    @cached_property
    def _names(self) -> dict[str, str]:
        """Names that may be given, former ones too, to those of the members."""
        former = {old: name for name, each in self.members.items() for old in each.former}
        return former | {name: name for name in self.members}

    def _refuse(self, name: str, where: str) -> NoReturn:
        near = difflib.get_close_matches(name, self.members, n=1)
        known = ", ".join(self.members)
        hint = f"did you mean {near[0]}?" if near else f"members here are: {known}"
        clipped = name if len(name) <= SHOWN else f"{name[:SHOWN]}…"
        wrong(f"{where}.{clipped}" if where else clipped, f"no such member; {hint}")


def _missing(about: str, where: str) -> NoReturn:
    wrong(where, f"missing; give {about}")


_DEFINED: dict[type[Any], Shape[Any]] = {}


def define_shape(
    kind: type[T],
    forms: Mapping[str, Form[Any]] | None = None,
    *,
    make: Callable[..., T] | None = None,
    more: Mapping[str, Member] | None = None,
    spread: Callable[[T], dict[str, Any]] | None = None,
) -> Shape[T]:
    """Return how a dataclass is decoded and encoded, wherever it is a field, by its definition.

    Args:
        forms: of fields whose form does not follow from their type, by name in Python.
        make: makes a `kind` of its fields; left out, its constructor.
        more: members in JSON that are not fields in Python; `make` gets them, too.
        spread: writes these.
    """
    about = " ".join((kind.__doc__ or "").partition("\n\n")[0].split())
    members = {
        each.about.name or each.name: Member(
            (forms or {}).get(each.name) or form_of(each),
            each.about.description,
            each.required,
            each.about.former,
            each.name,
            each.default,
        )
        for each in definition_of(kind).values()
        if not each.about.local
    }
    needed = {name: member for name, member in members.items() if member.required}
    shape = Shape(
        schema_name(kind), about, needed | dict(more or {}) | members, make or kind, spread
    )
    _DEFINED[kind] = shape
    return shape


def shape_of(kind: type[T]) -> Shape[T]:
    """Return how a dataclass is decoded and encoded."""
    return _DEFINED.get(kind) or define_shape(kind)


def form_of(each: FieldDefinition) -> Form[Any]:
    """Return how one field is decoded."""
    about = each.about
    if about.duration:
        return HOURS_NUMBER
    if each.type is timedelta:
        return HOURS if about.at_most is None else hours_up_to(about.at_most)
    if get_origin(each.type) is tuple:
        return list_of(_form_of_type(get_args(each.type)[0]), about.most)
    form = SIZE if about.divides else _form_of_type(each.type)
    return _bounded(form, about) if each.type in (float, int) else form


def _bounded(form: Form[Any], about: Field) -> Form[Any]:
    """`form` within the bounds of a field."""
    low, high = about.at_least, about.at_most
    if about.above is None and low is None and high is None:
        return form

    def read(value: object, where: str) -> Any:  # noqa: ANN401  # what the form says
        number = form.read(value, where)
        if about.above is not None and not number > about.above:
            wrong(where, f"{seen(value)} is too small; give more than {about.above:g}")
        if low is not None and number < low:
            wrong(where, f"{seen(value)} is too small; give {low:g} or more")
        if high is not None and number > high:
            wrong(where, f"{seen(value)} is too large; give at most {high:g}")
        return number

    return Form(read, form.schema, form.write)


_LEAVES: Mapping[Any, Form[Any]] = {
    float: NUMBER,
    int: INTEGER,
    str: TEXT,
    bool: BOOLEAN,
    datetime: MOMENT,
    date: DATE,
    timedelta: HOURS,
}


def _form_of_type(hint: Any) -> Form[Any]:  # noqa: ANN401  # a type of any form
    if hint in _LEAVES:
        return _LEAVES[hint]
    origin = get_origin(hint)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return by_name(_form_of_type(get_args(hint)[1]))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return one_of(hint)
    if is_record(hint):
        return shape_of(hint).form
    raise TypeError(f"{hint!r} has no form in JSON; give its field one")
