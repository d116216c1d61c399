"""When a job may run: earliest start, latest end, and allowed hours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, NamedTuple

from gridtide.errors import BadInput
from gridtide.model import Length, When, format_time, utc
from gridtide.planning.problem import LAST, LONGEST
from gridtide.planning.problem.job import HOUR
from gridtide.planning.problem.opening_hours import (
    Days,
    Weekly,
    merged,
    next_working_day,
    zone_named,
)
from gridtide.schema.definition import Field
from gridtide.schema.validate import read_known_moment, validate
from gridtide.slots import check_deadline, to_instant, to_microseconds, to_moment
from gridtide.values import listed, refuse


class Span(NamedTuple):
    """From start to before end."""

    start: Annotated[datetime, Field("the start")]
    end: Annotated[datetime, Field("the end")]


@dataclass(frozen=True)
class Bounds:
    """When a job may run; of several latest ends the first holds.

    Attributes:
        earliest: earliest start; by default now.
        deadline: latest end.
        slack: the latest end is earliest start + duration + slack; a number is hours.
        next_working_day: the latest end is this time of `zone` on the first Monday to Friday
            after the day of its earliest start, `holidays` left out.
        opening: hours at which it may run; by default all.
        blackouts: when it must not run: pairs of times, weekly hours, or whole days.
        zone: IANA name of the time zone of `next_working_day`.
        slack_fraction: slack as a share of the duration, e.g. 0.5; instead of `slack`.

    Raises:
        BadInput: a naive time, a negative slack, or bounds that contradict each other.
    """

    earliest: Annotated[
        datetime | None, Field("not before this moment; left out, or past: now")
    ] = None
    deadline: Annotated[datetime | None, Field("the job has ended by this moment")] = None
    slack: Annotated[
        timedelta | None,
        Field(
            "it has ended by its earliest start + hours + this", name="slack_hours", at_least=0
        ),
    ] = None
    next_working_day: Annotated[
        time | None,
        Field(
            "it has ended by this time of day in zone on the next Monday to Friday that is "
            "not one of holidays"
        ),
    ] = None
    opening: Annotated[Weekly | None, Field("hours at which it may run; left out: all")] = None
    blackouts: Annotated[
        tuple[tuple[datetime, datetime] | Weekly | Days, ...],
        Field(
            "when it must not run: spans, hours or days",
            encoded=tuple[Span | Weekly | Days, ...],
            most=1000,
        ),
    ] = ()
    zone: Annotated[str, Field("time zone of next_working_day")] = "UTC"
    holidays: Annotated[frozenset[date], Field("days that are not working days", most=1000)] = (
        frozenset()
    )
    slack_fraction: Annotated[
        float | None, Field("the same as slack_hours, as a fraction of hours", at_least=0)
    ] = None

    if TYPE_CHECKING:  # what may be given, each read as the type of its field

        def __init__(
            self,
            earliest: When | None = None,
            deadline: When | None = None,
            slack: Length | None = None,
            next_working_day: time | None = None,
            opening: Weekly | None = None,
            blackouts: Iterable[tuple[When, When] | Weekly | Days] = (),
            zone: str = "UTC",
            holidays: Iterable[date] = frozenset(),
            slack_fraction: float | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        validate(self, blackouts=listed(_blackout))
        zone_named(self.zone)
        check_slack(self.slack, self.slack_fraction)
        if self.next_working_day is not None and self.next_working_day.tzinfo is not None:
            raise BadInput(
                f"next_working_day {self.next_working_day} has a time zone; give that as zone"
            )

    def limits(self, now: datetime, duration: timedelta) -> tuple[datetime, datetime | None]:
        """Return the earliest start and the latest end, if there is one, of a job at `now`.

        Raises:
            BadInput: the end is not after the start.
        """
        first, last = self._limits(
            to_instant(read_known_moment(now, "now")), to_microseconds(duration)
        )
        return to_moment(first), None if last is None else to_moment(last)

    def allowed(
        self, now: datetime, duration: timedelta, horizon: datetime
    ) -> list[tuple[datetime, datetime]]:
        """Return the intervals before `horizon` in which a job may run, in order.

        Raises:
            BadInput: the end is not after the start.
        """
        spans = self.free(
            to_instant(read_known_moment(now, "now")),
            to_microseconds(duration),
            to_instant(utc(horizon, name="horizon")),
        )
        return [(to_moment(start), to_moment(end)) for start, end in spans]

    def free(self, now: int, duration: int, horizon: int) -> list[tuple[int, int]]:
        """Return `allowed` in microseconds since 1970; nothing from the year 2200 on."""
        first, last = self._limits(now, duration)
        end = min(horizon, to_instant(LAST))
        end = end if last is None else min(last, end)
        if end <= first:
            return []
        spans = [(first, end)] if self.opening is None else self.opening.spans(first, end)
        closed: list[tuple[int, int]] = []
        for each in self.blackouts:
            if isinstance(each, tuple):
                closed.append((to_instant(each[0]), to_instant(each[1])))
            else:
                closed.extend(each.spans(first, end))
        return _without(spans, merged(closed))

    def _limits(self, now: int, duration: int) -> tuple[int, int | None]:
        first = now if self.earliest is None else max(now, to_instant(self.earliest))
        ends = []
        if self.deadline is not None:
            ends.append(to_instant(self.deadline))
        if self.slack is not None:
            ends.append(first + duration + to_microseconds(self.slack))
        if self.slack_fraction is not None:
            if duration * self.slack_fraction > to_microseconds(LONGEST):
                raise BadInput(
                    f"a slack of {self.slack_fraction:g} of the duration, "
                    f"{duration / HOUR:g} h, is over a century; give less, or a time"
                )
            ends.append(first + duration + round(duration * self.slack_fraction))
        if self.next_working_day is not None:
            ends.append(
                next_working_day(self.zone, first, self.next_working_day, self.holidays)
            )
        last = min(ends, default=None)
        if last is not None:
            check_deadline(first, last)
        return first, last


def check_slack(slack: timedelta | None, slack_fraction: float | None) -> None:
    """Refuse two slacks.

    Raises:
        BadInput: both are given.
    """
    if slack is not None and slack_fraction is not None:
        raise BadInput("slack and slack_fraction are both given; give one")


def _blackout(each: object, name: str) -> tuple[datetime, datetime] | Weekly | Days:
    if isinstance(each, Weekly | Days):
        return each
    if not (isinstance(each, tuple | list) and len(each) == 2):
        refuse(each, name, "a pair of times, Weekly hours, or Days")
    start, end = (read_known_moment(moment, name) for moment in each)
    if end <= start:
        raise BadInput(
            f"{name}: a blackout from {format_time(start)} to {format_time(end)} does not end "
            "after it starts; give a later end"
        )
    return Span(start, end)


def _without(
    spans: list[tuple[int, int]], closed: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Return `spans` without `closed`; both sorted, neither with overlaps."""
    left = []
    for start, end in spans:
        for shut, reopen in closed:
            if shut >= end:
                break
            if reopen > start:
                if shut > start:
                    left.append((start, shut))
                start = reopen
        if start < end:
            left.append((start, end))
    return left
