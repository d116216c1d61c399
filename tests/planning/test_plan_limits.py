"""Plans within a budget, under a threshold or for a smallest saving."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import NoFeasibleWindow
from gridtide.planning.decide.response import Code
from gridtide.planning.errors import NeverUnder, OverBudget
from gridtide.planning.planner import plan
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Cost, Job, Kind
from gridtide.planning.problem.objective import Goal, Objective, Quantile
from tests.examples import examples
from tests.planning.settings import CFE, HOUR, MINUTE, T0, Setting, at, settings
from tests.planning.test_plan import hourly, planned, value


def least_to(setting: Setting, work: int, end: int) -> Fraction | None:
    rates = sorted(rate for minute, rate in setting.rates.items() if minute < end)
    return sum(rates[:work], Fraction(0)) / 60 if len(rates) >= work else None


@examples(120)
@given(
    settings().filter(lambda w: bool(w.spans) and w.goal.objective is Objective.CARBON),
    st.integers(1, 6),
    st.integers(0, 12),
)
def test_a_budget_is_met_as_early_as_it_can_be(setting: Setting, work: int, grams: int) -> None:
    last = setting.spans[-1][1]
    goal = Goal(budget_grams=grams / 60)
    ends = [
        end
        for end in range(last + 1)
        if (cost := least_to(setting, work, end)) is not None and cost <= Fraction(grams, 60)
    ]
    job = Job(work * MINUTE, Kind.INTERRUPTIBLE)
    if not ends:
        assert planned(job, setting, last, goal) is None
        return
    found = planned(job, setting, last, goal)
    assert found is not None
    assert found.reason.code is Code.WITHIN_BUDGET
    assert value(found) <= grams / 60 + 1e-9
    # Between two minutes it may end sooner than the first whole one that will do.
    assert at(ends[0] - 1) < found.end <= at(ends[0])


def test_an_unbroken_job_within_a_budget_starts_where_its_sum_comes_down_to_it() -> None:
    # From 9 to 1 g/kWh over an hour: at half past, half of each, 5 g.
    found = plan(Job(HOUR), hourly(9, 1, 9), goal=Goal(budget_grams=5), now=T0)
    assert found.start == T0 + HOUR / 2
    assert found.grams == pytest.approx(5)
    assert "the earliest end within 5 g" in found.reason.sentence
    assert "With a budget under 5 g it would end later" in found.what_would_change


def test_a_budget_that_nothing_meets_says_the_least() -> None:
    with pytest.raises(
        OverBudget, match=r"emits 1 g, over the budget of 0.5 g; raise"
    ) as caught:
        plan(Job(HOUR), hourly(9, 1, 9), goal=Goal(budget_grams=0.5), now=T0)
    assert caught.value.extra["least_grams"] == pytest.approx(1)
    careful = Goal(budget_grams=0.5, quantile=Quantile.P90)
    outlook = Outlook(hourly(9, 1, 9), p90=hourly(9, 2, 9))
    with pytest.raises(OverBudget, match="emits 2 g by the p90 of its forecast, over the"):
        plan(Job(HOUR), outlook, goal=careful, now=T0)


def test_under_a_threshold_it_runs_as_early_as_it_can() -> None:
    goal = Goal(threshold=4)
    unbroken = plan(Job(2 * HOUR), hourly(3, 9, 4, 2, 1, 1), goal=goal, now=T0)
    assert (unbroken.start, unbroken.reason.code) == (T0 + 2 * HOUR, Code.UNDER_THRESHOLD)
    pausing = Job(2.5 * HOUR, Kind.INTERRUPTIBLE)
    found = plan(pausing, hourly(3, 9, 4, 2, 1, 1), goal=goal, now=T0)
    assert (found.start, found.end) == (T0, T0 + 3.5 * HOUR)
    clean = Goal(Objective.CFE, threshold=0.5)
    late = plan(Job(HOUR), hourly(0.4, 0.5, 0.9, signal=CFE), goal=clean, now=T0)
    assert late.start == T0 + HOUR


def test_never_under_the_threshold_is_not_no_window_at_all() -> None:
    with pytest.raises(NeverUnder, match="is over 2 gCO2e/kWh for too much of the time"):
        plan(Job(2 * HOUR), hourly(3, 1, 3), goal=Goal(threshold=2), now=T0)
    with pytest.raises(NoFeasibleWindow, match="no unbroken run of 5 h") as caught:
        plan(Job(5 * HOUR), hourly(3, 1, 3), goal=Goal(threshold=2), now=T0)
    assert not isinstance(caught.value, NeverUnder)


def test_a_saving_too_small_to_wait_for_runs_at_once() -> None:
    series = hourly(10, 9, 8, 12)
    waits = plan(Job(HOUR), series, goal=Goal(min_saving=0.2), now=T0)
    assert (waits.start, waits.saving_now) == (T0 + 2 * HOUR, pytest.approx(0.2))
    runs = plan(Job(HOUR), series, goal=Goal(min_saving=0.21), now=T0)
    assert (runs.start, runs.reason.code) == (T0, Code.SAVING_TOO_SMALL)
    assert "waiting would save 20.0%, less than 21.0%" in runs.reason.sentence
    assert runs.alternatives[0].start == T0 + 2 * HOUR


def test_segments_within_a_budget_end_at_the_edge_of_a_slot() -> None:
    job = Job(2 * HOUR, Kind.SEGMENTS, restart_cost=Cost(0.5))
    found = plan(job, hourly(3, 9, 2, 1, 1), goal=Goal(budget_grams=6), now=T0)
    # By 03:00 the first and the third hour and a restart at 2 g come to just 6 g.
    assert (found.end, found.grams) == (T0 + 3 * HOUR, pytest.approx(6))
