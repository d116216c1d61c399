"""Problems that the protocol answers itself, before there is a request to hand on."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import NamedTuple

from gridtide_server.problems import Row, problem

# Python's own phrases differ from release to release, and codes are stable.
NAMES = {
    HTTPStatus.BAD_REQUEST: ("bad_request", "Bad Request"),
    HTTPStatus.REQUEST_TIMEOUT: ("request_timeout", "Request Timeout"),
    HTTPStatus.REQUEST_URI_TOO_LONG: ("uri_too_long", "URI Too Long"),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        "request_header_fields_too_large",
        "Request Header Fields Too Large",
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: ("overloaded", "Service Unavailable"),
}


class Refusal(NamedTuple):
    """Why a connection gets no further."""

    status: HTTPStatus
    why: str


def encode_refusal(refusal: Refusal, default_headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The whole HTTP response, after which the connection ends."""
    code, phrase = NAMES[refusal.status]
    retry = {"Retry-After": "5"} if refusal.status is HTTPStatus.SERVICE_UNAVAILABLE else {}
    response = problem(Row(refusal.status, phrase), code, refusal.why, headers=retry)
    lines = [b"HTTP/1.1 %d %s" % (refusal.status, phrase.encode())]
    given = [*default_headers, *response.raw_headers]
    given += [(b"x-content-type-options", b"nosniff"), (b"connection", b"close")]
    lines += [name + b": " + value for name, value in given]
    return b"\r\n".join([*lines, b"", bytes(response.body)])
