"""Jobs that come back, as JSON, and the bounds of the next time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from gridtide.errors import BadInput
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.recurrence import Recurring
from gridtide.schema.decoding import Member, Shape
from gridtide.schema.forms import HOURS, NUMBER, TEXT
from gridtide.schema.jobs import in_hours

Json = dict[str, Any]
DAY = timedelta(days=1)
# A day of February 29 comes back after eight years at most; days looked at in one go.
GOES = (1, 8, 64, 512, 4096)


def _recurring(
    cron: str,
    slack_hours: timedelta | None = None,
    slack_fraction: float | None = None,
    zone: str = "UTC",
) -> Recurring:
    if (slack_hours is None) == (slack_fraction is None):
        raise BadInput("recurring: give one of slack_hours and slack_fraction")
    return Recurring(cron, slack_hours, zone, slack_fraction)


RECURRING: Shape[Recurring] = Shape(
    "Recurring",
    "When a job comes back: the plan is that of the next time.",
    {
        "cron": Member(TEXT, "minute, hour, day of month, month, day of week", required=True),
        "slack_hours": Member(HOURS, "each time it has ended by its start + hours + this"),
        "slack_fraction": Member(NUMBER, "the same, as a fraction of its hours"),
        "zone": Member(TEXT, "time zone of cron; left out: UTC"),
    },
    _recurring,
)
SHAPES = (RECURRING,)


def recurring_to_json(recurring: Recurring) -> Json:
    """The JSON object of when a job comes back; what is as by default is left out."""
    wire: Json = {"cron": recurring.cron}
    if recurring.slack is not None:
        wire["slack_hours"] = in_hours(recurring.slack)
    else:
        wire["slack_fraction"] = recurring.slack_fraction
    if recurring.zone != "UTC":
        wire["zone"] = recurring.zone
    return wire


def bounds_at(
    recurring: Recurring | None, bounds: Bounds | None, now: datetime
) -> Bounds | None:
    """The bounds of a job asked for at `now`: of the next time, if it comes back.

    That is the first at which `bounds` allow a start.

    Raises:
        BadInput: both have a slack, or there is no such time.
    """
    if recurring is None:
        return bounds
    bounds = bounds or Bounds()
    if not (bounds.slack is None and bounds.slack_fraction is None):
        raise BadInput("recurring has a slack of its own; leave that of the bounds out")
    after = now if bounds.earliest is None else max(now, bounds.earliest)
    for days in GOES:
        if found := recurring.occurrences(after, after + days * DAY):
            return replace(
                bounds,
                earliest=found[0],
                slack=recurring.slack,
                slack_fraction=recurring.slack_fraction,
            )
    raise BadInput(f"cron {recurring.cron!r} names no day in the next {GOES[-1]} days")
