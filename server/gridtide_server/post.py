"""A question in a body, from its bytes to its answer, in the line of calls that plan."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from fastapi import Request, Response

from gridtide.schema.encode import encode
from gridtide.schema.result import Record
from gridtide_server import bodies
from gridtide_server.queue import TimeBudget
from gridtide_server.service import Moment, Service
from gridtide_server.view import View

T = TypeVar("T")
# What servers write into logs for a client that left; nobody receives it.
LEFT = 499


async def answered(
    service: Service,
    request: Request,
    kind: type[T],
    at: Callable[[T], datetime | None],
    tell: Callable[[View, T, Moment], Record],
) -> Response:
    """What `tell` says of the body, which is read by `kind` and is about the moment `at`."""
    body = await bodies.received(request)

    def answer(budget: TimeBudget) -> bytes:
        asked = bodies.read(body, kind)
        with service.reader.read() as view:
            moment = service.moment(at(asked), view)
            told = budget.run(lambda: tell(view, asked, moment))
        return encode(told)

    return await in_line(service, request, answer)


async def in_line(
    service: Service, request: Request, answer: Callable[[TimeBudget], bytes]
) -> Response:
    """What `answer` gives in its turn; dropped where the client leaves before."""
    client = request.client.host if request.client else None
    working = asyncio.ensure_future(service.queue.run(answer, client))
    leaving = asyncio.ensure_future(_leave(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return bodies.plain(working.result())
        return Response(status_code=LEFT)
    finally:
        working.cancel()
        leaving.cancel()


async def _leave(request: Request) -> None:
    """Return when the client has gone; its body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
