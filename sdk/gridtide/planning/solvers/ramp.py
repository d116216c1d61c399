"""How an elastic job spreads over time when its size changes by a limited step from slot to
slot.

A linear programme: exact, through `solver`. With a minimum above 0 a whole number for each slot
says whether the job runs in it, and where workers are whole the sizes themselves are whole
numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from gridtide.errors import BadInput, NoFeasibleWindow
from gridtide.planning.problem.job import HOUR, Job
from gridtide.planning.problem.scaling import Elastic
from gridtide.planning.solvers.costs import Cells, Curve, hours
from gridtide.planning.solvers.elastic import Room, refuse_negative, segments_of
from gridtide.planning.solvers.highs import Programme
from gridtide.planning.solvers.overheads import FRESH, Standing
from gridtide.planning.solvers.solution import Draft, Part, in_units, joined, pieces

# A solver keeps its rows to 1e-7, here of an hour of work.
SHORTEST = timedelta(seconds=1)
# Chips below this part of the most used are what a solver leaves of none.
NONE = 1e-7


def cheapest(
    curve: Curve,
    job: Job,
    chips: Elastic,
    ramp: float,
    standing: Standing = FRESH,
    room: Sequence[Room] | None = None,
) -> Draft:
    """Chips in each slot that count least, changing by at most `ramp` from one to the next.

    Before the first slot there are those it stands at, after the last and wherever the job may
    not run there are none. With whole workers, with a minimum, or where it cannot come down as
    fast as its work ends, the job may be done before its last slot ends; the plan counts all of
    the slot.

    Args:
        room: the power it may draw, ascending; without it any. Outside it draws none.

    Raises:
        NoFeasibleWindow: not enough work fits.
        BadInput: a rate below 0 with a minimum or a throughput that falls off, or a job of
            less than a second.
        TooFine: slots times steps of throughput are too many.
        SolverFailed: the solver gave up, or took a minute.
        NoSolver: there is no solver here.
    """
    cells = curve.cells
    whole = not chips.fractional_workers
    more = whole or chips.minimum > 0 or _least_work(cells, chips, ramp, standing) > job.work
    refuse_negative(curve, chips, also=more)
    if job.duration < SHORTEST:
        raise BadInput(
            f"{curve.name}: a job of {job.duration} is too short for a linear programme "
            "to tell from none; with a ramp give a second or more"
        )
    programme = Programme(f"{curve.name}: an elastic job with a ramp")
    sizes = _variables(programme, cells, chips, job, more=more)
    _limit(programme, cells, sizes, ramp, standing)
    if room is not None:
        _keep_to(programme, cells, sizes, chips, job, room)
    stops = standing.chips > ramp and cells.starts[:1] != [standing.at]
    values = programme.solve() if cells.starts and not stops else None
    if values is None:
        raise NoFeasibleWindow(_why(curve, job, chips, ramp, standing, stops=stops))
    found = [sum(values[each] for each in variables) for variables in sizes]
    if whole:
        found = [float(round(size)) for size in found]
    kw, none = job.steps[0][2] / chips.base, NONE * max(found)
    parts = joined(
        Part(start, end, size * kw, size)
        for start, end, size in zip(cells.starts, cells.ends, found, strict=True)
        if size > none
    )
    energy = sum(
        rate * length * size
        for rate, length, size in zip(cells.rates, cells.lengths, found, strict=True)
    )
    return Draft(in_units(energy * kw), parts, pieces(parts))


def _least_work(cells: Cells, chips: Elastic, ramp: float, standing: Standing) -> float:
    """Work that is done while the size it stands at comes down to none."""
    size, work, end = standing.chips, 0.0, standing.at
    for start, length in zip(cells.starts, cells.lengths, strict=True):
        if size <= ramp or start != end:
            break
        size, end = max(chips.least, size - ramp), start + length
        work += chips.speed(size) * length
    return work


def _why(
    curve: Curve, job: Job, chips: Elastic, ramp: float, standing: Standing, *, stops: bool
) -> str:
    """What stands in the way, and what to ask instead."""
    if stops:
        return (
            f"{curve.name}: it runs on {standing.chips:g} chips and may not run on, at a ramp "
            f"of {ramp:g} a slot; once it stands still ask again with 0 chips and not running, "
            "or allow a larger ramp"
        )
    now = f", from {standing.chips:g} chips on" if standing.chips else ""
    return (
        f"{curve.name}: {hours(job.work)} of work at the job's own size do not fit into "
        f"the free and known time with at most {chips.most:g} chips and a ramp of "
        f"{ramp:g} a slot{now}; allow more of either, or a later deadline"
    )


def _variables(
    programme: Programme, cells: Cells, chips: Elastic, job: Job, *, more: bool
) -> list[list[int]]:
    """For each cell the chips on each segment of the throughput, together doing the work, or
    with `more` at least that.
    """
    segments = segments_of(chips)
    sizes, work = [], []
    for rate, length in zip(cells.rates, cells.lengths, strict=True):
        time = length / HOUR
        variables = []
        for segment in segments:
            cost = rate / 1e9 * time
            variable = programme.variable(
                cost, segment.more, whole=not chips.fractional_workers
            )
            work.append((variable, segment.speed / segment.more * time))
            variables.append(variable)
        if chips.least:
            runs = programme.variable(0, 1, whole=True)
            most = [(each, 1.0) for each in variables]
            programme.at_most.add([*most, (runs, -chips.most)], 0)
            programme.at_most.add(
                [*((each, -1.0) for each in variables), (runs, chips.least)], 0
            )
        sizes.append(variables)
    if more:
        # Whole workers, or the fewest that a slot may have, may be more than the work needs.
        programme.at_most.add([(each, -speed) for each, speed in work], -job.work / HOUR)
    else:
        programme.equal.add(work, job.work / HOUR)
    return sizes


def _limit(
    programme: Programme,
    cells: Cells,
    sizes: list[list[int]],
    ramp: float,
    standing: Standing,
) -> None:
    """No change of more than `ramp`, from where it stands and from and to none included."""
    for i, variables in enumerate(sizes):
        here = [(each, 1.0) for each in variables]
        touching = i > 0 and cells.ends[i - 1] == cells.starts[i]
        if touching:
            before = [(each, -1.0) for each in sizes[i - 1]]
            programme.at_most.add([*here, *before], ramp)
            programme.at_most.add([(each, -factor) for each, factor in [*here, *before]], ramp)
        else:
            size = standing.chips if cells.starts[i] == standing.at else 0.0
            programme.at_most.add(here, size + ramp)
            if size > ramp:
                programme.at_most.add([(each, -1.0) for each in variables], ramp - size)
        if i + 1 == len(sizes) or cells.ends[i] != cells.starts[i + 1]:
            programme.at_most.add(here, ramp)


def _keep_to(
    programme: Programme,
    cells: Cells,
    sizes: list[list[int]],
    chips: Elastic,
    job: Job,
    room: Sequence[Room],
) -> None:
    """No more workers in a slot than the power that is free all through it carries."""
    kw, i = job.steps[0][2] / chips.base, 0
    for start, end, variables in zip(cells.starts, cells.ends, sizes, strict=True):
        while i < len(room) and room[i].end <= start:
            i += 1
        k, free, least = i, start, chips.most * kw
        while k < len(room) and room[k].start <= free < end:
            free, least = room[k].end, min(least, room[k].kw)
            k += 1
        most = chips.within(max(0.0, least) / kw) if kw else chips.most
        if free < end or most < chips.least:
            most = 0.0
        if most < chips.most:
            programme.at_most.add([(each, 1.0) for each in variables], most)
