"""What can go wrong, named so that a caller can act on it.

Each class carries a stable `code` (the same in REST problems and in Python) and the
exit code of the command line: 1 failed, 2 bad input, 4 locked, 5 data too old. The message
says what was seen and what to do about it.
"""

from __future__ import annotations

from collections.abc import Mapping

# Status and title of the problem over HTTP, by code; the service adds those of its own errors.
HTTP: Mapping[str, tuple[int, str]] = {
    "bad_input": (422, "The question cannot be answered as asked"),
    "unknown_region": (404, "No region of that name"),
    "no_feasible_window": (422, "No unbroken run of that length fits"),
    "no_common_signal": (422, "The regions share no signal to compare on"),
    "over_budget": (422, "No plan stays within the carbon budget"),
    "never_under": (422, "The signal is not under the threshold for long enough"),
    "no_schedule_found": (422, "No schedule was found within the time budget"),
    "too_fine": (422, "The times share too small a step"),
    "too_many_regions": (422, "Too many regions in one question"),
    "too_many_questions": (422, "Too many questions in one call"),
    "too_large": (413, "The body is too large"),
    "too_costly": (422, "The question takes too much work"),
    "no_solver": (501, "A linear programme is needed, and there is no solver here"),
    "no_data": (404, "Nothing known to answer from"),
    "stale_data": (503, "The latest value is older than accepted"),
}


def problem(
    code: str,
    detail: str,
    *,
    extra: Mapping[str, object] | None = None,
    http: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """The members of a problem: what `extra` has, but never in place of the standard ones."""
    standard = {"type": f"urn:gridtide:problem:{code}", "detail": detail, "code": code}
    return {**(extra or {}), **(http or {}), **standard}


class GridtideError(Exception):
    """Root of every error gridtide raises on purpose.

    Attributes:
        code: stable machine name of the kind of error.
        exit_code: what the command line exits with.
        extra: further members for a REST problem, e.g. ``{"nearest": [...]}``.
        http: `title` and `status` of the problem, where a service said them.
    """

    code = "error"
    exit_code = 1

    def __init__(self, message: str, **extra: object) -> None:
        super().__init__(message)
        self.extra: Mapping[str, object] = extra
        self.http: Mapping[str, object] = {}

    def to_json(self) -> dict[str, object]:
        """The members of the error's problem (RFC 9457), the same by REST and command line."""
        known = dict(zip(("status", "title"), HTTP.get(self.code, ()), strict=False))
        return problem(self.code, str(self), extra=self.extra, http=self.http or known)


class BadInput(GridtideError):
    """The question or the file is wrong: fix it and ask again."""

    code = "bad_input"
    exit_code = 2


class UnknownRegion(BadInput):
    """No zone, cloud region or place of that name; `extra["nearest"]` has candidates."""

    code = "unknown_region"


class TooManyRegions(BadInput):
    """More regions than one answer carries: ask in parts."""

    code = "too_many_regions"


class TooManyQuestions(BadInput):
    """More questions than one call carries: ask in parts."""

    code = "too_many_questions"


class TooLarge(BadInput):
    """A question's body is larger than the service reads: ask in parts."""

    code = "too_large"


class TooCostly(BadInput):
    """To answer takes more work than a service gives one call: ask for less, or in parts."""

    code = "too_costly"


class NoFeasibleWindow(BadInput):
    """No unbroken run of that length fits: ask for less, or a later deadline."""

    code = "no_feasible_window"


class NoCommonSignal(BadInput):
    """The regions share no signal to compare on; `extra["signals"]` says which has what."""

    code = "no_common_signal"


class NoData(GridtideError):
    """The zone is known, but there is nothing to answer from (yet)."""

    code = "no_data"


class StaleData(GridtideError):
    """The latest value is older than accepted: refresh, or ask with a larger `max_age`.

    `extra` has ``slot_start`` and ``slot_end`` of that value, ``data_age_seconds`` and
    ``max_age_seconds``.
    """

    code = "stale_data"
    exit_code = 5


class NoService(GridtideError):
    """Nobody to ask: set GRIDTIDE_URL, or install the service beside the SDK."""

    code = "no_service"


class MissingExtra(GridtideError):
    """What was asked for needs an optional package; the message says which."""

    code = "missing_extra"


class SystemFault(GridtideError):
    """The machine refuses: a full disk, a folder that may not be read, no memory."""

    code = "system_fault"


class Busy(GridtideError):
    """Another process holds the writer's lock on this home."""

    code = "busy"
    exit_code = 4


class ApiError(GridtideError):
    """The server answered with a problem this SDK has no own class for."""

    code = "api_error"

    def __init__(self, message: str, *, status: int | None = None, **extra: object) -> None:
        super().__init__(message, **extra)
        self.status = status


class BadRequest(ApiError):
    """A 4xx without an own class: fix the call."""

    code = "bad_request"
    exit_code = 2


class ServiceUnavailable(ApiError):
    """No answer, 429 or 5xx: try again after `retry_after` seconds."""

    code = "unavailable"

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        **extra: object,
    ) -> None:
        super().__init__(message, status=status, **extra)
        self.retry_after = retry_after
