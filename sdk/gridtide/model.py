"""The words of the domain: signal, quality, slot, series. Standard library only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from gridtide.errors import BadInput


class Signal(StrEnum):
    """One quantity under one accounting rule.

    Direct or lifecycle, consumed or produced are part of the signal, never a side parameter,
    so that values under different rules cannot be averaged together by accident.
    """

    CI_LIFECYCLE_CONSUMED = "ci_lifecycle_consumed"
    CI_LIFECYCLE_PRODUCED = "ci_lifecycle_produced"
    CI_DIRECT_CONSUMED = "ci_direct_consumed"
    CI_DIRECT_PRODUCED = "ci_direct_produced"
    CFE_CONSUMED = "cfe_consumed"
    CFE_PRODUCED = "cfe_produced"

    @property
    def unit(self) -> str:
        """``gCO2e/kWh`` or, for a CFE fraction, ``fraction`` (0 to 1)."""
        return "gCO2e/kWh" if self.lower_is_cleaner else "fraction"

    @property
    def lower_is_cleaner(self) -> bool:
        """True for carbon intensity, False for a CFE fraction."""
        return self.value.startswith("ci_")


# Which signal answers when the user names none: consumption-based lifecycle intensity where
# the zone has it, else production-based (docs/decisions/0005).
DEFAULT_ORDER = (Signal.CI_LIFECYCLE_CONSUMED, Signal.CI_LIFECYCLE_PRODUCED)


class Quality(StrEnum):
    """How a value came to be known."""

    MEASURED = "measured"
    ESTIMATED = "estimated"
    NOWCAST = "nowcast"
    FORECAST = "forecast"
    SIMULATED = "simulated"


def utc(moment: datetime, *, name: str = "time") -> datetime:
    """`moment` in UTC.

    Raises:
        BadInput: `moment` is naive, so it names no instant; give it an offset or ``Z``.
    """
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise BadInput(
            f"{name} {moment.isoformat()} has no UTC offset; "
            f"write {moment.isoformat()}Z for UTC or add an offset such as +02:00"
        )
    return moment.astimezone(UTC)


def parse_time(text: str, *, name: str = "time") -> datetime:
    """An ISO 8601 instant with an offset, in UTC.

    Raises:
        BadInput: not ISO 8601, or without an offset.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(
            f"{name} {text!r} is not an ISO 8601 time; write it as 2026-11-20T17:00Z"
        ) from error
    return utc(moment, name=name)


def format_time(moment: datetime) -> str:
    """ISO 8601 in UTC with a ``Z``; decimals only where they are not zero."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Slot:
    """Mean of a signal over ``[start, end)``, both UTC; a `value` of ``None`` means unknown."""

    start: datetime
    end: datetime
    value: float | None
    quality: Quality

    def __post_init__(self) -> None:
        if self.start.tzinfo is not UTC or self.end.tzinfo is not UTC:
            object.__setattr__(self, "start", utc(self.start, name="slot start"))
            object.__setattr__(self, "end", utc(self.end, name="slot end"))
        if self.end <= self.start:
            raise BadInput(f"slot {self.start} to {self.end} does not end after it starts")
        if self.value is not None and self.value != self.value:
            raise BadInput(f"slot {self.start}: the value is NaN; an unknown value is None")
