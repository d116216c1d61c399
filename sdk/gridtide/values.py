"""Values as callers have them, read as plain ones: numbers, lengths of time, moments, names.

Scalars of numpy and pandas are taken for what they are, without loading either. Whatever cannot
be right is a `BadInput` that names the value, what was given and what to give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from math import isfinite
from numbers import Integral, Real
from typing import Any, NoReturn, TypeVar

from gridtide.durations import number_or_text, parse_duration
from gridtide.errors import BadInput

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
Reader = Callable[[Any, str], Any]

SHOWN = 60
LENGTH = (
    "a finite number such as 4 or 1.5 for hours, a timedelta, or text with its unit such as "
    "'4h', '90min' or 'PT4H'"
)
NUMBER = "a finite number such as 4 or 1.5"
MOMENT = "a time with an offset such as datetime.now(UTC) or '2026-11-20T17:00Z'"


def refuse(value: object, name: str, give: str, why: str = "") -> NoReturn:
    """Raise `BadInput`: `name` is `value`, and why that is wrong; give something else."""
    raise _faulty(name, f"is {shown(value)}{why}; give {give}")


def _faulty(name: str, why: str) -> BadInput:
    """Return the error for the one input `name`, which REST and the command line list."""
    message = f"{name} {why}"
    return BadInput(message, errors=[{"parameter": name, "message": message}])


def shown(value: object) -> str:
    """Return a value as a message shows it, cut where it is long."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  # whatever a stranger's repr raises
        text = f"a {type(value).__name__}"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def read_number(value: object, name: str, give: str = NUMBER) -> float:
    """Read a finite number; of numpy, pandas, `fractions`, `decimal` too. No text, no bool."""
    if type(value) is float or type(value) is int:
        number: Any = value
    else:
        number = _numeric(_scalar(value, name, give), name, give)
    try:
        found = float(number)
    except OverflowError:
        refuse(value, name, give, ", more than a number can hold")
    except (TypeError, ValueError):
        refuse(value, name, give)
    if not isfinite(found):
        refuse(value, name, give, ", which is not finite")
    return found


def read_whole(value: object, name: str) -> int:
    """Read a whole number; a float that is one is taken, as data frames have them."""
    give = "a whole number such as 3"
    plain = _scalar(value, name, give)
    if isinstance(plain, Integral) and not isinstance(plain, bool):
        return int(plain)
    number = read_number(plain, name, give)
    if number != int(number):
        refuse(value, name, give)
    return int(number)


def read_flag(value: object, name: str) -> bool:
    """True or False."""
    plain = _scalar(value, name, "True or False")
    return plain if isinstance(plain, bool) else refuse(value, name, "True or False")


def read_text(value: object, name: str) -> str:
    """Text that can be written, so without half of a surrogate pair."""
    if not isinstance(value, str):
        refuse(value, name, "text")
    try:
        value.encode()
    except UnicodeEncodeError:
        refuse(value, name, "text of whole characters")
    return str(value)


def read_word(kind: type[E], value: object, name: str) -> E:
    """Read one of an enumeration's words."""
    if type(value) is kind:
        return value
    give = f"one of {', '.join(kind)}"
    if not isinstance(value, str):
        refuse(value, name, give)
    try:
        return kind(value)
    except ValueError:
        refuse(value, name, give)


def read_length(value: object, name: str) -> timedelta:
    """Read a length of time: a number of hours, a timedelta, or text with its unit.

    Text is ``4h``, ``90min``, ``1h30m``, ``2d`` or ISO 8601 (``PT4H``, ``P1DT12H``). A number
    in quotes does not say its unit, and is refused.
    """
    plain = _scalar(value, name, LENGTH)
    if isinstance(plain, timedelta):
        # Whole microseconds, and no subclass: pandas' own counts on differently.
        return timedelta(plain.days, plain.seconds, plain.microseconds)
    try:
        if isinstance(plain, str):
            duration = parse_duration(plain)
            if duration is None:
                bare = isinstance(number_or_text(plain), float)
                why = ", which does not say its unit" if bare else ""
                refuse(value, name, LENGTH, why)
            return duration
        return timedelta(hours=read_number(plain, name, LENGTH))
    except OverflowError:
        refuse(value, name, LENGTH, ", longer than the calendar")


def read_hours(value: object, name: str) -> float:
    """Read a length of time as a number of hours; what is a number stays the one it is."""
    try:
        return read_number(value, name)
    except BadInput:
        return read_length(value, name) / timedelta(hours=1)


def read_written_length(text: str, name: str) -> timedelta:
    """Read a length of time on a command line, where a bare number is hours."""
    return read_length(number_or_text(text), name)


def read_moment(value: object, name: str, *, day: bool = False) -> datetime:
    """Read an aware time: a datetime, ISO 8601 text, a scalar of numpy (UTC) or pandas.

    With `day`, as at either end of a range, a date is its start, UTC; as text, too.
    """
    plain = _scalar(value, name, MOMENT)
    if isinstance(plain, str):
        if day and (date_alone := _date_of(plain)):
            return datetime.combine(date_alone, time(), UTC)
        try:
            moment = datetime.fromisoformat(plain)
        except ValueError as error:
            raise _faulty(
                name,
                f"{shown(str(plain))} is not an ISO 8601 time; write it as 2026-11-20T17:00Z",
            ) from error
        return _in_utc(moment, name)
    if isinstance(plain, datetime):
        return _in_utc(plain, name)
    if isinstance(plain, date):
        if not day:
            refuse(value, name, MOMENT, ", a day without a time")
        return datetime.combine(plain, time(), UTC)
    refuse(value, name, MOMENT)


def read_list(one: Reader, value: object, name: str) -> tuple[Any, ...]:
    """Read every member of a list, a tuple, a column or another iterable but text."""
    give = "a list"
    if isinstance(value, str | bytes | bytearray) or not isinstance(value, Iterable):
        refuse(value, name, give)
    return tuple(one(each, f"{name}[{i}]") for i, each in enumerate(value))


def read_sequence(one: Reader, value: object, name: str) -> tuple[Any, ...]:
    """Read as `read_list`, where the order counts: a set is refused."""
    if isinstance(value, Set | Mapping):
        refuse(value, name, "a list, whose order counts", ", which is not a list")
    return read_list(one, value, name)


def read_day(value: object, name: str) -> date:
    """Read a date; a datetime is refused."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    refuse(value, name, "a day such as date(2026, 12, 25)")


def values_of(values: object) -> tuple[Any, ...]:
    """Return the values of a column, whatever each of them is."""
    return read_sequence(lambda value, name: value, values, "values")


def listed(one: Reader) -> Reader:
    """Return a reader of a list of what `one` reads."""
    return lambda value, name: read_list(one, value, name)


def sequence_of(one: Reader) -> Reader:
    """Return a reader of a list of what `one` reads, in which the order counts."""
    return lambda value, name: read_sequence(one, value, name)


def optional(read: Reader) -> Reader:
    """Return the same reader, by which ``None`` is ``None``."""
    return lambda value, name: None if value is None else read(value, name)


def instance_of(kind: type[Any], give: str) -> Reader:
    """Return a reader that takes an instance of `kind` as it is."""

    def read(value: object, name: str) -> object:
        return value if isinstance(value, kind) else refuse(value, name, give)

    return read


def word_of(kind: type[StrEnum]) -> Reader:
    """Return `read_word` of one enumeration."""
    return lambda value, name: read_word(kind, value, name)


def plain_scalar(value: object) -> Any:  # noqa: ANN401  # what callers have
    """Return a scalar of numpy as Python has it; anything else as it is.

    Raises:
        BadInput: it stands for an unknown value.
    """
    return _scalar(value, "a value", "a known value")


def _scalar(value: Any, name: str, give: str) -> Any:  # noqa: ANN401  # what callers have
    """Return a scalar of numpy as Python has it; anything else as it is.

    Raises:
        BadInput: it stands for an unknown value: NaT, or pandas' NA.
    """
    if type(value).__name__ in ("NaTType", "NAType"):
        refuse(value, name, give, ", an unknown value")
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    if kind is None or getattr(value, "ndim", None) != 0:
        return value
    if kind not in ("m", "M"):
        return value.item() if kind in ("b", "i", "u", "f", "U") else value
    if value != value:  # only NaT is not itself
        refuse(value, name, give, ", an unknown value")
    unit = str(value.dtype).partition("[")[2].rstrip("]")
    # A year or a month has no fixed length, so neither is a unit.
    if not unit or (kind == "m" and unit in ("Y", "M")):
        refuse(value, name, give, ", whose length depends on its unit")
    micro = value.astype("timedelta64[us]" if kind == "m" else "datetime64[us]").item()
    if not isinstance(micro, timedelta | datetime):
        refuse(value, name, give, ", outside the calendar")
    # numpy keeps moments without a zone, and counts them from 1970 in UTC.
    return micro.replace(tzinfo=UTC) if isinstance(micro, datetime) else micro


def _numeric(value: object, name: str, give: str) -> object:
    if isinstance(value, bool):
        refuse(value, name, give, ", which is not a number")
    # A Decimal is not a Real, by PEP 3141, and has this method as all the others have.
    if isinstance(value, Real) or hasattr(type(value), "as_integer_ratio"):
        return value
    return refuse(value, name, give)


def _date_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _in_utc(moment: datetime, name: str) -> datetime:
    if moment.tzinfo is None or moment.utcoffset() is None:
        text = datetime.isoformat(moment)
        raise _faulty(
            name,
            f"{text} has no UTC offset; write {text}Z for UTC or add an offset such as +02:00",
        )
    try:
        there = moment.astimezone(UTC)
    except OverflowError as error:
        raise _faulty(name, f"{moment.isoformat()} lies outside the calendar") from error
    if type(there) is datetime:
        return there
    # Whole microseconds, and no subclass, as with lengths.
    day, clock = date(there.year, there.month, there.day), time(there.hour, there.minute)
    more = timedelta(seconds=there.second, microseconds=there.microsecond)
    return datetime.combine(day, clock, UTC) + more
