"""Errors of gridtide, by what a caller can do about them.

    GridtideError
    ├── BadInput                 the request or the file is wrong: fix it
    │   ├── UnknownRegion
    │   ├── TooManyRegions
    │   ├── TooManyQuestions
    │   ├── TooLarge
    │   ├── TooCostly
    │   ├── NoFeasibleWindow
    │   └── NoCommonSignal
    ├── NoData                   the zone is known, but has no values
    ├── StaleData                the latest value is too old
    ├── NoService                neither GRIDTIDE_URL nor a service in this environment
    ├── MissingExtra             an optional package is not installed
    ├── SystemFault              disk, permissions, memory
    ├── Busy                     another process holds the lock of the data directory
    └── ApiError                 a response of the service without a class of its own
        ├── BadRequest           4xx
        └── ServiceUnavailable   no response, 429 or 5xx: try again later

Each class carries a stable `code` (the same in REST problems and in Python) and the exit code
of
the command line: 1 failed, 2 bad input, 4 locked, 5 data too old. The message says what was
seen
and what to do about it. `gridtide.planning.errors` adds the errors of planning.
"""

from __future__ import annotations

from collections.abc import Mapping

# Status and title of the problem over HTTP, by code; the service adds those of its own errors.
HTTP: Mapping[str, tuple[int, str]] = {
    "bad_input": (422, "Invalid request"),
    "unknown_region": (404, "Unknown region"),
    "no_feasible_window": (422, "No unbroken run of that length fits"),
    "no_common_signal": (422, "The regions share no signal to compare on"),
    "over_budget": (422, "No plan stays within the carbon budget"),
    "never_under": (422, "The signal is not under the threshold for long enough"),
    "no_schedule_found": (422, "No schedule was found within the time budget"),
    "too_fine": (422, "The times share too small a unit"),
    "too_many_regions": (422, "Too many regions in one request"),
    "too_many_questions": (422, "Too many requests in one batch"),
    "too_large": (413, "The body is too large"),
    "too_costly": (422, "The request takes too much work"),
    "no_solver": (501, "A linear programme is needed, and no solver is installed"),
    "no_data": (404, "No data"),
    "stale_data": (503, "The latest value is older than accepted"),
}


def problem(
    code: str,
    detail: str,
    *,
    extra: Mapping[str, object] | None = None,
    http: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """Return the fields of a problem: `extra` never replaces a standard one."""
    standard = {"type": f"urn:gridtide:problem:{code}", "detail": detail, "code": code}
    return {**(extra or {}), **(http or {}), **standard}


class GridtideError(Exception):
    """Root of every error that gridtide raises on purpose.

    Attributes:
        code: stable machine name of the kind of error.
        exit_code: exit code of the command line.
        extra: further fields of a REST problem, e.g. ``{"nearest": [...]}``.
        http: `title` and `status` of the problem, where a service sent them.
    """

    code = "error"
    exit_code = 1

    def __init__(self, message: str, **extra: object) -> None:
        super().__init__(message)
        self.extra: Mapping[str, object] = extra
        self.http: Mapping[str, object] = {}

    def to_json(self) -> dict[str, object]:
        """Return the fields of the error's problem (RFC 9457), as REST and command line show
        it.
        """
        known = dict(zip(("status", "title"), HTTP.get(self.code, ()), strict=False))
        return problem(self.code, str(self), extra=self.extra, http=self.http or known)


class BadInput(GridtideError):
    """The request or the file is invalid: fix it and try again."""

    code = "bad_input"
    exit_code = 2


class UnknownRegion(BadInput):
    """Unknown region; `extra["nearest"]` has similar ones."""

    code = "unknown_region"


class TooManyRegions(BadInput):
    """More regions than one request may have: split it."""

    code = "too_many_regions"


class TooManyQuestions(BadInput):
    """More requests than one batch may have: split it."""

    code = "too_many_questions"


class TooLarge(BadInput):
    """The body is larger than the service accepts: split the request."""

    code = "too_large"


class TooCostly(BadInput):
    """The request takes more work than one call may: request less, or split it."""

    code = "too_costly"


class NoFeasibleWindow(BadInput):
    """No unbroken window of that length fits: request less, or a later deadline."""

    code = "no_feasible_window"


class NoCommonSignal(BadInput):
    """The regions have no signal in common; `extra["signals"]` lists their signals."""

    code = "no_common_signal"


class NoData(GridtideError):
    """The zone is known, but has no values for the request (yet)."""

    code = "no_data"


class StaleData(GridtideError):
    """The latest value is older than accepted: refresh, or accept a larger `max_age`.

    `extra` has ``slot_start`` and ``slot_end`` of that value, ``data_age_seconds`` and
    ``max_age_seconds``.
    """

    code = "stale_data"
    exit_code = 5


class NoService(GridtideError):
    """No service is configured: set GRIDTIDE_URL, or install the service beside the SDK."""

    code = "no_service"


class MissingExtra(GridtideError):
    """The request needs an optional package; the message says which."""

    code = "missing_extra"


class SystemFault(GridtideError):
    """The operating system refuses: a full disk, missing permissions, no memory."""

    code = "system_fault"


class Busy(GridtideError):
    """Another process holds the writer's lock of this data directory."""

    code = "busy"
    exit_code = 4


class ApiError(GridtideError):
    """The service responded with a problem that has no class in this SDK."""

    code = "api_error"

    def __init__(self, message: str, *, status: int | None = None, **extra: object) -> None:
        super().__init__(message, **extra)
        self.status = status


class BadRequest(ApiError):
    """A 4xx response without a class of its own: fix the call."""

    code = "bad_request"
    exit_code = 2


class ServiceUnavailable(ApiError):
    """No response, 429 or 5xx: try again after `retry_after` seconds."""

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
