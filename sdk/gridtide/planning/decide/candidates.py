"""The ways a question can be answered, and the one that reaches the goal best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

from gridtide.errors import BadInput, NoData, NoFeasibleWindow
from gridtide.planning.decide.baseline import Baseline, now_at, saving
from gridtide.planning.decide.candidate import Choice, Moved
from gridtide.planning.decide.earliest import earliest
from gridtide.planning.decide.moves import envelope, moments, moves_are_free, roam, shared
from gridtide.planning.decide.request import Question
from gridtide.planning.decide.response import Code
from gridtide.planning.errors import NeverUnder, OverBudget, TooFine
from gridtide.planning.problem.job import Kind
from gridtide.planning.problem.regions import Moves
from gridtide.planning.solvers.costs import Curve
from gridtide.planning.solvers.region_costs import Site
from gridtide.planning.solvers.solution import Draft
from gridtide.planning.solvers.solve import drafted, steps
from gridtide.slots import to_instant

# Some twenty seconds.
MOST_STEPS = 100_000_000


@dataclass(frozen=True)
class Decision:
    """What was chosen, why, and what else there was.

    Attributes:
        elsewhere: the best of each site that was not chosen, best first.
        left_out: regions without a choice, and why.
        baseline: what savings count against.
        saved: where waiting saves too little, what it would save; ``None``: nothing to save.
    """

    choice: Choice
    code: Code
    elsewhere: tuple[Choice, ...]
    left_out: dict[str, str]
    baseline: Baseline
    saved: float | None = None


def decided(question: Question) -> Decision:
    """The best way to answer `question`; raises as `choose.plan`."""
    places, goal, job = question.places, question.goal, question.job
    sites = {
        place.region: Site.of(place, job, question.bounds, goal, question.now)
        for place in places.places
    }
    ruled_out = places.ruled_out()
    usable = [site for region, site in sites.items() if region not in ruled_out]
    home = sites[places.home] if places.home else None
    _refuse_effort(question, usable)
    found, missing = each_alone(question, usable, home)
    following = places.moves is Moves.FOLLOW and len(usable) > 1
    if following:
        bound = min((each.value for each in found), default=inf)
        found.insert(0, _following(question, usable, home, bound))
    elif not found:
        raise _nowhere(question, usable, missing)
    if goal.budget_grams is not None:
        found = _within(found, goal.budget_grams)
    by_end = (lambda each: (each.end, each.value)) if goal.earliest else _by_value
    choice = found[0] if following else min(found, key=by_end)
    elsewhere = sorted((each for each in found if each is not choice), key=_by_value)
    baseline = Baseline.of(home or choice.site, job)
    code, choice, saved = _why(question, choice, usable, home)
    left_out = ruled_out | missing
    return Decision(choice, code, tuple(elsewhere), left_out, baseline, saved)


def _refuse_effort(question: Question, sites: Sequence[Site]) -> None:
    """Raise where a question would take so long that nobody waits for its answer."""
    each = (steps(site.curve, question.job, question.standing) for site in sites)
    # The earliest end is found by halving.
    tries = max(len(site.curve.cells.rates) for site in sites).bit_length()
    taken = sum(each) * (tries if question.goal.earliest else 1)
    if taken > MOST_STEPS:
        raise TooFine(
            f"an exact plan over {len(sites)} regions takes {taken:,} steps, more than "
            f"{MOST_STEPS:,}; ask for fewer regions, a nearer deadline, or times in multiples "
            "of the slots, or drop a limit on the pieces"
        )


def each_alone(
    question: Question, sites: Sequence[Site], home: Site | None
) -> tuple[list[Choice], dict[str, str]]:
    """The best that each of `sites` offers by itself, and of those that offer none, why."""
    found, missing = [], {}
    for site in sites:
        moved = move_to(question, site, home)
        budget = question.goal.budget_grams
        try:
            if budget is not None:
                budget = (budget - sum(move.grams for move in moved)) / site.place.pue
            found.append(Choice.at(site, _drafted(question, site.curve, budget), moved))
        except (NoFeasibleWindow, NoData) as error:
            missing[site.place.region] = str(error)
    return found, missing


def move_to(question: Question, site: Site, home: Site | None) -> tuple[Moved, ...]:
    """What moving the data from home to `site` takes."""
    kwh = question.places.move_kwh
    if home is None or site is home or not kwh:
        return ()
    return (Moved(home, site, to_instant(question.now), kwh),)


def _drafted(question: Question, curve: Curve, budget: float | None) -> Draft:
    if question.goal.earliest:
        limit = inf if budget is None else budget
        return earliest(curve, question.job, limit, question.standing)
    return drafted(curve, question.job, question.standing)


def _following(
    question: Question, sites: Sequence[Site], home: Site | None, bound: float
) -> Choice:
    """The best way that may move at every edge of a slot."""
    move_kwh = question.places.move_kwh
    sites = [site for site in sites if site.curve.stretches or site is home]
    found = moments(sites)
    if moves_are_free(question.job, move_kwh):
        curve = envelope(found, "all regions together")
        return shared(_drafted(question, curve, question.goal.budget_grams), sites, found)
    if question.goal.earliest:
        raise BadInput(
            "the earliest plan within a limit is not offered with moves that cost while it "
            "runs; use one move, or leave the data where it is"
        )
    at = next((i for i, site in enumerate(sites) if site is home), -1)
    return roam(
        question.job,
        sites,
        found,
        home=at,
        move_kwh=move_kwh,
        now=to_instant(question.now),
        standing=question.standing,
        bound=bound,
    )


def _within(found: Sequence[Choice], budget: float) -> list[Choice]:
    # Decided by the goal's quantile, as the plans themselves are.
    within = [each for each in found if each.value <= budget * (1 + 1e-9)]
    if not within:
        least = min(each.value for each in found)
        raise OverBudget(
            f"the cleanest plan emits {least:.6g} g, over the budget of {budget:.6g} g; raise "
            "the budget, allow a later deadline, or let the job pause",
            least_grams=least,
        )
    return within


def _nowhere(
    question: Question, sites: Sequence[Site], missing: dict[str, str]
) -> NoFeasibleWindow:
    """The error where no site offers a plan."""
    said = "; ".join(missing.values())
    if question.goal.threshold is None:
        return NoFeasibleWindow(said)
    for site in sites:
        try:
            drafted(site.plain, question.job, question.standing)
        except NoFeasibleWindow:
            continue
        signal = question.places.signal
        side = "over" if signal.lower_is_cleaner else "under"
        return NeverUnder(
            f"without the threshold there is a plan, but {signal} is {side} "
            f"{question.goal.threshold:g} {signal.unit} for too much of the time: {said}. Move "
            "the threshold, or let the job pause"
        )
    return NoFeasibleWindow(said)


def _why(
    question: Question,
    choice: Choice,
    sites: Sequence[Site],
    home: Site | None,
) -> tuple[Code, Choice, float | None]:
    """The reason for a choice; where waiting saves too little, another choice."""
    goal, job = question.goal, question.job
    if goal.budget_grams is not None:
        return Code.WITHIN_BUDGET, choice, None
    if goal.threshold is not None:
        return Code.UNDER_THRESHOLD, choice, None
    at_once = []
    for site in sites:
        there = now_at(site, job)
        if there is not None:
            moved = move_to(question, site, home)
            value = there.value + sum(move.counts for move in moved)
            at_once.append(replace(there, value=value, moved=moved))
    if any(_same(choice, each) for each in at_once):
        only = len(sites) == 1 and _no_slack(choice.site.curve, question)
        return Code.NO_CHOICE if only else Code.NOW_IS_BEST, choice, None
    if goal.min_saving and at_once:
        soonest = min(at_once, key=_by_value)
        saved = saving(choice, goal, soonest.counts, soonest.mean)
        if saved is None or saved < goal.min_saving:
            return Code.SAVING_TOO_SMALL, soonest, saved
    return Code.BEST, choice, None


def _no_slack(curve: Curve, question: Question) -> bool:
    lengths = [end - start for _, start, end in curve.stretches]
    if question.job.kind is Kind.UNBROKEN:
        lengths = [length for length in lengths if length >= question.job.work]
    return sum(lengths) == question.job.work


def _same(one: Choice, other: Choice) -> bool:
    return [(part[:3], site.place) for part, site in one.laid] == [
        (part[:3], site.place) for part, site in other.laid
    ]


def _by_value(choice: Choice) -> float:
    return choice.value
