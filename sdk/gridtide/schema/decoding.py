"""How values are read from JSON, strictly, and the JSON schema of what is read."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from math import isfinite
from typing import Any, Generic, NoReturn, TypeVar

from gridtide.errors import BadInput
from gridtide.model import parse_time
from gridtide.planning.problem.magnitudes import FIRST, LARGEST, LAST, LONGEST, SMALLEST
from gridtide.values import SHOWN, read_hours, shown

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
E = TypeVar("E", bound=StrEnum)
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Form(Generic[T_co]):
    """One type of value: how it is read, given where it stands, and its JSON schema.

    `read` raises `BadInput` that says where and what to give instead.
    """

    read: Callable[[Any, str], T_co]
    schema: Schema


@dataclass(frozen=True)
class Member:
    """One member of an object."""

    form: Form[Any]
    about: str
    required: bool = False


@dataclass(frozen=True)
class Shape(Generic[T]):
    """An object with these members and no others; null is as good as left out.

    Attributes:
        make: of the members given, by their names.
        about: what it is, for the schema.
    """

    name: str
    about: str
    members: Mapping[str, Member]
    make: Callable[..., T]

    def read(self, wire: object, where: str = "") -> T:
        """The value of a JSON object that stands at `where`.

        Raises:
            BadInput: an unknown or a missing member, or what `make` refuses.
        """
        if not isinstance(wire, Mapping):
            wrong(where or self.name, f"a JSON object belongs here, not {seen(wire)}")
        members, values = self.members, {}
        for name, value in wire.items():
            member = members.get(name)
            if member is None:
                self._unknown(str(name), where)
            if value is not None:
                values[name] = member.form.read(value, f"{where}.{name}" if where else name)
        for name, member in members.items():
            if member.required and name not in values:
                wrong(f"{where}.{name}" if where else name, f"missing; give {member.about}")
        return self.make(**values)

    @property
    def form(self) -> Form[T]:
        """This shape as the type of a member."""
        return Form(self.read, {"$ref": f"#/components/schemas/{self.name}"})

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

    def _unknown(self, name: str, where: str) -> NoReturn:
        near = difflib.get_close_matches(name, self.members, n=1)
        known = ", ".join(self.members)
        hint = f"did you mean {near[0]}?" if near else f"members here are: {known}"
        clipped = name if len(name) <= SHOWN else f"{name[:SHOWN]}…"
        wrong(f"{where}.{clipped}" if where else clipped, f"no such member; {hint}")


def wrong(where: str, message: str) -> NoReturn:
    """Refuse what stands at `where`."""
    raise BadInput(f"{where}: {message}", errors=[{"parameter": where, "message": message}])


def seen(value: object) -> str:
    """A value of JSON as a message shows it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return shown(value)


def _finite(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        wrong(where, f"a number belongs here, not {seen(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if not isfinite(number):
        wrong(
            where, f"{seen(value)} is not finite; give a finite number, or null where unknown"
        )
    return number


def _number(value: object, where: str) -> float:
    number = _finite(value, where)
    if abs(number) > LARGEST:
        wrong(where, f"{seen(value)} is beyond {LARGEST:g}; check its unit")
    return number


def _size(value: object, where: str) -> float:
    number = _number(value, where)
    if 0 < abs(number) < SMALLEST:
        wrong(where, f"{seen(value)} is next to nothing; check its unit")
    return number


def _integer(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        wrong(where, f"a whole number belongs here, not {seen(value)}")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        wrong(where, f"text belongs here, not {seen(value)}")
    return value


def _boolean(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        wrong(where, f"true or false belongs here, not {seen(value)}")
    return value


def _moment(value: object, where: str) -> datetime:
    moment = parse_time(_text(value, where), name=where)
    if not FIRST <= moment < LAST:
        wrong(where, f"{value!r} lies outside 1970 to 2199")
    return moment


def _date(value: object, where: str) -> date:
    try:
        day = date.fromisoformat(_text(value, where))
    except ValueError:
        wrong(where, f"{seen(value)} is no day; write it as 2026-11-20")
    if not FIRST.date() <= day < LAST.date():
        wrong(where, f"{value!r} lies outside 1970 to 2199")
    return day


def _clock(value: object, where: str) -> time:
    try:
        moment = time.fromisoformat(_text(value, where))
    except ValueError:
        wrong(where, f"{seen(value)} is no time of day; write it as 09:00")
    if moment.tzinfo is not None:
        wrong(where, f"{value!r} has an offset; the time zone goes into the member zone")
    return moment


def _hours(value: object, where: str) -> float:
    if not isinstance(value, str):
        return _finite(value, where)
    try:
        return read_hours(value, where)
    except BadInput:
        wrong(
            where,
            f"a number belongs here, not {seen(value)}; with its unit it may be text, such as "
            "4h, 90min or PT4H",
        )


_LENGTH = {
    "anyOf": [
        {"type": "number"},
        {"type": "string", "examples": ["4h", "90min", "PT4H"]},
    ]
}


def hours_up_to(most: float) -> Form[timedelta]:
    """A length of time: a number of hours, or text with its unit, see `values.read_length`."""

    def read(value: object, where: str) -> timedelta:
        number = _hours(value, where)
        if abs(number) > most:
            wrong(
                where, f"{seen(value)} hours are longer than any job; give at most {most:,.0f}"
            )
        return timedelta(hours=number)

    return Form(
        read,
        {
            "anyOf": [
                {"type": "number"},
                {"type": "string", "examples": ["4h", "90min", "PT4H"]},
            ]
        },
    )


NUMBER = Form(_number, {"type": "number"})
# One that something is divided by.
SIZE = Form(_size, NUMBER.schema)
INTEGER = Form(_integer, {"type": "integer"})
BOOLEAN = Form(_boolean, {"type": "boolean"})
HOURS_NUMBER = Form(_hours, _LENGTH)
HOURS = hours_up_to(LONGEST / timedelta(hours=1))
TEXT = Form(_text, {"type": "string"})
MOMENT = Form(_moment, {"type": "string", "format": "date-time"})
DATE = Form(_date, {"type": "string", "format": "date"})
CLOCK = Form(_clock, {"type": "string", "examples": ["09:00"]})


def list_of(form: Form[T], most: int | None = None) -> Form[tuple[T, ...]]:
    """A list; with `most`, no longer than that."""

    def read(value: object, where: str) -> tuple[T, ...]:
        if not isinstance(value, list | tuple):
            wrong(where, f"a list belongs here, not {seen(value)}")
        if most is not None and len(value) > most:
            wrong(where, f"{len(value)} entries; at most {most}")
        return tuple(form.read(each, f"{where}[{i}]") for i, each in enumerate(value))

    longest = {} if most is None else {"maxItems": most}
    return Form(read, {"type": "array", "items": dict(form.schema), **longest})


def nullable(form: Form[T]) -> Form[T | None]:
    """The same, or null."""

    def read(value: object, where: str) -> T | None:
        return None if value is None else form.read(value, where)

    return Form(read, {"anyOf": [dict(form.schema), {"type": "null"}]})


def by_name(form: Form[T]) -> Form[dict[str, T]]:
    """An object of any names."""

    def read(value: object, where: str) -> dict[str, T]:
        if not isinstance(value, Mapping):
            wrong(where, f"a JSON object belongs here, not {seen(value)}")
        return {name: form.read(each, f"{where}.{name}") for name, each in value.items()}

    return Form(read, {"type": "object", "additionalProperties": dict(form.schema)})


def one_of(kind: type[E]) -> Form[E]:
    """One of an enumeration's words."""

    def read(value: object, where: str) -> E:
        try:
            return kind(_text(value, where))
        except ValueError:
            wrong(where, f"{seen(value)} is none of {', '.join(kind)}")

    return Form(read, {"type": "string", "enum": [each.value for each in kind]})


def either(*forms: tuple[Callable[[Any], bool], Form[Any]], what: str) -> Form[Any]:
    """The first form whose test a value passes; `what` says what may stand here."""

    def read(value: object, where: str) -> Any:  # noqa: ANN401  # what the forms say
        for test, form in forms:
            if test(value):
                return form.read(value, where)
        wrong(where, f"{what} belongs here, not {seen(value)}")

    return Form(read, {"anyOf": [dict(form.schema) for _, form in forms]})
