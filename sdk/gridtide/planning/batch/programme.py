"""The integer programme of a batch on a grid: its variables and rows, job by job.

An unbroken job is a choice of starts; other jobs have a variable for each slot, or for the
workers in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor

from gridtide.planning.batch.capacity import NEAR, Cap, Member
from gridtide.planning.decide.candidate import Site
from gridtide.planning.decide.candidates import move_to
from gridtide.planning.problem.job import HOUR, Job, Kind
from gridtide.planning.problem.scaling import Elastic
from gridtide.planning.solvers.elastic import increments_of
from gridtide.planning.solvers.highs import Programme
from gridtide.planning.solvers.solution import in_units
from gridtide.planning.solvers.unbroken import costs_at, power_steps
from gridtide.slots import STEPS_PER_UNIT, to_microseconds

Held = Mapping[tuple[str, int], tuple[float, float]]
NO_OTHERS = (0.0, 0.0)


def programme_of(
    members: Sequence[Member],
    caps: Mapping[str, Cap],
    unit: int,
    *,
    averaged: bool,
    held: Held | None = None,
) -> tuple[Programme, list[Option]]:
    """Return the programme of schedules on the grid, or of the means of any over its slots.

    `held` are jobs and kW of other jobs by region and slot.
    """
    programme = Programme("a batch on a grid")
    loads: dict[str, Load] = {}
    options: list[Option] = []
    for member in members:
        first = len(programme.costs)
        options += _member(programme, member, unit, loads, averaged=averaged)
        if averaged:
            # Whatever the means leave out of it, no schedule counts less than alone.
            rest = programme.variable(1.0)
            costs = enumerate(programme.costs[first:rest], first)
            row = [(variable, -cost) for variable, cost in costs if cost]
            programme.at_most.add([*row, (rest, -1.0)], -member.least)
    for region, load in loads.items():
        others = {slot: most for (name, slot), most in (held or {}).items() if name == region}
        _hold(programme, caps.get(region), load, others)
    return programme, options


def _member(
    programme: Programme,
    member: Member,
    unit: int,
    loads: dict[str, Load],
    *,
    averaged: bool,
) -> list[Option]:
    """Add the variables of one member: exactly one site, and all of its work there."""
    job, options, one = member.problem.job, [], []
    for site in member.sites:
        load = loads.setdefault(site.region.name, Load())
        option = Option(member, site)
        moving = sum(move.counts for move in move_to(member.problem, site, member.current_site))
        if job.kind is Kind.UNBROKEN or (_starts_only(job) and not averaged):
            one += _starts(programme, option, unit, load, moving, averaged=averaged)
        else:
            here = programme.variable(moving, 1, whole=True)
            one.append((here, 1.0))
            if job.workers:
                add_workers = (
                    add_ramped_workers if job.workers.ramp is not None else add_free_workers
                )
                add_workers(programme, option, unit, load, here, job.workers, averaged=averaged)
            else:
                add_pausing(programme, option, unit, load, here, averaged=averaged)
        options.append(option)
    programme.equal.add(one, 1.0)
    if mixed := [(each, 1.0) for option in options for each in option.mixed]:
        programme.at_most.add(mixed, 1.0)
    return options


def _starts_only(job: Job) -> bool:
    """Say whether the job is placed unbroken here, as every job may be; also with limits."""
    return job.workers is None and (
        job.kind is Kind.UNBROKEN
        or len(job.steps) > 1
        or bool(job.checkpoints or job.pause_cost.time or job.restart_cost.time)
    )


def _starts(
    programme: Programme,
    option: Option,
    unit: int,
    load: Load,
    moving: float,
    *,
    averaged: bool,
) -> list[tuple[int, float]]:
    """Add a variable for each start; return the terms that sum to 1 where the job runs here."""
    job, one = option.member.problem.job, []
    per_kw = power_steps(job.steps)
    for run, low, end in option.site.curve.stretches:
        starts = list(range(low, end - job.work + 1, unit))
        here: list[int] = []
        for start, total in zip(starts, costs_at(run, starts, job.steps), strict=True):
            cost = in_units(total / per_kw) * option.site.region.pue
            variable = programme.variable(cost + moving, 1, whole=not averaged)
            here.append(variable)
            for first, last, kw in job.steps:
                for slot in range(start + first, start + last, unit):
                    load.add(slot, variable, 1.0, kw)
        option.starts += zip(here, starts, strict=True)
        one += [(variable, 1.0) for variable in here]
        if averaged and len(here) > 1:
            # Only two that are beside each other are mixed.
            beside = [programme.variable(0.0, 1, whole=True) for _ in here[1:]]
            for i, variable in enumerate(here):
                mixed = [(each, -1.0) for each in beside[max(0, i - 1) : i + 1]]
                programme.at_most.add([(variable, 1.0), *mixed], 0.0)
            option.mixed += beside
    return one


def _hold(
    programme: Programme, cap: Cap | None, load: Load, others: Mapping[int, tuple[float, float]]
) -> None:
    if cap is None:
        return
    if cap.jobs is not None:
        for slot, terms in load.jobs.items():
            programme.at_most.add(terms, cap.jobs - others.get(slot, NO_OTHERS)[0])
    if cap.kw is not None:
        for slot, terms in load.kw.items():
            left = cap.kw - others.get(slot, NO_OTHERS)[1]
            programme.at_most.add(terms, left)
            _round(programme, left, [each for each in terms if each[0] not in load.shares])


def _round(programme: Programme, cap: float, terms: Sequence[tuple[int, float]]) -> None:
    """Add the cap in whole multiples of some powers: what runs at any moment keeps to them too.

    Of jobs of 6 kW each, one runs under a cap of 10 kW at any moment, so on average too.
    """
    powers = sorted({kw for _, kw in terms if kw > 0})
    for power in sorted({kw / part for kw in powers for part in (1, 2, 3)}):
        most = floor(cap / power * (1 + NEAR))
        rounded = [(variable, float(floor(kw / power * (1 + NEAR)))) for variable, kw in terms]
        rounded = [(variable, factor) for variable, factor in rounded if factor]
        if most * power < cap * (1 - NEAR) and rounded:
            programme.at_most.add(rounded, float(most))


@dataclass
class Option:
    """One member at one site: its variables by start, or by slot with their workers."""

    member: Member
    site: Site
    starts: list[tuple[int, int]] = field(default_factory=list)  # (variable, instant)
    slots: dict[int, list[tuple[int, float]]] = field(default_factory=dict)  # by instant
    mixed: list[int] = field(default_factory=list)  # pairs of starts, where means are taken


@dataclass
class Load:
    """What runs in each slot of a region: (variable, jobs) and (variable, kW)."""

    jobs: dict[int, list[tuple[int, float]]] = field(default_factory=dict)
    kw: dict[int, list[tuple[int, float]]] = field(default_factory=dict)
    shares: set[int] = field(default_factory=set)  # variables in parts of a kW

    def add(self, slot: int, variable: int, jobs: float, kw: float) -> None:
        self.jobs.setdefault(slot, []).append((variable, jobs))
        self.kw.setdefault(slot, []).append((variable, kw))


def add_pausing(
    programme: Programme,
    option: Option,
    unit: int,
    load: Load,
    here: int,
    *,
    averaged: bool,
) -> None:
    """Add a variable for each slot; those that run sum to the work of the job."""
    job, pue = option.member.problem.job, option.site.region.pue
    powers = [kw for *_, kw in job.steps]
    work: list[tuple[int, float]] = []
    runs: dict[int, int] = {}
    rates: dict[int, float] = {}
    for slot, rate in _units(option.site, unit):
        per_kwh = rate / STEPS_PER_UNIT * pue
        # Along a profile, which only a mean takes, at least this.
        kw = min(powers) if rate > 0 else max(powers)
        variable = programme.variable(per_kwh * kw * unit / HOUR, 1, whole=not averaged)
        runs[slot], rates[slot] = variable, max(0.0, per_kwh)
        option.slots[slot] = [(variable, 1.0)]
        work.append((variable, 1.0))
        load.add(slot, variable, 1.0, min(powers))
    programme.equal.add([*work, (here, -job.work / unit)], 0.0)
    if job.kind is Kind.SEGMENTS and not averaged:
        begins = _edges(programme, runs, rates, here, -unit, job.restart_cost.kwh)
        _edges(programme, runs, rates, here, unit, job.pause_cost.kwh)
        _limit_segments(programme, job, runs, begins, unit)


def _edges(
    programme: Programme,
    runs: dict[int, int],
    rates: dict[int, float],
    here: int,
    beside: int,
    kwh: float,
) -> dict[int, int]:
    """Return, by slot, the variable for whether the job begins (or ends) in it.

    Each but the first, or the last, costs `kwh` in the cleaner of the two slots.
    """
    found: dict[int, int] = {}
    free: list[tuple[int, float]] = []
    # From the outermost slot on, which begins first or ends last.
    for slot in sorted(runs, reverse=beside > 0):
        touches = [(runs[slot + beside], -1.0)] if slot + beside in runs else []
        overhead = min(rates[slot], rates.get(slot + beside, rates[slot])) * kwh
        found[slot] = edge = programme.variable(overhead, 1, whole=True)
        programme.at_most.add([(runs[slot], 1.0), (edge, -1.0), *touches], 0.0)
        if not overhead and not kwh:
            continue
        first = programme.variable(-overhead, 1, whole=True)
        free.append((first, 1.0))
        programme.at_most.add([(first, 1.0), (edge, -1.0)], 0.0)
        programme.at_most.add([(first, 1.0), (runs[slot], -1.0)], 0.0)
        programme.at_most.add([(runs[slot], 1.0), *((each, -1.0) for each, _ in free)], 0.0)
    if free:
        programme.at_most.add([*free, (here, -1.0)], 0.0)
    return found


def _limit_segments(
    programme: Programme, job: Job, runs: dict[int, int], begins: dict[int, int], unit: int
) -> None:
    if job.max_segments is not None and begins:
        programme.at_most.add(
            [(each, 1.0) for each in begins.values()], float(job.max_segments)
        )
    if job.min_segment is not None:
        shortest = -(-to_microseconds(job.min_segment) // unit)
        for slot, begin in begins.items():
            for later in range(slot, slot + shortest * unit, unit):
                on = [(runs[later], -1.0)] if later in runs else []
                programme.at_most.add([(begin, 1.0), *on], 0.0)


def add_free_workers(
    programme: Programme,
    option: Option,
    unit: int,
    load: Load,
    here: int,
    workers: Elastic,
    *,
    averaged: bool,
) -> None:
    """Add the workers in each slot, which together do the work."""
    job = option.member.problem.job
    whole = not (workers.fractional_workers or averaged)
    work: list[tuple[int, float]] = []
    for slot, rate in _units(option.site, unit):
        size, speed = _add_workers(
            programme, option, load, range(slot, slot + unit, unit), here, workers, rate, unit,
            whole=whole, runs_wholly=not averaged,
        )  # fmt: skip
        option.slots[slot] = size
        work += [(variable, -each) for variable, each in speed]
    programme.at_most.add([*work, (here, job.work / unit)], 0.0)


def add_ramped_workers(
    programme: Programme,
    option: Option,
    unit: int,
    load: Load,
    here: int,
    workers: Elastic,
    *,
    averaged: bool,
) -> None:
    """Add the workers in each slot of the data, each change within the ramp, see `ramp`.

    Such a job changes only at edges of slots, so it is the same whether means are taken or not.
    """
    del averaged
    job, intervals, ramp = (
        option.member.problem.job,
        option.site.curve.intervals,
        workers.ramp or 0.0,
    )
    work: list[tuple[int, float]] = []
    before: list[tuple[int, float]] = []
    whole = not workers.fractional_workers
    for i, (start, end, rate) in enumerate(
        zip(intervals.starts, intervals.ends, intervals.rates, strict=True)
    ):
        size, speed = _add_workers(
            programme, option, load, range(start, end, unit), here, workers, rate, unit,
            whole=whole, runs_wholly=True,
        )  # fmt: skip
        option.slots[start] = size
        work += [(variable, -each * (end - start) / unit) for variable, each in speed]
        if i == 0 or intervals.ends[i - 1] != start:
            _limit_ramp(programme, before, [], ramp)
            before = []
        _limit_ramp(programme, before, size, ramp)
        before = size
    _limit_ramp(programme, before, [], ramp)
    exact = not (whole or workers.minimum)
    rows = programme.equal if exact else programme.at_most
    rows.add([*work, (here, job.work / unit)], 0.0)


def _limit_ramp(
    programme: Programme,
    one: list[tuple[int, float]],
    other: list[tuple[int, float]],
    ramp: float,
) -> None:
    """Limit the difference of two numbers of workers to `ramp`."""
    for left, right in ((one, other), (other, one)):
        if left:
            programme.at_most.add([*left, *((each, -factor) for each, factor in right)], ramp)


def _add_workers(
    programme: Programme,
    option: Option,
    load: Load,
    slots: range,
    here: int,
    workers: Elastic,
    rate: int,
    unit: int,
    *,
    whole: bool,
    runs_wholly: bool,
) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
    """Return the workers held over `slots` as (variable, 1), and as (variable, speed per
    worker).
    """
    job, pue = option.member.problem.job, option.site.region.pue
    kw = job.steps[0][2] / workers.base
    per_worker = rate / STEPS_PER_UNIT * pue * kw * unit * len(slots) / HOUR
    runs = programme.variable(0.0, 1, whole=runs_wholly)
    programme.at_most.add([(runs, 1.0), (here, -1.0)], 0.0)
    size, speed = [], []
    for increment in increments_of(workers):
        variable = programme.variable(per_worker, increment.more, whole=whole)
        size.append((variable, 1.0))
        speed.append((variable, increment.speed / increment.more))
        for slot in slots:
            load.kw.setdefault(slot, []).append((variable, kw))
        if workers.fractional_workers:
            load.shares.add(variable)
    for slot in slots:
        load.jobs.setdefault(slot, []).append((runs, 1.0))
    programme.at_most.add([*size, (runs, -workers.most)], 0.0)
    if workers.least:
        less = [(variable, -1.0) for variable, _ in size]
        programme.at_most.add([*less, (runs, workers.least)], 0.0)
    return size, speed


def _units(site: Site, unit: int) -> list[tuple[int, int]]:
    """Return the slots of the grid that are free at a site, each with its rate."""
    intervals = site.curve.intervals
    return [
        (slot, rate)
        for start, end, rate in zip(
            intervals.starts, intervals.ends, intervals.rates, strict=True
        )
        for slot in range(start, end, unit)
    ]
