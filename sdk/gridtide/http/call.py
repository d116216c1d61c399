"""Requests to the service: path, parameters, body, and the methods that send them."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import date
from functools import wraps
from inspect import Parameter, signature
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from gridtide.errors import BadInput
from gridtide.forks import loading
from gridtide.model import (
    Length,
    Region,
    Signal,
    When,
    format_region,
    format_time,
    hours_of,
    utc,
)
from gridtide.values import read_moment, read_number, read_text

T_co = TypeVar("T_co", covariant=True)

Json = Mapping[str, Any]

# Servers and clients take addresses up to 64 KB, in which a character may become three.
LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Call(Generic[T_co]):
    """One request and the reader of its response.

    Attributes:
        path: below the service's address.
        params: of the query, in order.
        read: turns the response's JSON into a value.
        body: JSON; with one the call is a POST, which changes nothing at the service either.
        charted: whether the response is chosen by a forecast, which a chart of it shows.

    Raises:
        BadInput: the address becomes too long.
    """

    path: str
    params: Query
    read: Callable[[Json], T_co]
    body: bytes | None = None
    charted: bool = False

    @property
    def method(self) -> str:
        """Return the method of HTTP."""
        return "GET" if self.body is None else "POST"

    def __post_init__(self) -> None:
        length = len(self.path) + sum(len(name) + len(value) for name, value in self.params)
        if length > LONGEST:
            raise BadInput(
                f"the request is too long ({length} characters, at most {LONGEST}); "
                "name fewer regions, in several requests"
            )


def encode(body: Json) -> bytes:
    """Encode the JSON of a request body.

    Raises:
        BadInput: NaN or infinity in it, or a value that JSON cannot hold.
    """
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError) as error:
        raise BadInput(
            f"the request cannot be encoded as JSON ({error}); numbers must be finite, and "
            "unknown values None"
        ) from error


Query = tuple[tuple[str, str], ...]


def query(**texts: str | None) -> Query:
    """Return the parameters that are given, in the order of the arguments."""
    return tuple((name, text) for name, text in texts.items() if text is not None)


def time_text(moment: When | None, name: str) -> str | None:
    """Return an aware time in UTC as ISO 8601.

    Raises:
        BadInput: without a UTC offset, or not a time.
    """
    return None if moment is None else format_time(utc(moment, name=name))


def day_text(moment: When | date | None, name: str) -> str | None:
    """Return a time as `time_text` does; a date is its start, UTC."""
    return None if moment is None else format_time(read_moment(moment, name, day=True))


def signal_text(signal: Signal | str | None) -> str | None:
    """Return the name of a signal, known here or not: a newer server may know more of them."""
    return plain_text(signal, "signal")


def plain_text(text: str | None, name: str) -> str | None:
    """Return text that UTF-8 can hold.

    Raises:
        BadInput: not text, or with half of a surrogate pair.
    """
    return None if text is None else read_text(text, name)


def hours_text(hours: Length | None, name: str = "hours") -> str | None:
    """Return a duration as a number of hours.

    Raises:
        BadInput: not a duration, or not above 0.
    """
    return None if hours is None else repr(hours_of(hours, name=name))


def bounds_and_view(
    earliest: When | None,
    deadline: When | None,
    signal: Signal | str | None,
    as_of: When | None,
) -> dict[str, str | None]:
    """Return the query parameters of a window beside region and duration."""
    return {
        "earliest": time_text(earliest, "earliest"),
        "deadline": time_text(deadline, "deadline"),
        "signal": signal_text(signal),
        "as_of": time_text(as_of, "as_of"),
    }


def goal_texts(
    objective: str | None, carbon_price: float | None, currency: str | None
) -> dict[str, str | None]:
    """Return the query parameters of the goal of a window."""
    price = None if carbon_price is None else read_number(carbon_price, "carbon_price")
    return {
        "objective": plain_text(objective, "objective"),
        "carbon_price": None if price is None else repr(price),
        "currency": plain_text(currency, "currency"),
    }


def path_part(region: Region) -> str:
    """Return a region as a part of a path."""
    from urllib.parse import quote  # slow to import, and httpx has it by now

    return quote(format_region(region), safe="")


P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Blocking(Protocol):
    """What sends a call and returns its response."""

    def send(self, call: Call[T]) -> T:
        """Return the response to `call`."""


class Awaited(Protocol):
    """What sends a call without blocking."""

    async def send(self, call: Call[T]) -> T:
        """Return the response to `call`."""


def blocking(prepare: Callable[P, Call[T]]) -> Callable[Concatenate[Blocking, P], T]:
    """Make the method that sends the call of these arguments and returns its response."""

    @wraps(prepare)
    def method(self: Blocking, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.send(_prepared(prepare, *args, **kwargs))

    return _describe(method, prepare, Parameter("self", Parameter.POSITIONAL_ONLY))


def awaited(
    prepare: Callable[P, Call[T]],
) -> Callable[Concatenate[Awaited, P], Coroutine[Any, Any, T]]:
    """Make the method that `blocking` makes, for a client that is awaited."""

    @wraps(prepare)
    async def method(self: Awaited, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.send(_prepared(prepare, *args, **kwargs))

    return _describe(method, prepare, Parameter("self", Parameter.POSITIONAL_ONLY))


def function(
    prepare: Callable[P, Call[T]], client: Callable[[], Blocking], module: str
) -> Callable[P, T]:
    """Make the function of `module` that sends the call by the client of the moment."""

    @wraps(prepare)
    def ask(*args: P.args, **kwargs: P.kwargs) -> T:
        return client().send(_prepared(prepare, *args, **kwargs))

    ask.__module__ = module
    return _describe(ask, prepare)


def _prepared(prepare: Callable[P, Call[T]], *args: P.args, **kwargs: P.kwargs) -> Call[T]:
    with loading():  # the classes of the request
        return prepare(*args, **kwargs)


def _describe(made: F, prepare: Callable[..., object], *before: Parameter) -> F:
    """Show in `help` and `inspect.signature` what the caller gets, not the call itself."""
    own = signature(prepare)
    returns = str(own.return_annotation).removeprefix("Call[").removesuffix("]")
    made.__annotations__ = {**prepare.__annotations__, "return": returns}
    described: Any = made
    described.__signature__ = own.replace(
        parameters=[*before, *own.parameters.values()], return_annotation=returns
    )
    return made
