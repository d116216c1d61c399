"""Weekly hours and whole days in a named time zone, and its wall clock over clock changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, ClassVar, NamedTuple
from zoneinfo import ZoneInfo

from gridtide.errors import BadInput
from gridtide.planning.problem import FIRST, LAST
from gridtide.schema.definition import Field
from gridtide.schema.validate import validate
from gridtide.slots import EPOCH, to_instant, to_microseconds, to_moment
from gridtide.values import listed, read_list, read_text, read_whole, refuse

MINUTES = 1440  # of a day
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOURS = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")


@dataclass(frozen=True)
class WeeklyText:
    """Hours that come back every week, on the clock of a time zone."""

    SCHEMA_NAME: ClassVar[str] = "Weekly"

    zone: Annotated[str, Field("IANA name of the time zone, e.g. Europe/Berlin")]
    hours: Annotated[str, Field("e.g. Mon-Fri 08:00-18:00; Sat 22:00-06:00")]

    @classmethod
    def of(cls, weekly: Weekly) -> WeeklyText:
        """Write each day's hours; those longer than a day as two."""
        found: dict[int, list[str]] = {}
        for day, pairs in sorted(weekly.hours.items()):
            for start, end in pairs:
                if end - start <= MINUTES:
                    found.setdefault(day, []).append(_text_of(start, end))
                else:
                    found.setdefault(day, []).append(_text_of(start, MINUTES))
                    found.setdefault((day + 1) % 7, []).append(_text_of(0, end - MINUTES))
        days = (f"{DAYS[day][:3]} {','.join(pairs)}" for day, pairs in found.items())
        return cls(weekly.zone, "; ".join(days))

    def decoded(self) -> Weekly:
        """Return the hours that the text says.

        Raises:
            BadInput: as `Weekly.parse`.
        """
        return Weekly.parse(self.zone, self.hours)


@dataclass(frozen=True)
class Weekly:
    """Weekly hours by the wall clock of `zone`.

    The wall clock also decides on days when the clocks change: hours that it skips do not
    exist, hours that it reads twice exist twice.

    Attributes:
        zone: an IANA name, e.g. ``Europe/Berlin``.
        hours: weekday (0 is Monday) to pairs of minutes of that day, ``[from, to)``; a `to` up
            to 2880 reaches into the next day.
    """

    ENCODED: ClassVar[type[WeeklyText]] = WeeklyText

    zone: str
    hours: Mapping[int, tuple[tuple[int, int], ...]]

    def __post_init__(self) -> None:
        validate(self, hours=_weekdays)
        zone_named(self.zone)
        for day, pairs in self.hours.items():
            if not 0 <= day <= 6 or any(
                not 0 <= start < end <= 2880 or start >= 1440 for start, end in pairs
            ):
                raise BadInput(
                    f"weekly hours {pairs} on day {day}: days run from 0 (Monday) to 6, hours "
                    "from minute 0 up, and end after they start"
                )
        if not any(self.hours.values()):
            raise BadInput("weekly hours name no hour; give e.g. 'Mon-Fri 08:00-18:00'")

    @classmethod
    def parse(cls, zone: str, text: str) -> Weekly:
        """Parse ``Mon-Fri 08:00-12:00,13:00-18:00; Sat 22:00-06:00``.

        Days are ``Mon-Fri``, ``Mon,Wed`` or ``daily``; hours that do not end after they start
        end on the next day; ``24:00`` is the end of a day.

        Raises:
            BadInput: not of this form, or an unknown zone.
        """
        hours: dict[int, tuple[tuple[int, int], ...]] = {}
        for part in filter(None, map(str.strip, read_text(text, "hours").split(";"))):
            days, _, times = part.rpartition(" ")
            pairs = tuple(_pair(each, part) for each in times.split(","))
            for day in _days(days.strip().lower(), part):
                hours[day] = hours.get(day, ()) + pairs
        return cls(zone, hours)

    def spans(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return the parts of ``[start, end)`` within the hours, UTC microseconds, in order."""
        found = []
        for stretch in steady(zone_named(self.zone), start, end):
            first, last = stretch.start + stretch.offset, stretch.end + stretch.offset
            # From the day before on: its hours may reach over midnight.
            for day in range(first // DAY - 1, last // DAY + 1):
                weekday = (EPOCH.weekday() + day) % 7
                for opens, closes in self.hours.get(weekday, ()):
                    low = max(first, day * DAY + opens * 60_000_000)
                    high = min(last, day * DAY + closes * 60_000_000)
                    if low < high:
                        found.append((low - stretch.offset, high - stretch.offset))
        return merged(found)


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days of `zone`, `first` to `last`, both included."""

    SCHEMA_NAME: ClassVar[str] = "DayRange"

    zone: Annotated[str, Field("IANA name of the time zone, e.g. Europe/Berlin")]
    first: Annotated[date, Field("the first day")]
    last: Annotated[date, Field("the last day")]

    def __post_init__(self) -> None:
        validate(self)
        zone_named(self.zone)
        if self.first < FIRST.date() or self.last >= LAST.date():
            raise BadInput(
                f"days from {self.first} to {self.last} lie outside 1970 to 2199; give fewer"
            )
        if self.last < self.first:
            raise BadInput(
                f"days from {self.first} to {self.last}: the last is before the first"
            )

    def spans(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return the part of ``[start, end)`` on these days, UTC microseconds."""
        zone = zone_named(self.zone)
        low = max(start, instant_of(zone, self.first, time(0)))
        high = min(end, instant_of(zone, self.last + timedelta(days=1), time(0)))
        return [(low, high)] if low < high else []


def next_working_day(
    zone: str, instant: int, at: time, holidays: frozenset[date] = frozenset()
) -> int:
    """Return `at` on the first Monday to Friday after the local day of `instant`."""
    there = zone_named(zone)
    day = wall(there, instant).date() + timedelta(days=1)
    while day.weekday() >= 5 or day in holidays:
        day += timedelta(days=1)
    return instant_of(there, day, at)


def name_index(text: str, names: Sequence[str]) -> int | None:
    """Return which of `names` begins with `text`, of three letters or more; else ``None``."""
    found = (i for i, name in enumerate(names) if len(text) > 2 and name.startswith(text))
    return next(found, None)


def merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return `spans` sorted, with those that touch or overlap joined."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _weekdays(value: object, name: str) -> dict[int, tuple[tuple[int, int], ...]]:
    give = "a mapping of weekday (0 is Monday) to pairs of minutes, or use Weekly.parse"
    if not isinstance(value, Mapping):
        refuse(value, name, give)
    hours = {}
    for day, pairs in value.items():
        read = read_list(listed(read_whole), pairs, f"{name}[{day!r}]")
        if any(len(pair) != 2 for pair in read):
            refuse(pairs, f"{name}[{day!r}]", give)
        hours[read_whole(day, f"a day of {name}")] = read
    return hours


def _pair(text: str, part: str) -> tuple[int, int]:
    found = HOURS.fullmatch(text.strip())
    if found is None:
        raise BadInput(f"weekly hours {part!r}: {text!r} is not of the form 08:00-18:00")
    from_hour, from_minute, to_hour, to_minute = map(int, found.groups())
    start, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute
    if start >= 1440 or end > 1440 or from_minute > 59 or to_minute > 59:
        raise BadInput(f"weekly hours {part!r}: {text!r} is not within 00:00 to 24:00")
    return start, end if end > start else end + 1440


def _days(text: str, part: str) -> list[int]:
    days: list[int] = []
    for each in text.split(","):
        first, dash, last = (one.strip() for one in each.partition("-"))
        if each.strip() == "daily":
            days.extend(range(7))
        elif (low := name_index(first, DAYS)) is not None and (
            high := name_index(last, DAYS) if dash else low
        ) is not None:
            days.extend((low + i) % 7 for i in range((high - low) % 7 + 1))
        else:
            raise BadInput(
                f"weekly hours {part!r}: {each!r} names no days; write Mon-Fri, Mon,Wed or "
                "daily"
            )
    return days


def _text_of(start: int, end: int) -> str:
    end = end if end <= MINUTES else end - MINUTES
    return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"


SECOND = 1_000_000
DAY = 86_400 * SECOND


class Steady(NamedTuple):
    """Interval ``[start, end)`` over which the UTC offset does not change."""

    start: int
    end: int
    offset: int


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name.

    Raises:
        BadInput: this machine has no such zone.
    """
    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError) as error:
        raise BadInput(
            f"time zone {name!r} is unknown here; give an IANA name such as Europe/Berlin "
            "(where the system has no time zones, install the package tzdata)"
        ) from error


def steady(zone: ZoneInfo, start: int, end: int) -> list[Steady]:
    """Return ``[start, end)`` cut where the UTC offset of `zone` changes, in order."""
    stretches = []
    while start < end:
        offset = _offset(zone, start)
        until = start
        while until < end and _offset(zone, min(until + DAY, end)) == offset:
            until = min(until + DAY, end)
        if until < end:
            until = _change(zone, until, min(until + DAY, end))
        stretches.append(Steady(start, until, offset))
        start = until
    return stretches


def instant_of(zone: ZoneInfo, day: date, at: time) -> int:
    """Return when the wall clock first reads `at` on `day`; if it skips `at`, when it skips."""
    naive = datetime.combine(day, at)
    instants = [to_instant(naive.replace(tzinfo=zone, fold=fold)) for fold in (0, 1)]
    if wall(zone, instants[0]) == naive:
        return instants[0]
    # Skipped: read with the offset after the change it is the earlier of the two, and between
    # them the clocks change.
    return _change(zone, instants[1], instants[0])


def wall(zone: ZoneInfo, instant: int) -> datetime:
    """Return what the wall clock reads at `instant`, without an offset."""
    return to_moment(instant).astimezone(zone).replace(tzinfo=None, fold=0)


def _offset(zone: ZoneInfo, instant: int) -> int:
    return to_microseconds(to_moment(instant).astimezone(zone).utcoffset() or timedelta(0))


def _change(zone: ZoneInfo, before: int, after: int) -> int:
    """Return the first instant after `before` with the offset that holds at `after`."""
    offset = _offset(zone, before)
    low, high = before // SECOND, -(-after // SECOND)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle * SECOND) == offset:
            low = middle
        else:
            high = middle
    return high * SECOND
