"""The rest of a job planned again, from where it stands and what is forecast now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from gridtide.errors import BadInput, NoFeasibleWindow
from gridtide.model import Series
from gridtide.planning.decide.request import Question
from gridtide.planning.decide.response import Plan
from gridtide.planning.planner import answered, as_outlook, on_the_clock
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Job, Kind, PowerProfile
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.regions import Moves, Places
from gridtide.planning.problem.state import Progress
from gridtide.planning.solvers.overheads import FRESH, Standing
from gridtide.planning.solvers.phases import counts_progress
from gridtide.planning.solvers.ramp import NONE
from gridtide.planning.solvers.solve import has_segments
from gridtide.slots import to_instant, to_microseconds
from gridtide.values import instance_of, refuse

MINUTE = timedelta(minutes=1)


def replan(
    plan: Plan,
    progress: Progress,
    new_forecast: Series | Outlook | Mapping[str, Series | Outlook],
) -> Plan:
    """The plan for the rest of the job by the forecasts of now.

    Bounds, goal and places stay as they were asked for; a deadline that followed from slack
    stays the same moment. A job that has started stays where it is, unless it may follow the
    cleanest place. An unbroken job that runs runs on. Where a job in pieces has marks or a
    power profile, the work left is rounded up to whole minutes, and starts no earlier than the
    next full five, unless only running on to the end fits.

    Pieces that it has had, the running one among them, count towards `max_pieces`; running on
    begins none. Where less work than a `min_piece` is left a job that runs runs on, and one
    that stands still does all of it in one piece. With a ramp the moment counts as an edge of
    slots: the first size is within the ramp of the one it runs at now. A plan made here may be
    planned again: progress always counts from the beginning of the job.

    Raises:
        BadInput: the plan is read from JSON and does not know its question, or the job is
            done, or what is left of it draws no energy.
        GridtideError: as `choose.plan`.
    """
    instance_of(Plan, "a Plan")(plan, "plan")
    instance_of(Progress, "a Progress")(progress, "progress")
    if plan.question is None:
        raise BadInput(
            "this plan does not know what it was asked for, as one read from JSON; ask for a "
            "new plan of the work that is left"
        )
    question, at, stands = plan.question, progress.at, progress
    if progress.done >= question.job.duration:
        raise BadInput(
            f"all {question.job.duration} of work are done; there is nothing to plan"
        )
    places = _places(plan, question.places, progress, new_forecast)
    chips = _chips(plan, question.job, progress)
    if _is_rounded(question.job) and progress.started:
        at = on_the_clock(at)
        progress = _rounded(question.job, progress, at)
    job, may_stop = _rest(question.job, progress)
    rest = Question(
        job=job,
        places=places,
        bounds=_bounds(question, progress, at, job),
        goal=_goal(question.goal, progress),
        now=at,
        alternatives=question.alternatives,
        standing=_standing(question.job, job, progress, chips, may_stop=may_stop),
    )
    whole = replace(question, places=replace(question.places, places=places.places))
    try:
        made = answered(rest)
    except (NoFeasibleWindow, BadInput):
        # That was in whole minutes; running on needs none.
        if (on := _running_on(replace(question, places=places), stands)) is None:
            raise
        made = answered(on)
    return replace(made, question=whole)


def _is_rounded(job: Job) -> bool:
    """Whether a plan for the rest of it would take a step as small as its progress is odd."""
    return has_segments(job) and counts_progress(job)


def _running_on(question: Question, progress: Progress) -> Question | None:
    """To run on to the end from right now, where a job that is rounded has the time."""
    first, last = question.bounds.limits(question.now, question.job.duration)
    rest, at = _rest(question.job, progress)[0], progress.at
    end, here = at + rest.duration, progress.region or question.places.home
    runs = progress.running and progress.pieces <= (question.job.max_pieces or progress.pieces)
    fits = first <= at and (last is None or end <= last)
    if not (runs and fits and here and _is_rounded(question.job)):
        return None
    job, goal = Job(rest.duration, power=rest.power), _goal(question.goal, progress)
    bounds = replace(_bounds(question, progress, at, job), deadline=end)
    places = replace(question.places, allowed=frozenset({here}), moves=Moves.ONE)
    return replace(question, job=job, places=places, bounds=bounds, goal=goal, now=at)


def _chips(plan: Plan, job: Job, progress: Progress) -> float:
    """The size at which the job runs now, 0 where it is of another kind or stands still."""
    chips, told = job.chips, progress.chips
    if chips is None:
        if told:
            raise BadInput(
                f"progress at {told:g} chips of a job of kind {job.kind}, which has no size; "
                "leave chips out"
            )
        return 0.0
    if not progress.running:
        return 0.0
    if told is None:
        slots = [each for each in plan.slots if each.start <= progress.at <= each.end]
        planned = [slot.chips for slot in slots if slot.chips is not None]
        # Of two slots that meet right now the one it ran in: the next is yet to be planned.
        told = planned[0] if planned else chips.base
    elif not chips.minimum * (1 - NONE) <= told <= chips.maximum * (1 + NONE):
        raise BadInput(
            f"progress at {told:g} chips of a job that runs on {chips.minimum:g} to "
            f"{chips.maximum:g}; give the size it runs at now, or leave chips out to go by "
            "the plan"
        )
    return min(max(told, chips.minimum), chips.maximum)


def _standing(
    job: Job, rest: Job, progress: Progress, chips: float, *, may_stop: bool
) -> Standing:
    if not progress.started:
        return FRESH
    return Standing(
        at=to_instant(progress.at),
        started=True,
        running=progress.running,
        ran=to_microseconds(_ran(job, rest, progress)),
        pieces=progress.pieces,
        may_stop=may_stop,
        chips=chips,
    )


def _rounded(job: Job, progress: Progress, at: datetime) -> Progress:
    """Progress at `at`, in whole minutes of work."""
    gone = at - progress.at if progress.running else timedelta(0)
    last = job.duration - MINUTE  # at least a minute stays to be planned
    done = max(timedelta(0), min(progress.done + gone, last))
    done -= done % MINUTE if (job.duration - done) % MINUTE else timedelta(0)
    running_for = progress.running_for + gone
    return replace(progress, at=at, done=done, running_for=running_for - running_for % MINUTE)


def _rest(job: Job, progress: Progress) -> tuple[Job, bool]:
    """The work left as a job of its own, and whether it may pause right now."""
    done, left = progress.done, job.duration - progress.done
    power = job.power
    if isinstance(power, PowerProfile):
        power = _profile_rest(power, done)
        if not (any(kw for _, kw in power.steps) if isinstance(power, PowerProfile) else power):
            raise BadInput(
                f"the {left} of work that are left draw no energy, so no time is better for "
                "them than another; run them when you like"
            )
    marks = tuple(mark - done for mark in job.checkpoints if mark > done)
    may_stop = not job.checkpoints or done in job.checkpoints
    shortest = None if job.min_piece is None else min(job.min_piece, left)
    if job.checkpoints and not marks:
        shortest = left  # no mark is left to pause at
    return replace(
        job, duration=left, power=power, checkpoints=marks, min_piece=shortest
    ), may_stop


def _ran(job: Job, rest: Job, progress: Progress) -> timedelta:
    """For how long its piece has run, which the rest's shortest piece is compared with."""
    shortest = timedelta(0) if job.min_piece is None else job.min_piece
    if rest.duration < shortest:
        return timedelta(0)  # too little for a piece of its own: it runs on
    if job.checkpoints and not rest.checkpoints:
        # The rest is one piece: it may stop now, at a mark, or not at all.
        stops = progress.done in job.checkpoints and progress.running_for >= shortest
        return rest.duration if stops else timedelta(0)
    # Beyond the shortest piece it says no more, and would only make the grid finer.
    return min(progress.running_for, shortest)


def _profile_rest(profile: PowerProfile, done: timedelta) -> PowerProfile | float:
    steps, begins = [], timedelta(0)
    for length, kilowatts in profile.steps:
        ends = begins + length
        if ends > done:
            steps.append((ends - max(begins, done), kilowatts))
        begins = ends
    return PowerProfile(tuple(steps)) if steps else profile.steps[-1][1]


def _bounds(question: Question, progress: Progress, at: datetime, rest: Job) -> Bounds:
    _, last = question.bounds.limits(question.now, question.job.duration)
    if question.job.kind is Kind.UNBROKEN and progress.running:
        return Bounds(earliest=at, deadline=at + rest.duration)
    return replace(
        question.bounds, deadline=last, slack=None, slack_fraction=None, next_working_day=None
    )


def _goal(goal: Goal, progress: Progress) -> Goal:
    budget = goal.budget_grams
    return replace(
        goal,
        budget_grams=None if budget is None else max(0.0, budget - progress.grams),
        min_saving=0.0 if progress.started else goal.min_saving,
    )


def _places(
    plan: Plan,
    places: Places,
    progress: Progress,
    new_forecast: Series | Outlook | Mapping[str, Series | Outlook],
) -> Places:
    if isinstance(new_forecast, Series | Outlook):
        if len(places.places) > 1:
            raise BadInput("the plan chooses between regions; give a forecast by region")
        new_forecast = {places.places[0].region: new_forecast}
    if not isinstance(new_forecast, Mapping):
        refuse(new_forecast, "new_forecast", "a Series, an Outlook, or a mapping of them")
    known = {place.region for place in places.places}
    if unknown := sorted(map(str, set(new_forecast) - known)):
        raise BadInput(
            f"the plan knows nothing of {', '.join(unknown)}; it chooses between "
            + ", ".join(sorted(known))
        )
    renewed = tuple(
        replace(place, outlook=as_outlook(new_forecast[place.region]))
        if place.region in new_forecast
        else place
        for place in places.places
    )
    if not progress.started:
        return replace(places, places=renewed)
    region = progress.region or plan.region
    allowed = places.allowed if places.moves is Moves.FOLLOW else frozenset({region})
    return replace(places, places=renewed, home=region, allowed=allowed)
