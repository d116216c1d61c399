"""Questions that come as a body: read whole, within a limit, and strictly."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from fastapi import Request, Response

from gridtide.errors import BadInput, TooLarge
from gridtide.planning_wire import (
    asked,
    batched,
    bounds,
    candidates,
    footprints,
    goals,
    jobs,
    recurrence,
    schedules,
)
from gridtide.planning_wire.shapes import Shape

T = TypeVar("T")

# A thousand plans with rules of their own are half of it; a year of hourly costs a tenth.
MOST_BYTES = 8_000_000
# JSON of every shape, by name, for the OpenAPI.
SHAPES: tuple[Shape[Any], ...] = (
    *asked.SHAPES,
    *jobs.SHAPES,
    *bounds.SHAPES,
    *recurrence.SHAPES,
    *goals.SHAPES,
    *candidates.SHAPES,
    *batched.SHAPES,
    *schedules.SHAPES,
    *footprints.SHAPES,
)


def described(shape: Shape[Any]) -> dict[str, Any]:
    """The part of a route's OpenAPI that says what its body is."""
    schema = {"$ref": f"#/components/schemas/{shape.name}"}
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


def schemas(shapes: Iterable[Shape[Any]] = SHAPES) -> dict[str, Any]:
    """The schema of each shape by its name."""
    return {shape.name: shape.schema() for shape in shapes}


async def received(request: Request) -> bytes:
    """The body of a request, to be read where it may take its time.

    Raises:
        BadInput: a query parameter.
        TooLarge: more than `MOST_BYTES`.
    """
    query = parse_qsl(request.url.query, keep_blank_values=True)
    if query:
        raise BadInput(
            f"{query[0][0][:80]}: this route takes no query parameters; put it into the body"
        )
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise TooLarge(f"the body is larger than {MOST_BYTES:,} bytes; ask in parts")
        parts.append(part)
    return b"".join(parts)


def read(body: bytes, shape: Shape[T]) -> T:
    """The question in a body.

    Raises:
        BadInput: no JSON, or what the shape refuses.
    """
    return shape.read(decoded(body))


def decoded(body: bytes) -> object:
    """The JSON value of a body.

    NaN and infinities, which other writers of JSON let pass, stay what they are: who reads
    the value refuses them and knows where they stand.

    Raises:
        BadInput: no JSON.
    """
    try:
        return msgspec.json.decode(body)
    except RecursionError as error:
        raise BadInput("the body is nested too deep; send the object as documented") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        if not body.strip():
            raise BadInput("the body is empty; send the question as a JSON object") from error
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise BadInput(f"the body is no JSON: {error}") from error


def plain(body: bytes) -> Response:
    """An answer that no cache keeps."""
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})
