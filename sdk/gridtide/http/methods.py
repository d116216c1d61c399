"""Methods and functions made from the table of calls, with its signatures and docstrings."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import Parameter, signature
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from gridtide.http.call import Call

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
        return self.send(prepare(*args, **kwargs))

    return _describe(method, prepare, Parameter("self", Parameter.POSITIONAL_ONLY))


def awaited(
    prepare: Callable[P, Call[T]],
) -> Callable[Concatenate[Awaited, P], Coroutine[Any, Any, T]]:
    """Make the method that `blocking` makes, for a client that is awaited."""

    @wraps(prepare)
    async def method(self: Awaited, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.send(prepare(*args, **kwargs))

    return _describe(method, prepare, Parameter("self", Parameter.POSITIONAL_ONLY))


def function(
    prepare: Callable[P, Call[T]], client: Callable[[], Blocking], module: str
) -> Callable[P, T]:
    """Make the function of `module` that sends the call by the client of the moment."""

    @wraps(prepare)
    def ask(*args: P.args, **kwargs: P.kwargs) -> T:
        return client().send(prepare(*args, **kwargs))

    ask.__module__ = module
    return _describe(ask, prepare)


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
