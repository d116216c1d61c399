"""Read and check the fields of an object made in Python, by its definition.

Numbers of numpy, text such as ``4h`` and times with any offset are read as the type of their
field, and bounds are checked as in a request in JSON.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import MISSING
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from enum import StrEnum
from types import UnionType
from typing import Any, Union, get_args, get_origin

from gridtide.errors import BadInput
from gridtide.planning.problem import FIRST, LARGEST, LAST, LONGEST
from gridtide.schema.definition import (
    Field,
    FieldDefinition,
    by_kind,
    definition_of,
    is_list,
    is_named_tuple,
    is_record,
)
from gridtide.values import (
    Reader,
    instance_of,
    listed,
    read_day,
    read_flag,
    read_hours,
    read_length,
    read_moment,
    read_number,
    read_text,
    read_whole,
    refuse,
    sequence_of,
    word_of,
)

HOUR = timedelta(hours=1)
LISTED = 10  # regions named in an error


def validate(instance: object, where: str = "", /, **readers: Reader) -> None:
    """Set each field of a frozen dataclass to what was given, read as the field's type.

    Args:
        where: stands before the names of fields in messages.
        readers: of fields whose reader does not follow from their type.

    Raises:
        BadInput: a value is of another type or out of bounds.
    """
    for name, read, about, default, nullable in _checks(type(instance)):
        value = getattr(instance, name)
        if value is default or (value is None and nullable):
            continue
        reader = readers.get(name, read)
        if reader is None:
            continue
        path = f"{where}.{name}" if where else name
        found = reader(value, path)
        if about is not None and found is not None:
            check_bounds(found, about, path)
        if found is not value:
            object.__setattr__(instance, name, found)


def check_named(where: str, names: Iterable[str], regions: Collection[str]) -> None:
    """Refuse a name that is not one of the regions to choose from.

    Args:
        where: the field that has the names.
        regions: as they are named in the request.

    Raises:
        BadInput: an unknown region, with the nearest.
    """
    for name in names:
        if name not in regions:
            folded = {region.casefold(): region for region in regions}
            near = get_close_matches(name.casefold(), folded, n=1)
            hint = f"did you mean {folded[near[0]]}?" if near else "add it"
            listed = ", ".join(list(regions)[:LISTED])
            more = f" and {len(regions) - LISTED} more" if len(regions) > LISTED else ""
            raise BadInput(
                f"{where}: {name!r} must be one of the regions {listed}{more}; {hint}"
            )


def check_bounds(value: Any, about: Field, name: str) -> None:  # noqa: ANN401  # a number or length
    """Refuse a number or length of time outside the bounds of its field.

    Raises:
        BadInput: it is outside.
    """
    number = value / HOUR if isinstance(value, timedelta) else value
    if isinstance(number, float | int) and not about.allows(number):
        unit = "hours" if number is not value or about.duration else about.unit
        refuse(number, name, about.bounds if unit is None else f"{about.bounds} ({unit})")


@by_kind
def _checks(kind: type[Any]) -> list[tuple[str, Reader | None, Field | None, object, bool]]:
    """Return name, reader, bounds and default of each field, and whether it may be ``None``."""
    return [
        (
            each.name,
            None if each.about.local else _reader(_read_as(each), each.about),
            each.about if each.about.bounds else None,
            MISSING if each.required else each.default,
            each.nullable,
        )
        for each in definition_of(kind).values()
    ]


def _reader(hint: Any, about: Field) -> Reader | None:  # noqa: ANN401  # any type
    """Return the reader of a type; ``None`` if only its class can read it, such as a union."""
    if about.duration:
        return read_hours
    if hint is datetime and about.day:
        return lambda value, name: read_known_moment(value, name, day=True)
    if hint is timedelta and about.at_most is not None:
        return read_length  # it may be longer than one job
    if hint in _READERS:
        return _READERS[hint]
    if is_list(hint):
        kind = get_args(hint)[0]
        one = _reader(kind, Field())
        if is_named_tuple(kind):
            return sequence_of(_row_of(kind))
        if one is None or get_origin(hint) is tuple:
            return one and listed(one)
        return lambda value, name: frozenset(listed(one)(value, name))
    origin = get_origin(hint)
    if origin in (Union, UnionType) or hint is Any:
        return None
    if isinstance(origin, type) and issubclass(origin, Mapping):
        named = _reader(get_args(hint)[1], Field())
        return named and _by_name(named)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return word_of(hint)
    if is_named_tuple(hint):
        return _row_of(hint)
    return instance_of(hint, f"an object of {hint.__name__}") if is_record(hint) else None


def _read_as(each: FieldDefinition) -> Any:  # noqa: ANN401  # any type
    """Return the type by which a field is read: rows of a list as their named tuples."""
    rows = is_list(each.encoded) and is_named_tuple(get_args(each.encoded)[0])
    return each.encoded if rows else each.type


def read_known_moment(value: object, name: str, *, day: bool = False) -> datetime:
    """Return an aware time in UTC, within the years of which there is data."""
    if type(value) is datetime and value.tzinfo is UTC:
        moment = value  # the common case
    else:
        moment = read_moment(value, name, day=day)
    if not FIRST <= moment < LAST:
        refuse(moment.isoformat(), name, "a time from 1970 to 2199")
    return moment


def _number(value: object, name: str) -> float:
    number = read_number(value, name)
    if abs(number) > LARGEST:
        refuse(value, name, f"a number up to {LARGEST:g}", ", too large; check its unit")
    return number


def _length(value: object, name: str) -> timedelta:
    length = read_length(value, name)
    if abs(length) > LONGEST:
        refuse(
            length / HOUR, name, f"at most {LONGEST / HOUR:,.0f}", " hours, longer than any job"
        )
    return length


def _by_name(one: Reader) -> Reader:
    def read(value: object, name: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            refuse(value, name, "a mapping of names to values")
        return {
            read_text(key, f"a name in {name}"): one(each, f"{name}[{key!r}]")
            for key, each in value.items()
        }

    return read


def _row_of(kind: type[Any]) -> Reader:
    """Return the reader of a named tuple, which may be given as any pair or row."""
    fields = definition_of(kind)
    readers = [(each, _reader(each.type, each.about)) for each in fields.values()]

    def read(value: object, name: str) -> Any:  # noqa: ANN401  # a `kind`
        unordered = isinstance(value, str | bytes | Set | Mapping)
        parts = () if unordered or not isinstance(value, Iterable) else tuple(value)
        if len(parts) != len(readers):
            kind_of_row = "a pair" if len(readers) == 2 else "a row"
            refuse(value, name, f"{kind_of_row} ({', '.join(fields)})")
        found = []
        for part, (each, one) in zip(parts, readers, strict=True):
            path = f"{name}.{each.name}"
            if one is not None and not (part is None and each.nullable):
                part = one(part, path)
            found.append(part)
            if each.about.bounds:
                check_bounds(part, each.about, path)
        return kind(*found)

    return read


_READERS: Mapping[Any, Reader] = {
    float: _number,
    int: read_whole,
    bool: read_flag,
    str: read_text,
    datetime: read_known_moment,
    date: read_day,
    time: instance_of(time, "a time of day such as time(9)"),
    timedelta: _length,
}
