"""Answers as HTTP responses: JSON, an entity tag, and for how long they hold."""

from __future__ import annotations

from hashlib import blake2b

from fastapi import Request, Response
from pydantic import BaseModel

from gridtide_server.service import Moment

MINUTE = 60


def reply(request: Request, answer: BaseModel, moment: Moment) -> Response:
    """`answer` as 200, or 304 where the client has it already.

    It holds until the next minute begins, when ages and the earliest start move on. A clock
    that stands still moves nothing, so in replay an answer is asked for again each time.
    """
    body = answer.model_dump_json().encode()
    tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    left = MINUTE - moment.now.second
    headers = {
        "ETag": tag,
        "Cache-Control": "no-cache" if moment.replay else f"public, max-age={left}",
    }
    if _has(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _has(request: Request, tag: str) -> bool:
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    return given.strip() == "*" or tag in (
        each.strip().removeprefix("W/") for each in given.split(",")
    )
