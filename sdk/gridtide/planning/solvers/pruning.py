"""Units of time that a cheapest schedule can use, by a bound on the cost with each of them.

A reward on every unit of work in place of the amount of work leaves a programme of two states,
running and paused, which takes a tenth of the time of the exact one. With any reward its least
cost plus the reward of the whole work is a lower bound on the cost of all schedules (Lagrange),
and so is the least cost through one state of one unit. Where that is above the cost of a known
schedule, the state can be left out. Mostly few units remain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from gridtide.planning.solvers.cancellation import check_cancelled
from gridtide.planning.solvers.time_grid import Units

# How many rewards are tried, and how near the bound is searched, in overheads of a pause.
REWARDS = 12
NEAR = 1 / 8
# How much above the bound the cost is expected at first, in overheads of a pause.
EXPECTED = 1 / 4
# What floating point may leave between two sums of the same numbers, in parts of their sizes.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Useful:
    """The states that a schedule of at most `limit` can have.

    Attributes:
        limit: no schedule of this cost or less has another state.
        runs: whether it may run in each unit.
        pauses: whether it may be paused in each unit, having run before and running again.
    """

    limit: float
    runs: Sequence[bool]
    pauses: Sequence[bool]


@dataclass(frozen=True)
class Bound:
    """The least cost with one reward.

    Attributes:
        reward: for each unit of work.
        least: lower bound on the cost of all schedules.
        work: units of the schedule with that cost, and its cost without the reward.
        running, paused: least cost, less the reward, up to and including each unit, in each
            state.
    """

    reward: float
    least: float
    work: int
    cost: float
    running: list[float]
    paused: list[float]


class Pruning:
    """Bounds for one amount of work; they are made with the first question."""

    def __init__(self, units: Units, work: int) -> None:
        self._units, self._work = units, work
        overheads = [
            pause + restart for pause, restart in zip(units.pause, units.restart, strict=True)
        ]
        self._overhead = min(overheads)
        if self._overhead == inf:
            self._overhead = 0.0
        self._bound = self._search()
        self._onward = self._look_ahead(self._bound.reward)

    @property
    def expected(self) -> float:
        """A limit that the least cost is mostly within."""
        return self._bound.least + EXPECTED * self._overhead

    def within(self, limit: float) -> Useful:
        """Return the states of schedules that cost at most `limit`."""
        bound, paid = self._bound, self._bound.reward * self._work
        sizes = abs(limit) + abs(paid) + sum(map(abs, self._units.costs))
        most = limit - paid + ROUNDING * sizes
        running, paused = self._onward
        return Useful(
            limit,
            [one + other <= most for one, other in zip(bound.running, running, strict=True)],
            [one + other <= most for one, other in zip(bound.paused, paused, strict=True)],
        )

    def _search(self) -> Bound:
        """Return the highest bound found: between too much work and too little, by secants."""
        costs = sorted(self._units.costs)
        found = best = self._solve(costs[self._work - 1])
        fewer: Bound | None = None
        more: Bound | None = None
        for _ in range(REWARDS):
            check_cancelled()
            if found.least > best.least:
                best = found
            if found.work == self._work or not self._overhead:
                break
            fewer, more = (found, more) if found.work < self._work else (fewer, found)
            if more is None:
                reward = found.reward + self._overhead / 2
            elif fewer is None:
                reward = found.reward - self._overhead / 2
            else:
                reward = (more.cost - fewer.cost) // (more.work - fewer.work)
                highest = fewer.cost + reward * (self._work - fewer.work)
                if reward == found.reward or highest - best.least < NEAR * self._overhead:
                    break
            found = self._solve(reward)
        return best

    def _solve(self, reward: float) -> Bound:
        """Return the least cost of any amount of work, with a reward for each unit of it."""
        units = self._units
        on, off, on_work, off_work = (0.0 if units.running else inf), inf, 0, 0
        best, best_work = inf, 0
        running, paused = [], []
        for cost, broken, pause, restart, first in zip(
            units.costs, units.breaks, units.pause, units.restart, units.first, strict=True
        ):
            stopping = on + pause
            if stopping < off:
                off, off_work = stopping, on_work
            again = off + restart
            if broken or again < on:
                on, on_work = again, off_work
            if first < on:
                on, on_work = first, 0
            on += cost - reward
            on_work += 1
            if on < best:
                best, best_work = on, on_work
            running.append(on)
            paused.append(off)
        least = best + reward * self._work
        return Bound(reward, least, best_work, best + reward * best_work, running, paused)

    def _look_ahead(self, reward: float) -> tuple[list[float], list[float]]:
        """Return the least cost after each unit, having run or been paused in it."""
        units = self._units
        on, off = 0.0, inf
        running, paused = [], []
        for cost, broken, pause, restart in zip(
            reversed(units.costs),
            reversed(units.breaks),
            reversed(units.pause),
            reversed(units.restart),
            strict=True,
        ):
            running.append(on)
            paused.append(off)
            run = cost - reward + on
            again = restart + run
            off = again if again < off else off
            on = min(0.0, pause + off, inf if broken else run)
        running.reverse()
        paused.reverse()
        return running, paused
