"""A decision told: slots, sums, savings, other plans and sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from gridtide.model import format_time
from gridtide.planning.decide.alternatives import others
from gridtide.planning.decide.candidate import Choice
from gridtide.planning.decide.candidates import Decision, each_alone
from gridtide.planning.decide.request import Question
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
from gridtide.planning.problem.objective import Aim, Goal
from gridtide.planning.problem.regions import Moves
from gridtide.planning.solvers.region_costs import Site
from gridtide.slots import to_moment

# How much later a deadline is looked at, for what would change.
LATER = timedelta(hours=24)
# Savings below it are not worth a sentence.
WORTH_SAYING = 0.005


def told(question: Question, decision: Decision) -> Plan:
    """The plan of a decision."""
    choice, goal = decision.choice, question.goal
    low, high = choice.grams("p10"), choice.grams("p90")
    baseline = decision.baseline
    outlook = choice.site.outlook
    alternatives = _alternatives(question, decision)
    return Plan(
        region=choice.site.place.region,
        start=to_moment(choice.start),
        end=to_moment(choice.end),
        slots=tuple(
            PlannedSlot(
                start=to_moment(part.start),
                end=to_moment(part.end),
                power_kw=part.power_kw,
                region=site.place.region,
                chips=part.chips,
            )
            for part, site in choice.laid
        ),
        pieces=choice.pieces,
        signal=outlook.signal,
        unit=outlook.signal.unit,
        kwh=choice.kwh,
        grams=choice.grams(),
        cost=choice.cost(goal.costs) if goal.costs else None,
        cost_unit=goal.costs.unit if goal.costs else None,
        mean=choice.mean,
        saving_now=baseline.saving_now(choice, goal),
        saving_median=baseline.saving(choice, goal, baseline.median),
        saving_worst=baseline.saving(choice, goal, baseline.worst),
        interval=None if low is None or high is None else Interval(low=low, high=high),
        alternatives=tuple(told for _, told in alternatives),
        reason=Reason(code=decision.code, sentence=_sentence(question, decision)),
        what_would_change=_what_would_change(question, decision, alternatives),
        left_out=tuple(
            LeftOut(region=region, reason=why) for region, why in decision.left_out.items()
        ),
        issued_at=outlook.issued_at,
        model=outlook.model,
        question=question,
    )


Named = list[tuple[Choice, Alternative]]


def _alternatives(question: Question, decision: Decision) -> Named:
    """Other plans, each with its wire form, best first."""
    if not question.alternatives:
        return []
    choice, baseline = decision.choice, decision.baseline
    found = others(
        question.job,
        choice,
        decision.elsewhere,
        choice.moved,
        question.alternatives,
        question.standing,
    )
    return [
        (
            other,
            Alternative(
                what=what,
                region=other.site.place.region,
                start=to_moment(other.start),
                end=to_moment(other.end),
                kwh=other.kwh,
                grams=other.grams(),
                mean=other.mean,
                saving_now=baseline.saving_now(other, question.goal),
            ),
        )
        for what, other in found
    ]


def _sentence(question: Question, decision: Decision) -> str:
    """Why, for people."""
    choice, goal = decision.choice, question.goal
    unit = choice.site.outlook.signal.unit
    where = " and ".join(dict.fromkeys(site.place.region for _, site in choice.laid))
    times = f"from {_time(choice.start)} to {_time(choice.end)}"
    pieces = f", in {choice.pieces} pieces" if choice.pieces > 1 else ""
    runs = f"in {where} {times}{pieces}, at {choice.mean:.4g} {unit}"
    match decision.code:
        case Code.NOW_IS_BEST:
            return f"Run at once, {runs}: nothing within the bounds is better."
        case Code.NO_CHOICE:
            return f"Run {runs}: the bounds leave no other way."
        case Code.SAVING_TOO_SMALL:
            least = _amount(goal.min_saving, goal)
            would = "nothing" if decision.saved is None else _amount(decision.saved, goal)
            return f"Run at once, {runs}: waiting would save {would}, less than {least}."
        case Code.WITHIN_BUDGET:
            return f"Run {runs}: the earliest end within {goal.budget_grams:.6g} g."
        case Code.UNDER_THRESHOLD:
            side = "under" if choice.site.outlook.signal.lower_is_cleaner else "over"
            return f"Run {runs}: the earliest end at or {side} {goal.threshold:g} {unit}."
    against = [
        f"{_compared(saved, goal)} than {what}"
        for saved, what in (
            (decision.baseline.saving_now(choice, goal), "at once"),
            (
                decision.baseline.saving(choice, goal, decision.baseline.median),
                "the median start",
            ),
        )
        if saved is not None
    ]
    capped = ", in what the cap leaves" if decision.code is Code.CAPPED else ""
    return f"Run {runs}{capped}" + (f": {', '.join(against)}." if against else ".")


def _what_would_change(question: Question, decision: Decision, named: Named) -> str:
    """What would make another plan better."""
    goal, choice = question.goal, decision.choice
    if decision.code is Code.SAVING_TOO_SMALL:
        return "It would wait for a min_saving of no more than what waiting would save."
    if decision.code is Code.WITHIN_BUDGET:
        return f"With a budget under {choice.value:.6g} g it would end later, or nowhere."
    if decision.code is Code.UNDER_THRESHOLD:
        return f"With a threshold beyond {goal.threshold:g} it could end sooner."
    said = []
    if named:
        other, alternative = named[0]
        margin = (other.value - choice.value) / choice.kwh
        said.append(
            f"To {alternative.what} would be as good were the chosen time {margin:.3g} "
            f"{_unit(question)} worse than forecast."
        )
    if question.alternatives and question.places.moves is Moves.ONE:
        said.append(_later(question, decision))
    return " ".join(said) or "Another forecast, other bounds or another goal."


def _later(question: Question, decision: Decision) -> str:
    """What a later deadline would change."""
    _, last = question.bounds.limits(question.now, question.job.duration)
    sites = [choice.site for choice in (decision.choice, *decision.elsewhere)]
    known = max(site.outlook.expected.slots[-1].end for site in sites)
    if last is None or known <= last:
        return f"Nothing is forecast yet after {format_time(known)}."
    bounds = replace(
        question.bounds,
        deadline=last + LATER,
        slack=None,
        slack_fraction=None,
        next_working_day=None,
    )
    relaxed = replace(question, bounds=bounds)
    longer = [
        Site.of(site.place, question.job, bounds, question.goal, question.now) for site in sites
    ]
    home = next((s for s in longer if s.place.region == question.places.home), None)
    try:
        found, _ = each_alone(relaxed, longer, home)
    except TooFine:
        return "What ending up to 24 h later would save takes too many steps to tell."
    best = min((choice.value for choice in found), default=decision.choice.value)
    gain = decision.choice.value - best
    share = gain / abs(decision.choice.value) if decision.choice.value else 0.0
    if share < WORTH_SAYING:
        return "Ending up to 24 h later would save nothing more."
    return f"Ending up to 24 h later would save another {share:.1%}."


def _compared(saved: float, goal: Goal) -> str:
    more = "more" if saved < 0 else "less"
    match goal.aim:
        case Aim.CFE:
            return f"{abs(saved):.3g} {'less' if saved < 0 else 'more'} of it carbon-free"
        case Aim.CARBON:
            return f"{abs(saved):.1%} {more} carbon"
        case Aim.COST:
            return f"{abs(saved):.1%} {more} cost"
    return f"{abs(saved):.1%} {more} by the weights given"


def _amount(saved: float, goal: Goal) -> str:
    return f"{saved:.3g} of carbon-free share" if goal.aim is Aim.CFE else f"{saved:.1%}"


def _unit(question: Question) -> str:
    """Of what the goal counts for a kWh."""
    goal = question.goal
    match goal.aim:
        case Aim.CARBON:
            return "gCO2e/kWh"
        case Aim.CFE:
            return "of carbon-free share"
        case Aim.COST:
            return f"{goal.costs.unit if goal.costs else ''}/kWh"
    return "a kWh, weighed,"


def _time(instant: int) -> str:
    return format_time(to_moment(instant))
