"""Bounds as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from gridtide.errors import BadInput
from gridtide.model import format_time
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.opening_hours import DAYS, Days, Weekly
from gridtide.schema.decoding import Member, Shape, define_shape
from gridtide.schema.forms import CLOCK, DATE, MOMENT, TEXT, Form, either, list_of

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


_READ_BLACKOUT: Form[tuple[datetime, datetime] | Weekly | Days] = either(
    (_is("hours"), WEEKLY.form),
    (_is("first"), DAY_RANGE.form),
    (lambda value: isinstance(value, Mapping), SPAN.form),
    what="an object with start and end, zone and hours, or zone, first and last",
)


def _write_blackout(each: tuple[datetime, datetime] | Weekly | Days) -> Json:
    if isinstance(each, Weekly):
        return _write_weekly(each)
    if isinstance(each, Days):
        first, last = each.first.isoformat(), each.last.isoformat()
        return {"zone": each.zone, "first": first, "last": last}
    start, end = each
    return {"start": format_time(start), "end": format_time(end)}


def _write_weekly(weekly: Weekly) -> Json:
    """Each day's hours; those longer than a day are written as two."""
    found: dict[int, list[str]] = {}
    for day, pairs in sorted(weekly.hours.items()):
        for start, end in pairs:
            if end - start <= DAY:
                found.setdefault(day, []).append(_pair(start, end))
            else:
                found.setdefault(day, []).append(_pair(start, DAY))
                found.setdefault((day + 1) % 7, []).append(_pair(0, end - DAY))
    days = [f"{DAYS[day]} {','.join(pairs)}" for day, pairs in found.items()]
    return {"zone": weekly.zone, "hours": "; ".join(days)}


def _pair(start: int, end: int) -> str:
    end = end if end <= DAY else end - DAY
    return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"


_DATES = list_of(DATE, MOST_BLACKOUTS)
_BLACKOUT = Form(_READ_BLACKOUT.read, _READ_BLACKOUT.schema, _write_blackout)


def _bounds(
    slack: timedelta | None = None,
    slack_fraction: float | None = None,
    **fields: Any,  # noqa: ANN401  # of Bounds
) -> Bounds:
    if slack is not None and slack_fraction is not None:
        raise BadInput("bounds: slack_hours and slack_fraction are both given; give one")
    return Bounds(slack=slack, slack_fraction=slack_fraction, **fields)


BOUNDS = define_shape(
    Bounds,
    {
        "next_working_day": CLOCK,
        "opening": Form(WEEKLY.read, WEEKLY.form.schema, _write_weekly),
        "blackouts": list_of(_BLACKOUT, MOST_BLACKOUTS),
        "holidays": Form(
            _DATES.read, _DATES.schema, lambda days: [day.isoformat() for day in sorted(days)]
        ),
    },
    make=_bounds,
)
SHAPES = (BOUNDS, WEEKLY, DAY_RANGE, SPAN)
