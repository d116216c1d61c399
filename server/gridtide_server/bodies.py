"""Requests in a body: read whole, within limits, decoded strictly, answered in the queue."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from fastapi import Request, Response

from gridtide.errors import BadInput, TooLarge
from gridtide.schema.decode import decode_request
from gridtide.schema.encode import encode
from gridtide.schema.openapi import reference
from gridtide.schema.result import Record
from gridtide_server.errors import Overloaded
from gridtide_server.http.limits import Limits
from gridtide_server.problems import CLIENT_LEFT
from gridtide_server.queue import TimeBudget
from gridtide_server.service import Moment, Service
from gridtide_server.view import View

T = TypeVar("T")
_DECODING = threading.Lock()

# Larger bodies become many objects, up to twenty times their size, and Python runs one thread
# at a time, so they are decoded one after the other.
LARGE = 262_144
# The longest wait of a large body for those before it.
ADMISSION_SECONDS = 5.0
# Years of quarter hours take seconds and some hundred MB.
LONG_AT_ONCE = 2
LONGEST_INTEGER = 300
LONG_INTEGER = re.compile(rb"\d{%d}" % LONGEST_INTEGER)
LONE_SURROGATE = (
    "a text has half a surrogate pair (\\ud800 to \\udfff); send it as valid Unicode"
)


def describe_body(kind: type[Any]) -> dict[str, Any]:
    """Return the part of a route's OpenAPI that describes its body."""
    content = {"application/json": {"schema": reference(kind)}}
    return {"requestBody": {"required": True, "content": content}}


class Admission:
    """Limits on bodies, and permits for large ones: one body, two long histories at a time."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._large = asyncio.Semaphore()
        self._long = asyncio.Semaphore(LONG_AT_ONCE)

    @asynccontextmanager
    async def enter(self, body: bytes) -> AsyncIterator[None]:
        """Work on `body` in this block; on one large body at a time.

        Raises:
            Overloaded: it waited too long for others.
        """
        if len(body) <= self.limits.body_bytes:
            yield
            return
        async with _permit(self._large, "large bodies are being processed"):
            yield

    @asynccontextmanager
    async def enter_long(self) -> AsyncIterator[None]:
        """Respond with a long history in this block, beside few others.

        Raises:
            Overloaded: it waited too long for others.
        """
        async with _permit(self._long, "long histories are being read"):
            yield


@asynccontextmanager
async def _permit(permits: asyncio.Semaphore, others: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(ADMISSION_SECONDS):
            await permits.acquire()
    except TimeoutError as error:
        raise Overloaded(f"too many {others}; ask again in a few seconds") from error
    try:
        yield
    finally:
        permits.release()


def admission(request: Request) -> Admission:
    """Return the limits of the application that `request` came to."""
    found: Admission = request.app.state.admission
    return found


async def receive_body(request: Request, *, rows: bool = False) -> bytes:
    """Receive the body of a request; it is decoded later, in another thread.

    Args:
        rows: it carries rows of metered energy and may be larger.

    Raises:
        BadInput: there is a query parameter.
        TooLarge: more bytes than the limits allow.
    """
    limits = admission(request).limits
    most = limits.rows_bytes if rows else limits.body_bytes
    query = parse_qsl(request.url.query, keep_blank_values=True)
    if query:
        raise BadInput(
            f"{query[0][0][:80]}: this route takes no query parameters; give it in the body"
        )
    declared = request.headers.get("content-length", "")
    body = bytearray()
    # Refused before its first byte is read, if its length is known.
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


def decode_body(body: bytes, kind: type[T]) -> T:
    """Decode a body as a request.

    Raises:
        BadInput: it is not JSON, or its definition refuses it.
    """
    with _DECODING if len(body) > LARGE else nullcontext():
        return decode_request(kind, decode_json(body))


def decode_json(body: bytes) -> object:
    """Decode the JSON of a body.

    NaN and infinities, which some encoders write, are decoded as such: the definition refuses
    them and reports where they are. Integers with more digits than a float holds are infinite,
    too.

    Raises:
        BadInput: it is not JSON.
    """
    try:
        if LONG_INTEGER.search(body):
            return _decode_leniently(body)
        return msgspec.json.decode(body)
    except UnicodeEncodeError as error:
        raise BadInput(LONE_SURROGATE) from error
    except RecursionError as error:
        raise BadInput("the body is nested too deep; send the object as documented") from error
    except (msgspec.MsgspecError, ValueError) as error:
        if not body.strip():
            raise BadInput("the body is empty; send the request as a JSON object") from error
        try:
            return _decode_leniently(body)
        except UnicodeEncodeError:
            raise BadInput(LONE_SURROGATE) from error
        except (ValueError, RecursionError):
            raise BadInput(f"the body is not JSON: {error}") from error


def _decode_leniently(body: bytes) -> object:
    """Decode with Python's own decoder, which takes NaN, infinities and any integer."""
    return _check_text(json.loads(body, parse_int=_integer))


def _integer(digits: str) -> float:
    # A float has at most 309 digits before the decimal point; arithmetic on longer ones raises.
    return int(digits) if len(digits) < LONGEST_INTEGER else float(digits)


def _check_text(value: object) -> object:
    """Return `value` if every text in it can be encoded in UTF-8.

    Raises:
        UnicodeEncodeError: a text has half a surrogate pair, such as ``\\ud800``.
    """
    json.dumps(value, ensure_ascii=False).encode()
    return value


async def respond(
    service: Service,
    request: Request,
    kind: type[T],
    moment_of: Callable[[T], datetime | None],
    build: Callable[[View, T, Moment], Record],
) -> Response:
    """Return the response that `build` makes of a body, in the queue and within its limits.

    Args:
        kind: what the body is decoded as.
        moment_of: the knowledge time that the request gives.
    """
    body = await receive_body(request)

    def answer(budget: TimeBudget) -> bytes:
        decoded = decode_body(body, kind)
        with service.reader.read() as view:
            moment = service.moment(moment_of(decoded), view)
            response = budget.run(lambda: build(view, decoded, moment))
        return encode(response)

    return await run_queued(service, request, answer)


async def run_queued(
    service: Service, request: Request, answer: Callable[[TimeBudget], bytes]
) -> Response:
    """Return the JSON that `answer` makes in the queue; cancel it if the client leaves."""
    client = request.client.host if request.client else None
    working = asyncio.ensure_future(service.queue.run(answer, client))
    leaving = asyncio.ensure_future(_wait_for_disconnect(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            headers = {"Cache-Control": "no-store"}
            return Response(working.result(), media_type="application/json", headers=headers)
        return Response(status_code=CLIENT_LEFT)
    finally:
        working.cancel()
        leaving.cancel()


async def _wait_for_disconnect(request: Request) -> None:
    """Return when the client has gone; its body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
