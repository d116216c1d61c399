"""Exact plans for a job that may move between regions at every edge of a slot.

Where moving is free, the lowest rate of each interval over all regions is one curve, and any
planner solves it. Where moving costs energy or a restart, `uneven_grid` searches all regions at
once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from gridtide.errors import BadInput
from gridtide.model import Quality, Slot
from gridtide.planning.decide.candidate import Candidate, DataMove, Share, Site
from gridtide.planning.decide.integrals import value_from
from gridtide.planning.problem.job import HOUR, Cost, Job, Kind
from gridtide.planning.problem.state import JobState
from gridtide.planning.solvers.costs import Curve, Intervals, Stretch
from gridtide.planning.solvers.exact_segments import is_limited, too_few_segments
from gridtide.planning.solvers.solution import (
    EnergyDraw,
    Part,
    Solution,
    join_parts,
    overhead_costs,
)
from gridtide.planning.solvers.uneven_grid import SiteCosts, UnevenGrid, Use
from gridtide.slots import STEPS_PER_UNIT, to_moment, unbroken


@dataclass(frozen=True)
class RegionRates:
    """Interval over which no rate changes: the rate of each site, PUE included, where free."""

    start: int
    end: int
    rates: tuple[int | None, ...]

    @property
    def least(self) -> int:
        """The lowest rate of all sites."""
        return min(rate for rate in self.rates if rate is not None)


def region_rates(sites: Sequence[Site]) -> list[RegionRates]:
    """Return the free time of all sites together, cut at the edges of all, ascending."""
    intervals = [site.curve.intervals for site in sites]
    edges = sorted({edge for each in intervals for edge in (*each.starts, *each.ends)})
    found = []
    for start, end in pairwise(edges):
        rates: list[int | None] = []
        for site, there in zip(sites, intervals, strict=True):
            i = bisect_right(there.starts, start) - 1
            free = i >= 0 and there.ends[i] >= end
            rates.append(round(there.rates[i] * site.region.pue) if free else None)
        if any(rate is not None for rate in rates):
            found.append(RegionRates(start, end, tuple(rates)))
    return found


def lowest_rates(found: Sequence[RegionRates], name: str) -> Curve:
    """Return the lowest rate of each interval as one curve."""
    slots = [
        Slot(
            to_moment(each.start),
            to_moment(each.end),
            each.least / STEPS_PER_UNIT,
            Quality.FORECAST,
        )
        for each in found
    ]
    runs = unbroken(slots)
    return Curve(name, tuple(Stretch(run, run.edges[0], run.edges[-1]) for run in runs))


def moves_are_free(job: Job, move_kwh: float) -> bool:
    """Say whether neither moving data nor restarting costs anything."""
    costs = (job.pause_cost, job.restart_cost)
    return not (move_kwh or job.max_segments or any(cost.kwh or cost.time for cost in costs))


def assign_regions(
    solution: Solution, sites: Sequence[Site], found: Sequence[RegionRates]
) -> Candidate:
    """Return the solution with each part at the site of the lowest rate; ties stay."""
    starts = [each.start for each in found]
    placed: list[tuple[int, Part]] = []
    for part in solution.parts:
        i = bisect_right(starts, part.start) - 1
        while i < len(found) and found[i].start < part.end:
            rates, least = found[i].rates, found[i].least
            last = placed[-1][0] if placed else 0
            which = last if rates[last] == least else rates.index(least)
            start, end = max(found[i].start, part.start), min(found[i].end, part.end)
            placed.append((which, part._replace(start=start, end=end)))
            i += 1
    return Candidate(_shares(sites, placed, []), solution.cost, solution.segments)


def migrate(
    job: Job,
    sites: Sequence[Site],
    found: Sequence[RegionRates],
    *,
    current_site: int,
    move_kwh: float,
    now: int,
    state: JobState,
    bound: float = inf,
) -> Candidate:
    """Return the schedule over time and sites with the least cost where moves cost.

    A move before the first start happens now or right at that start, a later one where the job
    moves. A move of an interruptible job is a pause and a restart, and begins a segment.

    Args:
        current_site: index of the site the job is at, -1 for none.
        bound: cost of a known schedule.

    Raises:
        BadInput: a kind or limit that is not offered with moves that cost.
        NoFeasibleWindow: no schedule is feasible.
        TooFine: the times share only a very small unit.
    """
    if job.workers is not None or is_limited(job) or len(job.steps) > 1:
        raise BadInput(
            "following the cleanest region with data to move or overheads needs one power "
            "and segments of any length; use one move, or leave the data where it is"
        )
    kw = job.steps[0][2]
    intervals = Intervals(
        [each.start for each in found],
        [each.end for each in found],
        [each.least for each in found],
    )
    site_costs = []
    steps = STEPS_PER_UNIT * HOUR / kw
    for which, site in enumerate(sites):
        rates = [each.rates[which] for each in found]
        known = _filled(rates)
        name = site.region.name
        # Never below 0, as in `DataMove.counts`.
        ends = [
            max(0.0, value_from(site.counted, each.start, name)) * move_kwh / 2
            if move_kwh
            else 0.0
            for each in found
        ]
        pause = overhead_costs(known, job.pause_cost, job)
        restart = overhead_costs(known, job.restart_cost, job)
        move = [round(end * steps) for end in ends]
        upfront = sum(each.counts for each in _move(sites, current_site, which, now, move_kwh))
        site_costs.append(SiteCosts(rates, pause, restart, move, round(upfront * steps)))
    grid = UnevenGrid(
        intervals,
        site_costs,
        job.work,
        most=state.segments_left(job.max_segments),
        # Above the cost of the same schedule here, by as much as rounding may add.
        bound=bound * steps + abs(bound) * steps * 1e-9 + job.work,
        current_site=current_site,
        started=state.started,
        running=state.running,
        touching=bool(found) and found[0].start == state.at,
        through=job.kind is Kind.UNBROKEN,
    )
    total, uses = grid.cheapest()
    if total == inf:
        raise too_few_segments(lowest_rates(found, "all regions"), job)
    moved, extra, segments = _between(
        job, sites, intervals, current_site, move_kwh, now, state, uses
    )
    placed = [(use.site, Part(use.start, use.end, kw)) for use in uses]
    value = total / steps
    return Candidate(_shares(sites, placed, extra), value, segments, tuple(moved))


def _filled(rates: Sequence[int | None]) -> list[int]:
    """Return the rates, with gaps filled by the next one, or the last."""
    filled: list[int] = []
    following = next((rate for rate in reversed(rates) if rate is not None), 0)
    for rate in reversed(rates):
        following = following if rate is None else rate
        filled.append(following)
    return filled[::-1]


def _move(
    sites: Sequence[Site], origin: int, target: int, moment: int, kwh: float
) -> list[DataMove]:
    """Return the data move from one site to another, if it is one."""
    if origin in (target, -1) or not kwh:
        return []
    return [DataMove(sites[origin], sites[target], moment, kwh)]


def _between(
    job: Job,
    sites: Sequence[Site],
    intervals: Intervals,
    current_site: int,
    move_kwh: float,
    now: int,
    state: JobState,
    uses: Sequence[Use],
) -> tuple[list[DataMove], list[tuple[int, EnergyDraw]], int]:
    """Return data moves, the energy of overheads by site, and the segment count."""
    moved: list[DataMove] = []
    extra: list[tuple[int, EnergyDraw]] = []
    # Counted like the segments of any plan: of a job that runs, the first only if it runs on.
    segments, last = int(uses[0].begun < 0), current_site
    for use in uses:
        if use.stopped >= 0:
            extra.append((last, _overhead_energy(intervals, use.stopped, job.pause_cost)))
        if use.begun >= 0:
            if segments or state.started:
                extra.append(
                    (use.site, _overhead_energy(intervals, use.begun, job.restart_cost))
                )
            moment = intervals.starts[use.moved] if use.moved >= 0 else now
            moved += _move(sites, last, use.site, moment, move_kwh)
            segments += 1
        last = use.site
    return moved, extra, segments


def _overhead_energy(intervals: Intervals, interval: int, cost: Cost) -> EnergyDraw:
    return EnergyDraw(intervals.starts[interval], intervals.ends[interval], cost.kwh)


def _shares(
    sites: Sequence[Site],
    placed: Sequence[tuple[int, Part]],
    extra: Sequence[tuple[int, EnergyDraw]],
) -> tuple[Share, ...]:
    shares = []
    for which, site in enumerate(sites):
        parts = join_parts(part for there, part in placed if there == which)
        more = tuple(each for there, each in extra if there == which and each.kwh)
        if parts or more:
            shares.append(Share(site, parts, more))
    return tuple(shares)
