"""The candidates for a planning problem, and the choice of the best one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from gridtide.errors import BadInput, NoData, NoFeasibleWindow
from gridtide.planning.decide.candidate import Candidate, DataMove, Site
from gridtide.planning.decide.comparison import Baseline, run_now_at, saving
from gridtide.planning.decide.moves import (
    assign_regions,
    lowest_rates,
    migrate,
    moves_are_free,
    region_rates,
)
from gridtide.planning.decide.response import Code
from gridtide.planning.errors import NeverUnder, OverBudget, TooFine
from gridtide.planning.problem.job import Kind
from gridtide.planning.problem.objective import Quantile
from gridtide.planning.problem.regions import Moves
from gridtide.planning.problem.state import PlanningProblem
from gridtide.planning.solvers.costs import Curve
from gridtide.planning.solvers.solution import Solution
from gridtide.planning.solvers.solve import earliest, solve, steps
from gridtide.slots import to_instant

# Some twenty seconds.
MOST_STEPS = 100_000_000


@dataclass(frozen=True)
class Decision:
    """The chosen candidate, the reason, and the other candidates.

    Attributes:
        elsewhere: the best of each site but that of the candidate, best first; of every site
            where the candidate moves between them.
        left_out: regions without a candidate, and why.
        baseline: what savings are measured against.
        saved: where waiting saves too little, what it would save; ``None``: nothing to save.
    """

    candidate: Candidate
    code: Code
    elsewhere: tuple[Candidate, ...]
    left_out: dict[str, str]
    baseline: Baseline
    saved: float | None = None


def decide(problem: PlanningProblem) -> Decision:
    """Choose the best candidate for `problem`; raises as `planner.plan`."""
    regions, goal, job = problem.regions, problem.goal, problem.job
    sites = {
        region.name: Site.of(region, job, problem.bounds, goal, problem.now)
        for region in regions.regions
    }
    ruled_out = regions.ruled_out()
    usable = [site for region, site in sites.items() if region not in ruled_out]
    current_site = sites[regions.current_region] if regions.current_region else None
    _check_work(problem, usable)
    found, missing = each_alone(problem, usable, current_site)
    following = regions.moves is Moves.FOLLOW and len(usable) > 1
    if following:
        bound = min((each.value for each in found), default=inf)
        found.insert(0, _following(problem, usable, current_site, bound))
    elif not found:
        raise _nowhere(problem, usable, missing)
    if goal.budget_grams is not None:
        found = _within(found, goal.budget_grams, goal.quantile)
    by_end = (lambda each: (each.end, each.value)) if goal.earliest else _by_value
    candidate = found[0] if following else min(found, key=by_end)
    code, chosen, saved = _why(problem, candidate, usable, current_site)
    moves = following and chosen is candidate
    alone = found[1:] if following else found
    elsewhere = [each for each in alone if moves or each.site is not chosen.site]
    elsewhere.sort(key=_by_value)
    baseline = Baseline.of(current_site or chosen.site, job)
    left_out = ruled_out | missing
    return Decision(chosen, code, tuple(elsewhere), left_out, baseline, saved)


def _check_work(problem: PlanningProblem, sites: Sequence[Site]) -> None:
    """Raise where a problem needs more states than the limit on work allows."""
    each = (steps(site.curve, problem.job, problem.state) for site in sites)
    # The earliest end is found by halving.
    tries = max(len(site.curve.intervals.rates) for site in sites).bit_length()
    taken = sum(each) * (tries if problem.goal.earliest else 1)
    if taken > MOST_STEPS:
        raise TooFine(
            f"an exact plan over {len(sites)} regions takes {taken:,} steps, more than "
            f"{MOST_STEPS:,}; ask for fewer regions, a nearer deadline, or times in multiples "
            "of the slots, or drop a limit on the segments"
        )


def each_alone(
    problem: PlanningProblem, sites: Sequence[Site], current_site: Site | None
) -> tuple[list[Candidate], dict[str, str]]:
    """Return the best candidate at each of `sites`, and the reason where there is none."""
    found, missing = [], {}
    for site in sites:
        moved = move_to(problem, site, current_site)
        budget = problem.goal.budget_grams
        try:
            if budget is not None:
                budget = (budget - sum(move.grams for move in moved)) / site.region.pue
            found.append(Candidate.at(site, _solve(problem, site.curve, budget), moved))
        except (NoFeasibleWindow, NoData) as error:
            missing[site.region.name] = str(error)
    return found, missing


def move_to(
    problem: PlanningProblem, site: Site, current_site: Site | None
) -> tuple[DataMove, ...]:
    """Return the data move from the current site to `site`."""
    kwh = problem.regions.move_kwh
    if current_site is None or site is current_site or not kwh:
        return ()
    return (DataMove(current_site, site, to_instant(problem.now), kwh),)


def _solve(problem: PlanningProblem, curve: Curve, budget: float | None) -> Solution:
    if problem.goal.earliest:
        limit = inf if budget is None else budget
        return earliest(curve, problem.job, limit, problem.state)
    return solve(curve, problem.job, problem.state)


def _following(
    problem: PlanningProblem, sites: Sequence[Site], current_site: Site | None, bound: float
) -> Candidate:
    """Return the best candidate that may move at every edge of a slot."""
    move_kwh = problem.regions.move_kwh
    sites = [site for site in sites if site.curve.stretches or site is current_site]
    found = region_rates(sites)
    if moves_are_free(problem.job, move_kwh):
        curve = lowest_rates(found, "all regions together")
        return assign_regions(_solve(problem, curve, problem.goal.budget_grams), sites, found)
    if problem.goal.earliest:
        raise BadInput(
            "the earliest plan within a limit is not offered with moves that cost while it "
            "runs; use one move, or leave the data where it is"
        )
    at = next((i for i, site in enumerate(sites) if site is current_site), -1)
    return migrate(
        problem.job,
        sites,
        found,
        current_site=at,
        move_kwh=move_kwh,
        now=to_instant(problem.now),
        state=problem.state,
        bound=bound,
    )


def _within(found: Sequence[Candidate], budget: float, quantile: Quantile) -> list[Candidate]:
    """Return the candidates within `budget`, by the quantile that the plans are decided by."""
    within = [each for each in found if each.value <= budget * (1 + 1e-9)]
    if not within:
        least = min(each.value for each in found)
        by = "" if quantile is Quantile.P50 else f" by the {quantile} of its forecast"
        raise OverBudget(
            f"the cleanest plan emits {least:.6g} g{by}, over the budget of {budget:.6g} g; "
            "raise the budget, allow a later deadline, or let the job pause",
            least_grams=least,
        )
    return within


def _nowhere(
    problem: PlanningProblem, sites: Sequence[Site], missing: dict[str, str]
) -> NoFeasibleWindow:
    """Return the error where no site offers a candidate."""
    said = "; ".join(missing.values())
    if problem.goal.threshold is None:
        return NoFeasibleWindow(said)
    for site in sites:
        try:
            solve(site.plain, problem.job, problem.state)
        except NoFeasibleWindow:
            continue
        signal = problem.regions.signal
        side = "over" if signal.lower_is_cleaner else "under"
        return NeverUnder(
            f"without the threshold there is a plan, but {signal} is {side} "
            f"{problem.goal.threshold:g} {signal.unit} for too much of the time: {said}. Move "
            "the threshold, or let the job pause"
        )
    return NoFeasibleWindow(said)


def _why(
    problem: PlanningProblem,
    candidate: Candidate,
    sites: Sequence[Site],
    current_site: Site | None,
) -> tuple[Code, Candidate, float | None]:
    """Return the reason for a candidate; where waiting saves too little, another candidate."""
    goal, job = problem.goal, problem.job
    if goal.budget_grams is not None:
        return Code.WITHIN_BUDGET, candidate, None
    if goal.threshold is not None:
        return Code.UNDER_THRESHOLD, candidate, None
    tried = (run_now_at(site, job, move_to(problem, site, current_site)) for site in sites)
    at_once = [each for each in tried if each is not None]
    if any(_same(candidate, each) for each in at_once):
        only = len(sites) == 1 and _no_slack(candidate.site.curve, problem)
        return Code.NO_CHOICE if only else Code.NOW_IS_BEST, candidate, None
    if goal.min_saving and at_once:
        soonest = min(at_once, key=_by_value)
        saved = saving(candidate, goal, soonest.counts, soonest.mean)
        # From a cost of 0 to one below it is a saving larger than any fraction.
        gains = candidate.counts < soonest.counts
        if (saved is None and not gains) or (saved is not None and saved < goal.min_saving):
            return Code.SAVING_TOO_SMALL, soonest, saved
    return Code.BEST, candidate, None


def _no_slack(curve: Curve, problem: PlanningProblem) -> bool:
    lengths = [end - start for _, start, end in curve.stretches]
    if problem.job.kind is Kind.UNBROKEN:
        lengths = [length for length in lengths if length >= problem.job.work]
    return sum(lengths) == problem.job.work


def _same(one: Candidate, other: Candidate) -> bool:
    return [(part[:3], site.region) for part, site in one.placed_parts] == [
        (part[:3], site.region) for part, site in other.placed_parts
    ]


def _by_value(candidate: Candidate) -> float:
    return candidate.value
