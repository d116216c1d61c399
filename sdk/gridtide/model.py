"""The words of the domain: signal, quality, slot, series. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from math import isfinite

from gridtide.errors import BadInput
from gridtide.runs import Run, edges_of, unbroken


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


# The most regions one question may compare: a full list of keys is still a short address.
MOST_REGIONS = 500
# The most questions one call of batch may carry.
MOST_QUESTIONS = 1000


class Quality(StrEnum):
    """How a value came to be known; ``derived`` is computed from published values."""

    MEASURED = "measured"
    DERIVED = "derived"
    ESTIMATED = "estimated"
    NOWCAST = "nowcast"
    FORECAST = "forecast"
    SIMULATED = "simulated"


def utc(moment: datetime, *, name: str = "time") -> datetime:
    """`moment` in UTC.

    Raises:
        BadInput: `moment` is naive, so it names no instant; give it an offset or ``Z``. Or
            its offset takes it before the year 1 or after 9999.
    """
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise BadInput(
            f"{name} {moment.isoformat()} has no UTC offset; "
            f"write {moment.isoformat()}Z for UTC or add an offset such as +02:00"
        )
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise BadInput(f"{name} {moment.isoformat()} lies outside the calendar") from error


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


def parse_hours(hours: float, *, name: str = "hours") -> timedelta:
    """The length of a run given in hours, to the microsecond.

    Raises:
        BadInput: not a positive, finite number, or more than a `timedelta` holds.
    """
    try:
        duration = timedelta(hours=hours)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadInput(f"{name} is {hours!r}; give a finite number such as 4 or 1.5") from error
    if duration <= timedelta(0):
        raise BadInput(f"{name} is {hours:g}; give a number above 0 such as 4 or 1.5")
    return duration


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
        if self.value is not None and not isfinite(self.value):
            raise BadInput(
                f"slot {self.start}: the value is {self.value}; an unknown value is None"
            )


def _signal(name: object) -> Signal:
    try:
        return Signal(str(name))
    except ValueError as error:
        known = ", ".join(Signal)
        raise BadInput(f"signal {name!r} is unknown; give one of {known}") from error


@dataclass(frozen=True)
class Series:
    """Slots of one zone and signal, sorted by start, not overlapping.

    Slots may differ in length. What is unknown is a slot whose value is ``None``, or no slot.

    Raises:
        BadInput: an unknown signal, or slots out of order or overlapping.
    """

    zone: str
    signal: Signal
    slots: tuple[Slot, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "slots", tuple(self.slots))
        if not isinstance(self.signal, Signal):
            object.__setattr__(self, "signal", _signal(self.signal))
        starts, ends = edges_of(self.slots)
        if starts[1:] == ends[:-1]:
            return  # the common case, told in half the time the loop takes
        for earlier, later in pairwise(self.slots):
            if later.start < earlier.end:
                raise BadInput(
                    f"{self.zone} {self.signal}: slot {format_time(later.start)} starts before "
                    f"the one before it ends ({format_time(earlier.end)}); sort the slots by "
                    "start and give each moment once"
                )

    @classmethod
    def regular(
        cls,
        zone: str,
        signal: Signal,
        start: datetime,
        step: timedelta,
        values: Sequence[float | None],
        quality: Quality = Quality.FORECAST,
    ) -> Series:
        """Slots of one length, one after the other from `start` on.

        Raises:
            BadInput: `start` is naive, `step` is not positive, or a value is not finite.
        """
        edges = [utc(start, name="start") + i * step for i in range(len(values) + 1)]
        slots = [
            Slot(begin, end, value, quality)
            for (begin, end), value in zip(pairwise(edges), values, strict=True)
        ]
        return cls(zone, signal, tuple(slots))

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The unbroken runs of known slots, prepared for searching on first use."""
        return unbroken(self.slots)
