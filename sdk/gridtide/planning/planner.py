"""`plan`: when and where a job should run, and why. Pure: the clock is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from gridtide.model import Series, Signal, When, utc
from gridtide.planning.decide.candidates import decided
from gridtide.planning.decide.explain import told
from gridtide.planning.decide.request import Question
from gridtide.planning.decide.response import Plan
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Aim, Goal
from gridtide.planning.problem.regions import Place, Places
from gridtide.slots import EPOCH
from gridtide.values import instance_of, optional, read_whole, refuse

FIVE_MINUTES = timedelta(minutes=5)

Where = Series | Outlook | Mapping[str, Series | Outlook] | Places


def plan(
    job: Job,
    where: Where,
    bounds: Bounds | None = None,
    goal: Goal | None = None,
    *,
    now: When,
    alternatives: int = 3,
) -> Plan:
    """The plan that reaches `goal` best: exact for the values it is given.

    Args:
        where: one series or outlook, several by region, or `Places` with their rules.
        bounds: without them, from now to the end of what is known.
        goal: without one, least carbon or most CFE, as the signal goes.
        now: the moment before which nothing starts.
        alternatives: how many other plans to name; with 0 the plan does not look at what a
            later deadline would change either.

    Raises:
        BadInput: values out of range or in contradiction; NaN where a number belongs.
        NoFeasibleWindow: nowhere is there such a plan; the message says what to ask for.
        OverBudget, NeverUnder: no plan keeps to the goal's limit.
        NoCommonSignal: the places are not of one signal.
        NoData: the goal wants a quantile that a forecast has not.
        NoSolver: a ramp, and no solver here.
        TooFine: the times share too small a step for an exact plan.
    """
    places = as_places(where)
    instance_of(Job, "a Job")(job, "job")
    optional(instance_of(Bounds, "Bounds"))(bounds, "bounds")
    optional(instance_of(Goal, "a Goal"))(goal, "goal")
    question = Question(
        job=job,
        places=places,
        bounds=bounds or Bounds(),
        goal=goal or own_goal(places.signal),
        now=utc(now, name="now"),
        alternatives=read_whole(alternatives, "alternatives"),
    )
    return answered(question)


def answered(question: Question) -> Plan:
    """The plan for a question; raises as `plan`."""
    return told(question, decided(question))


def on_the_clock(moment: datetime) -> datetime:
    """`moment`, or the next full five minutes, which all slots' lengths are multiples of."""
    over = (moment - EPOCH) % FIVE_MINUTES
    return moment + FIVE_MINUTES - over if over else moment


def as_places(where: Where) -> Places:
    """What may be given as a place, as `Places`."""
    if isinstance(where, Places):
        return where
    if isinstance(where, Series | Outlook):
        outlook = as_outlook(where)
        return Places((Place(outlook.expected.zone, outlook),))
    if not isinstance(where, Mapping):
        refuse(where, "where", "a Series, an Outlook, a mapping of region to one, or Places")
    return Places(tuple(Place(region, as_outlook(each)) for region, each in where.items()))


def as_outlook(what: Series | Outlook) -> Outlook:
    """A series alone is a forecast without quantiles."""
    if isinstance(what, Series):
        return Outlook(what)
    if not isinstance(what, Outlook):
        refuse(what, "a forecast", "a Series or an Outlook")
    return what


def own_goal(signal: Signal) -> Goal:
    """The goal of who names none: what the signal is cleaner in."""
    return Goal(Aim.CARBON if signal.lower_is_cleaner else Aim.CFE)
