"""Conversion between local wall-clock time and UTC over clock changes, in microseconds."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gridtide.errors import BadInput
from gridtide.slots import to_instant, to_microseconds, to_moment

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
