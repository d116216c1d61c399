"""HTTP responses of JSON with an entity tag and the time for which they hold."""

from __future__ import annotations

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
# Fields of a request that are in the tag in another form.
ELSEWHERE = {"region", "regions", "as_of"}
# Read once: the metadata of a package is a file that takes longer to parse than a search takes.
RELEASE = version("gridtide-service")


def tag_of(
    service: Service,
    view: View,
    decoded: object,
    regions: Sequence[Resolution],
    moment: Moment,
    *,
    settled: bool = False,
) -> str:
    """Return the entity tag of a response that has not been built yet.

    It follows from all that the response depends on: the release and its settings, the
    snapshot, the decoded request, and the moment.

    Args:
        settled: the response does not change with the moment, as that about a range that has
            ended. Without an `as_of`, its tag holds as long as the snapshot.
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
        [region.region for region in regions],
        None if settled and named is None else moment.as_of,
        moment.replay,
    ]
    return _quoted(repr(parts).encode())


def reply(request: Request, tag: str, moment: Moment, build: Callable[[], Record]) -> Response:
    """Return what `build` makes as 200, or 304 if the client has it already.

    A 304 is sent before the response is built. A response holds until the next minute begins,
    when ages and the earliest start change. In a replay the clock stands still, so a client
    has to ask again each time.
    """
    left = MINUTE - moment.now.second
    headers = {
        "ETag": tag,
        "Cache-Control": "no-cache" if moment.replay else f"public, max-age={left}",
    }
    given = request.headers.get("if-none-match", "").strip()
    if given != "*" and has(given, tag):
        return Response(status_code=304, headers=headers)
    body = encode(build())
    if given == "*":  # asks whether there is a response at all
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def reply_again(request: Request, body: bytes, headers: Mapping[str, str]) -> Response:
    """Return a response that was built already as 200, or 304 if the client has it."""
    tag = _quoted(body)
    headers = {**headers, "ETag": tag}
    if has(request.headers.get("if-none-match", "").strip(), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def has(given: str, tag: str) -> bool:
    """Return whether an ``If-None-Match`` has the tag; weak ones count (RFC 9110 13.1.2)."""
    return given == "*" or tag in (each.strip().removeprefix("W/") for each in given.split(","))


def _quoted(of: bytes) -> str:
    return f'"{blake2b(of, digest_size=12).hexdigest()}"'
