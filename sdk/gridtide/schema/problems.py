"""Decode what a service answers: the JSON object of a response, or the error it means.

RFC 9457 problems become the very classes the service raised, by their ``code``, with their
further fields in `extra`; one without a class of its own is a `BadRequest` or
`ServiceUnavailable`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Annotated, Any, ClassVar

from gridtide.errors import (
    ApiError,
    BadInput,
    BadRequest,
    Busy,
    GridtideError,
    NoCommonSignal,
    NoData,
    NoFeasibleWindow,
    ServiceUnavailable,
    StaleData,
    TooCostly,
    TooLarge,
    TooManyQuestions,
    TooManyRegions,
    UnknownRegion,
)
from gridtide.schema.definition import Field

BY_CODE: Mapping[str, type[GridtideError]] = {
    kind.code: kind
    for kind in (
        BadInput,
        UnknownRegion,
        TooManyRegions,
        TooManyQuestions,
        TooLarge,
        TooCostly,
        NoFeasibleWindow,
        NoCommonSignal,
        NoData,
        StaleData,
        Busy,
    )
}
# Those of planning, whose module is loaded when one of them has happened.
OF_PLANNING = {"over_budget", "never_under", "too_fine", "no_solver", "no_schedule_found"}
JSON_TYPE = re.compile(r"application/([^/\s]+\+)?json")
STANDARD = {"type", "title", "status", "detail", "instance", "code"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """RFC 9457 problem details; `code` is stable, further fields depend on it."""

    OPEN: ClassVar[bool] = True

    type: Annotated[str, Field("urn:gridtide:problem:<code>")]
    title: Annotated[str, Field("the kind of problem in a few words")]
    status: Annotated[int, Field("status of HTTP")]
    detail: Annotated[str, Field("what was seen, and what to do about it")]
    code: Annotated[str, Field("stable name of the kind of problem")]


def decode_body(
    status: int, headers: Mapping[str, str], body: bytes, *, address: str
) -> Mapping[str, Any]:
    """Return the JSON object of a response.

    Args:
        address: of the request, for messages.

    Raises:
        GridtideError: of the class the problem names.
        BadRequest: another 4xx.
        ServiceUnavailable: 429 or 5xx, with `retry_after` seconds where it says so.
        ApiError: neither an answer nor a problem; most likely not a gridtide service.
    """
    said = _json_object(body)
    media = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if said is not None and not JSON_TYPE.fullmatch(media):
        raise ApiError(
            f"{address} answered {status} as {media:.80}, not as JSON; is it a gridtide "
            "service? check GRIDTIDE_URL",
            status=status,
        )
    if 200 <= status < 300:
        if said is None:
            raise ApiError(
                f"{address} answered {status} without a JSON object; is it a gridtide service? "
                "check GRIDTIDE_URL",
                status=status,
            )
        return said
    raise error_of(status, headers, said or {}, address=address)


def error_of(
    status: int, headers: Mapping[str, str], said: Mapping[str, Any], *, address: str
) -> GridtideError:
    """Return the error that the fields of a problem mean; arguments as of `decode_body`."""
    detail = said.get("detail") or said.get("title")
    kind = _class_of(str(said.get("code")))
    error: GridtideError
    if kind is not None:
        error = kind(str(detail or kind.__doc__))
    elif status == 429 or status >= 500:
        error = ServiceUnavailable(
            f"{address} answered {status}: {detail or 'no reason given'}; try again later",
            status=status,
            retry_after=_retry_after(headers),
        )
    elif status >= 400:
        error = BadRequest(
            f"{address} answered {status}: {detail or 'no reason given'}", status=status
        )
    else:
        moved = headers.get("location")
        error = ApiError(
            f"{address} answered {status}"
            + (f" and points to {moved}; set GRIDTIDE_URL to where it moved" if moved else ""),
            status=status,
        )
    error.extra = {name: value for name, value in said.items() if name not in STANDARD}
    error.http = {name: said[name] for name in ("title", "status") if name in said}
    return error


def _class_of(code: str) -> type[GridtideError] | None:
    if code not in OF_PLANNING:
        return BY_CODE.get(code)
    from gridtide.planning import errors

    kinds = (
        errors.OverBudget,
        errors.NeverUnder,
        errors.TooFine,
        errors.NoSolver,
        errors.NoScheduleFound,
    )
    return next(kind for kind in kinds if kind.code == code)


def _json_object(body: bytes) -> Mapping[str, Any] | None:
    """Return the JSON object; ``None`` where it is not one, or has NaN or half a surrogate."""
    try:
        said = json.loads(body.decode("utf-8"), parse_constant=_refuse, parse_float=_finite)
        if b"\\u" in body:
            json.dumps(
                said, ensure_ascii=False
            ).encode()  # half of a surrogate pair is not text
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _refuse(text)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of ``Retry-After``: a number, or a date against the answer's own ``Date``."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    from email.utils import parsedate_to_datetime  # as slow to import as half the SDK

    try:
        until = parsedate_to_datetime(text)
        since = parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (until - since).total_seconds())
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
