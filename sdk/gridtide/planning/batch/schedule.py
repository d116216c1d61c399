"""Plan many jobs at once under a cap in each region: on jobs at the same time, or on their
power.

Exact where the LP relaxation is: interruptible jobs under a cap on their number, and elastic
jobs under a cap on their power. Otherwise one job after the other, each where it is best in the
capacity left, then an integer programme within a time budget, with a bound on the cost of any
schedule. Without a solver, only one job after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gridtide.errors import BadInput, NoCommonSignal, NoFeasibleWindow
from gridtide.extras import how_to_install
from gridtide.planning.batch.capacity import Cap, Member, exceeds_caps
from gridtide.planning.batch.greedy import improve, place_one_by_one
from gridtide.planning.batch.integer_program import solve_on_grid
from gridtide.planning.batch.large import search_by_prices
from gridtide.planning.batch.lp_relaxation import Prices, relax
from gridtide.planning.decide.candidate import Candidate, Site
from gridtide.planning.decide.candidates import Decision, each_alone
from gridtide.planning.decide.comparison import Baseline
from gridtide.planning.decide.explain import explain
from gridtide.planning.decide.response import Code, Plan
from gridtide.planning.errors import NoScheduleFound, NoSolver, SolverFailed, TooFine
from gridtide.planning.planner import Where, as_regions, default_goal
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.costs import one_unit
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.regions import Moves
from gridtide.planning.problem.state import PlanningProblem
from gridtide.schema.result import Record, Shown, Tabular
from gridtide.schema.validate import check_named, read_known_moment
from gridtide.values import instance_of, optional, read_list

# Relative; what a solver leaves between a plan and its own bound.
NEAR = 1e-6
# Relative; what is called exact. A search stops at as much.
EXACT = 2e-6
# Relative; a gap above it is worth a second search.
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


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BatchPlan(Shown, Tabular, Record):
    """Plans for all jobs, in their order.

    Attributes:
        plans: one for each job; together they keep to the caps.
        total: their total cost under the goal.
        least: proven bound on the total cost.
        exact: whether these plans are proven optimal.
        method: ``programme``, ``search`` (an integer programme) or ``one by one``.
        sentence: the method, the largest possible gap to the optimum, and its reason.
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
    """Return the plans that together are best under `goal`, as far as that can be shown.

    Args:
        caps: by region; a region without one is not limited.
        goal: least or weighted, without a budget, a threshold or a smallest saving.

    Raises:
        BadInput: no job, a cap for a region that no job may run in, a goal or a region rule
            that a batch does not support, values out of range.
        NoCommonSignal: the regions of the jobs have different signals or units of cost.
        NoFeasibleWindow: a job has no plan even alone, or it is proven that the caps leave too
            little capacity.
        NoScheduleFound: no schedule was found within the time budget; there may be one.
    """
    moment = read_known_moment(now, "now")
    requests = read_list(instance_of(Request, "a Request"), requests, "requests")
    instance_of(Mapping, "a mapping of region to Cap")(caps, "caps")
    read_list(instance_of(Cap, "a Cap"), caps.values(), "caps")
    optional(instance_of(Goal, "a Goal"))(goal, "goal")
    if not requests:
        raise BadInput("the batch has no job; give at least one")
    regions = [as_regions(request.where) for request in requests]
    check_named(
        "caps", caps, dict.fromkeys(each.name for one in regions for each in one.regions)
    )
    signals = sorted({each.signal for each in regions})
    if len(signals) > 1:
        raise NoCommonSignal(f"the jobs' regions are of several signals: {', '.join(signals)}")
    one_unit(
        {
            f"{each.name} of job {i}": each.costs
            for i, one in enumerate(regions, 1)
            for each in one.regions
        }
    )
    goal = goal or default_goal(regions[0].signal)
    if goal.earliest or goal.min_saving:
        raise BadInput("a batch minimises; drop the budget, the threshold and min_saving")
    if any(each.moves is Moves.FOLLOW for each in regions):
        raise BadInput("in a batch each job stays in one region; use moves 'one'")
    problems = [
        PlanningProblem(request.job, where, request.bounds or Bounds(), goal, moment, 0)
        for request, where in zip(requests, regions, strict=True)
    ]
    return _plan_members([_member(i, each) for i, each in enumerate(problems)], caps, goal)


def _member(number: int, problem: PlanningProblem) -> Member:
    regions = problem.regions
    ruled_out = regions.ruled_out()
    sites = {
        region.name: Site.of(region, problem.job, problem.bounds, problem.goal, problem.now)
        for region in regions.regions
    }
    usable = tuple(site for region, site in sites.items() if region not in ruled_out)
    current_site = sites[regions.current_region] if regions.current_region else None
    alone, missing = each_alone(problem, usable, current_site)
    if not alone:
        raise NoFeasibleWindow(f"job {number + 1}: " + "; ".join(missing.values()))
    best, least = min(each.value for each in alone), min(each.least for each in alone)
    return Member(number, problem, usable, current_site, best, least)


def _plan_members(members: Sequence[Member], caps: Mapping[str, Cap], goal: Goal) -> BatchPlan:
    """Return the best plans that can be proven or found for all members together."""
    least, candidates, method = sum(member.least for member in members), None, "programme"
    prices: Prices = {}
    why_not = ""
    try:
        found = relax(members, caps)
    except NoSolver:
        why_not = f"no solver is installed; for a closer bound {how_to_install('lp')}"
    except (SolverFailed, TooFine) as error:
        why_not = str(error)
    else:
        if found is None:
            raise _infeasible()
        least, candidates, prices = max(least, found.least), found.candidates, found.prices
    if candidates is None or exceeds_caps(caps, candidates):
        candidates, method = place_one_by_one(members, caps), "one by one"
        if not why_not and (candidates is None or not _near(_total(candidates), least)):
            candidates, least, why_not = _search(members, caps, candidates, least, prices)
            method = "search"
    if candidates is None:
        raise _not_found()
    total = _total(candidates)
    exact = _near(total, least)
    if exact:
        by = "a search" if method == "search" else f"a {method}"
        sentence = (
            f"Proven optimal, by {by}."
            if method != "one by one"
            else "Proven optimal: each job has the plan it would have alone."
        )
    else:
        over = f"{(total - least) / least:.2%}" if least > 0 else f"{total - least:.6g}"
        how = "Found by a search" if method == "search" else "Planned one by one"
        sentence = f"{how}, at most {over} above the optimum: {why_not}."
    plans = tuple(_plan_of(member, candidates[member.number], goal) for member in members)
    return BatchPlan(
        plans=plans, total=total, least=least, exact=exact, method=method, sentence=sentence
    )


def _search(
    members: Sequence[Member],
    caps: Mapping[str, Cap],
    candidates: dict[int, Candidate] | None,
    least: float,
    prices: Prices,
) -> tuple[dict[int, Candidate] | None, float, str]:
    """Improve `candidates` by an integer programme; return them, the bound, and the open gap.

    Raises:
        NoFeasibleWindow: it is proven that no schedule is feasible.
    """
    found = solve_on_grid(members, caps)
    if found is not None:
        if found.infeasible:
            raise _infeasible()
        if found.candidates is not None and not exceeds_caps(caps, found.candidates):
            better = improve(members, caps, found.candidates)
            if candidates is None or _total(better) < _total(candidates):
                candidates = better
        least = max(least, found.least)
    why_not = "no closer bound is proven for jobs that pause or differ in power"
    if found is None or candidates is None or _total(candidates) - least > ENOUGH * abs(least):
        seconds = SECONDS if found is None else SECONDS / 2
        try:
            more = search_by_prices(members, caps, candidates, least, prices, seconds)
        except (SolverFailed, TooFine) as error:
            return candidates, least, str(error)
        candidates, least = more.candidates, more.least
    return candidates, least, why_not


def _infeasible() -> NoFeasibleWindow:
    return NoFeasibleWindow(
        "the caps leave too little capacity for all jobs within their bounds; raise a cap, "
        "allow later deadlines, or remove a job"
    )


def _not_found() -> NoScheduleFound:
    return NoScheduleFound(
        "no schedule for all jobs was found within the time budget; there may be one. "
        "Raise a cap, allow later deadlines, let the jobs pause, or ask for fewer jobs"
    )


def _total(candidates: Mapping[int, Candidate]) -> float:
    return sum(candidate.value for candidate in candidates.values())


def _near(total: float, least: float) -> bool:
    return total - least <= EXACT * max(abs(total), abs(least))


def _plan_of(member: Member, candidate: Candidate, goal: Goal) -> Plan:
    baseline = Baseline.of(member.current_site or candidate.site, member.problem.job)
    capped = candidate.value > member.alone + NEAR * abs(member.alone)
    code = Code.CAPPED if capped else Code.BEST
    return explain(member.problem, Decision(candidate, code, (), {}, baseline))
