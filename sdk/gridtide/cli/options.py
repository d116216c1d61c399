"""Options made from the definitions of requests.

    given: Annotated[Json, Options(WindowRequest)]

Such a parameter of a command stands for one option for each field: its name, help text, unit,
default and bounds are those of the definition. The command gets the fields that are given.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from copy import copy
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from keyword import iskeyword
from typing import (
    Annotated,
    Any,
    NamedTuple,
    Protocol,
    get_args,
    get_type_hints,
    runtime_checkable,
)

import typer

from gridtide.durations import number_or_text
from gridtide.schema.definition import FieldDefinition, is_list, json_fields

Json = dict[str, Any]
# What a definition says of a field that is left out.
LEFT_OUT = re.compile(r"[\s;,.]*\b(left out\b.*)", re.IGNORECASE | re.DOTALL)
WHOLE = re.compile(r"\s*[+-]?\d+\s*")
# Of more names than these the help text lists none.
MOST_NAMED = 5


class Written(NamedTuple):
    """How a value is written on a command line, where that differs from JSON.

    Attributes:
        metavar: stands for the value in the help text; empty: by its type.
        note: what the description leaves open.
        read: makes the JSON of the text (of a list, the texts), given the name of the option;
            None: by its type.
    """

    metavar: str = ""
    note: str = ""
    read: Callable[[Any, str], object] | None = None


@dataclass(frozen=True)
class Options:
    """The fields of a request as options. Fields go by their names in JSON.

    Attributes:
        kind: the class that defines the request.
        panel: heading above the options in the help text; None: no heading of their own.
        only: the fields that are options; empty: all but `without`.
        without: fields that are not.
        names: fields whose option has another name than the field.
        written: fields whose value is written in another way than in JSON.
        hidden: fields that are read and not listed.
        required: fields that must be given; None: those without a default.
    """

    kind: type[Any]
    panel: str | None = None
    only: Collection[str] = ()
    without: Collection[str] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, Written] = field(default_factory=dict)
    hidden: Collection[str] = ()
    required: Collection[str] | None = None

    def parameters(self, *, hidden: bool = False) -> Iterator[inspect.Parameter]:
        """Return a parameter of Typer for each field.

        Args:
            hidden: whether all of them are read and not listed.
        """
        for name, each in self._fields():
            unlisted = hidden or name in self.hidden
            yield self._parameter(name, each, hidden=unlisted)

    def decode(self, given: Json) -> Json:
        """Return the JSON of the fields that are given, and take their options out of `given`.

        A text that is not a number where one belongs stays text, for the reader of the request
        to refuse.
        """
        fields = {}
        for name, each in self._fields():
            value = given.pop(self._parameter_name(name))
            if value in (None, False, []):
                continue
            read = self.written.get(name, Written()).read
            if read is not None:
                fields[name] = read(value, self.option(name))
            else:
                fields[name] = _to_json(value, each)
        return fields

    def option(self, name: str) -> str:
        """Return the option of a field, such as ``--power-kw``."""
        return self.names.get(name, f"--{name.replace('_', '-')}")

    def _fields(self) -> Iterator[tuple[str, FieldDefinition]]:
        for name, each in json_fields(self.kind).items():
            if name not in self.without and (not self.only or name in self.only):
                yield name, each

    def _parameter_name(self, name: str) -> str:
        parameter = self.option(name).lstrip("-").replace("-", "_")
        return f"{parameter}_" if iskeyword(parameter) else parameter

    def _parameter(
        self, name: str, each: FieldDefinition, *, hidden: bool
    ) -> inspect.Parameter:
        required = each.needed if self.required is None else name in self.required
        kind: Any = bool if each.type is bool else str
        if is_list(each.type):
            kind = list[str]
        default: Any = inspect.Parameter.empty
        if not required:
            kind, default = (bool, False) if kind is bool else (kind | None, None)
        return inspect.Parameter(
            self._parameter_name(name),
            inspect.Parameter.KEYWORD_ONLY,
            annotation=Annotated[
                kind,
                typer.Option(
                    self.option(name),
                    metavar=None if kind is bool else self._metavar(name, each),
                    help=self._help(name, each, required=required),
                    rich_help_panel=self.panel,
                    hidden=hidden,
                    autocompletion=_completion(_element(each.type)),
                ),
            ],
            default=default,
        )

    def _metavar(self, name: str, each: FieldDefinition) -> str:
        if found := self.written.get(name, Written()).metavar:
            return found
        kind = _element(each.type)
        if each.about.duration or kind is timedelta:
            return "DURATION"
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return "NAME"
        words = {datetime: "TIME", date: "DAY", int: "N", float: each.about.unit or "NUMBER"}
        return words.get(kind, "REGION" if "region" in name else "NAME")

    def _help(self, name: str, each: FieldDefinition, *, required: bool) -> str:
        about = each.about
        text, left_out = _split_default(self._with_options(describe_field(self.kind, name)))
        said = [text, self.written.get(name, Written()).note]
        kind = _element(each.type)
        if isinstance(kind, type) and issubclass(kind, StrEnum) and len(kind) <= MOST_NAMED:
            said.append("" if all(one in text for one in kind) else f"one of {', '.join(kind)}")
        said.append(about.bounds)
        if is_list(each.type):
            said.append("repeatable")
        if not required:
            said.append(left_out or _default(each))
        return "; ".join(filter(None, said))

    def _with_options(self, text: str) -> str:
        """Return a description with options in place of the names of fields."""
        named = {name: self.option(name) for name, _ in self._fields()}

        def option(found: re.Match[str]) -> str:
            name = found[1] or found[2]
            return named.get(name, name)

        return re.sub(r"`(\w+)`|\b([a-z]+_\w+)\b", option, text)


def describe_field(kind: type[Any], name: str) -> str:
    """Return what a definition says of a field, as a phrase for a help text."""
    return json_fields(kind)[name].about.description


def _split_default(text: str) -> tuple[str, str]:
    """Return a description, and what it says of a field that is left out."""
    found = LEFT_OUT.search(text)
    if found is None:
        return text, ""
    said = re.sub(r"^left out: ", "default: ", found[1], flags=re.IGNORECASE)
    return text[: found.start()], said


def _completion(kind: Any) -> Callable[[str], list[str]] | None:  # noqa: ANN401  # any type
    """Return what completes the value of an option that is one of several names."""
    if not (isinstance(kind, type) and issubclass(kind, StrEnum)):
        return None

    def complete(incomplete: str) -> list[str]:
        return [each for each in kind if each.startswith(incomplete)]

    return complete


def _element(kind: Any) -> Any:  # noqa: ANN401  # a type of any form
    """Return the type of what is written for a field: that of the entries of a list."""
    return get_args(kind)[0] if is_list(kind) else kind


def _to_json(value: Any, each: FieldDefinition) -> object:  # noqa: ANN401  # of an option
    if isinstance(value, bool):
        return value
    if isinstance(value, list):
        kind = _element(each.type)
        words = (word.strip() for text in value for word in text.split(","))
        return [_word(word, kind, duration=False) for word in words if word]
    return _word(value, each.type, duration=each.about.duration)


def _word(text: str, kind: Any, *, duration: bool) -> object:  # noqa: ANN401  # as above
    if kind is int:
        return int(text) if WHOLE.fullmatch(text) else text
    if duration or kind is timedelta or float in (kind, *get_args(kind)):
        return number_or_text(text)
    return text


def _default(each: FieldDefinition) -> str:
    """Return what holds where an option is left out; empty where nothing is to be said."""
    if isinstance(each.default, bool) or not isinstance(each.default, float | int | str):
        return ""
    default = f"{each.default:g}" if isinstance(each.default, float) else str(each.default)
    return f"default: {default}"


@runtime_checkable
class Expandable(Protocol):
    """What a parameter may be annotated with: several options that make one value."""

    def parameters(self, *, hidden: bool = False) -> Iterator[inspect.Parameter]:
        """Return the options."""

    def decode(self, given: Json) -> Any:  # noqa: ANN401  # the value
        """Return the value of the options, and take them out of `given`."""


# The options that a parameter stands for, and what makes its value of those that are given.
Expanded = tuple[list[inspect.Parameter], Callable[[dict[str, Any]], Any]]


def expand(parameter: inspect.Parameter, *, hidden: bool) -> Expanded:
    """Return the options that a parameter of a command stands for."""
    kind = inspect.Parameter.KEYWORD_ONLY
    annotation: Any = parameter.annotation
    for each in getattr(annotation, "__metadata__", ()):
        if isinstance(each, Expandable):
            return list(each.parameters(hidden=hidden)), each.decode
    if not is_dataclass(annotation):
        option = parameter.replace(
            kind=kind, annotation=hide(annotation) if hidden else annotation
        )
        return [option], lambda given: given.pop(parameter.name)
    types = get_type_hints(annotation, include_extras=True)
    parts = {
        each.name: expand(
            inspect.Parameter(
                each.name,
                kind,
                annotation=types[each.name],
                default=inspect.Parameter.empty if each.default is MISSING else each.default,
            ),
            hidden=hidden,
        )
        for each in fields(annotation)
    }

    gather: Callable[..., object] = parameter.annotation

    def make(given: dict[str, Any]) -> object:
        return gather(**{name: read(given) for name, (_, read) in parts.items()})

    return [option for options, _ in parts.values() for option in options], make


def hide(annotation: Any) -> Any:  # noqa: ANN401  # an annotation of an option
    """Return the annotation of an option that is not listed."""
    kind, info = get_args(annotation)
    info = copy(info)
    info.hidden = True
    return Annotated[kind, info]
