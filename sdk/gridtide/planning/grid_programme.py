"""The programme of a batch on a grid: its variables and rows, see `gridded`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor

from gridtide.planning.crowd import NEAR, Cap, Member
from gridtide.planning.draft import in_units
from gridtide.planning.elastic import segments_of
from gridtide.planning.elasticity import Elastic
from gridtide.planning.job import HOUR, Job, Kind
from gridtide.planning.options import move_to
from gridtide.planning.site import Site
from gridtide.planning.solver import Programme
from gridtide.planning.unbroken import POWER_STEPS, costs_at
from gridtide.runs import STEPS_PER_UNIT, to_microseconds


@dataclass
class Option:
    """One member at one site: its variables by start, or by slot with their sizes."""

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
    shares: set[int] = field(default_factory=set)  # variables that are no whole number of kW

    def add(self, slot: int, variable: int, jobs: float, kw: float) -> None:
        self.jobs.setdefault(slot, []).append((variable, jobs))
        self.kw.setdefault(slot, []).append((variable, kw))


def programme_of(
    members: Sequence[Member], caps: Mapping[str, Cap], unit: int, *, averaged: bool
) -> tuple[Programme, list[Option]]:
    """The programme of schedules on the grid, or of the means of any over its slots."""
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
            programme.at_most.add([*row, (rest, -1.0)], -member.alone)
    for region, load in loads.items():
        _hold(programme, caps.get(region), load)
    return programme, options


def _member(
    programme: Programme,
    member: Member,
    unit: int,
    loads: dict[str, Load],
    *,
    averaged: bool,
) -> list[Option]:
    """The variables of one member: just one site, and all of its work there."""
    job, options, one = member.question.job, [], []
    for site in member.sites:
        load = loads.setdefault(site.place.region, Load())
        option = Option(member, site)
        moving = sum(move.counts for move in move_to(member.question, site, member.home))
        if job.kind is Kind.UNBROKEN or (_starts_only(job) and not averaged):
            one += _starts(programme, option, unit, load, moving, averaged=averaged)
        else:
            here = programme.variable(moving, 1, whole=True)
            one.append((here, 1.0))
            if job.chips:
                _sizes(programme, option, unit, load, here, job.chips, averaged=averaged)
            else:
                _pauses(programme, option, unit, load, here, averaged=averaged)
        options.append(option)
    programme.equal.add(one, 1.0)
    if mixed := [(each, 1.0) for option in options for each in option.mixed]:
        programme.at_most.add(mixed, 1.0)
    return options


def _starts_only(job: Job) -> bool:
    """Whether the job runs through here, as every job may; also what has limits of its own."""
    return job.chips is None and (
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
    """A variable for each start; what adds up to 1 where the job runs here."""
    job, one = option.member.question.job, []
    for run, low, end in option.site.curve.stretches:
        starts = list(range(low, end - job.work + 1, unit))
        here: list[int] = []
        for start, total in zip(starts, costs_at(run, starts, job.steps), strict=True):
            cost = in_units(total / POWER_STEPS) * option.site.place.pue
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


def _pauses(
    programme: Programme,
    option: Option,
    unit: int,
    load: Load,
    here: int,
    *,
    averaged: bool,
) -> None:
    job, pue = option.member.question.job, option.site.place.pue
    powers = [kw for *_, kw in job.steps]
    work: list[tuple[int, float]] = []
    runs: dict[int, int] = {}
    begins: dict[int, int] = {}
    for slot, rate in _units(option.site, unit):
        per_kwh = rate / STEPS_PER_UNIT * pue
        # Along a profile, which only a mean takes, at least this.
        kw = min(powers) if rate > 0 else max(powers)
        variable = programme.variable(per_kwh * kw * unit / HOUR, 1, whole=not averaged)
        runs[slot] = variable
        option.slots[slot] = [(variable, 1.0)]
        work.append((variable, 1.0))
        load.add(slot, variable, 1.0, min(powers))
        if job.kind is Kind.PIECES and not averaged:
            toll = max(0.0, per_kwh) * (job.pause_cost.kwh + job.restart_cost.kwh)
            begins[slot] = programme.variable(toll, 1, whole=True)
            before = [(runs[slot - unit], -1.0)] if slot - unit in runs else []
            programme.at_most.add([(variable, 1.0), (begins[slot], -1.0), *before], 0.0)
    programme.equal.add([*work, (here, -job.work / unit)], 0.0)
    if job.max_pieces is not None and begins:
        programme.at_most.add([(each, 1.0) for each in begins.values()], float(job.max_pieces))
    if job.min_piece is not None:
        shortest = -(-to_microseconds(job.min_piece) // unit)
        for slot, begin in begins.items():
            for later in range(slot, slot + shortest * unit, unit):
                on = [(runs[later], -1.0)] if later in runs else []
                programme.at_most.add([(begin, 1.0), *on], 0.0)


def _sizes(
    programme: Programme,
    option: Option,
    unit: int,
    load: Load,
    here: int,
    chips: Elastic,
    *,
    averaged: bool,
) -> None:
    job = option.member.question.job
    kw, pue = job.steps[0][2] / chips.base, option.site.place.pue
    whole = not (chips.fractional_workers or averaged)
    work: list[tuple[int, float]] = []
    for slot, rate in _units(option.site, unit):
        per_worker = rate / STEPS_PER_UNIT * pue * kw * unit / HOUR
        runs = programme.variable(0.0, 1, whole=not averaged)
        programme.at_most.add([(runs, 1.0), (here, -1.0)], 0.0)
        size = []
        for segment in segments_of(chips):
            variable = programme.variable(per_worker, segment.more, whole=whole)
            size.append((variable, 1.0))
            work.append((variable, -segment.speed / segment.more))
            load.kw.setdefault(slot, []).append((variable, kw))
            if chips.fractional_workers:
                load.shares.add(variable)
        load.jobs.setdefault(slot, []).append((runs, 1.0))
        programme.at_most.add([*size, (runs, -chips.most)], 0.0)
        if chips.least:
            less = [(variable, -1.0) for variable, _ in size]
            programme.at_most.add([*less, (runs, chips.least)], 0.0)
        option.slots[slot] = size
    programme.at_most.add([*work, (here, job.work / unit)], 0.0)


def _units(site: Site, unit: int) -> list[tuple[int, int]]:
    """The slots of the grid that are free at a site, each with its rate."""
    cells = site.curve.cells
    return [
        (slot, rate)
        for start, end, rate in zip(cells.starts, cells.ends, cells.rates, strict=True)
        for slot in range(start, end, unit)
    ]


def _hold(programme: Programme, cap: Cap | None, load: Load) -> None:
    if cap is None:
        return
    if cap.jobs is not None:
        for terms in load.jobs.values():
            programme.at_most.add(terms, float(cap.jobs))
    if cap.kw is not None:
        for terms in load.kw.values():
            programme.at_most.add(terms, cap.kw)
            _round(programme, cap.kw, [each for each in terms if each[0] not in load.shares])


def _round(programme: Programme, cap: float, terms: Sequence[tuple[int, float]]) -> None:
    """The cap in whole multiples of some powers: what runs at any moment keeps to them too.

    Of jobs of 6 kW each, one runs under a cap of 10 kW at any moment, so on average too.
    """
    powers = sorted({kw for _, kw in terms if kw > 0})
    for power in sorted({kw / part for kw in powers for part in (1, 2, 3)}):
        most = floor(cap / power * (1 + NEAR))
        rounded = [(variable, float(floor(kw / power * (1 + NEAR)))) for variable, kw in terms]
        rounded = [(variable, factor) for variable, factor in rounded if factor]
        if most * power < cap * (1 - NEAR) and rounded:
            programme.at_most.add(rounded, float(most))
