"""Definitions of requests and responses, each a frozen dataclass that says everything once.

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Example:
        hours: Annotated[timedelta, Field("length of the job", unit="h", above=0)]

        def __post_init__(self) -> None:
            validate(self)

Type, unit, bounds and description stand in the annotation. By it, `validate` reads and checks
an object made in Python, `decode` and `encode` go from and to JSON, and `openapi` describes it.
A `NamedTuple` may be a definition, too: a tuple in Python, an object in JSON.

A class whose JSON differs from its fields says so:

    SCHEMA_NAME   its name in the OpenAPI
    SHORT         the field whose value alone may stand for the object
    ENCODED       another definition, which is its JSON: made by `ENCODED.of(value)`, and turned
                  back by its method `decoded`

Only the standard library is loaded here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from functools import cache
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Field:
    """What an annotation says of its field beside the type.

    Attributes:
        description: one line for OpenAPI, help texts and tables.
        unit: of the number, such as ``kWh``.
        above, below: exclusive bounds; of a duration, in hours.
        at_least, at_most: inclusive bounds.
        most: most entries of a list in one request.
        duration: whether the number is of hours, and may be text with a unit such as ``4h``.
        day: whether a date may stand for a time, as its start in UTC.
        name: its name in JSON, where that is another.
        parameter: its name in a query string, where that is another.
        former: names under which requests may still give it.
        encoded: the type it has in JSON, where that is another than in Python.
        flat: whether the fields of its encoded type stand beside the others, not in an object.
        raw: whether it stays as it is in JSON, and is decoded as its encoded type later.
        supplied: whether the service supplies it where a request leaves it out.
        local: whether it exists in Python alone; its JSON, if any, is in another field.
    """

    description: str = ""
    unit: str | None = None
    above: float | None = None
    below: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    most: int | None = None
    duration: bool = False
    day: bool = False
    name: str | None = None
    parameter: str | None = None
    former: tuple[str, ...] = ()
    encoded: Any = None
    flat: bool = False
    raw: bool = False
    supplied: bool = False
    local: bool = False

    def allows(self, number: float) -> bool:
        """Say whether a number is within the bounds."""
        return (
            (self.above is None or number > self.above)
            and (self.below is None or number < self.below)
            and (self.at_least is None or number >= self.at_least)
            and (self.at_most is None or number <= self.at_most)
        )

    @property
    def bounds(self) -> str:
        """The bounds as text, such as ``more than 0 and at most 24``; empty without any."""
        if self.at_least is not None and self.at_most is not None:
            return f"from {self.at_least:,g} to {self.at_most:,g}"
        return " and ".join(
            text.format(f"{bound:,g}")
            for text, bound in (
                ("more than {}", self.above),
                ("{} or more", self.at_least),
                ("less than {}", self.below),
                ("at most {}", self.at_most),
            )
            if bound is not None
        )


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """One field of a definition.

    Attributes:
        type: without ``None`` and without `Annotated`.
        nullable: whether ``None`` is among its values.
        required: whether it has no default.
        default: its default, ``None`` where it is required.
        about: what the annotation says.
        parent: the flat field that it belongs to, if any.
    """

    name: str
    type: Any
    nullable: bool
    required: bool
    default: Any
    about: Field
    parent: str | None = None

    @property
    def encoded(self) -> Any:  # noqa: ANN401  # any type
        """Its type in JSON."""
        return self.type if self.about.encoded is None else self.about.encoded

    @property
    def key(self) -> str:
        """Its name in JSON."""
        return self.about.name or self.name

    @property
    def needed(self) -> bool:
        """Whether a JSON object must have it."""
        return self.required and not self.about.supplied


def by_kind(make: Callable[[type[Any]], V]) -> Callable[[type[Any]], V]:
    """Keep what `make` returns for each class."""
    return cast("Callable[[type[Any]], V]", cache(make))


@by_kind
def definition_of(kind: type[Any]) -> Mapping[str, FieldDefinition]:
    """Return the fields of a dataclass or named tuple, by name and in order."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: _field(name, hints[name], default) for name, default in _defaults(kind)}


@by_kind
def json_fields(kind: type[Any]) -> Mapping[str, FieldDefinition]:
    """Return the fields of the JSON object of a definition, by their names there.

    Required ones come first.
    """
    found = []
    for each in definition_of(kind).values():
        if each.about.flat:
            inner = definition_of(each.encoded).values()
            found += [replace(one, parent=each.name) for one in inner]
        elif not each.about.local:
            found.append(each)
    found.sort(key=lambda each: not each.needed)
    return {each.key: each for each in found}


def schema_name(kind: type[Any]) -> str:
    """Return the name of a definition or enumeration in the OpenAPI."""
    return str(kind.__dict__.get("SCHEMA_NAME", kind.__name__))


def without_none(hint: Any) -> tuple[Any, bool]:  # noqa: ANN401  # any type
    """Return a type without ``None``, and whether it had it."""
    if get_origin(hint) not in (Union, UnionType):
        return hint, False
    kinds = get_args(hint)
    others = tuple(each for each in kinds if each is not NoneType)
    return Union[others], len(others) < len(kinds)  # noqa: UP007  # of a list made here


def is_record(hint: Any) -> bool:  # noqa: ANN401  # any type
    """Say whether a type is a definition of its own."""
    return isinstance(hint, type) and (is_dataclass(hint) or is_named_tuple(hint))


def is_named_tuple(hint: Any) -> bool:  # noqa: ANN401  # any type
    """Say whether a type is a named tuple."""
    return isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields")


def is_list(hint: Any) -> bool:  # noqa: ANN401  # any type
    """Say whether a type is a list in JSON."""
    return get_origin(hint) in (tuple, frozenset)


def _defaults(kind: type[Any]) -> list[tuple[str, Any]]:
    if is_named_tuple(kind):
        return [(name, kind._field_defaults.get(name, MISSING)) for name in kind._fields]
    return [
        (each.name, each.default if each.default_factory is MISSING else each.default_factory())
        for each in fields(kind)
    ]


def _field(name: str, hint: Any, default: Any) -> FieldDefinition:  # noqa: ANN401  # any
    about = Field()
    if get_origin(hint) is Annotated:
        hint, *notes = get_args(hint)
        # Of several, as where an annotated type is annotated again, the outermost counts.
        about = next((each for each in reversed(notes) if isinstance(each, Field)), about)
    plain, nullable = without_none(hint)
    required = default is MISSING
    return FieldDefinition(
        name, plain, nullable, required, None if required else default, about
    )
