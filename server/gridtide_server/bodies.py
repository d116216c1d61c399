"""Questions that come as a body: read whole, within a limit, and strictly."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from fastapi import Request, Response

from gridtide.errors import BadInput, TooLarge
from gridtide.schema.decode import decode_request
from gridtide.schema.openapi import reference
from gridtide_server.errors import Overloaded
from gridtide_server.http.limits import Limits

T = TypeVar("T")
_DECODING = threading.Lock()

# Larger bodies become many objects, some twenty times their size, and Python makes them in one
# thread at a time: so one is decoded while the others wait.
LARGE = 262_144
# A large body waits this long for those before it.
ADMISSION_SECONDS = 5.0
# Each takes seconds and some hundred MB for years of quarter hours.
LONG_AT_ONCE = 2
LONGEST_INTEGER = 300
LONG_INTEGER = re.compile(rb"\d{%d}" % LONGEST_INTEGER)
LONE = "a text has half a surrogate pair (\\ud800 to \\udfff); send it as valid Unicode"


def described(kind: type[Any]) -> dict[str, Any]:
    """The part of a route's OpenAPI that says what its body is."""
    content = {"application/json": {"schema": reference(kind)}}
    return {"requestBody": {"required": True, "content": content}}


class Admission:
    """How large bodies may be, and the one large body that is worked on."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._large = asyncio.Semaphore()
        self._long = asyncio.Semaphore(LONG_AT_ONCE)

    @asynccontextmanager
    async def enter(self, body: bytes) -> AsyncIterator[None]:
        """Work on `body` in this block: where it is large, on no other large one.

        Raises:
            Overloaded: others took too long.
        """
        if len(body) <= self.limits.body_bytes:
            yield
            return
        async with _slot(self._large, "large bodies are worked on"):
            yield

    @asynccontextmanager
    async def enter_long(self) -> AsyncIterator[None]:
        """Answer with a long history in this block, beside few others.

        Raises:
            Overloaded: others took too long.
        """
        async with _slot(self._long, "long histories are answered"):
            yield


@asynccontextmanager
async def _slot(slots: asyncio.Semaphore, others: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(ADMISSION_SECONDS):
            await slots.acquire()
    except TimeoutError as error:
        raise Overloaded(f"too many {others}; ask again in a few seconds") from error
    try:
        yield
    finally:
        slots.release()


def admission(request: Request) -> Admission:
    """What the application of `request` lets in."""
    found: Admission = request.app.state.admission
    return found


async def received(request: Request, *, rows: bool = False) -> bytes:
    """The body of a request, to be read where it may take its time.

    With `rows`, it carries rows of metered energy and may be larger.

    Raises:
        BadInput: a query parameter.
        TooLarge: more bytes than the limits allow.
    """
    limits = admission(request).limits
    most = limits.rows_bytes if rows else limits.body_bytes
    query = parse_qsl(request.url.query, keep_blank_values=True)
    if query:
        raise BadInput(
            f"{query[0][0][:80]}: this route takes no query parameters; put it into the body"
        )
    declared = request.headers.get("content-length", "")
    body = bytearray()
    # Refused before the first byte of it is read, where its length is known.
    size = (
        int(declared) if declared.isascii() and declared.isdigit() and len(declared) < 20 else 0
    )
    if size <= most:
        async for part in request.stream():
            body += part
            size = len(body)
            if size > most:
                break
    if size > most:
        raise TooLarge(f"the body is larger than {most:,} bytes; ask in parts")
    return bytes(body)


def read(body: bytes, kind: type[T]) -> T:
    """The question in a body.

    Raises:
        BadInput: no JSON, or what the definition of the request refuses.
    """
    with _DECODING if len(body) > LARGE else nullcontext():
        return decode_request(kind, decoded(body))


def decoded(body: bytes) -> object:
    """The JSON value of a body.

    NaN and infinities, which other writers of JSON let pass, stay what they are: who reads
    the value refuses them and knows where they stand. Integers with more digits than a float
    has exponents are infinite, too.

    Raises:
        BadInput: no JSON.
    """
    try:
        if LONG_INTEGER.search(body):
            return _leniently(body)
        return msgspec.json.decode(body)
    except UnicodeEncodeError as error:
        raise BadInput(LONE) from error
    except RecursionError as error:
        raise BadInput("the body is nested too deep; send the object as documented") from error
    except (msgspec.MsgspecError, ValueError) as error:
        if not body.strip():
            raise BadInput("the body is empty; send the question as a JSON object") from error
        try:
            return _leniently(body)
        except UnicodeEncodeError:
            raise BadInput(LONE) from error
        except (ValueError, RecursionError):
            raise BadInput(f"the body is no JSON: {error}") from error


def _leniently(body: bytes) -> object:
    """As Python's own reader has it, with NaN, infinities and integers of any length."""
    return _plain_text(json.loads(body, parse_int=_integer))


def _integer(digits: str) -> float:
    # A float has at most 309 digits before its point; arithmetic on more of them raises.
    return int(digits) if len(digits) < LONGEST_INTEGER else float(digits)


def _plain_text(value: object) -> object:
    """`value`, in which every text can be written in UTF-8.

    Raises:
        UnicodeEncodeError: half a surrogate pair, as ``\\ud800`` says.
    """
    json.dumps(value, ensure_ascii=False).encode()
    return value


def plain(body: bytes) -> Response:
    """An answer that no cache keeps."""
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})
