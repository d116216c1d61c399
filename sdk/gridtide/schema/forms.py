"""Types of values in requests: how each is decoded from JSON, strictly, and its JSON schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import partial
from math import isfinite
from typing import Any, Generic, TypeVar

from gridtide.errors import BadInput
from gridtide.model import format_time
from gridtide.planning.problem.magnitudes import FIRST, LARGEST, LAST, LONGEST, SMALLEST
from gridtide.schema.faults import Faults, seen, wrong
from gridtide.values import read_hours, read_moment

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
E = TypeVar("E", bound=StrEnum)
Schema = Mapping[str, Any]


def _as_it_is(value: object) -> object:
    return value


def in_hours(span: timedelta) -> float:
    """A length of time as a number of hours, from which it is read back to the microsecond."""
    return span / timedelta(hours=1)


def write_clock(at: time) -> str:
    """A time of day, its seconds only where it has some."""
    return at.isoformat("minutes") if (at.second, at.microsecond) == (0, 0) else at.isoformat()


@dataclass(frozen=True)
class Form(Generic[T_co]):
    """One type of value: how it is read, given where it stands, its JSON schema, and its JSON.

    `read` raises `BadInput` that says where and what to give instead.
    """

    read: Callable[[Any, str], T_co]
    schema: Schema
    write: Callable[[Any], Any] = _as_it_is


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


def _moment(value: object, where: str, *, day: bool = False) -> datetime:
    moment = read_moment(_text(value, where), where, day=day)
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

    return Form(read, _LENGTH, in_hours)


NUMBER = Form(_number, {"type": "number"})
# One that something is divided by.
SIZE = Form(_size, NUMBER.schema)
INTEGER = Form(_integer, {"type": "integer"})
BOOLEAN = Form(_boolean, {"type": "boolean"})
HOURS_NUMBER = Form(_hours, _LENGTH)
HOURS = hours_up_to(LONGEST / timedelta(hours=1))
TEXT = Form(_text, {"type": "string"})
MOMENT = Form(_moment, {"type": "string", "format": "date-time"}, format_time)
# An end of a range: a date is its start, UTC.
MOMENT_OR_DATE = Form(
    partial(_moment, day=True), {"type": "string", "format": "date-time"}, format_time
)
DATE = Form(_date, {"type": "string", "format": "date"}, date.isoformat)
CLOCK = Form(_clock, {"type": "string", "examples": ["09:00"]}, write_clock)


def list_of(form: Form[T], most: int | None = None) -> Form[tuple[T, ...]]:
    """A list; with `most`, no longer than that."""

    def read(value: object, where: str) -> tuple[T, ...]:
        if not isinstance(value, list | tuple):
            wrong(where, f"a list belongs here, not {seen(value)}")
        if most is not None and len(value) > most:
            wrong(where, f"{len(value)} entries; at most {most}")
        with Faults() as faults:
            return tuple(
                faults.attempt(form.read, each, f"{where}[{i}]") for i, each in enumerate(value)
            )

    longest = {} if most is None else {"maxItems": most}
    schema = {"type": "array", "items": dict(form.schema), **longest}
    return Form(read, schema, lambda values: [form.write(each) for each in values])


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
        with Faults() as faults:
            return {
                name: faults.attempt(form.read, each, f"{where}.{name}")
                for name, each in value.items()
            }

    schema = {"type": "object", "additionalProperties": dict(form.schema)}
    return Form(
        read, schema, lambda values: {name: form.write(each) for name, each in values.items()}
    )


def one_of(kind: type[E]) -> Form[E]:
    """One of an enumeration's words."""

    def read(value: object, where: str) -> E:
        try:
            return kind(_text(value, where))
        except ValueError:
            wrong(where, f"{seen(value)} is none of {', '.join(kind)}")

    schema = {"type": "string", "enum": [each.value for each in kind]}
    return Form(read, schema, lambda word: word.value)


def either(*forms: tuple[Callable[[Any], bool], Form[Any]], what: str) -> Form[Any]:
    """The first form whose test a value passes; `what` says what may stand here."""

    def read(value: object, where: str) -> Any:  # noqa: ANN401  # what the forms say
        for test, form in forms:
            if test(value):
                return form.read(value, where)
        return wrong(where, f"{what} belongs here, not {seen(value)}")

    return Form(read, {"anyOf": [dict(form.schema) for _, form in forms]})
