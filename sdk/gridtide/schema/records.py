"""Responses to JSON and back, by their definitions.

msgspec does the work, and is loaded with the first of it. Only where it refuses a response is
the definition walked field by field, which says which one does not fit and reads what it is too
strict for: unknown fields are ignored and a missing one that may be ``None`` is ``None``, so
that an older SDK reads a newer server and the reverse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache, partial
from math import isfinite
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, cast, get_args
from typing import get_origin as origin_of

from gridtide.errors import ApiError, BadInput
from gridtide.model import format_time, parse_time
from gridtide.schema.definition import FieldDefinition, by_kind, definition_of, is_record
from gridtide.schema.twins import convert_response, given_fields

if TYPE_CHECKING:
    import msgspec

T = TypeVar("T")
Reader = Callable[[Any], Any]


class Record:
    """A frozen dataclass that is decoded from and encoded to one JSON object."""

    __slots__ = ("_load_forecast",)  # of results with a chart, see `schema.display`

    @classmethod
    def from_json(cls, wire: Mapping[str, Any]) -> Self:
        """Decode a JSON object of the service.

        Raises:
            ApiError: a field is missing or is not what it should be.
        """
        return decode_response(cls, wire)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object, as the service sends it."""
        return cast("dict[str, Any]", _json().decode(encode(self)))


def encode(value: object) -> bytes:
    """The JSON of a record, or of a dict of plain values.

    A record whose class has a method ``to_encode`` is what that returns.
    """
    prepare = _preparation(type(value))
    return _encoder()(value if prepare is None else prepare(value))


def decode_response(kind: type[T], wire: object) -> T:
    """Decode a JSON object of the service as a `kind`.

    Raises:
        ApiError: a field is missing or is not what its definition says.
    """
    import msgspec

    if isinstance(wire, dict):
        try:
            return convert_response(kind)(wire)  # type: ignore[no-any-return]  # it makes a `kind`
        except (msgspec.ValidationError, ValueError, OverflowError, BadInput):
            pass  # the walk below says which field it is, or reads it
    return _walk(kind, wire)


def _json() -> Any:  # noqa: ANN401  # a module
    import msgspec

    return msgspec.json


@cache
def _encoder() -> Callable[[object], bytes]:
    encoder: msgspec.json.Encoder = _json().Encoder()
    return encoder.encode


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


def _preparation_of(hint: Any) -> Callable[[Any], object] | None:  # noqa: ANN401  # a type
    if origin_of(hint) is tuple:
        one = _preparation_of(get_args(hint)[0])
        return one and (lambda values: list(map(one, values)))
    return _preparation(hint) if is_record(hint) else None


def _walk(kind: type[T], wire: object) -> T:
    if not isinstance(wire, Mapping):
        raise ApiError(f"the service answered {wire!r:.80} where a {kind.__name__} belongs")
    values, name = {}, ""
    try:
        for name, read in _readers(kind).items():
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


@by_kind
def _readers(kind: type[Any]) -> Mapping[str, Reader]:
    return {each.name: _nullable(each) for each in given_fields(kind)}


def _nullable(each: FieldDefinition) -> Reader:
    inner = _reader(each.type)
    return (lambda value: None if value is None else inner(value)) if each.nullable else inner


def _reader(hint: Any) -> Reader:  # noqa: ANN401  # a type of any form
    if origin_of(hint) is tuple:
        one = _reader(get_args(hint)[0])
        return lambda value: tuple(map(one, _of_type(list, value)))
    if origin_of(hint) is Literal:
        return lambda value: _one_of(get_args(hint), value)
    if hint is datetime:
        return _moment
    if hint is float:
        return _number
    kind: type[Any] = NoneType if hint is None else hint
    if is_record(kind):
        return partial(_walk, kind)
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


def _one_of(words: tuple[object, ...], value: object) -> object:
    if value in words:
        return value
    raise TypeError(f"{value!r} is not one of {words}")


def _number(value: object) -> float:
    if type(value) is float and isfinite(value):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
        if isfinite(number):
            return number
    raise TypeError(f"{value!r:.80} is not a finite number")


def _of_type(kind: type[T], value: object) -> T:
    if isinstance(value, kind):
        return value
    raise TypeError(f"{value!r} is not a {kind.__name__}")
