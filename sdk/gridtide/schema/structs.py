"""Structs of msgspec made from definitions, into which it converts JSON that is valid.

msgspec is loaded with the first of them. What it refuses is decoded by walking the definition,
see `decode`, which is slower and says what is wrong; so a conversion here raises ValueError
without a message. Both give the same result.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, get_args, get_origin

from gridtide.planning.problem import FIRST, LARGEST, LAST
from gridtide.schema.definition import (
    FieldDefinition,
    by_kind,
    definition_of,
    is_list,
    is_record,
)

Make = Callable[[Any], Any]


@by_kind
def is_plain(kind: type[Any]) -> bool:
    """Say whether a request has only fields that msgspec decodes as the walk does."""
    return all(
        not (each.about.name or each.about.former or each.about.encoded or each.about.local)
        and _is_plain_type(each.type)
        for each in definition_of(kind).values()
    )


@by_kind
def convert_request(kind: type[Any]) -> Callable[[object], Any]:
    """Return what makes a request of a JSON object; null counts as left out."""
    import msgspec

    struct, every = _request_struct(kind), definition_of(kind).values()
    makers = [(each.name, make) for each in every if (make := _make_of(each))]
    never_null = [each.name for each in every if not each.required and each.default is not None]

    def convert(value: object) -> Any:  # noqa: ANN401  # a `kind`
        values = msgspec.structs.asdict(msgspec.convert(value, struct))
        for name, make in makers:
            if values[name] is not None:
                values[name] = make(values[name])
        for name in never_null:
            if values[name] is None:
                del values[name]
        return kind(**values)

    return convert


@by_kind
def convert_rows(kind: type[Any]) -> Callable[[Sequence[object]], tuple[Any, ...]]:
    """Return what makes named tuples of a list of JSON objects."""
    import msgspec

    struct = _request_struct(kind)
    makers = [(each.name, _make_of(each)) for each in definition_of(kind).values()]

    def convert(values: Sequence[object]) -> tuple[Any, ...]:
        columns = []
        found = msgspec.convert(values, list[struct])  # type: ignore[valid-type]  # made here
        for name, make in makers:
            column = [getattr(each, name) for each in found]
            columns.append(column if make is None else [make(each) for each in column])
        return tuple(map(kind._make, zip(*columns, strict=True)))

    return convert


@by_kind
def convert_response(kind: type[Any]) -> Callable[[dict[str, Any]], Any]:
    """Return what makes a response of a JSON object; unknown fields are ignored."""
    import msgspec

    struct, build = _response_struct(kind)
    return lambda value: build(msgspec.convert(value, struct))


@by_kind
def _request_struct(kind: type[Any]) -> Any:  # noqa: ANN401  # a class
    import msgspec

    hints: list[Any] = []
    for each in definition_of(kind).values():
        hint = _struct_type(each.type, LARGEST)[0]
        hints.append((each.name, hint) if each.required else (each.name, hint | None, None))
    return msgspec.defstruct(
        kind.__name__, hints, kw_only=True, gc=False, forbid_unknown_fields=True
    )


@by_kind
def _response_struct(kind: type[Any]) -> tuple[Any, Callable[[Any], Any]]:
    """A struct with the fields of `kind`, and what makes a `kind` of one."""
    import msgspec

    given = [e for e in definition_of(kind).values() if e.required or not e.about.local]
    hints, makers = [], []
    for each in given:
        hint, make = _struct_type(each.type, sys.float_info.max)
        hint = hint | None if each.nullable else hint
        hints.append((each.name, hint, None) if each.nullable else (each.name, hint))
        if make is not None:
            makers.append((each.name, make))
    struct = msgspec.defstruct(kind.__name__, hints, kw_only=True, gc=False)
    names = [each.name for each in given]
    spans = {"start", "end"} <= set(names)

    def build(found: Any) -> Any:  # noqa: ANN401  # a struct to a `kind`
        values = {name: getattr(found, name) for name in names}
        for name, make in makers:
            if values[name] is not None:
                values[name] = make(values[name])
        if spans and values["end"] <= values["start"]:
            raise ValueError
        return kind(**values)

    return struct, build


def _struct_type(hint: Any, most: float) -> tuple[Any, Make | None]:  # noqa: ANN401  # any type
    """The type of a field of a struct, and what turns its value into that of the definition."""
    import msgspec

    if hint is datetime:
        return Annotated[datetime, msgspec.Meta(tz=True)], lambda moment: moment.astimezone(UTC)
    if hint is float:  # bounded, so that NaN is refused
        return Annotated[float, msgspec.Meta(ge=-most, le=most)], None
    if is_list(hint):
        inner, make = _struct_type(get_args(hint)[0], most)
        return tuple[inner, ...], make and (lambda found: tuple(map(make, found)))  # type: ignore[valid-type]  # made here
    return _response_struct(hint) if is_record(hint) else (hint, None)


def _make_of(each: FieldDefinition) -> Make | None:
    return _known_moment if each.type is datetime else None


def _known_moment(moment: datetime) -> datetime:
    if FIRST <= moment < LAST:
        return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    raise ValueError


def _is_plain_type(hint: Any) -> bool:  # noqa: ANN401  # any type
    if is_list(hint):
        return get_origin(hint) is tuple and get_args(hint)[0] is str
    if get_origin(hint) is Literal:
        return True
    if hint in (float, int, str, bool, datetime):
        return True
    return isinstance(hint, type) and issubclass(hint, StrEnum)
