"""The earliest plan within a limit against every end there is."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import NoFeasibleWindow
from gridtide.planning.problem.job import Cost, Job, Kind
from gridtide.planning.solvers.solution import Solution
from gridtide.planning.solvers.solve import earliest, solve
from tests.examples import examples
from tests.planning.settings import MINUTE, POWER, Setting, settings, us

JOBS = [
    {"kind": Kind.UNBROKEN},
    {"kind": Kind.INTERRUPTIBLE},
    {"kind": Kind.SEGMENTS, "restart_cost": Cost(0.5)},
    {"kind": Kind.SEGMENTS, "min_segment": MINUTE, "max_segments": 2},
]


def by_trying(setting: Setting, job: Job, limit: float, ends: list[int]) -> Solution | None:
    """The best plan by the first of `ends` by which there is one within the limit."""
    for end in ends:
        try:
            found = solve(setting.curve.before(end), job)
        except NoFeasibleWindow:
            continue
        if found.cost <= limit + 1e-9:
            return found
    return None


@examples(300)
@given(
    settings().filter(lambda setting: setting.rates),
    st.integers(1, 6),
    st.sampled_from(JOBS),
    st.integers(0, 9),
)
def test_no_earlier_end_keeps_to_the_limit(
    setting: Setting, work: int, members: dict[str, Any], which: int
) -> None:
    job = Job(work * MINUTE, power=POWER, **members)
    edges = sorted(set(setting.curve.intervals.ends))
    by_slots = job.kind is Kind.SEGMENTS
    ends = edges if by_slots else [us(minute) for minute in range(1, 15)]
    # A limit that some end just keeps to.
    costs = sorted(
        {found.cost for end in edges if (found := by_trying(setting, job, inf, [end]))}
    )
    limit = costs[which % len(costs)] if costs else 0.0
    expected = by_trying(setting, job, limit, ends)
    try:
        found = earliest(setting.curve, job, limit)
    except NoFeasibleWindow:
        assert expected is None
        return
    assert expected is not None
    if by_slots:
        assert (found.cost, found.end) == (pytest.approx(expected.cost), expected.end)
    else:
        # To the microsecond it is no later than to the minute, and less than one before.
        assert expected.end - 60_000_000 < found.end <= expected.end
