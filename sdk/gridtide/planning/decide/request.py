"""What a plan was asked for, kept so that it can be asked again as forecasts change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.regions import Places
from gridtide.planning.solvers.overheads import FRESH, Standing


@dataclass(frozen=True)
class Question:
    """A job, where and when it may run, and what the plan is to reach.

    Attributes:
        now: when it was asked.
        alternatives: how many other plans are wanted.
        standing: where the job stood then.
    """

    job: Job
    places: Places
    bounds: Bounds
    goal: Goal
    now: datetime
    alternatives: int = 3
    standing: Standing = FRESH
