"""What can go wrong, named so that a caller can act on it.

Each class carries a stable `code` (the same in REST problems and in Python) and the
exit code of the command line: 1 failed, 2 bad input, 4 locked, 5 data too old. The message
says what was seen and what to do about it.
"""

from __future__ import annotations

from collections.abc import Mapping


class GridtideError(Exception):
    """Root of every error gridtide raises on purpose.

    Attributes:
        code: stable machine name of the kind of error.
        exit_code: what the command line exits with.
        extra: further members for a REST problem, e.g. ``{"nearest": [...]}``.
    """

    code = "error"
    exit_code = 1

    def __init__(self, message: str, **extra: object) -> None:
        super().__init__(message)
        self.extra: Mapping[str, object] = extra


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
