"""Decode query strings by the definitions of requests, strictly.

An unknown name, a name given twice, or a time without an offset is refused, never ignored; all
faults of a query are reported at once.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, TypeVar, get_origin
from urllib.parse import parse_qsl

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from gridtide.durations import number_or_text
from gridtide.errors import BadInput
from gridtide.model import NO_REGION, hours_of
from gridtide.schema.definition import Field, FieldDefinition, by_kind, definition_of
from gridtide.schema.json_values import check_bounds, decode_number
from gridtide.values import read_moment, read_word, refuse

T = TypeVar("T")
Reader = Callable[[str, str], Any]

# An unescaped "+02:00" in a query string arrives as " 02:00".
LOST_PLUS = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d(?::?\d\d){0,2}(?:[.,]\d+)?) (\d\d:?\d\d)")
# No grid data lies outside, and sums of times inside cannot overflow.
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
RANGE = "1970 to 2199"
FLAGS = dict.fromkeys(("true", "1", "yes", "on", "t", "y"), True) | dict.fromkeys(
    ("false", "0", "no", "off", "f", "n"), False
)
# Messages repeat what the client sent, but not at any length.
LONGEST_NAME, LONGEST_MESSAGE = 80, 400


def decode_query(kind: type[T], query: bytes) -> T:
    """Decode a raw query string as a request.

    Raises:
        BadInput: an unknown or repeated name, a value that cannot be read, or a missing one;
            ``extra["errors"]`` lists them all.
    """
    given: dict[str, list[str]] = {}
    for name, text in parse_qsl(query.decode(errors="replace"), keep_blank_values=True):
        given.setdefault(name, []).append(text)
    known = _parameters(kind)
    faults = [_fault(name, _unknown(known, name)) for name in given if name not in known]
    values: dict[str, Any] = {}
    for name, (each, read, is_list) in known.items():
        texts = given.get(name)
        if texts is None:
            if each.required:
                faults.append(_fault(name, _missing(name, each)))
        elif is_list:
            values[each.name] = tuple(texts)
        elif len(texts) > 1:
            faults.append(
                _fault(name, f"given {len(texts)} times; this parameter takes one value")
            )
        else:
            try:
                values[each.name] = read(texts[0], name)
            except BadInput as error:
                faults.append(_fault(name, str(error)))
    if faults:
        raise BadInput("; ".join(map(_sentence, faults)), errors=faults)
    return kind(**values)


@by_kind
def _parameters(kind: type[Any]) -> Mapping[str, tuple[FieldDefinition, Reader, bool]]:
    """Return a request's parameters by name: definition, reader, whether it may be repeated."""
    return {
        each.about.parameter or each.name: (each, _reader(each), get_origin(each.type) is tuple)
        for each in definition_of(kind).values()
    }


def _reader(each: FieldDefinition) -> Reader:
    if each.about.duration:
        return lambda text, name: hours_of(number_or_text(text), name=name)
    if each.type is datetime:
        return partial(_time, day=each.about.day)
    if each.type is bool:
        return _flag
    if each.type is int:
        return _whole
    if each.type is float:
        return partial(_number, about=each.about)
    if isinstance(each.type, type) and issubclass(each.type, StrEnum):
        return lambda text, name: read_word(each.type, text, name)
    return lambda text, _: text


def _time(text: str, name: str, *, day: bool) -> datetime:
    moment = read_moment(LOST_PLUS.sub(r"\1+\2", text.strip()), name, day=day)
    if not FIRST <= moment < LAST:
        raise BadInput(f"{name}: {text!r} lies outside {RANGE}")
    return moment


def _flag(text: str, name: str) -> bool:
    found = FLAGS.get(text.lower())
    return refuse(text, name, "true or false") if found is None else found


def _whole(text: str, name: str) -> int:
    # Sixteen digits are more than any number of things; int() takes hours for a million.
    if not re.fullmatch(r"[0-9]{1,16}", text):
        refuse(text, name, "a whole number such as 3")
    return int(text)


def _number(text: str, name: str, *, about: Field) -> float:
    number = decode_number(number_or_text(text), name)
    check_bounds(number, about, name)
    return number


def _missing(name: str, each: FieldDefinition) -> str:
    return NO_REGION if name == "region" else f"missing; give {each.about.description}"


def _unknown(known: Mapping[str, object], name: str) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = (
        f"did you mean {near[0]}?"
        if near
        else f"this route takes: {', '.join(known) or 'none'}"
    )
    return f"unknown parameter; {hint}"


def _fault(name: str, message: str) -> dict[str, str]:
    return {"parameter": _clip(name, LONGEST_NAME), "message": _clip(message, LONGEST_MESSAGE)}


def _sentence(fault: Mapping[str, str]) -> str:
    """Return a fault as a sentence; messages of the SDK begin with the parameter already."""
    name, message = fault["parameter"], fault["message"]
    begins = message.startswith((f"{name} ", f"{name}:"))
    return message if begins or message == NO_REGION else f"{name}: {message}"


def _clip(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}…"


class StrictRoute(APIRoute):
    """A GET route whose handler decodes its query itself and returns a `Response`.

    It leaves out FastAPI's dependencies, which would ignore unknown and repeated names: 34 us
    of CPU instead of 80 for an empty handler.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match as FastAPI does, HEAD as GET (RFC 9110 9.1)."""
        return super().matches(_get(scope))

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond as FastAPI does; the HTTP server leaves out the body for HEAD."""
        await super().handle(_get(scope), receive, send)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler that FastAPI calls."""
        endpoint = self.endpoint
        threaded = not iscoroutinefunction(endpoint)

        async def handle(request: Request) -> Response:
            values = {**request.path_params, "request": request}
            response: Response = (
                await run_in_threadpool(endpoint, **values)
                if threaded
                else await endpoint(**values)
            )
            return response

        return handle


def _get(scope: Scope) -> Scope:
    return {**scope, "method": "GET"} if scope.get("method") == "HEAD" else scope
