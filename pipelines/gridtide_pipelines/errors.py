"""Errors of ingest and forecasting, and what to do about each.

GridtideError
├── SourceError              a source did not deliver
│   ├── SourceUnavailable    no response, 429 or 5xx after all tries
│   │   └── HostUnreached    no connection to the host
│   ├── SourceRefused        401 or 403: key or licence
│   ├── SourceChanged        an unknown format
│   ├── PartlyFailed         some zones failed, the others are stored
│   ├── AllRefused           every value was implausible or out of range
│   ├── NotStored            the store refused the values
│   ├── SimulatedAndReal     simulated values for a data directory with real ones
│   ├── ClockAhead           our clock is far ahead of the publisher's
│   ├── ClockUnknown         our clock cannot be compared
│   └── NothingYet           nothing is published yet (also a NoData)
├── ClockWrong               our clock is wrong
└── NotEnoughHistory         too little history for a model
"""

from __future__ import annotations

from gridtide.errors import GridtideError, NoData
from gridtide_store.logs import escape_controls


class SourceError(GridtideError):
    """A publisher did not deliver what was requested.

    Text from the publisher's response is escaped in the message: no line break, no terminal
    command.

    Attributes:
        source: name of the source.
        zone: the requested zone, or None where one request serves many.
    """

    code = "source_error"

    def __init__(self, source: str, message: str, *, zone: str | None = None) -> None:
        where = f"{source} [{zone}]" if zone else source
        super().__init__(escape_controls(f"{where}: {message}"))
        self.source = source
        self.zone = zone

    def name_zone(self, zone: str) -> None:
        """Name the requested zone in the message, unless it names one."""
        if self.zone is None:
            self.zone = zone
            rest = str(self).removeprefix(f"{self.source}: ")
            self.args = (f"{self.source} [{zone}]: {rest}",)


class SourceUnavailable(SourceError):
    """No response, 429 or 5xx after all tries: the next refresh tries again."""

    code = "source_unavailable"


class HostUnreached(SourceUnavailable):
    """No connection to the host: every other request to it fails alike."""


class SourceRefused(SourceError):
    """401 or 403: check the key or the licence."""

    code = "source_refused"


class SourceChanged(SourceError):
    """The response has an unknown format: check the raw response, which is archived."""

    code = "source_changed"


class PartlyFailed(SourceError):
    """Some zones of a span failed, each for its own reason; the others are stored."""

    code = "partly_failed"


class AllRefused(SourceError):
    """Every value in the response was implausible, out of range or not over yet."""

    code = "all_refused"


class NotStored(SourceError):
    """The store refused the values: read the message."""

    code = "not_stored"


class SimulatedAndReal(SourceError):
    """Simulated values for a data directory with real ones, or the reverse: use another one."""

    code = "simulated_and_real"


class ClockAhead(SourceError):
    """This machine's clock is far ahead of the publisher's: set it right."""

    code = "clock_ahead"


class ClockUnknown(SourceError):
    """The clock cannot be judged yet: this publisher is requested again after the others."""

    code = "clock_unknown"


class ClockWrong(GridtideError):
    """This machine's clock is far ahead of every publisher's: nothing was stored."""

    code = "clock_ahead"


class NothingYet(SourceError, NoData):
    """The response does not have the requested span: normal at the live edge."""

    code = "nothing_yet"


class NotEnoughHistory(GridtideError):
    """Too few known slots to learn from: a simpler model takes over."""

    code = "not_enough_history"
