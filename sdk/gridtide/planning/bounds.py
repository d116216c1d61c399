"""When a job may run: from when, until when, and at which hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from gridtide.errors import BadInput
from gridtide.model import format_time, utc
from gridtide.planning.job import HOUR
from gridtide.planning.sizes import FIRST, LARGEST, LAST, LONGEST
from gridtide.planning.wallclock import zone_named
from gridtide.planning.weekly import Days, Weekly, merged, next_working_day
from gridtide.runs import to_instant, to_microseconds, to_moment


@dataclass(frozen=True)
class Bounds:
    """What a plan must keep to; of several ends the first holds.

    Attributes:
        earliest: not before; without it, now.
        deadline: the job has ended by then.
        slack: the job has ended by its earliest start + duration + slack; a number is a
            fraction of the duration.
        next_working_day: the job has ended by this time of `zone` on the first Monday to Friday
            after the day of its earliest start, `holidays` left out.
        opening: hours at which it may run; without it, all.
        blackouts: when it must not run: pairs of times, weekly hours, or whole days.
        zone: IANA name of the time zone that `next_working_day` is in.

    Raises:
        BadInput: a naive time, a negative slack, or bounds that contradict each other.
    """

    earliest: datetime | None = None
    deadline: datetime | None = None
    slack: timedelta | float | None = None
    next_working_day: time | None = None
    opening: Weekly | None = None
    blackouts: tuple[tuple[datetime, datetime] | Weekly | Days, ...] = ()
    zone: str = "UTC"
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "blackouts", tuple(self.blackouts))
        object.__setattr__(self, "holidays", frozenset(self.holidays))
        for name in ("earliest", "deadline"):
            if (moment := getattr(self, name)) is not None:
                object.__setattr__(self, name, _known(moment, name))
        zone_named(self.zone)
        if isinstance(self.slack, timedelta):
            fits = timedelta(0) <= self.slack <= LONGEST
        else:
            fits = self.slack is None or 0 <= self.slack <= LARGEST
        if not fits:
            raise BadInput(
                f"slack is {self.slack}; give 0 or more, as a time or as a fraction of the "
                f"duration, to {LONGEST} or {LARGEST:g}"
            )
        if self.next_working_day is not None and self.next_working_day.tzinfo is not None:
            raise BadInput(
                f"next_working_day {self.next_working_day} has a time zone; give that as zone"
            )
        for each in self.blackouts:
            if isinstance(each, tuple):
                start, end = (_known(moment, "blackout") for moment in each)
                if end <= start:
                    raise BadInput(
                        f"a blackout from {format_time(start)} to {format_time(end)} does not "
                        "end after it starts"
                    )

    def limits(self, now: datetime, duration: timedelta) -> tuple[datetime, datetime | None]:
        """The earliest start and the latest end, if there is one, for a job asked for at `now`.

        Raises:
            BadInput: the end is not after the start.
        """
        first, last = self._limits(to_instant(utc(now, name="now")), to_microseconds(duration))
        return to_moment(first), None if last is None else to_moment(last)

    def allowed(
        self, now: datetime, duration: timedelta, horizon: datetime
    ) -> list[tuple[datetime, datetime]]:
        """The stretches before `horizon` in which a job asked for at `now` may run, in order.

        Raises:
            BadInput: the end is not after the start.
        """
        spans = self.free(
            to_instant(utc(now, name="now")),
            to_microseconds(duration),
            to_instant(utc(horizon, name="horizon")),
        )
        return [(to_moment(start), to_moment(end)) for start, end in spans]

    def free(self, now: int, duration: int, horizon: int) -> list[tuple[int, int]]:
        """`allowed` in microseconds since 1970."""
        first, last = self._limits(now, duration)
        end = horizon if last is None else min(last, horizon)
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
        if isinstance(self.slack, timedelta):
            ends.append(first + duration + to_microseconds(self.slack))
        elif self.slack is not None:
            if duration * self.slack > to_microseconds(LONGEST):
                raise BadInput(
                    f"a slack of {self.slack:g} of the duration, {duration / HOUR:g} h, is "
                    "over a century; give less, or a time"
                )
            ends.append(first + duration + round(duration * self.slack))
        if self.next_working_day is not None:
            ends.append(
                next_working_day(self.zone, first, self.next_working_day, self.holidays)
            )
        last = min(ends, default=None)
        if last is not None and last <= first:
            raise BadInput(
                f"deadline before start: {format_time(to_moment(last))} is not after the "
                f"earliest start {format_time(to_moment(first))}; the deadline is when the job "
                "must have ended"
            )
        return first, last


def _known(moment: datetime, name: str) -> datetime:
    moment = utc(moment, name=name)
    if not FIRST <= moment < LAST:
        raise BadInput(f"{name} {format_time(moment)} lies outside 1970 to 2199")
    return moment


def _without(
    spans: list[tuple[int, int]], closed: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """`spans` less `closed`; both sorted, neither with overlaps."""
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
