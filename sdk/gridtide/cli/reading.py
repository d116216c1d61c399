"""Reading the words of a command line into the types of a command's parameters.

What Typer refuses becomes a `BadInput` of one line, which names the options as REST names
parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, get_args

import typer
from typer.core import TyperArgument, TyperOption

from gridtide.errors import BadInput


def read_without_pydantic(params: Iterable[Any]) -> None:
    """Let the parameters of a command read their words with a `Reader`.

    Typer would load pydantic for it, which takes longer than most commands.
    """
    for param in params:
        param.get_runtime_param = partial(Reader.of, param)


class Reader:
    """Reads the words given for one parameter; it takes the place of Typer's own coercion."""

    def __init__(self, read: Callable[[str], object], *, many: bool) -> None:
        self._read = read
        self._many = many

    @classmethod
    def of(cls, param: TyperOption | TyperArgument) -> Reader:
        """Return the reader for the annotation of a parameter."""
        annotation = param.type_descriptor.annotation
        many = param.type_descriptor.is_list
        kind = get_args(annotation)[0] if many else annotation
        name = param.opts[0] if isinstance(param, TyperOption) else param.display_name_raw
        return cls(_reader(kind, name), many=many)

    def coerce(self, value: Any, param: object, ctx: object) -> Any:  # noqa: ANN401  # as in Typer
        """Return the value of the words; defaults have the type already and stay as they are.

        Raises:
            BadInput: a word is not of the type; the message names the option.
        """
        if self._many:
            return [self._one(each) for each in value or ()]
        return self._one(value)

    def _one(self, value: Any) -> Any:  # noqa: ANN401  # a word or a default
        return self._read(value) if type(value) is str else value


def usage_error(error: typer.TyperException, command: str) -> BadInput:
    """Return the error that says what is wrong with the words for `command`, and the remedy."""
    remedy = f"{command} --help lists what it takes"
    param = getattr(error, "param", None)
    option = getattr(error, "option_name", None)
    if param is not None:  # what is required is not there
        name = param.opts[0] if isinstance(param, TyperOption) else param.display_name_raw
        why = "required"
    elif option is None:
        return BadInput(f"{error.format_message().rstrip('.')}; {remedy}")
    elif hasattr(error, "possibilities"):
        near = sorted(error.possibilities or ())
        name, why = option, "unknown option"
        if near:
            why += f", did you mean {' or '.join(near)}?"
    else:
        name, why = option, "needs a value"
    return BadInput(f"{name}: {why}; {remedy}".replace("?;", "?"), errors=[_named(name, why)])


def _reader(kind: Any, name: str) -> Callable[[str], object]:  # noqa: ANN401  # any annotation
    if kind is int:
        return lambda text: _number(int, "a whole number", text, name)
    if kind is float:
        return lambda text: _number(float, "a number", text, name)
    if kind is Path:
        return Path
    if isinstance(kind, type) and issubclass(kind, Enum):
        return lambda text: _member(kind, text, name)
    return str


def _number(kind: Callable[[str], object], what: str, text: str, name: str) -> object:
    try:
        return kind(text)
    except ValueError as error:
        raise _refused(name, f"must be {what}, not {text!r}") from error


def _member(kind: type[Enum], text: str, name: str) -> Enum:
    try:
        return kind(text)
    except ValueError as error:
        known = ", ".join(str(each.value) for each in kind)
        raise _refused(name, f"must be one of {known}, not {text!r}") from error


def _refused(name: str, why: str) -> BadInput:
    return BadInput(f"{name}: {why}", errors=[_named(name, why)])


def _named(name: str, why: str) -> dict[str, str]:
    return {"parameter": name.lstrip("-").replace("-", "_"), "message": why}
