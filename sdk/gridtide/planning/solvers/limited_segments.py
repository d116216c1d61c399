"""The best pieces where their length, their places, their time or their power matters. Exact.

Lays a job onto equal units for the programme `limits`, and its answer back onto time.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from math import gcd, inf

from gridtide.planning.errors import TooFine
from gridtide.planning.problem.job import Cost, Job
from gridtide.planning.solvers import interruptible
from gridtide.planning.solvers.costly_pauses import too_few_pieces
from gridtide.planning.solvers.costs import Cells, Curve
from gridtide.planning.solvers.grid import Units
from gridtide.planning.solvers.limited_grid import Limits
from gridtide.planning.solvers.limited_grid import cheapest as by_limits
from gridtide.planning.solvers.overheads import FRESH, Standing, at_edges, tolls
from gridtide.planning.solvers.segments import Spans, laid
from gridtide.planning.solvers.solution import Draft, in_units
from gridtide.slots import to_microseconds

# Two seconds and a few tens of megabytes.
MOST_STATES = 8_000_000
# States that take as long as a point of time does by itself.
OVERHEAD = 50


def is_limited(job: Job) -> bool:
    """Whether more than the number and the energy of its pauses matters."""
    return bool(
        job.min_piece
        or job.checkpoints
        or job.pause_cost.time
        or job.restart_cost.time
        or len(job.steps) > 1
    )


def states(cells: Cells, job: Job, standing: Standing = FRESH) -> int:
    """How many states of the programme a plan takes."""
    unit = _unit(cells, job, standing)
    shortest = to_microseconds(job.min_piece) if job.min_piece else unit
    layers = min(job.max_pieces or 1, job.work // shortest + 1)
    return sum(cells.lengths) // unit * (job.work // unit + OVERHEAD) * layers


def _unit(cells: Cells, job: Job, standing: Standing) -> int:
    """The largest time of which slots, bounds, work and limits are whole numbers."""
    spans = [job.min_piece, job.pause_cost.time, job.restart_cost.time]
    lengths = [to_microseconds(span) for span in spans if span]
    lengths += [to_microseconds(mark) for mark in job.checkpoints]
    lengths += [end for _, end, _ in job.steps]
    if job.min_piece and standing.running:
        lengths.append(standing.ran)
    return gcd(*cells.lengths, *lengths)


def cheapest(curve: Curve, job: Job, standing: Standing = FRESH) -> Draft:
    """The pieces that count least; of equal ways one that ends early.

    Raises:
        NoFeasibleWindow: there is not enough free time, or not for such pieces.
        TooFine: the times share too small a step.
    """
    total, spans = _solved(curve, job, standing)
    cost = in_units(total) * max(kw for *_, kw in job.steps)
    return laid(curve.cells, spans, job, standing, cost)


def segments(curve: Curve, job: Job, standing: Standing = FRESH) -> Spans:
    """The work of `cheapest`, without the time that pauses and restarts take."""
    return _solved(curve, job, standing)[1]


def _solved(curve: Curve, job: Job, standing: Standing) -> tuple[float, Spans]:
    """Least cost in rate x microseconds at the most power, and the pieces."""
    most = standing.pieces_left(job.max_pieces)
    if interruptible.pick(curve.cells, job.work) is None:
        raise curve.refuse(job.work, unbroken=False)
    if most is not None and most < 1:
        raise too_few_pieces(curve, job)
    grid = _Grid.of(curve.cells, job, standing)
    total, found = by_limits(
        grid.units(job, standing), job.work // grid.unit, grid.limits(job, standing, most)
    )
    if not found:
        raise too_few_pieces(curve, job)
    ends = [start + grid.unit for start in grid.starts]
    spans = [(grid.starts[piece.start], ends[piece.end - 1]) for piece in found]
    return total * grid.unit, spans


@dataclass(frozen=True)
class _Grid:
    """Free time in units: when each starts, at which rate, and whether it touches the last."""

    unit: int
    starts: list[int]
    rates: list[int]
    breaks: list[bool]

    @classmethod
    def of(cls, cells: Cells, job: Job, standing: Standing) -> _Grid:
        unit, taken = _unit(cells, job, standing), states(cells, job, standing)
        if taken > MOST_STATES:
            raise TooFine(
                f"an exact plan takes {taken:,} steps of the smallest time that slots, "
                "bounds, duration and limits share; give them in whole minutes or longer, a "
                "nearer deadline, or drop a limit"
            )
        grid = cls(unit, [], [], [])
        last = standing.at if standing.running else None
        for start, length, rate in zip(cells.starts, cells.lengths, cells.rates, strict=True):
            count = length // unit
            grid.starts.extend(range(start, start + length, unit))
            grid.rates.extend([rate] * count)
            grid.breaks.extend([start != last, *[False] * (count - 1)])
            last = start + length
        return grid

    def units(self, job: Job, standing: Standing) -> Units:
        """What running, pausing and starting count at each unit or point."""
        restart = self._counted(job.restart_cost, job, before=False)
        first = restart if standing.started else [0.0] * len(self.rates)
        return Units(
            costs=[float(rate) for rate in self.rates],
            breaks=self.breaks,
            pause=self._counted(job.pause_cost, job, before=True),
            restart=restart,
            first=first,
            running=standing.running,
        )

    def limits(self, job: Job, standing: Standing, most: int | None) -> Limits:
        """The job's limits in units."""
        shortest = to_microseconds(job.min_piece) if job.min_piece else self.unit
        restart_time = to_microseconds(job.restart_cost.time) // self.unit
        marks = [to_microseconds(mark) // self.unit for mark in job.checkpoints]
        power = max(kw for *_, kw in job.steps)
        weights = [
            kw / power for start, end, kw in job.steps for _ in range(start, end, self.unit)
        ]
        pieces = job.work // shortest + 1
        return Limits(
            shortest=shortest // self.unit,
            left=max(0, shortest - standing.ran) // self.unit if job.min_piece else 0,
            most=None if most is None else min(most, pieces),
            marks=[*([0] if standing.may_stop else []), *marks] if marks else None,
            pause_time=to_microseconds(job.pause_cost.time) // self.unit,
            restart_time=restart_time,
            first_time=restart_time if standing.started else 0,
            weights=weights if len(job.steps) > 1 else (),
        )

    def _counted(self, cost: Cost, job: Job, *, before: bool) -> list[float]:
        """What `cost` counts that begins at each point, ``inf`` where its time has no room.

        With `before` it follows the unit before the point, else it precedes the one after.
        """
        time = to_microseconds(cost.time) // self.unit
        if not time:
            steps = tolls(self.rates, cost, job)
            return at_edges(steps, self.breaks, self.unit, after=not before)
        upto = list(accumulate(tolls(self.rates, cost, job), initial=0))
        breaks = list(accumulate(self.breaks, initial=0))
        found = []
        for point in range(len(self.rates)):
            end = point + time
            room = end < len(upto) and breaks[end] == breaks[point + (not before)]
            found.append((upto[end] - upto[point]) / (time * self.unit) if room else inf)
        return found
