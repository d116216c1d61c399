"""Decode requests and responses from JSON, by their definitions.

msgspec does the work, and is loaded with the first of it. Only what it refuses is walked field
by field here, which says what is wrong or takes what msgspec is too strict for. Requests are
strict: every fault is reported at once, and unknown fields are refused with the nearest name.
Responses are tolerant: unknown fields are ignored, and a missing one that may be ``None`` is
``None``, so that an older SDK reads a newer server and the reverse.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, NoReturn, TypeVar, Union, get_args, get_origin

from gridtide.errors import ApiError, BadInput
from gridtide.model import format_time
from gridtide.schema import structs
from gridtide.schema.definition import (
    Field,
    FieldDefinition,
    definition_of,
    is_list,
    is_named_tuple,
    is_record,
    json_fields,
    schema_name,
)
from gridtide.schema.json_values import (
    Faults,
    check_bounds,
    decode_clock,
    decode_date,
    decode_finite,
    decode_flag,
    decode_hours,
    decode_length,
    decode_number,
    decode_text,
    decode_time,
    decode_whole,
    decode_word,
    must_be,
    wrong,
)
from gridtide.schema.result import Record
from gridtide.values import SHOWN

T = TypeVar("T")
Decoder = Callable[[Any, str], Any]
NOTHING = Field()


def decode_request(kind: type[T], value: object, where: str = "") -> T:
    """Decode the JSON of a request, or of a part of one that stands at `where`.

    Raises:
        BadInput: what is wrong with it; with several faults, ``extra["errors"]`` lists them.
    """
    if structs.is_plain(kind):
        try:
            return structs.convert_request(kind)(value)  # type: ignore[no-any-return]  # a `kind`
        except (ValueError, OverflowError, BadInput):
            pass  # the walk says what is wrong, or takes what is too unusual here
    return decoder_of(kind)(value, where)  # type: ignore[no-any-return]  # a `kind`


def decode_response(kind: type[T], value: object) -> T:
    """Decode a JSON object of the service.

    Raises:
        ApiError: a field is missing or is not what its definition says.
    """
    if isinstance(value, dict):
        try:
            return structs.convert_response(kind)(value)  # type: ignore[no-any-return]  # a `kind`
        except (ValueError, OverflowError, BadInput):
            pass  # the walk says which field it is, or takes it
    try:
        return decoder_of(kind, strict=False)(value, "")  # type: ignore[no-any-return]  # a `kind`
    except BadInput as error:
        raise ApiError(
            f"the service's {kind.__name__} cannot be decoded: {error}; are gridtide here and "
            "at the service of the same version?"
        ) from error


def decode_fields(
    kind: type[Any], value: object, where: str = "", *, strict: bool = True
) -> dict[str, Any]:
    """Decode the fields of a JSON object, by their names in Python; null counts as left out.

    Raises:
        BadInput: an unknown or a missing field, or a value that its field does not take.
    """
    if not isinstance(value, Mapping):
        must_be(where or schema_name(kind), "a JSON object", value)
    known = _fields_of(kind, strict)  # type: ignore[arg-type]  # a class can be hashed
    values: dict[str, Any] = dict.fromkeys(known.null)
    inner: dict[str, dict[str, Any]] = {name: {} for name in known.flat}
    given: dict[str, str] = {}
    with Faults() as faults:
        for name, part in value.items():
            key = known.names.get(name)
            if key is not None and part is not None:
                if strict and key in given:
                    why = f"given also as {given[key]}; give one"
                    faults.attempt(_refuse, why, _path(where, name))
                given[key] = name
                each, decode = known.fields[key]
                found = faults.attempt(decode, part, _path(where, name))
                (values if each.parent is None else inner[each.parent])[each.name] = found
            elif key is None and strict:
                faults.attempt(partial(_refuse_unknown, known.fields), str(name), where)
        for key in known.needed:
            if key not in given:
                about = known.fields[key][0].about
                why = f"required, {about.description}" if strict else "missing"
                faults.attempt(_refuse, why, _path(where, key))
    for name, parts in inner.items():
        values[name] = known.flat[name](**parts).decoded()
    return values


def decoder_of(hint: Any, about: Field = NOTHING, *, strict: bool = True) -> Decoder:  # noqa: ANN401  # any type
    """Return the decoder of a type; each is made once."""
    return _decoder(hint, about, strict)


@cache
def _decoder(hint: Any, about: Field, strict: bool) -> Decoder:  # noqa: ANN401, FBT001  # any type; of a cache
    if about.duration:
        return _within_bounds(decode_hours, about)
    if hint is timedelta:
        return _within_bounds(partial(decode_length, most=about.at_most), about)
    if hint is datetime:
        return partial(decode_time, day=about.day)
    if hint in _LEAVES:
        decode = decode_finite if hint is float and not strict else _LEAVES[hint]
        return _within_bounds(decode, about)
    origin, arguments = get_origin(hint), get_args(hint)
    if is_list(hint):
        return _decoder_of_list(hint, about, strict=strict)
    if origin is Literal:
        return partial(_decode_literal, arguments)
    if origin in (Union, UnionType):
        return _decoder_of_union(arguments, about, strict=strict)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return partial(_decode_mapping, decoder_of(arguments[1], strict=strict))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return partial(decode_word, hint)
    if is_record(hint):
        return _decoder_of_record(hint, strict=strict)
    return lambda value, where: value


def _decoder_of_record(kind: type[Any], *, strict: bool) -> Decoder:
    if strict and issubclass(kind, Record):
        return partial(_decode_response_in_request, kind)
    if hasattr(kind, "ENCODED"):
        inner = decoder_of(kind.ENCODED, strict=strict)
        return lambda value, where: inner(value, where).decoded()

    def decode(value: object, where: str) -> Any:  # noqa: ANN401  # a `kind`
        values = decode_fields(kind, value, where, strict=strict)
        if not strict:
            _check_span(values, where or kind.__name__)
        return kind(**values)

    short: str | None = getattr(kind, "SHORT", None)
    if short is None:
        return decode
    each = definition_of(kind)[short]
    of_short = decoder_of(each.encoded, each.about, strict=strict)
    types = _json_types(kind)

    def decode_short(value: object, where: str) -> Any:  # noqa: ANN401  # a `kind`
        if _json_type(value) not in types:
            must_be(where, " or ".join(types), value)
        if isinstance(value, Mapping):
            return decode(value, where)
        return kind(**{short: of_short(value, where)})

    return decode_short


def _check_span(values: Mapping[str, Any], where: str) -> None:
    start, end = values.get("start"), values.get("end")
    if isinstance(start, datetime) and isinstance(end, datetime) and end <= start:
        wrong(
            where,
            f"from {format_time(start)} to {format_time(end)} does not end after it starts",
        )


class _Fields(NamedTuple):
    """The fields of a JSON object.

    Attributes:
        fields: definition and decoder of each, by its name.
        names: names that may be given, former ones too, to those of today.
        needed: those that must be given.
        null: names in Python of those that are ``None`` where they are missing.
        flat: encoded types of the flat fields, by their names in Python.
    """

    fields: Mapping[str, tuple[FieldDefinition, Decoder]]
    names: Mapping[str, str]
    needed: tuple[str, ...]
    null: tuple[str, ...]
    flat: Mapping[str, type[Any]]


@cache
def _fields_of(kind: type[Any], strict: bool) -> _Fields:  # noqa: FBT001  # of a cache
    every = definition_of(kind).values()
    known = (
        json_fields(kind)
        if strict
        else {each.key: each for each in every if each.required or not each.about.local}
    )
    nullable = {key for key, each in known.items() if each.nullable and not strict}
    former = {old: key for key, each in known.items() for old in each.about.former}
    return _Fields(
        {key: (each, _decoder_of_field(each, strict=strict)) for key, each in known.items()},
        former | {key: key for key in known},
        tuple(key for key, each in known.items() if each.needed and key not in nullable),
        tuple(each.name for key, each in known.items() if key in nullable),
        {each.name: each.encoded for each in every if each.about.flat and strict},
    )


def _decoder_of_field(each: FieldDefinition, *, strict: bool) -> Decoder:
    if each.about.raw:
        return decoder_of(each.type)
    hint, origin = each.encoded if strict else each.type, get_origin(each.type)
    if is_record(hint) and isinstance(origin, type) and issubclass(origin, Mapping):
        return partial(decode_fields, hint)  # the fields, of which nothing is made yet
    decode = decoder_of(hint, each.about, strict=strict)
    if is_record(hint) and hint is not each.type:
        return lambda value, where: decode(value, where).decoded()
    return decode


def _within_bounds(decode: Decoder, about: Field) -> Decoder:
    if not about.bounds:
        return decode

    def within(value: object, where: str) -> Any:  # noqa: ANN401  # as `decode`
        found = decode(value, where)
        check_bounds(found, about, where)
        return found

    return within


def _decoder_of_list(hint: Any, about: Field, *, strict: bool) -> Decoder:  # noqa: ANN401  # any type
    kind, make = get_args(hint)[0], get_origin(hint)
    one, most = decoder_of(kind, strict=strict), about.most
    rows = is_named_tuple(kind) and structs.is_plain(kind)

    def decode(value: object, where: str) -> Any:  # noqa: ANN401  # a tuple or frozenset
        if not isinstance(value, list | tuple):
            must_be(where, "a list", value)
        if most is not None and len(value) > most:
            wrong(where, f"{len(value)} entries; at most {most}")
        if rows:
            try:
                return structs.convert_rows(kind)(value)
            except ValueError:
                pass  # the walk says which of them is wrong
        with Faults() as faults:
            return make(
                [faults.attempt(one, each, f"{where}[{i}]") for i, each in enumerate(value)]
            )

    return decode


def _decoder_of_union(kinds: tuple[Any, ...], about: Field, *, strict: bool) -> Decoder:
    """A decoder by the JSON type of the value, and of several objects by their fields."""
    choices = [
        (kind, _json_types(kind), decoder_of(kind, about, strict=strict)) for kind in kinds
    ]
    every = " or ".join(dict.fromkeys(name for _, names, _ in choices for name in names))

    def decode(value: object, where: str) -> Any:  # noqa: ANN401  # one of `kinds`
        fit = [choice for choice in choices if _json_type(value) in choice[1]]
        if not fit:
            must_be(where, every, value)
        if len(fit) > 1 and isinstance(value, Mapping):
            fit.sort(key=lambda choice: -len(json_fields(choice[0]).keys() & value.keys()))
        return fit[0][2](value, where)

    return decode


def _json_type(value: object) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "text"}
    kinds |= {list: "a list", tuple: "a list", NoneType: "null"}
    return kinds.get(type(value), "an object")


def _json_types(hint: Any) -> list[str]:  # noqa: ANN401  # any type
    """The JSON types that a type may have."""
    plain = {
        float: ["a number"],
        int: ["a number"],
        bool: ["true or false"],
        NoneType: ["null"],
    }
    plain[timedelta] = ["a number", "text"]
    if hint in plain:
        return plain[hint]
    if is_list(hint):
        return ["a list"]
    if not is_record(hint):
        return ["text"] if get_origin(hint) is None else ["an object"]
    short = getattr(hint, "SHORT", None)
    if short is None:
        return ["an object"]
    inner = _json_types(definition_of(hint)[short].encoded)
    return inner if len(definition_of(hint)) == 1 else [*inner, "an object"]


def _decode_literal(words: tuple[object, ...], value: object, where: str) -> object:
    return value if value in words else must_be(where, " or ".join(map(str, words)), value)


def _decode_mapping(one: Decoder, value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        must_be(where, "a JSON object", value)
    with Faults() as faults:
        return {
            name: faults.attempt(one, each, f"{where}.{name}") for name, each in value.items()
        }


def _decode_null(value: object, where: str) -> None:
    if value is not None:
        must_be(where, "null", value)


def _decode_response_in_request(kind: type[Record], value: object, where: str) -> Record:
    try:
        return kind.from_json(value)  # type: ignore[arg-type]  # it says what is wrong
    except ApiError as error:
        raise BadInput(f"{where}: must be a response of the service: {error}") from error


def _path(where: str, name: object) -> str:
    return f"{where}.{name}" if where else str(name)


def _refuse(why: str, where: str) -> NoReturn:
    wrong(where, why)


def _refuse_unknown(known: Mapping[str, object], name: str, where: str) -> NoReturn:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known fields: {', '.join(known)}"
    clipped = name if len(name) <= SHOWN else f"{name[:SHOWN]}…"
    wrong(_path(where, clipped), f"unknown field; {hint}")


_LEAVES: Mapping[Any, Decoder] = {
    float: decode_number,
    int: decode_whole,
    str: decode_text,
    bool: decode_flag,
    date: decode_date,
    time: decode_clock,
    NoneType: _decode_null,
}
