"""Recurring jobs: a cron expression with slack, in a named time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, NamedTuple

from gridtide.errors import BadInput
from gridtide.model import Length, When, utc
from gridtide.planning.problem import LAST
from gridtide.planning.problem.bounds import Bounds, check_slack
from gridtide.planning.problem.opening_hours import (
    DAY,
    DAYS,
    instant_of,
    name_index,
    steady,
    wall,
    zone_named,
)
from gridtide.schema.definition import Field
from gridtide.schema.validate import read_known_moment, validate
from gridtide.slots import EPOCH, to_instant, to_moment

MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
WEEKDAYS = (DAYS[-1], *DAYS[:-1])  # from Sunday on
MINUTE = 60_000_000  # microseconds
ONE_DAY = timedelta(days=1)
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


class _Field(NamedTuple):
    """The values that a field of an expression names, and whether it is a wildcard."""

    values: frozenset[int]
    wild: bool


@dataclass(frozen=True)
class Recurring:
    """Starts by `cron` (minute, hour, day of month, month, day of week) on the clock of `zone`.

    As in cron, a day counts when either day field names it, where both are restricted.

    When the clock changes, two rules of cron hold. An expression whose minute or hour is a
    wildcard (``*``, ``*/15``, a range over the whole field) follows real time: it starts
    whenever the clock reads a time that it names, in both hours that the clock reads twice and
    never in one that it skips. Any other expression names fixed times, also by a range such as
    ``0 1-4 * * *``: each starts once a day; where the clock reads it twice, the first time, and
    where the clock skips it, at the moment of the skip, together with any other then.

    Attributes:
        cron: five fields with ``*``, lists, ranges, steps and English names, or ``@daily``.
        slack: how much later than at once each run may end; a number is hours.
        zone: IANA name.
        slack_fraction: slack as a share of the duration, e.g. 0.5; instead of `slack`.

    Raises:
        BadInput: not such an expression, an unknown zone, or not exactly one of the two slacks.
    """

    cron: Annotated[
        str,
        Field("minute, hour, day of month, month, day of week: 30 2 * * mon-fri; or @daily"),
    ]
    slack: Annotated[
        timedelta | None,
        Field(
            "each time it has ended by its start + hours + this", name="slack_hours", at_least=0
        ),
    ] = None
    zone: Annotated[str, Field("time zone of cron")] = "UTC"
    slack_fraction: Annotated[
        float | None, Field("the same, as a fraction of its hours", at_least=0)
    ] = None

    if TYPE_CHECKING:  # what may be given, each read as the type of its field

        def __init__(
            self,
            cron: str,
            slack: Length | None = None,
            zone: str = "UTC",
            slack_fraction: float | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        validate(self)
        check_slack(self.slack, self.slack_fraction)
        if self.slack is None and self.slack_fraction is None:
            raise BadInput(
                "slack is missing: how much later than at once each run may end; give slack "
                "(slack_hours in JSON) or slack_fraction"
            )
        zone_named(self.zone)
        _ = self._parsed

    def occurrences(self, after: When, until: When) -> list[datetime]:
        """Return the starts in ``[after, until)``, UTC, in order; none from the year 2200 on.

        Raises:
            BadInput: a naive time, or `after` is outside 1970 to 2199.
        """
        first = to_instant(read_known_moment(after, "after"))
        last = to_instant(min(utc(until, name="until"), LAST))
        if last <= first:
            return []
        found = self._by_the_clock(first, last) if self._wild else self._fixed(first, last)
        return [to_moment(instant) for instant in sorted(found) if first <= instant < last]

    def bounds(self, occurrence: When) -> Bounds:
        """Return the bounds of the run that starts at `occurrence`."""
        return Bounds(earliest=occurrence, slack=self.slack, slack_fraction=self.slack_fraction)

    @cached_property
    def _parsed(self) -> tuple[_Field, ...]:
        text = NICKNAMES.get(self.cron.strip().lower(), self.cron)
        parts = text.lower().split()
        if len(parts) != len(FIELDS):
            raise BadInput(
                f"cron {self.cron!r} has {len(parts)} fields; give five: minute, hour, day of "
                "the month, month, day of the week, e.g. '30 2 * * mon-fri'"
            )
        return tuple(_field(part, *field) for part, field in zip(parts, FIELDS, strict=True))

    def _by_the_clock(self, first: int, last: int) -> set[int]:
        """Return every instant in ``[first, last)`` at which the clock reads a named time."""
        minutes, hours, *_ = self._parsed
        found = set()
        for stretch in steady(zone_named(self.zone), first, last):
            low, high = stretch.start + stretch.offset, stretch.end + stretch.offset
            for number in range(low // DAY, (high - 1) // DAY + 1):
                if not self._names(date.fromordinal(EPOCH.toordinal() + number)):
                    continue
                readings = (
                    number * DAY + (hour * 60 + minute) * MINUTE
                    for hour in hours.values
                    for minute in minutes.values
                )
                found |= {each - stretch.offset for each in readings if low <= each < high}
        return found

    def _fixed(self, first: int, last: int) -> set[int]:
        """Return the instants of the fixed times of all days around ``[first, last)``."""
        minutes, hours, *_ = self._parsed
        zone = zone_named(self.zone)
        found = set()
        # A time may come on the day after its own, where the clock skips it up to midnight; and
        # where it goes back over midnight, times of the next day come before the last ones.
        day, final = wall(zone, first).date() - ONE_DAY, wall(zone, last).date() + ONE_DAY
        while day <= final:
            if self._names(day):
                found |= {
                    instant_of(zone, day, time(hour, minute))
                    for hour in hours.values
                    for minute in minutes.values
                }
            day += ONE_DAY
        return found

    @property
    def _wild(self) -> bool:
        minutes, hours, *_ = self._parsed
        return minutes.wild or hours.wild

    def _names(self, day: date) -> bool:
        _, _, days, months, weekdays = (field.values for field in self._parsed)
        weekday = day.isoweekday() % 7
        by_day = day.day in days
        by_weekday = weekday in weekdays or (weekday == 0 and 7 in weekdays)
        every_day, every_weekday = len(days) == 31, len({each % 7 for each in weekdays}) == 7
        if every_day or every_weekday:
            return day.month in months and by_day and by_weekday
        return day.month in months and (by_day or by_weekday)


def _field(text: str, name: str, low: int, high: int, words: tuple[str, ...]) -> _Field:
    values: set[int] = set()
    wild = False
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
            raise BadInput(
                f"cron: {part!r} is not a valid {name}; give numbers from {low} to {high}"
            ) from error
        if words is WEEKDAYS and dash and end == 0 < start:
            end = 7  # fri-sun
        if not (low <= start <= end <= high and stride > 0):
            raise BadInput(f"cron: {part!r} is not a valid {name}; give {low} to {high}")
        values.update(range(start, end + 1, stride))
        wild = wild or (start, end) == (low, high)
    return _Field(frozenset(values), wild or len(values) > high - low)


def _value(text: str, low: int, words: tuple[str, ...]) -> int:
    named = name_index(text, words)
    return int(text) if named is None else named + low
