"""Batch plans by an integer programme: jobs start, stop and scale on a grid of equal slots.

Where all jobs are unbroken, or limited in number alone, no schedule off the grid costs less:
jobs that are off it by the same time can be shifted together until one is on it, and
interruptible jobs are then a transport problem with whole numbers. Jobs with a ramp hold their
workers over each slot and are on the grid anyway. There the programme proves the optimum. For
other batches a second programme proves a bound: of any schedule, on the grid or off it, it
takes the mean over each slot. A start off the grid becomes a mixture of the two starts beside
it, an interruptible job runs for a share of a slot, and a cap on power holds in whole multiples
too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import gcd, inf

from gridtide.planning.batch.capacity import Cap, Member
from gridtide.planning.batch.programme import Option, programme_of
from gridtide.planning.decide.candidate import Candidate, Site
from gridtide.planning.decide.candidates import move_to
from gridtide.planning.problem.job import HOUR, Job, Kind
from gridtide.planning.problem.state import NOT_STARTED
from gridtide.planning.solvers.costs import Curve
from gridtide.planning.solvers.elastic import increments_of
from gridtide.planning.solvers.solution import (
    Part,
    Solution,
    apply_power,
    count_segments,
    in_units,
    join_parts,
    place_overheads,
)
from gridtide.planning.solvers.time_grid import edges_within, gridded, widened
from gridtide.slots import STEPS_PER_UNIT

# On which HiGHS finds a schedule and mostly proves it the best within the time.
MOST_VARIABLES = 6_000
SECONDS = 4.0
# Relative; near enough where only some jobs of many are placed.
NEARLY = 1e-3
# Workers below it are what a solver leaves of none.
NONE = 1e-6


@dataclass(frozen=True)
class Gridded:
    """Result: candidates, if any were found, and the proven bound."""

    candidates: dict[int, Candidate] | None
    least: float
    infeasible: bool


def solve_on_grid(
    members: Sequence[Member], caps: Mapping[str, Cap], seconds: float = SECONDS
) -> Gridded | None:
    """Return the best schedule on the grid; ``None`` where the programme would be too large.

    Raises:
        NoSolver: no solver is installed.
    """
    unit, phase = grid_of(members)
    inner = _with_curves(members, lambda curve: gridded(curve, unit, phase))
    outer = _with_curves(members, lambda curve: widened(curve, unit, phase))
    if sum(count_variables(member, unit) for member in outer) > MOST_VARIABLES:
        return None
    aligned, ramps = inner == [*members], any(_has_ramp(member) for member in members)
    programme, options = programme_of(inner, caps, unit, averaged=False)
    found = programme.search(seconds)
    if found.values is None and not aligned and not ramps:
        # From the first free moment on there may be room. A ramp is one from slot to slot.
        first = min(
            stretch.start
            for member in members
            for site in member.sites
            for stretch in site.curve.stretches
        )
        there = _with_curves(members, lambda curve: gridded(curve, unit, first % unit))
        programme, options = programme_of(there, caps, unit, averaged=False)
        found = programme.search(seconds)
    candidates = None
    if found.values is not None:
        candidates = _read(_at_own_sites(members, options), found.values, unit)
    if ramps and not aligned:
        # A part of a slot taken as a whole one would do more work on the same workers.
        return Gridded(candidates, -inf, infeasible=False)
    proves = all(_is_whole(member, unit) for member in members) and (
        all(member.problem.job.kind is not Kind.INTERRUPTIBLE for member in members)
        or all(cap.kw is None for cap in caps.values())
    )
    if not (proves and aligned):
        # Any schedule keeps to the wider time, of which the same is proven.
        found = programme_of(outer, caps, unit, averaged=not proves)[0].search(seconds)
    return Gridded(candidates, found.bound, found.infeasible)


def solve_together(
    members: Sequence[Member],
    caps: Mapping[str, Cap],
    others: Mapping[int, Candidate],
    unit: int,
    seconds: float,
) -> dict[int, Candidate] | None:
    """Return the best candidates of the members in the capacity left, if found in time.

    Raises:
        NoSolver: no solver is installed.
    """
    held: dict[tuple[str, int], tuple[float, float]] = {}
    offset = grid_of(members)[1] % unit
    inner = _with_curves(members, lambda curve: gridded(curve, unit, offset))
    for candidate in others.values():
        for share in candidate.shares:
            peaks: dict[int, tuple[float, float]] = {}
            for part in share.parts:
                first = part.start - (part.start - offset) % unit
                for slot in range(first, part.end, unit):
                    peaks[slot] = 1.0, max(part.power_kw, peaks.get(slot, (0.0, 0.0))[1])
            for slot, (jobs, kw) in peaks.items():
                key = share.site.region.name, slot
                before = held.get(key, (0.0, 0.0))
                held[key] = before[0] + jobs, before[1] + kw
    programme, options = programme_of(inner, caps, unit, averaged=False, held=held)
    found = programme.search(seconds, NEARLY)
    return (
        None
        if found.values is None
        else _read(_at_own_sites(members, options), found.values, unit)
    )


def _has_ramp(member: Member) -> bool:
    workers = member.problem.job.workers
    return workers is not None and workers.ramp is not None


def grid_of(members: Sequence[Member]) -> tuple[int, int]:
    """Return the largest unit of slots and profile steps, and the offset of the slots in it.

    Bounds inside slots do not count: the time of the request would make the unit a microsecond.
    """
    curves = [site.curve for member in members for site in member.sites]
    edges = sorted({edge for curve in curves for edge in edges_within(curve)})
    apart = [later - earlier for earlier, later in pairwise(edges)]
    steps = [end for member in members for _, end, _ in member.problem.job.steps]
    unit = gcd(*apart, *steps) or HOUR
    starts = [start for curve in curves for _, start, _ in curve.stretches]
    return unit, (edges or starts or [0])[0] % unit


def _with_curves(members: Sequence[Member], change: Callable[[Curve], Curve]) -> list[Member]:
    """Return the members with the free time at each site changed."""
    found = []
    for member in members:
        sites = [(site, _at(site, change(site.curve))) for site in member.sites]
        current_site = next(
            (new for old, new in sites if old is member.current_site), member.current_site
        )
        found.append(
            replace(member, sites=tuple(new for _, new in sites), current_site=current_site)
        )
    return found


def _at(site: Site, curve: Curve) -> Site:
    return site if curve == site.curve else replace(site, curve=curve)


def _at_own_sites(members: Sequence[Member], options: Sequence[Option]) -> list[Option]:
    """Return the options at the original sites."""
    sites = {
        (member.number, site.region.name): (member, site)
        for member in members
        for site in member.sites
    }
    found = []
    for option in options:
        member, site = sites[option.member.number, option.site.region.name]
        found.append(replace(option, member=member, site=site))
    return found


def _is_whole(member: Member, unit: int) -> bool:
    """Say whether no schedule of the job off the grid costs less, see above."""
    job = member.problem.job
    if job.workers is not None:
        return job.workers.ramp is not None  # changes only where slots do
    if job.kind is Kind.UNBROKEN:
        return all(step % unit == 0 for start, end, _ in job.steps for step in (start, end))
    return job.kind is Kind.INTERRUPTIBLE and len(job.steps) == 1


def count_variables(member: Member, unit: int) -> int:
    """Return about how many variables a member takes."""
    job = member.problem.job
    factor = (
        len(increments_of(job.workers)) + 1 if job.workers else 1 + (job.kind is Kind.SEGMENTS)
    )
    return sum(sum(site.curve.intervals.lengths) // unit for site in member.sites) * factor


def _read(
    options: Sequence[Option], values: Sequence[float], unit: int
) -> dict[int, Candidate] | None:
    """Return the candidates that the values of the variables describe."""
    found: dict[int, Candidate] = {}
    for option in options:
        job, site = option.member.problem.job, option.site
        parts: tuple[Part, ...] = ()
        starts = [start for variable, start in option.starts if values[variable] > 0.5]
        if starts:
            parts = apply_power([(starts[0], starts[0] + job.work)], job.steps)
        elif option.slots:
            parts = _parts(option, values, unit)
        if parts:
            solution = _solution_of(site, job, parts)
            moved = move_to(option.member.problem, site, option.member.current_site)
            found[option.member.number] = Candidate.at(site, solution, moved)
    numbers = {option.member.number for option in options}
    return found if found.keys() == numbers else None


def _parts(option: Option, values: Sequence[float], unit: int) -> tuple[Part, ...]:
    job, parts = option.member.problem.job, list[Part]()
    left = float(job.work)
    intervals = option.site.curve.intervals
    ends = dict(zip(intervals.starts, intervals.ends, strict=True))
    for slot in sorted(option.slots):
        size = sum(values[variable] for variable, _ in option.slots[slot])
        if job.workers is None:
            if size > 0.5:
                parts.append(Part(slot, slot + unit, job.steps[0][2]))
            continue
        if not job.workers.fractional_workers:
            size = float(round(size))
        if job.workers.ramp is not None:
            if size > NONE:
                kw = job.steps[0][2] / job.workers.base * size
                parts.append(Part(slot, ends[slot], kw, size))
            continue
        if size <= NONE or left < 1:
            continue
        # A slot more than the work needs ends with the work.
        speed = job.workers.speed(size)
        length = min(unit, round(left / speed))
        left -= length * speed
        kw = job.steps[0][2] / job.workers.base * size
        parts.append(Part(slot, slot + length, kw, size))
    return join_parts(parts)


def _solution_of(site: Site, job: Job, parts: tuple[Part, ...]) -> Solution:
    intervals = site.curve.intervals
    total = 0.0
    for part in parts:
        i = bisect_right(intervals.starts, part.start) - 1
        while i < len(intervals.starts) and intervals.starts[i] < part.end:
            length = min(part.end, intervals.ends[i]) - max(part.start, intervals.starts[i])
            total += intervals.rates[i] * max(0, length) * part.power_kw
            i += 1
    spans: list[tuple[int, int]] = []
    for part in parts:
        touches = bool(spans) and spans[-1][1] == part.start
        spans.append((spans.pop()[0] if touches else part.start, part.end))
    extra = (
        place_overheads(intervals, spans, job, NOT_STARTED) if job.kind is Kind.SEGMENTS else ()
    )
    cost = in_units(total)
    for each in extra:
        i = bisect_right(intervals.starts, each.start) - 1
        cost += intervals.rates[i] / STEPS_PER_UNIT * each.kwh
    return Solution(cost, parts, count_segments(parts), extra)
