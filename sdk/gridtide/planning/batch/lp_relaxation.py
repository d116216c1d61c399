"""A batch as a linear programme: a bound for any jobs, and for some the best plans themselves.

Every job may pause, share slots and split over its regions; caps hold on average over a slot.
Where jobs that may pause are capped in number, a slot can be shared out so that the cap holds
at every moment (McNaughton 1959, the wrap-around rule); elastic jobs capped in power hold one
size over a slot. Where then no job is split over regions, what the programme finds are plans.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import floor

from gridtide.planning.batch.capacity import Cap, Member, most_power
from gridtide.planning.batch.rounding import Taken, laid_out
from gridtide.planning.decide.candidate import Choice
from gridtide.planning.decide.candidates import move_to
from gridtide.planning.problem.job import HOUR, Job, Kind
from gridtide.planning.solvers.elastic import Segment, segments_of
from gridtide.planning.solvers.highs import Programme
from gridtide.planning.solvers.region_costs import Site
from gridtide.slots import STEPS_PER_UNIT

Prices = dict[tuple[str, str, int], float]
"""By region, ``kw`` or ``jobs`` and interval between its edges: what an hour of one counts."""


@dataclass(frozen=True)
class Relaxed:
    """What the programme says.

    Attributes:
        least: no plans for all members count less.
        prices: what one more of what a cap holds would save, see `Prices`.
        choices: plans that count just that, by member, where the programme's answer is some.
    """

    least: float
    choices: dict[int, Choice] | None
    prices: Prices = field(default_factory=dict)


@dataclass(frozen=True)
class Region:
    """One region's time, cut where any member's rate changes."""

    edges: list[int]
    cap: Cap | None
    jobs: dict[int, list[tuple[int, float]]] = field(default_factory=dict)  # by interval
    kw: dict[int, list[tuple[int, float]]] = field(default_factory=dict)


def relaxed(members: Sequence[Member], caps: Mapping[str, Cap]) -> Relaxed | None:
    """The bound, and plans where it is reached; ``None`` where the caps leave too little room.

    Raises:
        NoSolver: there is no solver here.
        SolverFailed: there is, and it gave up.
        TooFine: the jobs, regions and slots are too many for it.
    """
    programme = Programme("a batch under a cap")
    regions = regions_of(members, caps)
    taken: list[Taken] = []
    least = 0.0
    for member in members:
        if len(member.question.job.steps) > 1:
            least += member.least  # along a profile a unit of work has no one price
        else:
            taken += _variables(programme, member, regions)
    rows = {}
    for name, region in regions.items():
        rows.update(_hold(programme, name, region))
    values = programme.solve()
    if values is None:
        return None
    prices = {key: max(0.0, -programme.marginals[row]) for key, row in rows.items()}
    least += sum(cost * value for cost, value in zip(programme.costs, values, strict=True))
    if not all(_is_plain(member.question.job) for member in members):
        return Relaxed(least, None, prices)
    if not all(_holds_at_every_moment(members, name, r.cap) for name, r in regions.items()):
        return Relaxed(least, None, prices)
    found = [replace(each, hours=values[each.variable]) for each in taken]
    limits = {
        name: None if region.cap is None else region.cap.jobs
        for name, region in regions.items()
    }
    return Relaxed(least, laid_out(members, found, limits), prices)


def regions_of(members: Sequence[Member], caps: Mapping[str, Cap]) -> dict[str, Region]:
    """The regions of all members' sites, by name, each with its cap."""
    edges: dict[str, set[int]] = {}
    for member in members:
        for site in member.sites:
            cells = site.curve.cells
            edges.setdefault(site.place.region, set()).update(cells.starts, cells.ends)
    return {
        name: Region(sorted(found), _tightened(members, name, caps.get(name)))
        for name, found in edges.items()
    }


def _tightened(members: Sequence[Member], region: str, cap: Cap | None) -> Cap | None:
    """A cap on power as one on jobs, where all draw the same: no more of them fit at once."""
    if cap is None or cap.kw is None:
        return cap
    there = _there(members, region)
    powers = {most_power(member.question.job) for member in there}
    steady = all(
        member.question.job.chips is None and len(member.question.job.steps) == 1
        for member in there
    )
    if not steady or len(powers) != 1:
        return cap
    fit = floor(cap.kw / powers.pop() * (1 + 1e-9))
    return Cap(jobs=fit if cap.jobs is None else min(fit, cap.jobs)) if fit else cap


def _there(members: Sequence[Member], region: str) -> list[Member]:
    return [m for m in members if any(site.place.region == region for site in m.sites)]


def _is_plain(job: Job) -> bool:
    """Whether the programme's answer for the job can be run as it is."""
    if job.chips is not None:
        return job.chips.ramp is None and job.chips.minimum == 0
    return job.kind is Kind.INTERRUPTIBLE and len(job.steps) == 1


def _holds_at_every_moment(members: Sequence[Member], region: str, cap: Cap | None) -> bool:
    """Whether a cap that holds on average over a slot can hold all through it."""
    if cap is None:
        return True
    elastic = [member.question.job.chips is not None for member in _there(members, region)]
    return not any(elastic) if cap.kw is None else all(elastic) and cap.jobs is None


def _variables(
    programme: Programme, member: Member, regions: Mapping[str, Region]
) -> list[Taken]:
    """Time on each segment of the member's size in each of its cells, together its work."""
    job = member.question.job
    chips = job.chips
    segments = segments_of(chips) if chips else [Segment(0.0, 1.0, 1.0)]
    kw = job.steps[0][2] / (chips.base if chips else 1.0)
    work, taken = [], []
    for site in member.sites:
        region = regions[site.place.region]
        moved = move_to(member.question, site, member.home)
        moving = sum(move.counts for move in moved) / (job.work / HOUR)
        for k, rate in _rates(site, region.edges):
            time = (region.edges[k + 1] - region.edges[k]) / HOUR
            for j, segment in enumerate(segments):
                per_hour = rate / STEPS_PER_UNIT * kw * segment.more * site.place.pue
                cost = per_hour + moving * segment.speed
                variable = programme.variable(cost, time)
                work.append((variable, segment.speed))
                region.kw.setdefault(k, []).append((variable, kw * segment.more))
                if j == 0:
                    region.jobs.setdefault(k, []).append((variable, 1.0))
                span = region.edges[k], region.edges[k + 1]
                taken.append(Taken(member, site, *span, segment, variable))
    programme.equal.add(work, job.work / HOUR)
    return taken


def _rates(site: Site, edges: Sequence[int]) -> list[tuple[int, int]]:
    """The region's intervals that are free for the site's member, each with its rate."""
    cells, found = site.curve.cells, []
    for start, end, rate in zip(cells.starts, cells.ends, cells.rates, strict=True):
        k = bisect_left(edges, start)
        while edges[k] < end:
            found.append((k, rate))
            k += 1
    return found


def _hold(programme: Programme, name: str, region: Region) -> dict[tuple[str, str, int], int]:
    """The rows of a cap, by what they hold."""
    rows: dict[tuple[str, str, int], int] = {}
    for k, (start, end) in enumerate(pairwise(region.edges)):
        time = (end - start) / HOUR
        for what, most in limits_of(region.cap):
            terms = (region.jobs if what == "jobs" else region.kw).get(k)
            if terms is not None:
                rows[name, what, k] = len(programme.at_most.bounds)
                programme.at_most.add(terms, most * time)
    return rows


def limits_of(cap: Cap | None) -> list[tuple[str, float]]:
    """What a cap holds, ``kw`` and ``jobs``, and how much of it."""
    if cap is None:
        return []
    found = [("kw", cap.kw), ("jobs", None if cap.jobs is None else float(cap.jobs))]
    return [(what, most) for what, most in found if most is not None]
