"""LP relaxation of a batch: a bound for any jobs, and for some the optimal plans themselves.

Every job may pause, share slots and split over its regions; caps hold on average over a slot.
Where interruptible jobs are limited in number, a slot can be divided so that the cap holds at
every moment (McNaughton 1959, the wrap-around rule); elastic jobs limited in power hold one
number of workers over a slot. If then no job is split over regions, the solution is a set of
plans.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import floor

from gridtide.planning.batch.capacity import Cap, Member, most_power
from gridtide.planning.batch.rounding import Taken, round_to_schedule
from gridtide.planning.decide.candidate import Candidate, Site
from gridtide.planning.decide.candidates import move_to
from gridtide.planning.problem.job import HOUR, Job, Kind
from gridtide.planning.solvers.elastic import Increment, increments_of
from gridtide.planning.solvers.highs import Programme
from gridtide.slots import STEPS_PER_UNIT

Prices = dict[tuple[str, str, int], float]
"""By region, ``kw`` or ``jobs`` and interval between its edges: the price of an hour of one."""


@dataclass(frozen=True)
class Relaxation:
    """Result of the linear programme.

    Attributes:
        least: proven bound on the cost of plans for all members.
        prices: what one more of what a cap holds would save, see `Prices`.
        candidates: plans at that cost, by member, where the solution is a set of plans.
    """

    least: float
    candidates: dict[int, Candidate] | None
    prices: Prices = field(default_factory=dict)


@dataclass(frozen=True)
class Region:
    """The time of one region, cut where the rate of any member changes."""

    edges: list[int]
    cap: Cap | None
    jobs: dict[int, list[tuple[int, float]]] = field(default_factory=dict)  # by interval
    kw: dict[int, list[tuple[int, float]]] = field(default_factory=dict)


def relax(members: Sequence[Member], caps: Mapping[str, Cap]) -> Relaxation | None:
    """Return the bound, and plans where it is reached; ``None``: the caps leave too little.

    Raises:
        NoSolver: no solver is installed.
        SolverFailed: the solver gave up.
        TooFine: the jobs, regions and slots are too many for it.
    """
    programme = Programme("a batch under a cap")
    regions = regions_of(members, caps)
    taken: list[Taken] = []
    least = 0.0
    for member in members:
        if len(member.problem.job.steps) > 1:
            least += member.least  # along a profile a unit of work has no one price
        else:
            taken += _variables(programme, member, regions)
    if not taken:
        return Relaxation(least, None)
    rows = {}
    for name, region in regions.items():
        rows.update(_hold(programme, name, region))
    values = programme.solve()
    if values is None:
        return None
    prices = {key: max(0.0, -programme.marginals[row]) for key, row in rows.items()}
    least += sum(cost * value for cost, value in zip(programme.costs, values, strict=True))
    if not all(map(_is_plain, members)):
        return Relaxation(least, None, prices)
    if not all(_holds_at_every_moment(members, name, r.cap) for name, r in regions.items()):
        return Relaxation(least, None, prices)
    found = [replace(each, hours=values[each.variable]) for each in taken]
    limits = {
        name: None if region.cap is None else region.cap.jobs
        for name, region in regions.items()
    }
    return Relaxation(least, round_to_schedule(members, found, limits), prices)


def regions_of(members: Sequence[Member], caps: Mapping[str, Cap]) -> dict[str, Region]:
    """Return the regions of all sites of the members, by name, each with its cap."""
    edges: dict[str, set[int]] = {}
    for member in members:
        for site in member.sites:
            intervals = site.curve.intervals
            edges.setdefault(site.region.name, set()).update(intervals.starts, intervals.ends)
    return {
        name: Region(sorted(found), _tighten(members, name, caps.get(name)))
        for name, found in edges.items()
    }


def _tighten(members: Sequence[Member], region: str, cap: Cap | None) -> Cap | None:
    """Return a cap on power as one on jobs where all draw the same: equal at any moment."""
    if cap is None or cap.kw is None:
        return cap
    there = _there(members, region)
    powers = {most_power(member.problem.job) for member in there}
    steady = all(_is_steady(member.problem.job) for member in there)
    if not steady or len(powers) != 1:
        return cap
    fit = floor(cap.kw / powers.pop() * (1 + 1e-9))
    return Cap(jobs=fit if cap.jobs is None else min(fit, cap.jobs)) if fit else cap


def _is_steady(job: Job) -> bool:
    """Say whether the job draws one power all the time, also in its pauses and restarts."""
    overheads = job.pause_cost.time or job.restart_cost.time
    return job.workers is None and len(job.steps) == 1 and not overheads


def _there(members: Sequence[Member], region: str) -> list[Member]:
    return [m for m in members if any(site.region.name == region for site in m.sites)]


def _is_plain(member: Member) -> bool:
    """Say whether the solution for the job can be run as it is."""
    job = member.problem.job
    if job.workers is not None:
        # At a rate below 0 the workers that add least speed come first, before those they need.
        free = job.workers.ramp is None and job.workers.minimum == 0
        return free and (len(increments_of(job.workers)) == 1 or not _is_paid(member))
    return job.kind is Kind.INTERRUPTIBLE and len(job.steps) == 1


def _is_paid(member: Member) -> bool:
    """Say whether a rate of the member is below 0 somewhere."""
    return any(rate < 0 for site in member.sites for rate in site.curve.intervals.rates)


def _holds_at_every_moment(members: Sequence[Member], region: str, cap: Cap | None) -> bool:
    """Say whether a cap that holds on average over a slot can hold all through it."""
    if cap is None:
        return True
    elastic = [member.problem.job.workers is not None for member in _there(members, region)]
    return not any(elastic) if cap.kw is None else all(elastic) and cap.jobs is None


def _variables(
    programme: Programme, member: Member, regions: Mapping[str, Region]
) -> list[Taken]:
    """Add the time on each increment of the member's workers in each of its intervals."""
    job = member.problem.job
    workers = job.workers
    increments = increments_of(workers) if workers else [Increment(0.0, 1.0, 1.0)]
    kw = job.steps[0][2] / (workers.base if workers else 1.0)
    work, taken = [], []
    for site in member.sites:
        region = regions[site.region.name]
        moved = move_to(member.problem, site, member.current_site)
        moving = sum(move.counts for move in moved) / (job.work / HOUR)
        for k, rate in _rates(site, region.edges):
            time = (region.edges[k + 1] - region.edges[k]) / HOUR
            for j, increment in enumerate(increments):
                per_hour = rate / STEPS_PER_UNIT * kw * increment.more * site.region.pue
                cost = per_hour + moving * increment.speed
                variable = programme.variable(cost, time)
                work.append((variable, increment.speed))
                region.kw.setdefault(k, []).append((variable, kw * increment.more))
                if j == 0:
                    region.jobs.setdefault(k, []).append((variable, 1.0))
                span = region.edges[k], region.edges[k + 1]
                taken.append(Taken(member, site, *span, increment, variable))
    programme.equal.add(work, job.work / HOUR)
    return taken


def _rates(site: Site, edges: Sequence[int]) -> list[tuple[int, int]]:
    """Return the region's intervals that are free for the member, each with its rate."""
    intervals, found = site.curve.intervals, []
    for start, end, rate in zip(intervals.starts, intervals.ends, intervals.rates, strict=True):
        k = bisect_left(edges, start)
        while edges[k] < end:
            found.append((k, rate))
            k += 1
    return found


def _hold(programme: Programme, name: str, region: Region) -> dict[tuple[str, str, int], int]:
    """Add the rows of a cap, and return them by what they hold."""
    rows: dict[tuple[str, str, int], int] = {}
    for k, (start, end) in enumerate(pairwise(region.edges)):
        time = (end - start) / HOUR
        for what, most in cap_limits(region.cap):
            terms = (region.jobs if what == "jobs" else region.kw).get(k)
            if terms is not None:
                rows[name, what, k] = len(programme.at_most.bounds)
                programme.at_most.add(terms, most * time)
    return rows


def cap_limits(cap: Cap | None) -> list[tuple[str, float]]:
    """Return what a cap limits, ``kw`` and ``jobs``, and the limits."""
    if cap is None:
        return []
    found = [("kw", cap.kw), ("jobs", None if cap.jobs is None else float(cap.jobs))]
    return [(what, most) for what, most in found if most is not None]
