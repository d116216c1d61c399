"""Build a plan from a decision: schedule, totals, savings, alternatives and explanation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from gridtide.model import format_time
from gridtide.planning.decide.candidate import Candidate, Site
from gridtide.planning.decide.candidates import Decision, each_alone
from gridtide.planning.decide.comparison import find_alternatives
from gridtide.planning.decide.response import (
    Alternative,
    Code,
    Interval,
    LeftOut,
    Plan,
    PlannedSlot,
    Reason,
)
from gridtide.planning.errors import TooFine
from gridtide.planning.problem.objective import Goal, Objective
from gridtide.planning.problem.regions import Moves
from gridtide.planning.problem.state import PlanningProblem
from gridtide.slots import to_moment

# How much later the deadline of a second plan is, which shows what would change.
LATER = timedelta(hours=24)
# Savings below it are not worth a sentence.
WORTH_SAYING = 0.005


def explain(problem: PlanningProblem, decision: Decision) -> Plan:
    """Return the plan for a decision."""
    candidate, goal = decision.candidate, problem.goal
    low, high = candidate.grams("p10"), candidate.grams("p90")
    baseline = decision.baseline
    outlook = candidate.site.outlook
    alternatives = _alternatives(problem, decision)
    return Plan(
        region=candidate.site.region.name,
        start=to_moment(candidate.start),
        end=to_moment(candidate.end),
        slots=tuple(
            PlannedSlot(
                start=to_moment(part.start),
                end=to_moment(part.end),
                power_kw=part.power_kw,
                region=site.region.name,
                workers=part.workers,
            )
            for part, site in candidate.placed_parts
        ),
        segments=candidate.segments,
        signal=outlook.signal,
        unit=outlook.signal.unit,
        kwh=candidate.kwh,
        grams=candidate.grams(),
        cost=candidate.cost,
        cost_unit=candidate.cost_unit,
        mean=candidate.mean,
        saving_now=baseline.saving_now(candidate, goal),
        saving_median=baseline.saving(candidate, goal, baseline.median),
        saving_worst=baseline.saving(candidate, goal, baseline.worst),
        interval=None if low is None or high is None else Interval(low=low, high=high),
        alternatives=tuple(each for _, each in alternatives),
        reason=Reason(code=decision.code, sentence=_sentence(problem, decision)),
        what_would_change=_what_would_change(problem, decision, alternatives),
        left_out=tuple(
            LeftOut(region=region, reason=why) for region, why in decision.left_out.items()
        ),
        issued_at=outlook.issued_at,
        model=outlook.model,
        problem=problem,
    )


Named = list[tuple[Candidate, Alternative]]


def _alternatives(problem: PlanningProblem, decision: Decision) -> Named:
    """Return the other plans, each with its form in the response, best first."""
    if not problem.alternatives:
        return []
    candidate, baseline = decision.candidate, decision.baseline
    # Of a job that moves while it runs, the plan that stays has no more than the first move.
    stays = (each for each in decision.elsewhere if each.site is candidate.site)
    moved = next(stays, candidate).moved
    found = find_alternatives(
        problem.job,
        candidate,
        decision.elsewhere,
        moved,
        problem.alternatives,
        problem.state,
    )
    return [
        (
            other,
            Alternative(
                what=what,
                region=other.site.region.name,
                start=to_moment(other.start),
                end=to_moment(other.end),
                kwh=other.kwh,
                grams=other.grams(),
                mean=other.mean,
                saving_now=baseline.saving_now(other, problem.goal),
            ),
        )
        for what, other in found
    ]


def _sentence(problem: PlanningProblem, decision: Decision) -> str:
    """Return the reason in a sentence."""
    candidate, goal = decision.candidate, problem.goal
    unit = candidate.site.outlook.signal.unit
    where = " and ".join(dict.fromkeys(site.region.name for _, site in candidate.placed_parts))
    times = f"from {_time(candidate.start)} to {_time(candidate.end)}"
    segments = f", in {candidate.segments} segments" if candidate.segments > 1 else ""
    runs = f"in {where} {times}{segments}, at {candidate.mean:.4g} {unit}"
    match decision.code:
        case Code.NOW_IS_BEST:
            return f"Run at once, {runs}: nothing within the bounds is better."
        case Code.NO_CHOICE:
            return f"Run {runs}: the bounds allow no other start."
        case Code.SAVING_TOO_SMALL:
            least = _amount(goal.min_saving, goal)
            would = "nothing" if decision.saved is None else _amount(decision.saved, goal)
            return f"Run at once, {runs}: waiting would save {would}, less than {least}."
        case Code.WITHIN_BUDGET:
            return f"Run {runs}: the earliest end within {goal.budget_grams:.6g} g."
        case Code.UNDER_THRESHOLD:
            side = "under" if candidate.site.outlook.signal.lower_is_cleaner else "over"
            return f"Run {runs}: the earliest end at or {side} {goal.threshold:g} {unit}."
    against = [
        f"{_compared(saved, goal)} than {what}"
        for saved, what in (
            (decision.baseline.saving_now(candidate, goal), "at once"),
            (
                decision.baseline.saving(candidate, goal, decision.baseline.median),
                "the median start",
            ),
        )
        if saved is not None
    ]
    capped = ", in what the cap leaves" if decision.code is Code.CAPPED else ""
    return f"Run {runs}{capped}" + (f": {', '.join(against)}." if against else ".")


def _what_would_change(problem: PlanningProblem, decision: Decision, named: Named) -> str:
    """Return what would make another plan better, in a sentence."""
    goal, candidate = problem.goal, decision.candidate
    if decision.code is Code.SAVING_TOO_SMALL:
        return "A lower min_saving, at most what waiting would save, would make it wait."
    if decision.code is Code.WITHIN_BUDGET:
        return f"With a budget under {candidate.value:.6g} g it would end later, or not fit."
    if decision.code is Code.UNDER_THRESHOLD:
        return f"With a threshold beyond {goal.threshold:g} it could end sooner."
    said = []
    if named:
        other, alternative = named[0]
        margin = (other.value - candidate.value) / candidate.kwh
        said.append(
            f"To {alternative.what} would be as good if the chosen time were {margin:.3g} "
            f"{_unit(problem, decision)} worse than forecast."
        )
    if problem.alternatives and problem.regions.moves is Moves.ONE:
        said.append(_later(problem, decision))
    return " ".join(said) or "A different forecast, different bounds or a different goal."


def _later(problem: PlanningProblem, decision: Decision) -> str:
    """Return what a later deadline would change, in a sentence."""
    _, last = problem.bounds.limits(problem.now, problem.job.duration)
    sites = [candidate.site for candidate in (decision.candidate, *decision.elsewhere)]
    known = max(site.known_until for site in sites)
    if last is None or known <= last:
        what = "forecast and price are" if problem.goal.has_costs else "forecast is"
        return f"No {what} known yet after {format_time(known)}."
    bounds = replace(
        problem.bounds,
        deadline=last + LATER,
        slack=None,
        slack_fraction=None,
        next_working_day=None,
    )
    later_problem = replace(problem, bounds=bounds)
    longer = [
        Site.of(site.region, problem.job, bounds, problem.goal, problem.now) for site in sites
    ]
    current_site = next(
        (s for s in longer if s.region.name == problem.regions.current_region), None
    )
    try:
        found, _ = each_alone(later_problem, longer, current_site)
    except TooFine:
        return "What ending up to 24 h later would save takes too many steps to compute."
    best = min((candidate.value for candidate in found), default=decision.candidate.value)
    gain = decision.candidate.value - best
    share = gain / abs(decision.candidate.value) if decision.candidate.value else 0.0
    if share < WORTH_SAYING:
        return "Ending up to 24 h later would save nothing more."
    return f"Ending up to 24 h later would save another {share:.1%}."


def _compared(saved: float, goal: Goal) -> str:
    more = "more" if saved < 0 else "less"
    match goal.objective:
        case Objective.CFE:
            return f"{abs(saved):.3g} {'less' if saved < 0 else 'more'} of it carbon-free"
        case Objective.CARBON:
            return f"{abs(saved):.1%} {more} carbon"
        case Objective.COST:
            return f"{abs(saved):.1%} {more} cost"
    return f"{abs(saved):.1%} {more} by the weights given"


def _amount(saved: float, goal: Goal) -> str:
    return (
        f"{saved:.3g} of carbon-free share"
        if goal.objective is Objective.CFE
        else f"{saved:.1%}"
    )


def _unit(problem: PlanningProblem, decision: Decision) -> str:
    """Return the unit of the cost of a kWh under the goal."""
    match problem.goal.objective:
        case Objective.CARBON:
            return "gCO2e/kWh"
        case Objective.CFE:
            return "of carbon-free share"
        case Objective.COST:
            return f"{decision.candidate.cost_unit}/kWh"
    return "per kWh, weighted,"


def _time(instant: int) -> str:
    return format_time(to_moment(instant))
