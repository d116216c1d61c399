"""Encode requests and responses as JSON, by their definitions.

Responses have all their fields, and msgspec writes them. Requests leave out fields that have
their default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import is_dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, cast, get_args, get_origin

from gridtide.model import format_time
from gridtide.schema.definition import (
    FieldDefinition,
    by_kind,
    definition_of,
    is_list,
    is_named_tuple,
    is_record,
)
from gridtide.schema.result import Record

HOUR = timedelta(hours=1)


def encode(value: object) -> bytes:
    """Return the JSON of a response, or of a dict of plain values.

    A record whose class has a method ``to_encode`` is what that returns.
    """
    prepare = _preparation(type(value))
    return _encoder()(value if prepare is None else prepare(value))


def encode_request(value: object) -> Any:  # noqa: ANN401  # any JSON value
    """Return the JSON value of a request, or of a part of one, without default values."""
    if value is None or isinstance(value, bool | int | float):
        return value
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    if hasattr(value, "ENCODED"):
        return encode_request(value.ENCODED.of(value))
    if is_named_tuple(type(value)):
        return _encode_row(type(value), cast("tuple[object, ...]", value))
    if is_dataclass(value):
        return _encode_fields(value)
    if isinstance(value, Mapping):
        return {name: encode_request(each) for name, each in value.items()}
    if isinstance(value, frozenset):
        return sorted(encode_request(each) for each in value)
    return [encode_request(each) for each in cast("Iterable[object]", value)]


def in_hours(span: timedelta) -> float:
    """Return a duration in hours, from which it is decoded again to the microsecond."""
    return span / HOUR


def _encode_fields(value: object) -> Any:  # noqa: ANN401  # an object, or its short form
    found: dict[str, Any] = {}
    for each in definition_of(type(value)).values():
        given = getattr(value, each.name)
        if each.about.flat:
            found |= encode_request(each.encoded.of(given))
        elif not each.about.local and (each.required or given != each.default):
            found[each.key] = _encode_field(each, given)
    short = getattr(value, "SHORT", None)
    if short is not None and set(found) == {short}:
        return found[short]
    return found


def _encode_field(each: FieldDefinition, given: Any) -> Any:  # noqa: ANN401  # any JSON value
    if is_list(each.encoded) and is_named_tuple(kind := get_args(each.encoded)[0]):
        return [_encode_row(kind, row) for row in given]
    return encode_request(given)


def _encode_row(kind: type[Any], row: tuple[object, ...]) -> dict[str, Any]:
    return {
        name: part if type(part) is float else encode_request(part)
        for name, part in zip(kind._fields, row, strict=True)
    }


@lru_cache(maxsize=64)
def _encode_time(moment: datetime) -> str:
    # Kept, since mostly a row starts where the one before it ends.
    return format_time(moment)


def _encode_clock(at: time) -> str:
    """A time of day, its seconds only where it has some."""
    return at.isoformat("minutes") if (at.second, at.microsecond) == (0, 0) else at.isoformat()


_WRITERS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (datetime, _encode_time),
    (StrEnum, lambda word: word.value),
    (str, str),
    (date, date.isoformat),
    (time, _encode_clock),
    (timedelta, in_hours),
    (Record, Record.to_json),
)


@cache
def _encoder() -> Callable[[object], bytes]:
    import msgspec

    return msgspec.json.Encoder().encode


@by_kind
def _preparation(kind: type[Any]) -> Callable[[Any], object] | None:
    """What leaves out the local fields of a record; None where there are none."""
    if hasattr(kind, "to_encode"):
        return cast("Callable[[Any], object]", kind.to_encode)
    if not is_record(kind):
        return None
    local, inner = False, {}
    for each in definition_of(kind).values():
        local |= each.about.local
        if not each.about.local:
            inner[each.name] = _preparation_of(each.type)
    if not local and not any(inner.values()):
        return None

    def prepare(value: object) -> object:
        found = {name: getattr(value, name) for name in inner}
        for name, one in inner.items():
            if one is not None and found[name] is not None:
                found[name] = one(found[name])
        return found

    return prepare


def _preparation_of(hint: Any) -> Callable[[Any], object] | None:  # noqa: ANN401  # any type
    if get_origin(hint) is tuple:
        one = _preparation_of(get_args(hint)[0])
        return one and (lambda values: list(map(one, values)))
    return _preparation(hint) if is_record(hint) else None
