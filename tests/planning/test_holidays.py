"""A calendar of the package holidays says which days are not working days."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import holidays

from gridtide.model import Series, Signal
from gridtide.planning import Bounds, Job, plan

HOUR = timedelta(hours=1)


def test_a_deadline_on_the_next_working_day_leaves_out_public_holidays() -> None:
    # Thursday before Easter 2026: Good Friday is 3 April, Easter Monday the 6th. The next
    # working day is Tuesday the 7th; 09:00 in Berlin is 07:00 UTC.
    noon = datetime(2026, 4, 2, 12, tzinfo=UTC)
    cleaner_and_cleaner = [float(200 - i) for i in range(168)]
    series = Series.regular("DE", Signal.CI_LIFECYCLE_CONSUMED, noon, HOUR, cleaner_and_cleaner)
    calendar = holidays.country_holidays("DE", years=2026)
    for days, day in ((calendar, 7), (frozenset(), 3)):
        bounds = Bounds(next_working_day=time(9), zone="Europe/Berlin", holidays=days)
        assert plan(Job(2), series, bounds, now=noon).end == datetime(
            2026, 4, day, 7, tzinfo=UTC
        )
