"""The integer programme of a batch on a grid: its variables and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor

from gridtide.planning.batch.capacity import NEAR, Cap, Member
from gridtide.planning.batch.program_jobs import (
    Load,
    Option,
    add_free_workers,
    add_pausing,
    add_ramped_workers,
)
from gridtide.planning.decide.candidates import move_to
from gridtide.planning.problem.job import Job, Kind
from gridtide.planning.solvers.highs import Programme
from gridtide.planning.solvers.solution import in_units
from gridtide.planning.solvers.unbroken import POWER_STEPS, costs_at

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
    """Whether the job is placed unbroken here, as every job may be; also with limits."""
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
    for run, low, end in option.site.curve.stretches:
        starts = list(range(low, end - job.work + 1, unit))
        here: list[int] = []
        for start, total in zip(starts, costs_at(run, starts, job.steps), strict=True):
            cost = in_units(total / POWER_STEPS) * option.site.region.pue
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
