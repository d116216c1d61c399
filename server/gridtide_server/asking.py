"""A question in a body, from its bytes to its answer, in the line of calls that plan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from fastapi import Request, Response
from pydantic import BaseModel

from gridtide.planning_wire.shapes import Shape
from gridtide_server import bodies
from gridtide_server.effort import Turn
from gridtide_server.service import Moment, Service
from gridtide_server.view import View

T = TypeVar("T")


async def answered(
    service: Service,
    request: Request,
    shape: Shape[T],
    at: Callable[[T], datetime | None],
    tell: Callable[[View, T, Moment], BaseModel],
) -> Response:
    """What `tell` says of the body, which is read by `shape` and is about the moment `at`."""
    body = await bodies.received(request)

    def answer(turn: Turn) -> bytes:
        asked = bodies.read(body, shape)
        with service.reader.read() as view:
            moment = service.moment(at(asked), view)
            told = turn.limited(lambda: tell(view, asked, moment))
        return told.model_dump_json().encode()

    return bodies.plain(await service.line.run(answer))
