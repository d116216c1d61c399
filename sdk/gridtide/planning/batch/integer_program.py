"""A batch as an integer programme: jobs start, stop and change size on a grid of equal slots.

Where all jobs run through, or are capped in number alone, no schedule off the grid counts less:
jobs that are off it by the same time can be shifted together until one is on it, and what may
pause is then a transport problem with whole numbers. Jobs with a ramp hold a size over each
slot and are on the grid anyway. There the programme proves what it says.
For other batches a second programme proves a bound: of any schedule, on the grid or off it, it
sees the mean over each slot. A start off the grid is there a mixture of the two starts beside
it, what may pause runs for a share of a slot, and a cap on power holds in whole multiples too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import gcd, inf

from gridtide.planning.batch.capacity import Cap, Member
from gridtide.planning.batch.program_jobs import Option
from gridtide.planning.batch.program_rows import programme_of
from gridtide.planning.decide.candidate import Choice
from gridtide.planning.decide.candidates import move_to
from gridtide.planning.problem.job import HOUR, Job, Kind
from gridtide.planning.solvers.costs import Curve
from gridtide.planning.solvers.elastic import segments_of
from gridtide.planning.solvers.overheads import FRESH, drawn
from gridtide.planning.solvers.phases import edges_within, gridded, widened
from gridtide.planning.solvers.region_costs import Site
from gridtide.planning.solvers.solution import Draft, Part, in_units, joined, pieces, powered
from gridtide.slots import STEPS_PER_UNIT

# On which HiGHS finds a schedule and mostly proves it the best within the time.
MOST_VARIABLES = 6_000
SECONDS = 4.0
# Relative; near enough where only some jobs of many are laid.
NEARLY = 1e-3
# Workers below it are what a solver leaves of none.
NONE = 1e-6


@dataclass(frozen=True)
class Gridded:
    """What the programme says: choices, if any were found, and what is proven of all others."""

    choices: dict[int, Choice] | None
    least: float
    infeasible: bool


def on_a_grid(
    members: Sequence[Member], caps: Mapping[str, Cap], seconds: float = SECONDS
) -> Gridded | None:
    """The best schedule on the grid; ``None`` where the programme would be too large.

    Raises:
        NoSolver: there is no solver here.
    """
    unit, phase = grid_of(members)
    inner = _on(members, lambda curve: gridded(curve, unit, phase))
    outer = _on(members, lambda curve: widened(curve, unit, phase))
    if sum(size_of(member, unit) for member in outer) > MOST_VARIABLES:
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
        there = _on(members, lambda curve: gridded(curve, unit, first % unit))
        programme, options = programme_of(there, caps, unit, averaged=False)
        found = programme.search(seconds)
    choices = None
    if found.values is not None:
        choices = _read(_of(members, options), found.values, unit)
    if ramps and not aligned:
        # A part of a slot taken as a whole one would do more work at the same size.
        return Gridded(choices, -inf, infeasible=False)
    proves = all(_is_whole(member, unit) for member in members) and (
        all(member.question.job.kind is not Kind.INTERRUPTIBLE for member in members)
        or all(cap.kw is None for cap in caps.values())
    )
    if not (proves and aligned):
        # Any schedule keeps to the wider time, of which the same is proven.
        found = programme_of(outer, caps, unit, averaged=not proves)[0].search(seconds)
    return Gridded(choices, found.bound, found.infeasible)


def together(
    members: Sequence[Member],
    caps: Mapping[str, Cap],
    others: Mapping[int, Choice],
    unit: int,
    seconds: float,
) -> dict[int, Choice] | None:
    """The best choices of the members in what `others` leave, if any are found in the time.

    Raises:
        NoSolver: there is no solver here.
    """
    held: dict[tuple[str, int], tuple[float, float]] = {}
    offset = grid_of(members)[1] % unit
    inner = _on(members, lambda curve: gridded(curve, unit, offset))
    for choice in others.values():
        for share in choice.shares:
            peaks: dict[int, tuple[float, float]] = {}
            for part in share.parts:
                first = part.start - (part.start - offset) % unit
                for slot in range(first, part.end, unit):
                    peaks[slot] = 1.0, max(part.power_kw, peaks.get(slot, (0.0, 0.0))[1])
            for slot, (jobs, kw) in peaks.items():
                key = share.site.place.region, slot
                before = held.get(key, (0.0, 0.0))
                held[key] = before[0] + jobs, before[1] + kw
    programme, options = programme_of(inner, caps, unit, averaged=False, held=held)
    found = programme.search(seconds, NEARLY)
    return None if found.values is None else _read(_of(members, options), found.values, unit)


def _has_ramp(member: Member) -> bool:
    chips = member.question.job.chips
    return chips is not None and chips.ramp is not None


def grid_of(members: Sequence[Member]) -> tuple[int, int]:
    """The largest unit of slots and of the jobs' steps, and where a slot begins in it.

    Bounds inside slots are no part of it: the time asked at would make it a microsecond.
    """
    curves = [site.curve for member in members for site in member.sites]
    edges = sorted({edge for curve in curves for edge in edges_within(curve)})
    apart = [later - earlier for earlier, later in pairwise(edges)]
    steps = [end for member in members for _, end, _ in member.question.job.steps]
    unit = gcd(*apart, *steps) or HOUR
    starts = [start for curve in curves for _, start, _ in curve.stretches]
    return unit, (edges or starts or [0])[0] % unit


def _on(members: Sequence[Member], change: Callable[[Curve], Curve]) -> list[Member]:
    """The members with the free time at each site changed."""
    found = []
    for member in members:
        sites = [(site, _at(site, change(site.curve))) for site in member.sites]
        home = next((new for old, new in sites if old is member.home), member.home)
        found.append(replace(member, sites=tuple(new for _, new in sites), home=home))
    return found


def _at(site: Site, curve: Curve) -> Site:
    return site if curve == site.curve else replace(site, curve=curve)


def _of(members: Sequence[Member], options: Sequence[Option]) -> list[Option]:
    """The options at the sites as they are."""
    sites = {
        (member.number, site.place.region): (member, site)
        for member in members
        for site in member.sites
    }
    found = []
    for option in options:
        member, site = sites[option.member.number, option.site.place.region]
        found.append(replace(option, member=member, site=site))
    return found


def _is_whole(member: Member, unit: int) -> bool:
    """Whether no schedule of the job off the grid counts less, see above."""
    job = member.question.job
    if job.chips is not None:
        return job.chips.ramp is not None  # changes only where slots do
    if job.kind is Kind.UNBROKEN:
        return all(step % unit == 0 for start, end, _ in job.steps for step in (start, end))
    return job.kind is Kind.INTERRUPTIBLE and len(job.steps) == 1


def size_of(member: Member, unit: int) -> int:
    """About how many variables a member takes."""
    job = member.question.job
    factor = len(segments_of(job.chips)) + 1 if job.chips else 1 + (job.kind is Kind.PIECES)
    return sum(sum(site.curve.cells.lengths) // unit for site in member.sites) * factor


def _read(
    options: Sequence[Option], values: Sequence[float], unit: int
) -> dict[int, Choice] | None:
    """The choices that the values of the variables are."""
    found: dict[int, Choice] = {}
    for option in options:
        job, site = option.member.question.job, option.site
        parts: tuple[Part, ...] = ()
        starts = [start for variable, start in option.starts if values[variable] > 0.5]
        if starts:
            parts = powered([(starts[0], starts[0] + job.work)], job.steps)
        elif option.slots:
            parts = _parts(option, values, unit)
        if parts:
            draft = _draft(site, job, parts)
            moved = move_to(option.member.question, site, option.member.home)
            found[option.member.number] = Choice.at(site, draft, moved)
    numbers = {option.member.number for option in options}
    return found if found.keys() == numbers else None


def _parts(option: Option, values: Sequence[float], unit: int) -> tuple[Part, ...]:
    job, parts = option.member.question.job, list[Part]()
    left = float(job.work)
    cells = option.site.curve.cells
    ends = dict(zip(cells.starts, cells.ends, strict=True))
    for slot in sorted(option.slots):
        size = sum(values[variable] for variable, _ in option.slots[slot])
        if job.chips is None:
            if size > 0.5:
                parts.append(Part(slot, slot + unit, job.steps[0][2]))
            continue
        if not job.chips.fractional_workers:
            size = float(round(size))
        if job.chips.ramp is not None:
            if size > NONE:
                kw = job.steps[0][2] / job.chips.base * size
                parts.append(Part(slot, ends[slot], kw, size))
            continue
        if size <= NONE or left < 1:
            continue
        # A slot more than the work needs ends with the work.
        speed = job.chips.speed(size)
        length = min(unit, round(left / speed))
        left -= length * speed
        kw = job.steps[0][2] / job.chips.base * size
        parts.append(Part(slot, slot + length, kw, size))
    return joined(parts)


def _draft(site: Site, job: Job, parts: tuple[Part, ...]) -> Draft:
    cells = site.curve.cells
    total = 0.0
    for part in parts:
        i = bisect_right(cells.starts, part.start) - 1
        while i < len(cells.starts) and cells.starts[i] < part.end:
            length = min(part.end, cells.ends[i]) - max(part.start, cells.starts[i])
            total += cells.rates[i] * max(0, length) * part.power_kw
            i += 1
    spans: list[tuple[int, int]] = []
    for part in parts:
        touches = bool(spans) and spans[-1][1] == part.start
        spans.append((spans.pop()[0] if touches else part.start, part.end))
    extra = drawn(cells, spans, job, FRESH) if job.kind is Kind.PIECES else ()
    cost = in_units(total)
    for each in extra:
        i = bisect_right(cells.starts, each.start) - 1
        cost += cells.rates[i] / STEPS_PER_UNIT * each.kwh
    return Draft(cost, parts, pieces(parts), extra)
