"""The planning problem: job, bounds, objective, regions, forecast and job state.

Limits of input values stand here, so that sums stay finite and within the calendar.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# What is larger is a unit or a typing mistake, and products of it must not overflow; what is
# divided by must not be smaller than one over it.
LARGEST = 1e15
SMALLEST = 1 / LARGEST
# Over a century: ten thousand of them are still a `timedelta`.
LONGEST = timedelta(hours=1_000_000)
# No grid data lies outside, and sums of times inside cannot overflow.
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
