"""Batch plans for large batches: prices, selection and local search within a time budget.

Prices give the bound and the first plans (`column_generation`). Then a large neighbourhood
search plans a few jobs at a time again (Shaw 1998): each round takes out one job without a
plan, or one that lost much to the others, with some that may run at the same times, and an
integer programme places them in the capacity left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from random import Random
from time import monotonic

from gridtide.planning.batch.capacity import Cap, Member, exceeds_caps
from gridtide.planning.batch.column_generation import Columns
from gridtide.planning.batch.greedy import improve
from gridtide.planning.batch.integer_program import count_variables, grid_of, solve_together
from gridtide.planning.batch.lp_relaxation import Prices
from gridtide.planning.decide.candidate import Candidate

# Shares of the time for prices, for placing jobs one by one at them, picking, improving.
PRICING, PLACING, PICKING, IMPROVING = 0.2, 0.1, 0.15, 0.55
# Relative; a gap that more rounds are not worth.
ENOUGH = 0.002
# How much of the best prices stays, so that they swing less.
KEPT = 0.8


@dataclass(frozen=True)
class Priced:
    """Result: candidates, if any keep to the caps, and the proven bound."""

    candidates: dict[int, Candidate] | None
    least: float


def search_by_prices(
    members: Sequence[Member],
    caps: Mapping[str, Cap],
    known: Mapping[int, Candidate] | None,
    least: float,
    prices: Prices,
    seconds: float,
) -> Priced:
    """Return the best schedule found within about `seconds`.

    Args:
        known: one schedule; `least`: a bound already proven; `prices`: the first prices.

    Raises:
        NoSolver: no solver is installed.
        SolverFailed: the solver gave up.
        TooFine: the jobs, regions and slots are too many for it.
    """
    master = Columns(members, caps)
    for member in members:
        master.add(member, master.alone(member))
    best = dict(known) if known is not None else None
    if best is not None:
        for member in members:
            master.add(member, best[member.number])
    prices = {key: prices.get(key, 0.0) for key in master.rows}
    tried, most = [prices], -inf
    began = monotonic()
    while monotonic() < began + PRICING * seconds:
        bound, solutions = master.solve_at_prices(prices)
        if bound > most:
            most = bound
            tried.append(prices)
        new = sum([master.add(member, each) for member, each in solutions])
        if best is not None and _total(best) - max(least, most) <= ENOUGH * abs(_total(best)):
            return Priced(best, max(least, most))
        latest = master.prices()
        if not new and prices == latest:
            break
        # Near the prices that prove most, as new ones swing far from them at first.
        prices = _between(tried[-1], latest) if new else latest
    began = monotonic()
    for each in reversed(tried):
        best = _better(best, master.place_at_prices(each, caps))
        if monotonic() > began + PLACING * seconds:
            break
    if best is not None:
        for member in members:
            master.add(member, best[member.number])
    picked = master.pick(caps, PICKING * seconds)
    whole = len(picked) == len(members)
    if best is None or (whole and _total(picked) < _total(best)):
        best = picked
    least = max(least, most)
    best = improve_by_neighbourhoods(
        members, caps, best, least + ENOUGH * abs(least), IMPROVING * seconds
    )
    return Priced(best if len(best) == len(members) else None, least)


def _total(candidates: Mapping[int, Candidate]) -> float:
    return sum(candidate.value for candidate in candidates.values())


def _better(
    one: dict[int, Candidate] | None, other: dict[int, Candidate] | None
) -> dict[int, Candidate] | None:
    if one is None or other is None:
        return other if one is None else one
    return other if _total(other) < _total(one) else one


def _between(last: Prices, new: Prices) -> Prices:
    return {key: KEPT * last[key] + (1 - KEPT) * new[key] for key in new}


# Variables and seconds of one programme.
VARIABLES = 800
EACH = 0.5
# How often one job is tried in vain with other others.
TRIES = 3


def improve_by_neighbourhoods(
    members: Sequence[Member],
    caps: Mapping[str, Cap],
    schedule: Mapping[int, Candidate],
    least: float,
    seconds: float,
) -> dict[int, Candidate]:
    """Return `schedule`, which keeps to the caps, with more members or at a lower cost.

    Ends after `seconds`, once the cost is at most `least`, or where nothing helps.
    """
    found, unit = dict(schedule), grid_of(members)[0]
    random = Random(len(members))  # noqa: S311  # to be the same each time
    sizes = {member.number: count_variables(member, unit) for member in members}
    ends = monotonic() + seconds
    failed = {member.number: 0 for member in members}
    while monotonic() < ends and min(failed.values()) < TRIES:
        out = [member for member in members if member.number not in found]
        if not out and sum(each.value for each in found.values()) <= least:
            break
        first = random.choice(out or _by_loss(random, members, found, failed))
        taken, size = [first], sizes[first.number]
        # Where it was tried in vain the others are others, and in the end more.
        most = VARIABLES * (1 + failed[first.number] // TRIES)
        for member in random.sample(list(members), len(members)):
            near = member is not first and member.number in found and _meet(first, member)
            if near and size + sizes[member.number] <= most:
                taken.append(member)
                size += sizes[member.number]
        if size > most:
            break  # slots as small as this take too many variables
        numbers = {member.number for member in taken}
        rest = {number: each for number, each in found.items() if number not in numbers}
        anew = solve_together(taken, caps, rest, unit, min(EACH, ends - monotonic()))
        better = anew is not None and (
            bool(out)
            or sum(each.value for each in anew.values())
            < sum(found[number].value for number in numbers) * (1 - 1e-9)
        )
        if anew is None or not better or exceeds_caps(caps, {**rest, **anew}):
            failed[first.number] += 1
        else:
            found = {**rest, **anew}
            failed |= dict.fromkeys(numbers, 0)
    complete = len(found) == len(members)
    return improve(members, caps, found) if complete else found


def _by_loss(
    random: Random,
    members: Sequence[Member],
    found: Mapping[int, Candidate],
    failed: Mapping[int, int],
) -> list[Member]:
    """Pick a member not tried enough, preferring one that lost much to the others."""
    left = [each for each in members if failed[each.number] < TRIES]
    losses = [max(0.0, found[each.number].value - each.alone) for each in left]
    return random.choices(left, [loss + 1e-9 * (1 + sum(losses)) for loss in losses])


def _meet(one: Member, other: Member) -> bool:
    """Say whether the two may run in one region at the same time."""
    return any(
        here.region.name == there.region.name
        and here.curve.stretches
        and there.curve.stretches
        and here.curve.stretches[0].start < there.curve.stretches[-1].end
        and there.curve.stretches[0].start < here.curve.stretches[-1].end
        for here in one.sites
        for there in other.sites
    )
