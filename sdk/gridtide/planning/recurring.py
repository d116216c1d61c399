"""Jobs that come back: a cron expression with slack, in a named time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property

from gridtide.errors import BadInput
from gridtide.model import utc
from gridtide.planning.bounds import Bounds
from gridtide.planning.wallclock import instant_of, wall, zone_named
from gridtide.runs import to_instant, to_moment

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("day of the week", 0, 7, WEEKDAYS),
)


@dataclass(frozen=True)
class Recurring:
    """Starts by `cron` (minute, hour, day of month, month, day of week) on the clock of `zone`.

    As in cron, a day counts when either day field names it, where both are restricted. A time
    that the clock skips comes when it skips; one that it reads twice comes once, the first
    time.

    Attributes:
        cron: five fields with ``*``, lists, ranges, steps and English names, or ``@daily``.
        slack: how much later than at once each run may end; a number is a fraction of the
            duration.
        zone: IANA name.

    Raises:
        BadInput: not such an expression, or an unknown zone.
    """

    cron: str
    slack: timedelta | float
    zone: str = "UTC"

    def __post_init__(self) -> None:
        zone_named(self.zone)
        Bounds(slack=self.slack)  # refuses what cannot be a slack
        _ = self._fields

    def occurrences(self, after: datetime, until: datetime) -> list[datetime]:
        """The starts in ``[after, until)``, UTC, in order.

        Raises:
            BadInput: a naive time.
        """
        first = to_instant(utc(after, name="after"))
        last = to_instant(utc(until, name="until"))
        zone = zone_named(self.zone)
        minutes, hours, _, _, _ = self._fields
        found = set()
        day, final = wall(zone, first).date(), wall(zone, last).date()
        while day <= final:
            if self._names(day.month, day.day, day.isoweekday() % 7):
                found |= {
                    instant_of(zone, day, time(hour, minute))
                    for hour in hours
                    for minute in minutes
                }
            day += timedelta(days=1)
        return [to_moment(instant) for instant in sorted(found) if first <= instant < last]

    def bounds(self, occurrence: datetime) -> Bounds:
        """The bounds of the run that comes at `occurrence`."""
        return Bounds(earliest=occurrence, slack=self.slack)

    @cached_property
    def _fields(self) -> tuple[frozenset[int], ...]:
        text = NICKNAMES.get(self.cron.strip().lower(), self.cron)
        parts = text.lower().split()
        if len(parts) != len(FIELDS):
            raise BadInput(
                f"cron {self.cron!r} has {len(parts)} fields; give five: minute, hour, day of "
                "the month, month, day of the week, e.g. '30 2 * * mon-fri'"
            )
        return tuple(_field(part, *field) for part, field in zip(parts, FIELDS, strict=True))

    def _names(self, month: int, day: int, weekday: int) -> bool:
        _, _, days, months, weekdays = self._fields
        by_day = day in days
        by_weekday = weekday in weekdays or (weekday == 0 and 7 in weekdays)
        every_day, every_weekday = len(days) == 31, len(weekdays - {7}) == 7
        if every_day or every_weekday:
            return month in months and by_day and by_weekday
        return month in months and (by_day or by_weekday)


def _field(text: str, name: str, low: int, high: int, words: tuple[str, ...]) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        try:
            if span == "*":
                start, end = low, high
            else:
                start = _value(first, low, words)
                end = _value(last, low, words) if dash else high if slash else start
            stride = int(step) if slash else 1
        except ValueError as error:
            raise BadInput(f"cron: {part!r} is no {name}") from error
        if words is WEEKDAYS and dash and end == 0:
            end = 7  # fri-sun
        if not (low <= start <= end <= high and stride > 0):
            raise BadInput(f"cron: {part!r} is no {name}; it runs from {low} to {high}")
        values.update(range(start, end + 1, stride))
    return frozenset(values)


def _value(text: str, low: int, words: tuple[str, ...]) -> int:
    return words.index(text[:3]) + low if text[:3] in words else int(text)
