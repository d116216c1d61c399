"""`plan`: when and where a job should run, and why. Pure: the clock is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from gridtide.errors import NoFeasibleWindow
from gridtide.model import Series, Signal, When, utc
from gridtide.planning.answer import Plan
from gridtide.planning.bounds import Bounds
from gridtide.planning.goal import Aim, Goal
from gridtide.planning.job import Job
from gridtide.planning.kinds import keeps_the_clock
from gridtide.planning.options import Decision, decided
from gridtide.planning.outlook import Outlook
from gridtide.planning.places import Place, Places
from gridtide.planning.question import Question
from gridtide.planning.site import MINUTE
from gridtide.planning.telling import told
from gridtide.planning.toll import FRESH
from gridtide.runs import EPOCH, MICROSECOND, to_instant
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
        now: the moment before which nothing starts; for kind pieces, or a power profile that
            pauses, the next full five minutes, unless it does not pause at all.
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
    later = clocked(question) if question.standing is FRESH else question
    whole = later if later is not question and _is_over(later) else within_the_clock(later)
    if whole is question and not _taken_inwards(question):
        return told(question, decided(question))
    # Without a pause it may run off the clock, and no pause is ever worth less than none.
    found: list[tuple[Question, Decision]] = []
    refusal: NoFeasibleWindow | None = None
    options = [(question, without_pauses(question)), (whole, whole)]
    for asked, each in options:
        if each is later and later is not question and _is_over(later):
            continue
        try:
            found.append((asked, decided(each)))
        except NoFeasibleWindow as error:
            refusal = error
    if not found and whole is not later:
        # Only the minutes before its end make room for it.
        found.append((later, decided(later)))
    if not found:
        assert refusal is not None  # noqa: S101  # one of the two was asked
        raise refusal
    made = told(*min(found, key=_rank))
    return replace(made, question=later) if made.question is whole else made


def clocked(question: Question) -> Question:
    """The question from the moment on at which its pieces may begin, see `plan`.

    An end that follows from slack or a working day stays what it was.
    """
    moment = on_the_clock(question.now)
    if moment == question.now or not keeps_the_clock(question.job):
        return question
    bounds = question.bounds
    _, last = bounds.limits(question.now, question.job.duration)
    bounds = replace(
        bounds, deadline=last, slack=None, slack_fraction=None, next_working_day=None
    )
    return replace(question, now=moment, bounds=bounds)


def within_the_clock(question: Question) -> Question:
    """The question with a named start and its end taken inwards to a full five minutes.

    Only for pieces over slots that all begin and end there: what is over would have the whole
    plan laid in steps of a minute, for the sake of the last four.
    """
    if question.standing is not FRESH or not keeps_the_clock(question.job):
        return question
    first, last = question.bounds.limits(question.now, question.job.duration)
    start, end = on_the_clock(first), last and last - (last - EPOCH) % FIVE_MINUTES
    if (start, end) == (first, last) or (end is not None and end <= start):
        return question
    step = FIVE_MINUTES // MICROSECOND
    runs = (run for each in question.places.places for run in each.outlook.expected.runs)
    if any(edge % step for run in runs for edge in run.edges):
        return question
    bounds = replace(
        question.bounds,
        earliest=start,
        deadline=end,
        slack=None,
        slack_fraction=None,
        next_working_day=None,
    )
    return replace(question, bounds=bounds)


def _is_over(question: Question) -> bool:
    deadline = question.bounds.deadline
    return deadline is not None and deadline <= question.now


def _taken_inwards(question: Question) -> bool:
    """Whether the free time loses something as it is taken to whole minutes, see `Site.of`."""
    if question.standing is not FRESH or not keeps_the_clock(question.job):
        return False
    now, known = to_instant(question.now), set[int]()
    for place in question.places.places:
        if slots := place.outlook.expected.slots:
            known.add(to_instant(slots[-1].end))
    free = (question.bounds.free(now, question.job.work, horizon) for horizon in known)
    return any(edge % MINUTE for spans in free for span in spans for edge in span)


def _rank(option: tuple[Question, Decision]) -> tuple[float, float]:
    question, decision = option
    value, end = decision.choice.value, decision.choice.end
    return (end, value) if question.goal.earliest else (value, end)


def without_pauses(question: Question) -> Question:
    """The same question about the job where it runs through."""
    job = question.job
    return replace(question, job=Job(job.duration, power=job.power))


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
