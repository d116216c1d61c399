"""Plans for real jobs: unbroken, pausing, in pieces or elastic; over time and places. Pure.

    from gridtide.planning import Bounds, Job, Kind, plan

    plan(Job(timedelta(hours=8), Kind.INTERRUPTIBLE), series, Bounds(slack=12), now=now)

Nothing is loaded before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridtide.planning.answer import Alternative, Code, Plan, PlannedSlot, Reason
    from gridtide.planning.batch import BatchPlan, Request, plan_batch
    from gridtide.planning.bounds import Bounds
    from gridtide.planning.choose import plan
    from gridtide.planning.crowd import Cap
    from gridtide.planning.elasticity import Elastic
    from gridtide.planning.goal import Aim, CostSeries, Goal, Quantile
    from gridtide.planning.job import Cost, Job, Kind, PowerProfile
    from gridtide.planning.outlook import Outlook
    from gridtide.planning.places import Moves, Place, Places
    from gridtide.planning.progress import Progress
    from gridtide.planning.recurring import Recurring
    from gridtide.planning.replanning import replan
    from gridtide.planning.weekly import Days, Weekly

_FROM = {
    "answer": ("Alternative", "Code", "Plan", "PlannedSlot", "Reason"),
    "batch": ("BatchPlan", "Request", "plan_batch"),
    "bounds": ("Bounds",),
    "choose": ("plan",),
    "crowd": ("Cap",),
    "elasticity": ("Elastic",),
    "goal": ("Aim", "CostSeries", "Goal", "Quantile"),
    "job": ("Cost", "Job", "Kind", "PowerProfile"),
    "outlook": ("Outlook",),
    "places": ("Moves", "Place", "Places"),
    "progress": ("Progress",),
    "recurring": ("Recurring",),
    "replanning": ("replan",),
    "weekly": ("Days", "Weekly"),
}
_HOME = {name: module for module, names in _FROM.items() for name in names}

__all__ = [
    "Aim",
    "Alternative",
    "BatchPlan",
    "Bounds",
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
    "Outlook",
    "Place",
    "Places",
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
        """A public name, loaded on first use."""
        if name not in _HOME:
            raise AttributeError(f"module 'gridtide.planning' has no attribute {name!r}")
        value: object = getattr(import_module(f"gridtide.planning.{_HOME[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
