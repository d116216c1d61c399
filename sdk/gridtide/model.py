"""The words of the domain: signal, quality, slot, series. Standard library only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from math import isfinite

from gridtide.errors import BadInput
from gridtide.schema.result import Shown, Tabular
from gridtide.slots import Run, edges_of, unbroken
from gridtide.values import (
    read_hours,
    read_length,
    read_moment,
    read_number,
    read_text,
    read_word,
    refuse,
    shown,
    values_of,
)

When = datetime | str
"""An aware time, or ISO 8601 with an offset."""

Length = timedelta | float | str
"""A length of time: a timedelta, a number of hours, or text such as ``4h`` and ``PT90M``."""

Region = str | tuple[float, float]
"""A zone key, a cloud region such as ``aws:us-east-1``, or ``(lat, lon)`` in degrees."""


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
        return self.startswith("ci_")


# Which signal answers when the user names none: consumption-based lifecycle intensity where
# the zone has it, else production-based (docs/decisions/0005).
DEFAULT_ORDER = (Signal.CI_LIFECYCLE_CONSUMED, Signal.CI_LIFECYCLE_PRODUCED)


# The most regions one question may compare: a full list of keys is still a short address.
MOST_REGIONS = 500
NO_REGION = "no region is given; name at least one"
# Below this, a number of hours is a length of time without a further check.
MOST_HOURS = 1e6
NO_TIME = timedelta(0)
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


def utc(moment: When, *, name: str = "time") -> datetime:
    """Return `moment` in UTC; what may be given is that of `values.read_moment`.

    Raises:
        BadInput: `moment` is naive, so it names no instant; give it an offset or ``Z``. Or
            its offset takes it before the year 1 or after 9999. Or it is not a time.
    """
    if type(moment) is datetime and moment.tzinfo is UTC:
        return moment  # the common case, by far
    return read_moment(moment, name)


def parse_time(text: str, *, name: str = "time") -> datetime:
    """Parse an ISO 8601 instant with an offset; return it in UTC.

    Raises:
        BadInput: not ISO 8601, or without an offset.
    """
    return read_moment(read_text(text, name), name)


def parse_hours(hours: Length, *, name: str = "hours") -> timedelta:
    """Parse the length of a run, to the microsecond; it is given as for `read_length`.

    Raises:
        BadInput: no length of time, or one that is not above 0.
    """
    if type(hours) is float and 0 < hours < MOST_HOURS:  # the common cases, without a reader
        duration = timedelta(hours=hours)
    else:
        duration = hours if type(hours) is timedelta else read_length(hours, name)
    if duration <= NO_TIME:
        text = f"{duration / timedelta(hours=1):g}"
        raise BadInput(f"{name} is {text}; give a number above 0 such as 4 or 1.5")
    return duration


def hours_of(hours: Length, *, name: str = "hours") -> float:
    """Return `parse_hours` as a number of hours; what is a number stays the one it is."""
    parse_hours(hours, name=name)
    return read_hours(hours, name)


def format_time(moment: datetime) -> str:
    """ISO 8601 in UTC with a ``Z``; decimals only where they are not zero."""
    there = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return there.isoformat().removesuffix("+00:00") + "Z"


def format_region(region: Region) -> str:
    """Return `region` as the service reads it: ``lat,lon`` for coordinates.

    Raises:
        BadInput: an empty name, or neither a name nor coordinates on Earth.
    """
    if isinstance(region, str):
        if region.strip():
            return read_text(region.strip(), "region")
        raise BadInput("region is empty; name a zone such as DE, a cloud region, or lat,lon")
    try:
        # These unpack too, to numbers that are not degrees or have no order.
        pair = () if isinstance(region, bytes | bytearray | Set | Mapping) else region
        lat, lon = pair
    except (TypeError, ValueError) as error:
        raise BadInput(
            f"region {shown(region)} is neither a name nor (lat, lon); name a zone such as DE, "
            "a cloud region, or a place in degrees"
        ) from error
    give = "degrees; coordinates must be finite"
    lat, lon = (
        read_number(lat, "the latitude of region", give),
        read_number(lon, "the longitude of region", give),
    )
    if not (abs(lat) <= 90 and abs(lon) <= 180):
        raise BadInput(
            f"region {shown(region)} is not on the globe: latitude is -90 to 90 and comes "
            "first, longitude is -180 to 180"
        )
    return f"{lat!r},{lon!r}"


@dataclass(frozen=True, slots=True)
class Slot:
    """Mean of a signal over ``[start, end)``, both UTC; a `value` of ``None`` means unknown."""

    start: datetime
    end: datetime
    value: float | None
    quality: Quality

    def __post_init__(self) -> None:
        start, end = self.start, self.end
        # Written out: there are slots by the hundred thousand.
        if type(start) is not datetime or start.tzinfo is not UTC:
            object.__setattr__(self, "start", utc(start, name="slot start"))
        if type(end) is not datetime or end.tzinfo is not UTC:
            object.__setattr__(self, "end", utc(end, name="slot end"))
        if self.end <= self.start:
            raise BadInput(f"slot {self.start} to {self.end} does not end after it starts")
        if self.value is not None and not (type(self.value) is float and isfinite(self.value)):
            give = "a finite number; an unknown value is None"
            number = read_number(self.value, f"the value of slot {self.start}", give)
            object.__setattr__(self, "value", number)
        if not isinstance(self.quality, Quality):
            object.__setattr__(self, "quality", read_word(Quality, self.quality, "quality"))


def slots_of(slots: Iterable[Slot], name: str) -> tuple[Slot, ...]:
    """Return what was given as slots, as a tuple.

    Raises:
        BadInput: it is not a list, or one of it is not a slot.
    """
    if not isinstance(slots, Iterable):
        refuse(slots, name, "a list of Slot")
    found = tuple(slots)
    for each in found:
        if not isinstance(each, Slot):
            refuse(each, f"one of {name}", "a Slot")
    return found


@dataclass(frozen=True, repr=False)
class Series(Shown, Tabular):
    """Slots of one zone and signal, sorted by start, not overlapping.

    Slots may differ in length. What is unknown is a slot whose value is ``None``, or no slot.

    Raises:
        BadInput: an unknown signal, or slots out of order or overlapping.
    """

    zone: str
    signal: Signal
    slots: tuple[Slot, ...]

    def __post_init__(self) -> None:
        read_text(self.zone, "zone")
        object.__setattr__(self, "slots", slots_of(self.slots, "slots"))
        if not isinstance(self.signal, Signal):
            object.__setattr__(self, "signal", read_word(Signal, self.signal, "signal"))
        starts, ends = edges_of(self.slots)
        if starts[1:] == ends[:-1]:
            return  # the common case, checked in half the time the loop takes
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
        start: When,
        step: Length,
        values: Sequence[float | None],
        quality: Quality = Quality.FORECAST,
    ) -> Series:
        """Slots of one length, one after the other from `start` on.

        Raises:
            BadInput: `start` is naive, `step` is not positive, or a value is not finite.
        """
        known, length = values_of(values), parse_hours(step, name="step")
        try:
            edges = [utc(start, name="start") + i * length for i in range(len(known) + 1)]
        except OverflowError as error:
            raise BadInput("the last slot ends beyond the calendar; check step") from error
        slots = [
            Slot(begin, end, value, quality)
            for (begin, end), value in zip(pairwise(edges), known, strict=True)
        ]
        return cls(zone, signal, tuple(slots))

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The unbroken runs of known slots, prepared for searching on first use."""
        return unbroken(self.slots)
