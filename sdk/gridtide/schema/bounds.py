"""Bounds as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from gridtide.errors import BadInput
from gridtide.model import format_time
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.opening_hours import DAYS, Days, Weekly
from gridtide.schema.decoding import Member, Shape
from gridtide.schema.forms import (
    CLOCK,
    DATE,
    HOURS,
    MOMENT,
    NUMBER,
    TEXT,
    Form,
    either,
    list_of,
)
from gridtide.schema.jobs import in_hours

Json = dict[str, Any]
DAY = 1440  # minutes
MOST_BLACKOUTS = 1000


def _span(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    return start, end


_ZONE = Member(TEXT, "IANA name of the time zone, e.g. Europe/Berlin", required=True)
WEEKLY = Shape(
    "Weekly",
    "Hours that come back every week, on the clock of a time zone.",
    {
        "zone": _ZONE,
        "hours": Member(TEXT, "e.g. Mon-Fri 08:00-18:00; Sat 22:00-06:00", required=True),
    },
    lambda zone, hours: Weekly.parse(zone, hours),
)
DAY_RANGE = Shape(
    "DayRange",
    "Whole days, first and last included.",
    {
        "zone": _ZONE,
        "first": Member(DATE, "the first day", required=True),
        "last": Member(DATE, "the last day", required=True),
    },
    Days,
)
SPAN = Shape(
    "Span",
    "From start to before end.",
    {
        "start": Member(MOMENT, "the start", required=True),
        "end": Member(MOMENT, "the end", required=True),
    },
    _span,
)


def _is(name: str) -> Any:  # noqa: ANN401  # a test of a JSON value
    return lambda value: isinstance(value, Mapping) and name in value


BLACKOUT: Form[tuple[datetime, datetime] | Weekly | Days] = either(
    (_is("hours"), WEEKLY.form),
    (_is("first"), DAY_RANGE.form),
    (lambda value: isinstance(value, Mapping), SPAN.form),
    what="an object with start and end, zone and hours, or zone, first and last",
)


def _bounds(
    slack_hours: timedelta | None = None,
    slack_fraction: float | None = None,
    **members: Any,  # noqa: ANN401  # as in BOUNDS
) -> Bounds:
    if slack_hours is not None and slack_fraction is not None:
        raise BadInput("bounds: slack_hours and slack_fraction are both given; give one")
    return Bounds(slack=slack_hours, slack_fraction=slack_fraction, **members)


BOUNDS: Shape[Bounds] = Shape(
    "Bounds",
    "When the job may run; of several ends the first holds.",
    {
        "earliest": Member(MOMENT, "not before this moment; left out, or past: now"),
        "deadline": Member(MOMENT, "the job has ended by this moment"),
        "slack_hours": Member(HOURS, "it has ended by earliest start + hours + this"),
        "slack_fraction": Member(NUMBER, "the same, as a fraction of its hours"),
        "next_working_day": Member(
            CLOCK, "it has ended by this time of zone on the next working day"
        ),
        "opening": Member(WEEKLY.form, "hours at which it may run; left out: all"),
        "blackouts": Member(
            list_of(BLACKOUT, MOST_BLACKOUTS), "when it must not run: spans, hours or days"
        ),
        "zone": Member(TEXT, "time zone of next_working_day; left out: UTC"),
        "holidays": Member(list_of(DATE, MOST_BLACKOUTS), "days that are no working days"),
    },
    _bounds,
)
SHAPES = (BOUNDS, WEEKLY, DAY_RANGE, SPAN)


def bounds_from_json(wire: object, where: str = "bounds") -> Bounds:
    """The bounds of a JSON object.

    Raises:
        BadInput: a member unknown or out of range, or bounds in contradiction.
    """
    return BOUNDS.read(wire, where)


def bounds_to_json(bounds: Bounds) -> Json:
    """The JSON object of bounds; what is as by default is left out."""
    wire: Json = {}
    if bounds.earliest is not None:
        wire["earliest"] = format_time(bounds.earliest)
    if bounds.deadline is not None:
        wire["deadline"] = format_time(bounds.deadline)
    if bounds.slack is not None:
        wire["slack_hours"] = in_hours(bounds.slack)
    if bounds.slack_fraction is not None:
        wire["slack_fraction"] = bounds.slack_fraction
    if bounds.next_working_day is not None:
        wire["next_working_day"] = _clock(bounds.next_working_day)
    if bounds.opening is not None:
        wire["opening"] = _weekly(bounds.opening)
    if bounds.blackouts:
        wire["blackouts"] = [_blackout(each) for each in bounds.blackouts]
    if bounds.zone != "UTC":
        wire["zone"] = bounds.zone
    if bounds.holidays:
        wire["holidays"] = [day.isoformat() for day in sorted(bounds.holidays)]
    return wire


def _blackout(each: tuple[datetime, datetime] | Weekly | Days) -> Json:
    if isinstance(each, Weekly):
        return _weekly(each)
    if isinstance(each, Days):
        first, last = each.first.isoformat(), each.last.isoformat()
        return {"zone": each.zone, "first": first, "last": last}
    start, end = each
    return {"start": format_time(start), "end": format_time(end)}


def _weekly(weekly: Weekly) -> Json:
    """Each day's hours; those longer than a day are told as two."""
    told: dict[int, list[str]] = {}
    for day, pairs in sorted(weekly.hours.items()):
        for start, end in pairs:
            if end - start <= DAY:
                told.setdefault(day, []).append(_pair(start, end))
            else:
                told.setdefault(day, []).append(_pair(start, DAY))
                told.setdefault((day + 1) % 7, []).append(_pair(0, end - DAY))
    days = [f"{DAYS[day]} {','.join(pairs)}" for day, pairs in told.items()]
    return {"zone": weekly.zone, "hours": "; ".join(days)}


def _pair(start: int, end: int) -> str:
    end = end if end <= DAY else end - DAY
    return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"


def _clock(at: time) -> str:
    return at.isoformat("minutes") if (at.second, at.microsecond) == (0, 0) else at.isoformat()
