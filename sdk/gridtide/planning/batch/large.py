"""Batch plans for large batches: prices, selection and local search within a time budget.

Prices give the bound and the first plans (`column_generation`); then a few jobs at a time are
planned again together (`local_search`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from time import monotonic

from gridtide.planning.batch.capacity import Cap, Member
from gridtide.planning.batch.column_generation import Columns
from gridtide.planning.batch.local_search import improve_by_neighbourhoods
from gridtide.planning.batch.lp_relaxation import Prices
from gridtide.planning.decide.candidate import Candidate

# Shares of the time for prices, for laying jobs one by one at them, picking, mending.
PRICING, LAYING, PICKING, MENDING = 0.2, 0.1, 0.15, 0.55
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
        if monotonic() > began + LAYING * seconds:
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
        members, caps, best, least + ENOUGH * abs(least), MENDING * seconds
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
