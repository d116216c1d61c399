"""Structs of msgspec made from definitions, in which it decodes what is as it should be.

msgspec is loaded with the first of them. Whatever it refuses is decoded by walking the
definition, which is slower and says what is wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args, get_origin

from gridtide.planning.problem.magnitudes import FIRST, LAST
from gridtide.schema.definition import FieldDefinition, by_kind, definition_of, is_record

Make = Callable[[Any], Any]


@by_kind
def convert_response(kind: type[Any]) -> Callable[[dict[str, Any]], Any]:
    """Return what makes a response of a JSON object; unknown fields are ignored.

    What is returned raises ValueError where the object is not as it should be.
    """
    import msgspec

    twin, build = _twin(kind)
    return lambda wire: build(msgspec.convert(wire, twin))


def convert_request(kind: type[Any], tag: str) -> Callable[[object], Any]:
    """Return what makes a request of a JSON object whose ``kind`` is `tag`.

    What is returned raises ValueError where the object is not as it should be, and where it
    may be but not in this strict form, as a duration in text.
    """
    import msgspec

    fields = definition_of(kind)
    hints: list[Any] = [("kind", Literal[tag])]
    makers: dict[str, Make | None] = {}
    for each in fields.values():
        hint, make = _twin_type(each.type)
        hints.append((each.name, hint) if each.required else (each.name, hint | None, None))
        makers[each.name] = _instant if each.type is datetime else make
    twin = msgspec.defstruct(
        kind.__name__, hints, kw_only=True, gc=False, forbid_unknown_fields=True
    )
    optional = [(each.name, makers[each.name]) for each in fields.values() if not each.required]
    required = [(each.name, makers[each.name]) for each in fields.values() if each.required]

    def convert(wire: object) -> Any:  # noqa: ANN401  # a `kind`
        found = msgspec.convert(wire, twin)
        values = {name: getattr(found, name) for name, _ in required}
        for name, make in required:
            if make is not None:
                values[name] = make(values[name])
        for name, make in optional:
            value = getattr(found, name)
            if value is not None:
                values[name] = value if make is None else make(value)
        return kind(**values)

    return convert


def _instant(moment: datetime) -> datetime:
    if FIRST <= moment < LAST:
        return moment.astimezone(UTC)
    raise ValueError


@by_kind
def _twin(kind: type[Any]) -> tuple[Any, Callable[[Any], Any]]:
    """A struct with the fields of `kind`, and what makes a `kind` of one."""
    import msgspec

    given = given_fields(kind)
    hints, makers = [], []
    for each in given:
        hint, make = _twin_type(each.type)
        hint = hint | None if each.nullable else hint
        hints.append((each.name, hint, None) if each.nullable else (each.name, hint))
        if make is not None:
            makers.append((each.name, make))
    twin = msgspec.defstruct(kind.__name__, hints, kw_only=True, gc=False)
    names = [each.name for each in given]
    spans = {"start", "end"} <= set(names)

    def build(found: Any) -> Any:  # noqa: ANN401  # a twin to a `kind`
        values = {name: getattr(found, name) for name in names}
        for name, make in makers:
            if values[name] is not None:
                values[name] = make(values[name])
        if spans and values["end"] <= values["start"]:
            raise ValueError
        return kind(**values)

    return twin, build


def _twin_type(hint: Any) -> tuple[Any, Make | None]:  # noqa: ANN401  # a type of any form
    import msgspec

    if hint is datetime:
        return Annotated[datetime, msgspec.Meta(tz=True)], lambda moment: moment.astimezone(UTC)
    if hint is float:  # bounded, so that NaN is refused
        most = sys.float_info.max
        return Annotated[float, msgspec.Meta(ge=-most, le=most)], None
    if get_origin(hint) is tuple:
        inner, make = _twin_type(get_args(hint)[0])
        return tuple[inner, ...], make and (lambda found: tuple(map(make, found)))  # type: ignore[valid-type]  # made here
    return _twin(hint) if is_record(hint) else (hint, None)


def given_fields(kind: type[Any]) -> list[FieldDefinition]:
    """The fields of `kind` that a JSON object gives."""
    return [e for e in definition_of(kind).values() if e.required or not e.about.local]
