"""JSON objects to frozen dataclasses and back, by the types of their fields.

Unknown members are ignored and a missing one that may be ``None`` is ``None``, so that an
older SDK reads a newer server and the reverse. What does not fit a field is an `ApiError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache, partial
from math import isfinite
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from gridtide.errors import ApiError, BadInput
from gridtide.model import format_time, parse_time

T = TypeVar("T")
Reader = Callable[[Any], Any]


def from_wire(kind: type[T], wire: object) -> T:
    """A `kind`, which is a dataclass, of one JSON object.

    Raises:
        ApiError: a member is missing or is not what its field holds.
    """
    if not isinstance(wire, Mapping):
        raise ApiError(f"the service answered {wire!r:.80} where a {kind.__name__} belongs")
    values, name = {}, ""
    try:
        for name, read in _readers(kind).items():  # type: ignore[arg-type]  # it has a hash
            values[name] = read(wire.get(name))
    except (TypeError, ValueError, OverflowError, BadInput) as error:
        seen = f"{wire[name]!r:.80}" if name in wire else "missing"
        raise ApiError(
            f"the service's {kind.__name__} is not understood: {name!r} is {seen}; "
            "are gridtide here and at the service of the same version?"
        ) from error
    start, end = values.get("start"), values.get("end")
    if isinstance(start, datetime) and isinstance(end, datetime) and end <= start:
        raise ApiError(
            f"the service's {kind.__name__} from {format_time(start)} to {format_time(end)} "
            "does not end after it starts"
        )
    try:
        return kind(**values)
    except BadInput as error:
        raise ApiError(f"the service's {kind.__name__} is not understood: {error}") from error


def to_wire(value: object) -> Any:  # noqa: ANN401  # any JSON value
    """The JSON form of a dataclass, a time, a name or a plain value."""
    if is_dataclass(value):
        return {field.name: to_wire(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [to_wire(one) for one in value]
    if isinstance(value, datetime):
        return format_time(value)
    return value.value if isinstance(value, StrEnum) else value


@cache
def _readers(kind: type[Any]) -> Mapping[str, Reader]:
    hints = get_type_hints(kind)
    return {field.name: _reader(hints[field.name]) for field in fields(kind)}


def _reader(hint: Any) -> Reader:  # noqa: ANN401  # a type of any form
    if isinstance(hint, UnionType):
        (inner,) = (_reader(one) for one in get_args(hint) if one is not NoneType)
        return lambda value: None if value is None else inner(value)
    if get_origin(hint) is tuple:
        one = _reader(get_args(hint)[0])
        return lambda value: tuple(map(one, _of_type(list, value)))
    if hint is datetime:
        return _moment
    if hint is float:
        return _number
    kind: type[Any] = hint
    if is_dataclass(kind):
        return partial(from_wire, kind)
    return kind if issubclass(kind, StrEnum) else partial(_of_type, kind)


def _moment(value: object) -> datetime:
    if type(value) is str:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return parse_time(value)  # says what is wrong
        if moment.tzinfo is UTC:
            return moment  # as services write it: there are answers of ten thousands
    return parse_time(_of_type(str, value))


def _number(value: object) -> float:
    if type(value) is float and isfinite(value):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
        if isfinite(number):
            return number
    raise TypeError(f"{value!r:.80} is no finite number")


def _of_type(kind: type[T], value: object) -> T:
    if isinstance(value, kind):
        return value
    raise TypeError(f"{value!r} is no {kind.__name__}")
