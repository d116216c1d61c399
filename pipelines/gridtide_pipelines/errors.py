"""Why an ingest or a forecast failed, and what to do about each."""

from __future__ import annotations

from gridtide.errors import GridtideError, NoData
from gridtide_store.logs import escape_controls


class SourceError(GridtideError):
    """A publisher did not give what was asked.

    What its message repeats of an answer is escaped: no line break, no command to a terminal.

    Attributes:
        source: name of the source.
        zone: the zone asked for, or None where one request serves many.
    """

    code = "source_error"

    def __init__(self, source: str, message: str, *, zone: str | None = None) -> None:
        where = f"{source} [{zone}]" if zone else source
        super().__init__(escape_controls(f"{where}: {message}"))
        self.source = source
        self.zone = zone


class SourceUnavailable(SourceError):
    """No answer, 429 or 5xx after all tries: the next refresh asks again."""

    code = "source_unavailable"


class SourceRefused(SourceError):
    """401 or 403: a person must look at the key or the licence."""

    code = "source_refused"


class SourceChanged(SourceError):
    """Not the shape we parse: a person must look at the raw body, which is kept."""

    code = "source_changed"


class AllRefused(SourceError):
    """Values came, and each was implausible, of another time or not over yet."""

    code = "all_refused"


class NotStored(SourceError):
    """The store refused what came: a person must look at the message."""

    code = "not_stored"


class ClockAhead(SourceError):
    """This machine's clock is far ahead of the publisher's: set it right."""

    code = "clock_ahead"


class ClockUnknown(SourceError):
    """No publisher has said yet what time it is: ask this one again after the others."""

    code = "clock_unknown"


class ClockWrong(GridtideError):
    """This machine's clock is far ahead of every publisher's: nothing was stored."""

    code = "clock_ahead"


class NothingYet(SourceError, NoData):
    """An answer without the span asked for: normal at the live edge."""

    code = "nothing_yet"


class NotEnoughHistory(GridtideError):
    """Too few known slots to learn from: a simpler model takes over."""

    code = "not_enough_history"
