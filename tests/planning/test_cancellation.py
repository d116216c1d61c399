"""Whoever waits for a plan can end the work on it, and changes nothing else by looking."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gridtide.model import Series, Signal
from gridtide.planning import Bounds, CandidateRegion, CandidateRegions, Cost, Job, Kind, plan
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.solvers.cancellation import cancellable, check_cancelled
from tests.planning.settings import T0

HOUR = timedelta(hours=1)
SLOTS = 48
RESTART = {"restart_cost": Cost(0.3)}


class Enough(BaseException):
    """No planner takes it for an error of its own."""


def series(zone: str, odd: int = 0) -> Series:
    """Two days that go up and down."""
    values = [float(100 + (i * 37 + odd) % 90) for i in range(SLOTS)]
    return Series.regular(zone, Signal.CI_LIFECYCLE_CONSUMED, T0, HOUR, values)


def following() -> CandidateRegions:
    places = tuple(
        CandidateRegion(zone, Outlook(series(zone, i))) for i, zone in enumerate("AB")
    )
    return CandidateRegions(
        places, current_region="A", data_gb=1, kwh_per_gb=0.1, moves="follow"
    )  # type: ignore[arg-type]  # the test passes what the type refuses


# A job, where it may run, and how often its planner looks at the least: `rows` at each slot,
# `limits` at each point between slots, `sparse` at each way it follows.
CASES = {
    "unbroken": (Job(4 * HOUR), series("A"), 1),
    "rows": (Job(4 * HOUR, Kind.SEGMENTS, **RESTART), series("A"), SLOTS),  # type: ignore[arg-type]  # the test passes what the type refuses
    "limits": (
        Job(6 * HOUR, Kind.SEGMENTS, min_segment=2 * HOUR, **RESTART),
        series("A"),
        SLOTS,
    ),  # type: ignore[arg-type]  # the test passes what the type refuses
    "sparse": (Job(4 * HOUR, Kind.INTERRUPTIBLE), following(), SLOTS),
}


@pytest.mark.parametrize("name", CASES)
def test_a_planner_checks_as_it_goes_and_ends_when_cancelled(name: str) -> None:
    job, where, least = CASES[name]
    looks = 0

    def count() -> None:
        nonlocal looks
        looks += 1

    def ask() -> object:
        return plan(job, where, Bounds(), now=T0, alternatives=0)  # type: ignore[arg-type]  # the test passes what the type refuses

    alone = ask()
    with cancellable(count):
        assert ask() == alone
    assert looks >= least

    def enough() -> None:
        nonlocal looks
        looks -= 1
        if looks == 0:
            raise Enough

    with cancellable(enough), pytest.raises(Enough):
        ask()
    # Nobody looks any more.
    assert ask() == alone


def test_a_check_within_a_check_is_the_inner_one_until_it_ends() -> None:
    seen: list[str] = []
    with cancellable(lambda: seen.append("outer")):
        with cancellable(lambda: seen.append("inner")):
            check_cancelled()
        check_cancelled()
    check_cancelled()
    assert seen == ["inner", "outer"]
