"""A planning problem, kept in the plan so that it can be solved again as forecasts change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.regions import CandidateRegions
from gridtide.planning.problem.state import NOT_STARTED, JobState


@dataclass(frozen=True)
class PlanningProblem:
    """A job, where and when it may run, and the objective.

    Attributes:
        now: when the plan was requested.
        alternatives: how many other plans are wanted.
        state: state of the job then.
    """

    job: Job
    regions: CandidateRegions
    bounds: Bounds
    goal: Goal
    now: datetime
    alternatives: int = 3
    state: JobState = NOT_STARTED
