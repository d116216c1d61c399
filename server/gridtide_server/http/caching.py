"""Answers as HTTP responses: JSON, an entity tag, and for how long they hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from importlib.metadata import version

from fastapi import Request, Response

from gridtide.schema.definition import definition_of
from gridtide.schema.encode import encode
from gridtide.schema.result import Record
from gridtide_server.service import Moment, Service
from gridtide_server.view import View
from gridtide_store.regions import Resolution

MINUTE = 60
# Members of a question that are in the tag in another form.
ELSEWHERE = {"region", "regions", "as_of"}
# Read once: the metadata of a package is a file that takes longer to parse than a search.
RELEASE = version("gridtide-service")


def tag_of(
    service: Service,
    view: View,
    decoded: object,
    regions: Sequence[Resolution],
    moment: Moment,
    *,
    fixed: bool = False,
) -> str:
    """The entity tag of the answer to a question, without answering it.

    Of what the answer follows from: the release and its settings, the snapshot, the question
    in one spelling, and the moment. Where the moment was not named and the answer is `fixed`,
    as that about a range that has ended, it holds for as long as the snapshot.
    """
    named = getattr(decoded, "as_of", None)
    parts = [
        RELEASE,
        service.max_age.total_seconds(),
        view.snapshot.id,
        type(decoded).__name__,
        [
            (name, str(getattr(decoded, name)))
            for name in definition_of(type(decoded))
            if name not in ELSEWHERE
        ],
        [each.region for each in regions],
        None if fixed and named is None else moment.as_of.isoformat(),
        moment.replay,
    ]
    return _quoted(json.dumps(parts, sort_keys=True).encode())


def reply(request: Request, tag: str, moment: Moment, answer: Callable[[], Record]) -> Response:
    """What `answer` gives as 200, or 304 where the client has it already.

    A client that has it is sent 304 before the response is computed. It holds until the next
    minute begins, when ages and the earliest start move on. A clock that stands still moves
    nothing, so in replay a response is requested again each time.
    """
    left = MINUTE - moment.now.second
    headers = {
        "ETag": tag,
        "Cache-Control": "no-cache" if moment.replay else f"public, max-age={left}",
    }
    given = request.headers.get("if-none-match", "").strip()
    if given != "*" and has(given, tag):
        return Response(status_code=304, headers=headers)
    body = encode(answer())
    if given == "*":  # it asks whether there is an answer at all
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def reply_again(request: Request, body: bytes, headers: Mapping[str, str]) -> Response:
    """An answer that was made anew, as 200, or 304 where it is the one the client has."""
    tag = _quoted(body)
    headers = {**headers, "ETag": tag}
    if has(request.headers.get("if-none-match", "").strip(), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def has(given: str, tag: str) -> bool:
    """Whether an ``If-None-Match`` names the tag; weak ones count, as RFC 9110 13.1.2 says."""
    return given == "*" or tag in (each.strip().removeprefix("W/") for each in given.split(","))


def _quoted(of: bytes) -> str:
    return f'"{blake2b(of, digest_size=12).hexdigest()}"'
