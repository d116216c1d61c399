"""Many jobs at once under a cap in each region: on jobs at the same time, or on their power.

Exact where a linear programme is: jobs that may pause anywhere under a cap on their number, and
elastic jobs under a cap on their power. Else one job after the other, each where it is best in
what the cap leaves, then an integer programme in limited time (`gridded`), with a bound on what
any plan for all of them counts. Without a solver one job after the other is all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gridtide.errors import BadInput, NoCommonSignal, NoFeasibleWindow
from gridtide.extras import how_to_install
from gridtide.model import utc
from gridtide.planning.batch.capacity import Cap, Member, crowded
from gridtide.planning.batch.greedy import improved, one_by_one
from gridtide.planning.batch.integer_program import on_a_grid
from gridtide.planning.batch.large import weighed
from gridtide.planning.batch.lp_relaxation import Prices, relaxed
from gridtide.planning.decide.baseline import Baseline
from gridtide.planning.decide.candidate import Choice
from gridtide.planning.decide.candidates import Decision, each_alone
from gridtide.planning.decide.explain import told
from gridtide.planning.decide.request import Question
from gridtide.planning.decide.response import Code, Plan
from gridtide.planning.errors import NoScheduleFound, NoSolver, SolverFailed, TooFine
from gridtide.planning.planner import Where, as_places, own_goal
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.regions import Moves
from gridtide.planning.solvers.region_costs import Site
from gridtide.schema.records import Record
from gridtide.values import instance_of, optional, read_list

# Relative; what a solver leaves between a plan and its own bound.
NEAR = 1e-6
# Relative; what is called exact. A search stops at as much.
EXACT = 2e-6
# Relative; a gap above it is worth a second way to search.
ENOUGH = 0.01
# For that, or half of it after a search on a grid.
SECONDS = 9.0


@dataclass(frozen=True)
class Request:
    """One job of a batch: where and when it may run."""

    job: Job
    where: Where
    bounds: Bounds | None = None

    def __post_init__(self) -> None:
        instance_of(Job, "a Job")(self.job, "job")
        optional(instance_of(Bounds, "Bounds"))(self.bounds, "bounds")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlan(Record):
    """Plans for all jobs, in their order.

    Attributes:
        plans: one for each job; none breaks the caps.
        total: what the goal counts them all at.
        least: no plans for all of them count less.
        exact: whether these are known to be the best.
        method: ``programme``, ``search`` (an integer programme) or ``one by one``.
        sentence: which it was, how far from the best at most, and what would be exact.
    """

    plans: tuple[Plan, ...]
    total: float
    least: float
    exact: bool
    method: str
    sentence: str


def plan_batch(
    requests: Sequence[Request],
    caps: Mapping[str, Cap],
    goal: Goal | None = None,
    *,
    now: datetime,
) -> BatchPlan:
    """The plans that together reach `goal` best, as far as that can be told.

    Args:
        caps: by region; a region without one has none.
        goal: least or weighted, without a budget, a threshold or a saving to wait for.

    Raises:
        BadInput: no job, a goal or a place that a batch has no use for, values out of range.
        NoCommonSignal: the jobs' places are not of one signal.
        NoFeasibleWindow: a job has no plan even alone, or it is proven that the caps leave too
            little room.
        NoScheduleFound: no schedule was found within the time budget; there may be one.
    """
    moment = utc(now, name="now")
    requests = read_list(instance_of(Request, "a Request"), requests, "requests")
    instance_of(Mapping, "a mapping of region to Cap")(caps, "caps")
    read_list(instance_of(Cap, "a Cap"), caps.values(), "caps")
    optional(instance_of(Goal, "a Goal"))(goal, "goal")
    if not requests:
        raise BadInput("there is no job in the batch; give at least one")
    places = [as_places(request.where) for request in requests]
    signals = sorted({each.signal for each in places})
    if len(signals) > 1:
        raise NoCommonSignal(f"the jobs' regions are of several signals: {', '.join(signals)}")
    goal = goal or own_goal(places[0].signal)
    if goal.earliest or goal.min_saving:
        raise BadInput("a batch minimises; drop the budget, the threshold and min_saving")
    if any(each.moves is Moves.FOLLOW for each in places):
        raise BadInput("in a batch each job stays in one region; use moves 'one'")
    questions = [
        Question(request.job, where, request.bounds or Bounds(), goal, moment, 0)
        for request, where in zip(requests, places, strict=True)
    ]
    return _planned([_member(i, each) for i, each in enumerate(questions)], caps, goal)


def _member(number: int, question: Question) -> Member:
    places = question.places
    ruled_out = places.ruled_out()
    sites = {
        place.region: Site.of(place, question.job, question.bounds, question.goal, question.now)
        for place in places.places
    }
    usable = tuple(site for region, site in sites.items() if region not in ruled_out)
    home = sites[places.home] if places.home else None
    alone, missing = each_alone(question, usable, home)
    if not alone:
        raise NoFeasibleWindow(f"job {number + 1}: " + "; ".join(missing.values()))
    best, least = min(each.value for each in alone), min(each.least for each in alone)
    return Member(number, question, usable, home, best, least)


def _planned(members: Sequence[Member], caps: Mapping[str, Cap], goal: Goal) -> BatchPlan:
    """The best plans that can be shown or found for all members together."""
    least, choices, method = sum(member.least for member in members), None, "programme"
    prices: Prices = {}
    why_not = ""
    try:
        found = relaxed(members, caps)
    except NoSolver:
        why_not = f"there is no solver here; for a closer bound {how_to_install('lp')}"
    except (SolverFailed, TooFine) as error:
        why_not = str(error)
    else:
        if found is None:
            raise _infeasible()
        least, choices, prices = max(least, found.least), found.choices, found.prices
    if choices is None or crowded(caps, choices):
        choices, method = one_by_one(members, caps), "one by one"
        if not why_not and (choices is None or not _near(_total(choices), least)):
            choices, least, why_not = _searched(members, caps, choices, least, prices)
            method = "search"
    if choices is None:
        raise _not_found()
    total = _total(choices)
    exact = _near(total, least)
    if exact:
        by = "a search" if method == "search" else f"a {method}"
        sentence = (
            f"The best plans there are, by {by}."
            if method != "one by one"
            else ("The best plans there are: each job has the best it could have alone.")
        )
    else:
        over = f"{(total - least) / least:.2%}" if least > 0 else f"{total - least:.6g}"
        how = "Found by a search" if method == "search" else "Laid one by one"
        sentence = f"{how}, at most {over} over the best there may be: {why_not}."
    plans = tuple(_told(member, choices[member.number], goal) for member in members)
    return BatchPlan(
        plans=plans, total=total, least=least, exact=exact, method=method, sentence=sentence
    )


def _searched(
    members: Sequence[Member],
    caps: Mapping[str, Cap],
    choices: dict[int, Choice] | None,
    least: float,
    prices: Prices,
) -> tuple[dict[int, Choice] | None, float, str]:
    """The better of `choices` and what an integer programme finds; the bound; what is unproven.

    Raises:
        NoFeasibleWindow: it is proven that there is no schedule.
    """
    found = on_a_grid(members, caps)
    if found is not None:
        if found.infeasible:
            raise _infeasible()
        if found.choices is not None and not crowded(caps, found.choices):
            better = improved(members, caps, found.choices)
            if choices is None or _total(better) < _total(choices):
                choices = better
        least = max(least, found.least)
    why_not = "no better bound is proven for jobs that pause or differ in power"
    if found is None or choices is None or _total(choices) - least > ENOUGH * abs(least):
        seconds = SECONDS if found is None else SECONDS / 2
        try:
            more = weighed(members, caps, choices, least, prices, seconds)
        except (SolverFailed, TooFine) as error:
            return choices, least, str(error)
        choices, least = more.choices, more.least
    return choices, least, why_not


def _infeasible() -> NoFeasibleWindow:
    return NoFeasibleWindow(
        "the caps leave too little room for all jobs within their bounds; raise a cap, "
        "allow later deadlines, or take a job out"
    )


def _not_found() -> NoScheduleFound:
    return NoScheduleFound(
        "no schedule for all jobs was found within the time budget; there may be one. "
        "Raise a cap, allow later deadlines, let the jobs pause, or ask for fewer jobs"
    )


def _total(choices: Mapping[int, Choice]) -> float:
    return sum(choice.value for choice in choices.values())


def _near(total: float, least: float) -> bool:
    return total - least <= EXACT * max(abs(total), abs(least))


def _told(member: Member, choice: Choice, goal: Goal) -> Plan:
    baseline = Baseline.of(member.home or choice.site, member.question.job)
    capped = choice.value > member.alone + NEAR * abs(member.alone)
    code = Code.CAPPED if capped else Code.BEST
    return told(member.question, Decision(choice, code, (), {}, baseline))
