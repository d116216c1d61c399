"""Errors as RFC 9457 problems: one table, one shape."""

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
from gridtide.errors import problem as members
from gridtide.planning.errors import NeverUnder, NoScheduleFound, NoSolver, OverBudget, TooFine
from gridtide.schema.openapi import reference
from gridtide.schema.problems import Problem
from gridtide_server.errors import NotReady, Overloaded
from gridtide_store.errors import Damaged, NewerHome, Unusable

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
# What was sent is repeated, but not at any length.
LONGEST = 4000
# No status of HTTP: nginx's number for a client that left before its answer.
CLIENT_LEFT = 499


class Row(NamedTuple):
    """How one kind of error is told over HTTP."""

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
# A refresh takes minutes; asking again sooner finds the same. A line is shorter in seconds.
RETRY_AFTER, RETRY_SOON = "60", "5"


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems a route may answer with, for its OpenAPI."""
    schema = reference(Problem)
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem, the framework's own ones too."""
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
    """One problem as a response; never cached."""
    return Response(
        msgspec.json.encode(_members(row, code, detail, extra)),
        status_code=row.status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def row_of(error: GridtideError) -> Row:
    """The table's row of the nearest class above `error`; an unlisted one is our fault."""
    return next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), INTERNAL)


def told(error: GridtideError) -> dict[str, object]:
    """The members of an error's problem; for one without a row they hide what happened."""
    row = row_of(error)
    if row is INTERNAL:
        log.error("an error without a row in the table", exc_info=error)
        return _members(INTERNAL, "internal", _HIDDEN)
    return _members(row, error.code, str(error), error.extra)


def unforeseen(error: Exception) -> dict[str, object]:
    """The members of the problem for a fault of ours, which goes to the log."""
    log.error("a question failed", exc_info=error)
    return _members(INTERNAL, "internal", _HIDDEN)


def _members(
    row: Row, code: str, detail: str, extra: Mapping[str, object] | None = None
) -> dict[str, object]:
    http = {"title": row.title, "status": row.status}
    return members(code, _clip(detail, LONGEST), extra=extra, http=http)


async def _ours(_request: Request, error: Exception) -> Response:
    assert isinstance(error, GridtideError)  # noqa: S101  # registered for this class alone
    row = row_of(error)
    if row is INTERNAL:
        log.error("an error without a row in the table", exc_info=error)
        return problem(INTERNAL, "internal", _HIDDEN)
    later = RETRY_SOON if isinstance(error, Overloaded) else RETRY_AFTER
    headers = {"Retry-After": later} if row.status == 503 else {}
    return problem(row, error.code, str(error), extra=error.extra, headers=headers)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # as above
    phrase = HTTPStatus(error.status_code).phrase
    code = phrase.lower().replace(" ", "_")
    asked = f"{request.method} {_clip(request.url.path, 200)}"
    detail = f"{asked}: {phrase.lower()}; /openapi.json lists what there is"
    row = Row(error.status_code, phrase)
    return problem(row, code, detail, headers=error.headers)


async def _left(_request: Request, _error: Exception) -> Response:
    # Nobody reads it; the number is what proxies count for a client that closed its request.
    return Response(status_code=CLIENT_LEFT)


async def _internal(_request: Request, _error: Exception) -> Response:
    # Made outside of the middleware that marks all others.
    return problem(INTERNAL, "internal", _HIDDEN, headers={"X-Content-Type-Options": "nosniff"})


_HIDDEN = "a fault of ours, not of your question; the server's log has the details"


def _clip(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}…"
