"""`replan`: plan the rest of a job again, from its progress and the newest forecast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from gridtide.errors import BadInput, NoFeasibleWindow
from gridtide.model import Series
from gridtide.planning.decide.response import Plan
from gridtide.planning.planner import as_outlook, make_plan, round_up_to_five_minutes
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Job, Kind, PowerProfile
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.regions import CandidateRegions, Moves
from gridtide.planning.problem.state import NOT_STARTED, JobState, PlanningProblem, Progress
from gridtide.planning.solvers.ramp import NONE
from gridtide.planning.solvers.segments import counts_progress
from gridtide.planning.solvers.solve import has_segments
from gridtide.slots import to_instant, to_microseconds
from gridtide.values import instance_of, refuse

MINUTE = timedelta(minutes=1)


def replan(
    plan: Plan,
    progress: Progress,
    new_forecast: Series | Outlook | Mapping[str, Series | Outlook],
) -> Plan:
    """Return the plan for the rest of the job under the new forecast.

    Bounds, goal and regions stay the same; a deadline that followed from slack stays the same
    moment. A job that has started stays in its region, unless it may follow the cleanest one. A
    running unbroken job runs on. Where an interruptible job has checkpoints or a power profile,
    the work left is rounded up to whole minutes, and starts no earlier than the next full five
    minutes, unless only running on to the end fits.

    Segments that have run, the running one included, count towards `max_segments`; running on
    begins none. Where less work than a `min_segment` is left, a running job runs on, and a
    paused one does all of it in one segment. With a ramp, this moment counts as an edge of
    slots: the first number of workers is within the ramp of the present one. A plan made here
    may be planned again: progress always counts from the beginning of the job.

    Raises:
        BadInput: the plan was read from JSON and lacks its problem, or the job is done, or what
            is left of it draws no energy.
        GridtideError: as `planner.plan`.
    """
    instance_of(Plan, "a Plan")(plan, "plan")
    instance_of(Progress, "a Progress")(progress, "progress")
    if plan.problem is None:
        raise BadInput(
            "this plan was read from JSON and does not contain its request; ask for a "
            "new plan of the work that is left"
        )
    problem, at, original = plan.problem, progress.at, progress
    if progress.done >= problem.job.duration:
        raise BadInput(
            f"all {problem.job.duration} of work is done, so nothing is left to plan; lower "
            "done, or plan a new job"
        )
    regions = _regions(plan, problem.regions, progress, new_forecast)
    workers = _workers(plan, problem.job, progress)
    if _is_rounded(problem.job) and progress.started:
        at = round_up_to_five_minutes(at)
        progress = _rounded(problem.job, progress, at)
    job, may_stop = _rest(problem.job, progress)
    rest = PlanningProblem(
        job=job,
        regions=regions,
        bounds=_bounds(problem, progress, at, job),
        goal=_goal(problem.goal, progress),
        now=at,
        alternatives=problem.alternatives,
        state=_job_state(problem.job, job, progress, workers, may_stop=may_stop),
    )
    whole = replace(problem, regions=replace(problem.regions, regions=regions.regions))
    try:
        made = make_plan(rest)
    except (NoFeasibleWindow, BadInput):
        # That was in whole minutes; running on needs none.
        if (on := _running_on(replace(problem, regions=regions), original)) is None:
            raise
        made = make_plan(on)
    return replace(made, problem=whole)


def _is_rounded(job: Job) -> bool:
    """Say whether a plan for the rest would need a unit as small as its progress is odd."""
    return has_segments(job) and counts_progress(job)


def _running_on(problem: PlanningProblem, progress: Progress) -> PlanningProblem | None:
    """Return the problem of running on to the end right now, where the time suffices."""
    first, last = problem.bounds.limits(problem.now, problem.job.duration)
    rest, at = _rest(problem.job, progress)[0], progress.at
    end, here = at + rest.duration, progress.region or problem.regions.current_region
    runs = progress.running and progress.segments <= (
        problem.job.max_segments or progress.segments
    )
    fits = first <= at and (last is None or end <= last)
    if not (runs and fits and here and _is_rounded(problem.job)):
        return None
    job, goal = Job(rest.duration, power=rest.power), _goal(problem.goal, progress)
    bounds = replace(_bounds(problem, progress, at, job), deadline=end)
    regions = replace(problem.regions, allowed=frozenset({here}), moves=Moves.ONE)
    return replace(problem, job=job, regions=regions, bounds=bounds, goal=goal, now=at)


def _workers(plan: Plan, job: Job, progress: Progress) -> float:
    """Return the workers at which the job runs now, 0 where it is paused or not elastic."""
    workers, reported = job.workers, progress.workers
    if workers is None:
        if reported:
            raise BadInput(
                f"progress at {reported:g} workers, but the job is of kind {job.kind} and not "
                "elastic; leave workers out"
            )
        return 0.0
    if not progress.running:
        return 0.0
    if reported is None:
        slots = [each for each in plan.slots if each.start <= progress.at <= each.end]
        planned = [slot.workers for slot in slots if slot.workers is not None]
        # Of two slots that meet right now the one it ran in: the next is yet to be planned.
        reported = planned[0] if planned else workers.base
    elif not workers.minimum * (1 - NONE) <= reported <= workers.maximum * (1 + NONE):
        raise BadInput(
            f"progress at {reported:g} workers of a job that runs on {workers.minimum:g} to "
            f"{workers.maximum:g}; give the workers it has now, or leave workers out to go by "
            "the plan"
        )
    return min(max(reported, workers.minimum), workers.maximum)


def _job_state(
    job: Job, rest: Job, progress: Progress, workers: float, *, may_stop: bool
) -> JobState:
    if not progress.started:
        return NOT_STARTED
    return JobState(
        at=to_instant(progress.at),
        started=True,
        running=progress.running,
        ran=to_microseconds(_ran(job, rest, progress)),
        segments=progress.segments,
        may_stop=may_stop,
        workers=workers,
    )


def _rounded(job: Job, progress: Progress, at: datetime) -> Progress:
    """Return the progress at `at`, in whole minutes of work."""
    gone = at - progress.at if progress.running else timedelta(0)
    last = job.duration - MINUTE  # at least a minute stays to be planned
    done = max(timedelta(0), min(progress.done + gone, last))
    done -= done % MINUTE if (job.duration - done) % MINUTE else timedelta(0)
    running_for = progress.running_for + gone
    return replace(progress, at=at, done=done, running_for=running_for - running_for % MINUTE)


def _rest(job: Job, progress: Progress) -> tuple[Job, bool]:
    """Return the work left as a job of its own, and whether it may pause right now."""
    done, left = progress.done, job.duration - progress.done
    power = job.power
    if isinstance(power, PowerProfile):
        power = _profile_rest(power, done)
        if not (any(kw for _, kw in power.steps) if isinstance(power, PowerProfile) else power):
            raise BadInput(
                f"the {left} of work that are left draw no energy, so no time is better for "
                "them than another; run them when you like"
            )
    checkpoints = tuple(each - done for each in job.checkpoints if each > done)
    may_stop = not job.checkpoints or done in job.checkpoints
    shortest = None if job.min_segment is None else min(job.min_segment, left)
    if job.checkpoints and not checkpoints:
        shortest = left  # no checkpoint is left to pause at
    return replace(
        job, duration=left, power=power, checkpoints=checkpoints, min_segment=shortest
    ), may_stop


def _ran(job: Job, rest: Job, progress: Progress) -> timedelta:
    """Return how long its segment has run, for comparison with the shortest segment."""
    shortest = timedelta(0) if job.min_segment is None else job.min_segment
    if rest.duration < shortest:
        return timedelta(0)  # too little for a segment of its own: it runs on
    if job.checkpoints and not rest.checkpoints:
        # The rest is one segment: it may stop now, at a checkpoint, or not at all.
        stops = progress.done in job.checkpoints and progress.running_for >= shortest
        return rest.duration if stops else timedelta(0)
    # Beyond the shortest segment it says no more, and would only make the grid finer.
    return min(progress.running_for, shortest)


def _profile_rest(profile: PowerProfile, done: timedelta) -> PowerProfile | float:
    steps, begins = [], timedelta(0)
    for length, kilowatts in profile.steps:
        ends = begins + length
        if ends > done:
            steps.append((ends - max(begins, done), kilowatts))
        begins = ends
    return PowerProfile(tuple(steps)) if steps else profile.steps[-1][1]


def _bounds(problem: PlanningProblem, progress: Progress, at: datetime, rest: Job) -> Bounds:
    _, last = problem.bounds.limits(problem.now, problem.job.duration)
    if problem.job.kind is Kind.UNBROKEN and progress.running:
        return Bounds(earliest=at, deadline=at + rest.duration)
    return replace(
        problem.bounds, deadline=last, slack=None, slack_fraction=None, next_working_day=None
    )


def _goal(goal: Goal, progress: Progress) -> Goal:
    budget = goal.budget_grams
    return replace(
        goal,
        budget_grams=None if budget is None else max(0.0, budget - progress.grams),
        min_saving=0.0 if progress.started else goal.min_saving,
    )


def _regions(
    plan: Plan,
    regions: CandidateRegions,
    progress: Progress,
    new_forecast: Series | Outlook | Mapping[str, Series | Outlook],
) -> CandidateRegions:
    if isinstance(new_forecast, Series | Outlook):
        if len(regions.regions) > 1:
            raise BadInput("the plan chooses between regions; give a forecast by region")
        new_forecast = {regions.regions[0].name: new_forecast}
    if not isinstance(new_forecast, Mapping):
        refuse(new_forecast, "new_forecast", "a Series, an Outlook, or a mapping of them")
    known = {each.name for each in regions.regions}
    if unknown := sorted(map(str, set(new_forecast) - known)):
        raise BadInput(
            f"unknown region {', '.join(unknown)}; give forecasts of regions of the plan: "
            + ", ".join(sorted(known))
        )
    renewed = tuple(
        replace(each, outlook=as_outlook(new_forecast[each.name]))
        if each.name in new_forecast
        else each
        for each in regions.regions
    )
    if not progress.started:
        return replace(regions, regions=renewed)
    region = progress.region or plan.region
    allowed = regions.allowed if regions.moves is Moves.FOLLOW else frozenset({region})
    return replace(regions, regions=renewed, current_region=region, allowed=allowed)
