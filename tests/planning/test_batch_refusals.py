"""Batches that are refused, in part or as a whole, and what the message says."""

from __future__ import annotations

import sys
from datetime import timedelta

import pytest

from gridtide.errors import BadInput, NoCommonSignal, NoFeasibleWindow
from gridtide.model import Series
from gridtide.planning.batch.capacity import Cap
from gridtide.planning.batch.schedule import Request, plan_batch
from gridtide.planning.errors import NoScheduleFound
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Job, Kind, PowerProfile
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.regions import CandidateRegion, CandidateRegions, Moves
from gridtide.planning.problem.scaling import Elastic
from tests.planning.settings import CFE, HOUR, T0
from tests.planning.test_batch import hourly, one


def test_without_a_solver_it_says_so_and_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    found = plan_batch([one((1, 2, 3))] * 2, {"DE": Cap(jobs=1)}, now=T0)
    assert (found.total, found.least, found.exact) == (
        pytest.approx(3),
        pytest.approx(2),
        False,
    )
    assert (
        "no solver is installed; for a closer bound pip install 'gridtide[lp]', from a clone"
        in found.sentence
    )
    alone = plan_batch([one((1, 2, 3))], {"DE": Cap(jobs=1)}, now=T0)
    assert alone.exact
    assert alone.sentence.endswith("each job has the plan it would have alone.")


def test_a_job_above_the_cap_on_power_is_refused() -> None:
    job = Request(Job(HOUR, power=2.0), hourly(1, 2))
    with pytest.raises(NoFeasibleWindow, match="raise a cap"):
        plan_batch([job], {"DE": Cap(kw=1)}, now=T0)


def test_what_cannot_be_planned_together_is_refused_with_what_to_do() -> None:
    with pytest.raises(BadInput, match="the batch has no job"):
        plan_batch([], {}, now=T0)
    with pytest.raises(BadInput, match="caps: 'de' must be one of the regions DE; did you"):
        plan_batch([one((1, 2))], {"de": Cap(jobs=1)}, now=T0)
    with pytest.raises(BadInput, match="drop the budget"):
        plan_batch([one((1, 2))], {}, Goal(budget_grams=5), now=T0)
    follow = CandidateRegions((CandidateRegion("DE", Outlook(hourly(1))),), moves=Moves.FOLLOW)
    with pytest.raises(BadInput, match="use moves 'one'"):
        plan_batch([Request(Job(HOUR), follow)], {}, now=T0)
    free = Request(Job(HOUR), Series.regular("FR", CFE, T0, HOUR, [0.5]))
    with pytest.raises(NoCommonSignal, match="several signals"):
        plan_batch([one((1, 2)), free], {}, now=T0)
    with pytest.raises(NoFeasibleWindow, match="job 2: DE: no unbroken run of 5 h"):
        plan_batch([one((1, 2)), one((1, 2), Kind.UNBROKEN, 5)], {}, now=T0)
    with pytest.raises(
        NoFeasibleWindow, match="the caps leave too little capacity for all jobs"
    ):
        plan_batch([one((1, 2))] * 3, {"DE": Cap(jobs=1)}, now=T0)
    middle = Request(
        Job(HOUR), hourly(1, 2, 3), Bounds(earliest=T0 + HOUR, deadline=T0 + 2 * HOUR)
    )
    with pytest.raises(NoFeasibleWindow, match="too little capacity for all jobs"):
        plan_batch([one((1, 2, 3), Kind.UNBROKEN, 2), middle], {"DE": Cap(jobs=1)}, now=T0)
    with pytest.raises(BadInput, match="give 1 or more"):
        Cap(jobs=0)
    with pytest.raises(BadInput, match="give more than 0"):
        Cap(kw=0)


def test_a_batch_too_large_for_the_solver_is_placed_one_by_one_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gridtide.planning.solvers.highs.MOST_VARIABLES", 3)
    found = plan_batch([one([1, 2]), one([1, 2])], {"DE": Cap(jobs=1)}, now=T0)
    assert (found.method, found.exact, found.total, found.least) == ("one by one", False, 3, 2)
    assert "more than 3 variables; give a nearer deadline, fewer jobs" in found.sentence


def test_a_cap_below_one_worker_is_no_schedule() -> None:
    job = Job(6 * HOUR, Kind.ELASTIC, workers=Elastic(4, ramp=1))
    with pytest.raises((NoFeasibleWindow, NoScheduleFound)):
        plan_batch([Request(job, hourly(*[300] * 16))], {"DE": Cap(kw=0.5)}, now=T0)


def test_jobs_of_segments_without_room_are_refused() -> None:
    job = Job(2 * HOUR, Kind.SEGMENTS, min_segment=HOUR)
    requested = [Request(job, hourly(*[300] * 8), Bounds(slack=HOUR))] * 2
    with pytest.raises((NoFeasibleWindow, NoScheduleFound)):
        plan_batch(requested, {"DE": Cap(jobs=1)}, now=T0 + timedelta(minutes=3))


@pytest.mark.parametrize("count", [1, 2])
def test_jobs_without_a_start_on_the_grid_are_placed_or_refused(count: int) -> None:
    # From 00:15 on there is room for one whole slot: a programme on slots has no variable.
    profile = PowerProfile(((HOUR, 1.0), (HOUR, 2.0)))
    late = Bounds(earliest=T0 + HOUR / 4, deadline=T0 + 2.25 * HOUR)
    jobs = [Request(Job(2 * HOUR, power=profile), hourly(100, 200, 300), late)] * count
    if count == 2:
        with pytest.raises(NoFeasibleWindow):
            plan_batch(jobs, {"DE": Cap(jobs=1)}, now=T0)
        return
    found = plan_batch(jobs, {"DE": Cap(jobs=1)}, now=T0)
    assert (found.exact, found.plans[0].start) == (True, T0 + HOUR / 4)
