"""Sending a key so that nothing above the transport sees it."""

from __future__ import annotations

import httpx

from gridtide_pipelines.ingest.source import KeySpec


class Keyed(httpx.BaseTransport):
    """Adds the key to a copy of the request: the client, which logs its own, never sees it.

    Takes cookies off the answer: nothing a publisher sets is sent to it again.
    """

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(_with_key(request))
        response.headers.pop("Set-Cookie", None)
        return response

    def close(self) -> None:
        self._inner.close()


def _with_key(request: httpx.Request) -> httpx.Request:
    spec: KeySpec | None
    spec, key = request.extensions.pop("key")
    if not spec or not key:
        return request
    url, headers = request.url, request.headers.copy()
    if spec.param:
        url = url.copy_add_param(spec.param, key)
    elif spec.header:
        headers[spec.header] = key
    return httpx.Request(
        request.method,
        url,
        headers=headers,
        stream=request.stream,
        extensions=request.extensions,
    )
