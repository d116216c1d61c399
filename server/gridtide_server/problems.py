"""Errors as RFC 9457 problems: the status and title of each error, in one table."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from gridtide.errors import (
    HTTP,
    BadInput,
    GridtideError,
    NoCommonSignal,
    NoData,
    NoFeasibleWindow,
    StaleData,
    TooCostly,
    TooLarge,
    TooManyQuestions,
    TooManyRegions,
    UnknownRegion,
)
from gridtide.errors import problem as problem_members
from gridtide.planning.errors import NeverUnder, NoScheduleFound, NoSolver, OverBudget, TooFine
from gridtide.schema.openapi import reference
from gridtide.schema.problems import Problem
from gridtide_server.errors import NotReady, Overloaded
from gridtide_store.errors import Damaged, NewerHome, Unusable

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
# Messages repeat what the client sent, but not at any length.
LONGEST = 4000
# Not a status of HTTP: what nginx logs for a client that closed its connection. No client
# receives it.
CLIENT_LEFT = 499


class Row(NamedTuple):
    """Status and title of one kind of error."""

    status: int
    title: str


OF_THE_SDK = (
    BadInput,
    UnknownRegion,
    NoFeasibleWindow,
    NoCommonSignal,
    OverBudget,
    NeverUnder,
    NoScheduleFound,
    TooFine,
    TooManyRegions,
    TooManyQuestions,
    TooLarge,
    TooCostly,
    NoSolver,
    NoData,
    StaleData,
)
TABLE: Mapping[type[GridtideError], Row] = {
    **{kind: Row(*HTTP[kind.code]) for kind in OF_THE_SDK},
    NotReady: Row(503, "Nothing is published yet"),
    Overloaded: Row(503, "Too many calls wait already"),
    Damaged: Row(503, "What is published cannot be read"),
    NewerHome: Row(503, "What is published cannot be read"),
    Unusable: Row(503, "What is published cannot be read"),
}
INTERNAL = Row(500, "The server failed")
# Seconds: a refresh takes minutes; a queue is shorter within seconds.
RETRY_AFTER, RETRY_SOON = "60", "5"


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the problems that a route may respond with, for its OpenAPI."""
    schema = reference(Problem)
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Make `app` respond to every error with a problem, those of the framework included."""
    app.add_exception_handler(GridtideError, _ours)
    app.add_exception_handler(ClientDisconnect, _left)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _internal)


def problem(
    row: Row,
    code: str,
    detail: str,
    *,
    extra: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a problem as a response that is never cached."""
    return _respond(_members(row, code, detail, extra), row, headers or {})


def _respond(members: Mapping[str, object], row: Row, headers: Mapping[str, str]) -> Response:
    return Response(
        msgspec.json.encode(members),
        status_code=row.status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **headers},
    )


def row_of(error: GridtideError) -> Row:
    """Return the row of the nearest class of `error` in the table, or that of a failure."""
    return next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), INTERNAL)


def problem_of(error: GridtideError) -> dict[str, object]:
    """Return the problem of an error as JSON members; details of an unlisted one are hidden."""
    row = row_of(error)
    if row is INTERNAL:
        return report_internal(error)
    return _members(row, error.code, str(error), error.extra)


def report_internal(error: Exception) -> dict[str, object]:
    """Log an error of the server's own and return a problem that hides the details."""
    log.error("a request failed", exc_info=error)
    return _members(INTERNAL, "internal", _HIDDEN)


def _members(
    row: Row, code: str, detail: str, extra: Mapping[str, object] | None = None
) -> dict[str, object]:
    http = {"title": row.title, "status": row.status}
    return problem_members(code, _clip(detail, LONGEST), extra=extra, http=http)


async def _ours(_request: Request, error: Exception) -> Response:
    assert isinstance(error, GridtideError)  # noqa: S101  # registered for this class alone
    row = row_of(error)
    later = RETRY_SOON if isinstance(error, Overloaded) else RETRY_AFTER
    headers = {"Retry-After": later} if row.status == 503 else {}
    return _respond(problem_of(error), row, headers)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # as above
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_")
    call = f"{request.method} {_clip(request.url.path, 200)}"
    detail = f"{call}: {phrase.lower()}; /openapi.json lists the routes"
    row = Row(error.status_code, phrase)
    return problem(row, code, detail, headers=error.headers)


async def _left(_request: Request, _error: Exception) -> Response:
    return Response(status_code=CLIENT_LEFT)


async def _internal(_request: Request, _error: Exception) -> Response:
    # Outside of the middleware that adds this header to all other responses.
    return problem(INTERNAL, "internal", _HIDDEN, headers={"X-Content-Type-Options": "nosniff"})


_HIDDEN = "the server failed; its log has the details"


def _clip(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}…"
