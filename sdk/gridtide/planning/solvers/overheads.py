"""What pauses and restarts count and draw, and where a job stands between two of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from gridtide.planning.problem.job import HOUR, Cost, Job
from gridtide.planning.solvers.costs import Cells
from gridtide.planning.solvers.solution import Drawn


@dataclass(frozen=True)
class Standing:
    """Where a job stands when the rest of it is planned.

    Attributes:
        at: the moment, microseconds.
        started: whether it ran before, so that its next start is a restart.
        running: whether it runs right up to `at`.
        ran: for how long it has run without a pause then, microseconds.
        pieces: how many pieces it has had, the running one counted.
        may_stop: whether `at` is a place where it may pause.
        chips: the size of an elastic job up to `at`, 0 where it stands still.
    """

    at: int = 0
    started: bool = False
    running: bool = False
    ran: int = 0
    pieces: int = 0
    may_stop: bool = True
    chips: float = 0.0

    def pieces_left(self, most: int | None) -> int | None:
        """How many of `most` pieces the rest may take, the running one counted."""
        return None if most is None else most - self.pieces + self.running


FRESH = Standing()


def tolls(rates: Sequence[int], cost: Cost, job: Job) -> list[int]:
    """What the energy of `cost` counts at each rate, in rate x microseconds at most power.

    Never below 0: at a rate below 0 a pause would earn, and no plan pauses to burn energy.
    """
    if not cost.kwh:
        return [0] * len(rates)
    factor = cost.kwh * HOUR / max(kw for *_, kw in job.steps)
    return [round(rate * factor) if rate > 0 else 0 for rate in rates]


def at_edges(
    counted: Sequence[int], breaks: Sequence[bool], unit: int, *, after: bool
) -> list[float]:
    """What a cost that is `counted` so inside cells counts right before each cell, by `unit`.

    At an edge of two cells that touch, in the cheaper one; else, with `after`, in the cell that
    begins, and without, in the one that has ended (the first: in itself).
    """
    last = [counted[0], *counted[:-1]]
    return [
        ((here if after else before) if broken else min(before, here)) / unit
        for before, here, broken in zip(last, counted, breaks, strict=True)
    ]


def drawn(
    cells: Cells, spans: Sequence[tuple[int, int]], job: Job, standing: Standing
) -> tuple[Drawn, ...]:
    """The energy of pauses and restarts that take no time, in the cells they fall in.

    `spans` are the pieces, ascending.
    """
    stops = [end for _, end in spans[:-1]]
    starts = [start for start, _ in spans[1:]]
    if standing.running and spans[0][0] != standing.at:
        stops.insert(0, cells.starts[0])
    if standing.started and not (standing.running and spans[0][0] == standing.at):
        starts.insert(0, spans[0][0])
    found = [drawn_at(cells, instant, job.pause_cost) for instant in stops]
    found += [drawn_at(cells, instant, job.restart_cost) for instant in starts]
    return tuple(each for each in found if each.kwh)


def drawn_at(cells: Cells, instant: int, cost: Cost) -> Drawn:
    """The energy of `cost` in the cheapest cell that `instant` is in or at an edge of.

    None where it takes time.
    """
    last = bisect_right(cells.starts, instant) - 1
    beside = [i for i in (last, last - 1) if i >= 0 and cells.ends[i] >= instant]
    i = min(beside, key=cells.rates.__getitem__)
    return Drawn(cells.starts[i], cells.ends[i], 0.0 if cost.time else cost.kwh)
