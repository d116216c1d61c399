"""A route whose handler decodes its query itself."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from inspect import iscoroutinefunction
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.routing import Match
from starlette.types import Receive, Scope, Send


class StrictRoute(APIRoute):
    """A GET whose handler decodes its query itself and returns a `Response`.

    FastAPI's dependency machinery, which would ignore unknown and repeated names, is left out:
    34 us of CPU instead of 80 for an empty handler.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As FastAPI's; HEAD is GET (RFC 9110 9.1: who answers the one answers the other)."""
        return super().matches(_get(scope))

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As FastAPI's; the HTTP server leaves out the body of an answer to HEAD."""
        await super().handle(_get(scope), receive, send)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler FastAPI calls."""
        endpoint = self.endpoint
        threaded = not iscoroutinefunction(endpoint)

        async def handle(request: Request) -> Response:
            values = {**request.path_params, "request": request}
            response: Response = (
                await run_in_threadpool(endpoint, **values)
                if threaded
                else await endpoint(**values)
            )
            return response

        return handle


def _get(scope: Scope) -> Scope:
    return {**scope, "method": "GET"} if scope.get("method") == "HEAD" else scope
