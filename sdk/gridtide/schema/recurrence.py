"""Jobs that come back, as JSON, and the bounds of the next time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from gridtide.errors import BadInput
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.recurrence import Recurring
from gridtide.schema.decoding import define_shape

DAY = timedelta(days=1)
# A day of February 29 comes back after eight years at most; days looked at in one go.
GOES = (1, 8, 64, 512, 4096)


def _recurring(
    cron: str,
    slack: timedelta | None = None,
    slack_fraction: float | None = None,
    zone: str = "UTC",
) -> Recurring:
    if (slack is None) == (slack_fraction is None):
        raise BadInput("recurring: give one of slack_hours and slack_fraction")
    return Recurring(cron, slack, zone, slack_fraction)


RECURRING = define_shape(Recurring, make=_recurring)
SHAPES = (RECURRING,)


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
