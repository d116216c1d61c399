"""`plan`: when and where a job should run, and why. Pure: the clock is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from gridtide.model import Series, Signal, When
from gridtide.planning.decide.candidates import decide
from gridtide.planning.decide.explain import explain
from gridtide.planning.decide.response import Plan
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Goal, Objective
from gridtide.planning.problem.regions import CandidateRegion, CandidateRegions
from gridtide.planning.problem.state import PlanningProblem
from gridtide.schema.validate import read_known_moment
from gridtide.slots import EPOCH
from gridtide.values import instance_of, optional, read_whole, refuse

FIVE_MINUTES = timedelta(minutes=5)

Where = Series | Outlook | Mapping[str, Series | Outlook] | CandidateRegions


def plan(
    job: Job,
    where: Where,
    bounds: Bounds | None = None,
    goal: Goal | None = None,
    *,
    now: When,
    alternatives: int = 3,
) -> Plan:
    """Return the plan that is best under `goal`: optimal for the given values.

    Args:
        where: one series or forecast, several by region, or `CandidateRegions` with rules.
        bounds: by default from now to the end of the known values.
        goal: by default least carbon or most CFE, by the signal.
        now: the moment before which nothing starts.
        alternatives: how many other plans to name; with 0 the effect of a later deadline is not
            computed either.

    Raises:
        BadInput: values out of range or in contradiction; NaN where a number belongs.
        NoFeasibleWindow: no region has a feasible plan; the message says what to change.
        OverBudget, NeverUnder: no plan keeps to the limit of the goal.
        NoCommonSignal: the regions have different signals.
        NoData: the goal needs a quantile that a forecast lacks.
        NoSolver: a ramp needs a solver, and none is installed.
        TooFine: the times share too small a unit for an exact plan.
    """
    regions = as_regions(where)
    instance_of(Job, "a Job")(job, "job")
    optional(instance_of(Bounds, "Bounds"))(bounds, "bounds")
    optional(instance_of(Goal, "a Goal"))(goal, "goal")
    problem = PlanningProblem(
        job=job,
        regions=regions,
        bounds=bounds or Bounds(),
        goal=goal or default_goal(regions.signal),
        now=read_known_moment(now, "now"),
        alternatives=_count(alternatives),
    )
    return make_plan(problem)


def make_plan(problem: PlanningProblem) -> Plan:
    """Return the plan for a problem; raises as `plan`."""
    return explain(problem, decide(problem))


def _count(alternatives: object) -> int:
    count = read_whole(alternatives, "alternatives")
    if count < 0:
        refuse(count, "alternatives", "0 or more")
    return count


def round_up_to_five_minutes(moment: datetime) -> datetime:
    """Return `moment` or the next full five minutes, of which all slots are multiples."""
    over = (moment - EPOCH) % FIVE_MINUTES
    return moment + FIVE_MINUTES - over if over else moment


def as_regions(where: Where) -> CandidateRegions:
    """Return what callers may give as a region, as `CandidateRegions`."""
    if isinstance(where, CandidateRegions):
        return where
    if isinstance(where, Series | Outlook):
        outlook = as_outlook(where)
        return CandidateRegions((CandidateRegion(outlook.expected.zone, outlook),))
    if not isinstance(where, Mapping):
        refuse(
            where,
            "where",
            "a Series, an Outlook, a mapping of region to one, or CandidateRegions",
        )
    return CandidateRegions(
        tuple(CandidateRegion(region, as_outlook(each)) for region, each in where.items())
    )


def as_outlook(what: Series | Outlook) -> Outlook:
    """Return a series as a forecast without quantiles."""
    if isinstance(what, Series):
        return Outlook(what)
    if not isinstance(what, Outlook):
        refuse(what, "a forecast", "a Series or an Outlook")
    return what


def default_goal(signal: Signal) -> Goal:
    """Return the goal where none is given: what the signal is cleaner in."""
    return Goal(Objective.CARBON if signal.lower_is_cleaner else Objective.CFE)
