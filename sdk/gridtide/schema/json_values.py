"""Decode single values of JSON, strictly, and collect the faults of a request.

Each function takes a value and its path in the request, and raises `BadInput` that says what
the value must be.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from math import isfinite
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

from gridtide.errors import BadInput
from gridtide.planning.problem import FIRST, LARGEST, LAST, LONGEST
from gridtide.schema.definition import Field
from gridtide.values import (
    read_hours,
    read_moment,
    shown,
)

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
HOUR = timedelta(hours=1)
# A list of another type has the same fault many times over; more of them say nothing new.
MOST_FAULTS = 20
UNITS = "with its unit it may be text, such as 4h, 90min or PT4H"


class Faults:
    """Collects the faults of the parts of a value; at the end of its block it raises them.

    One alone is raised as it is, several as one `BadInput`.
    """

    def __init__(self) -> None:
        self._found: list[BadInput] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.raise_all()

    def attempt(self, decode: Callable[[Any, str], T], value: object, where: str) -> T | Any:  # noqa: ANN401  # None after a fault, of which nothing is made
        """Return what `decode` makes of a value; a fault is kept for the end.

        Raises:
            BadInput: with the faults so far, where they are many.
        """
        try:
            return decode(value, where)
        except BadInput as fault:
            self._found.append(fault)
            if len(self._found) >= MOST_FAULTS:
                self.raise_all()
            return None

    def raise_all(self) -> None:
        """Raise the faults found, if there are any.

        Raises:
            BadInput: one of them, or one with the messages of all.
        """
        if len(self._found) == 1:
            raise self._found[0]
        if self._found:
            errors = [one for fault in self._found for one in _errors_of(fault)]
            raise BadInput("; ".join(map(str, self._found)), errors=errors)


def _errors_of(fault: BadInput) -> list[Any]:
    errors = fault.extra.get("errors")
    return errors if isinstance(errors, list) else []


def wrong(where: str, message: str) -> NoReturn:
    """Refuse what stands at `where`.

    Raises:
        BadInput: always.
    """
    raise BadInput(f"{where}: {message}", errors=[{"parameter": where, "message": message}])


def must_be(where: str, what: str, value: object) -> NoReturn:
    """Refuse a value of another type.

    Raises:
        BadInput: always.
    """
    wrong(where, f"must be {what}, not {as_json(value)}")


def as_json(value: object) -> str:
    """Return a value of JSON as a message shows it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return shown(value)


def decode_finite(value: object, where: str) -> float:
    """Decode a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        must_be(where, "a number", value)
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if not isfinite(number):
        wrong(
            where,
            f"{as_json(value)} is not finite; give a finite number, or null where unknown",
        )
    return number


def decode_number(value: object, where: str) -> float:
    """Decode a finite number of a plausible size."""
    number = decode_finite(value, where)
    if abs(number) > LARGEST:
        wrong(where, f"{as_json(value)} is beyond {LARGEST:g}; check its unit")
    return number


def decode_whole(value: object, where: str) -> int:
    """Decode a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        must_be(where, "a whole number", value)
    return value


def decode_text(value: object, where: str) -> str:
    """Decode text."""
    return value if isinstance(value, str) else must_be(where, "text", value)


def decode_flag(value: object, where: str) -> bool:
    """Decode true or false."""
    return value if isinstance(value, bool) else must_be(where, "true or false", value)


def decode_time(value: object, where: str, *, day: bool = False) -> datetime:
    """Decode a time with an offset; with `day` a date stands for its start, UTC."""
    moment = read_moment(decode_text(value, where), where, day=day)
    if not FIRST <= moment < LAST:
        wrong(where, f"{value!r} is outside 1970 to 2199")
    return moment


def decode_date(value: object, where: str) -> date:
    """Decode a date."""
    try:
        day = date.fromisoformat(decode_text(value, where))
    except ValueError:
        must_be(where, "a date such as 2026-11-20", value)
    if not FIRST.date() <= day < LAST.date():
        wrong(where, f"{value!r} is outside 1970 to 2199")
    return day


def decode_clock(value: object, where: str) -> time:
    """Decode a time of day."""
    try:
        clock = time.fromisoformat(decode_text(value, where))
    except ValueError:
        must_be(where, "a time of day such as 09:00", value)
    if clock.tzinfo is not None:
        wrong(where, f"{value!r} has an offset; give the time zone in the field zone")
    return clock


def decode_hours(value: object, where: str) -> float:
    """Decode a duration as a number of hours."""
    if not isinstance(value, str):
        return decode_finite(value, where)
    try:
        return read_hours(value, where)
    except BadInput:
        wrong(where, f"must be a number, not {as_json(value)}; {UNITS}")


def decode_length(value: object, where: str, *, most: float | None = None) -> timedelta:
    """Decode a duration of at most so many hours; left out, those of the longest job."""
    hours = decode_hours(value, where)
    most = LONGEST / HOUR if most is None else most
    if abs(hours) > most:
        wrong(
            where, f"{as_json(value)} hours are longer than any job; give at most {most:,.0f}"
        )
    return timedelta(hours=hours)


def decode_word(kind: type[E], value: object, where: str) -> E:
    """Decode a word of an enumeration."""
    try:
        return kind(decode_text(value, where))
    except ValueError:
        must_be(where, f"one of {', '.join(kind)}", value)


def check_bounds(found: Any, about: Field, where: str) -> None:  # noqa: ANN401  # a number or length
    """Refuse a number or length of time outside the bounds of its field.

    Raises:
        BadInput: it is outside.
    """
    number = found / HOUR if isinstance(found, timedelta) else found
    if not about.allows(number):
        low = about.above if about.at_least is None else about.at_least
        side = "small" if low is not None and number <= low else "large"
        # The text of a whole number beyond a float is that of its JSON.
        text = f"{number:g}" if abs(number) <= LARGEST else as_json(number)
        wrong(where, f"{text} is too {side}; give {about.bounds}")
