"""Carbon-aware scheduling: shift jobs in time and between regions. Pure.

    from gridtide.planning import Bounds, Job, Kind, plan

    plan(Job(timedelta(hours=8), Kind.INTERRUPTIBLE), series, Bounds(slack=12), now=now)

Modules are loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridtide.planning.batch.capacity import Cap
    from gridtide.planning.batch.schedule import BatchPlan, Request, plan_batch
    from gridtide.planning.decide.response import Alternative, Code, Plan, PlannedSlot, Reason
    from gridtide.planning.planner import plan
    from gridtide.planning.problem.bounds import Bounds
    from gridtide.planning.problem.costs import CostSeries
    from gridtide.planning.problem.forecast import Outlook
    from gridtide.planning.problem.job import Cost, Job, Kind, PowerProfile
    from gridtide.planning.problem.objective import Goal, Objective, Quantile
    from gridtide.planning.problem.opening_hours import Days, Weekly
    from gridtide.planning.problem.recurrence import Recurring
    from gridtide.planning.problem.regions import CandidateRegion, CandidateRegions, Moves
    from gridtide.planning.problem.scaling import Elastic
    from gridtide.planning.problem.state import Progress
    from gridtide.planning.replanner import replan

_FROM = {
    "decide.response": ("Alternative", "Code", "Plan", "PlannedSlot", "Reason"),
    "batch.schedule": ("BatchPlan", "Request", "plan_batch"),
    "problem.bounds": ("Bounds",),
    "planner": ("plan",),
    "batch.capacity": ("Cap",),
    "problem.scaling": ("Elastic",),
    "problem.costs": ("CostSeries",),
    "problem.objective": ("Objective", "Goal", "Quantile"),
    "problem.job": ("Cost", "Job", "Kind", "PowerProfile"),
    "problem.forecast": ("Outlook",),
    "problem.regions": ("Moves", "CandidateRegion", "CandidateRegions"),
    "problem.state": ("Progress",),
    "problem.recurrence": ("Recurring",),
    "replanner": ("replan",),
    "problem.opening_hours": ("Days", "Weekly"),
}
_HOME = {name: module for module, names in _FROM.items() for name in names}

__all__ = [
    "Alternative",
    "BatchPlan",
    "Bounds",
    "CandidateRegion",
    "CandidateRegions",
    "Cap",
    "Code",
    "Cost",
    "CostSeries",
    "Days",
    "Elastic",
    "Goal",
    "Job",
    "Kind",
    "Moves",
    "Objective",
    "Outlook",
    "Plan",
    "PlannedSlot",
    "PowerProfile",
    "Progress",
    "Quantile",
    "Reason",
    "Recurring",
    "Request",
    "Weekly",
    "plan",
    "plan_batch",
    "replan",
]


if not TYPE_CHECKING:  # else any name at all would pass a type checker

    def __getattr__(name: str) -> object:
        """Load a public name on first use."""
        if name not in _HOME:
            raise AttributeError(f"module 'gridtide.planning' has no attribute {name!r}")
        value: object = getattr(import_module(f"gridtide.planning.{_HOME[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
