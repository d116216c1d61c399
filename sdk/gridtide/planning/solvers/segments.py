"""Plans for a job in segments, at about the same effort whichever second the free time begins.

The dynamic programmes need equal units of time. Where bounds lie inside slots, or a job is
planned again at an odd second, the largest unit that all times share may be a microsecond. The
job is then planned on grids of whole slots (`exact_segments`): one aligned with the slots, and
one from the first free moment. Their segments are then shifted to lower cost (`shifts`), which
also uses parts of slots. An unbroken run and the cheapest slots are compared with the result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from math import gcd

from gridtide.errors import NoFeasibleWindow
from gridtide.planning.errors import TooFine
from gridtide.planning.problem.job import HOUR, Job, PowerProfile
from gridtide.planning.problem.opening_hours import merged
from gridtide.planning.problem.state import NOT_STARTED, JobState
from gridtide.planning.solvers import exact_segments, interruptible, unbroken
from gridtide.planning.solvers.costs import Curve
from gridtide.planning.solvers.exact_segments import MOST_STATES, is_limited
from gridtide.planning.solvers.shifts import Segments, Spans
from gridtide.planning.solvers.solution import Solution, in_units
from gridtide.planning.solvers.time_grid import (
    edges_within,
    exact_unit,
    gridded,
    limit_lengths,
    overhead_lengths,
    states,
)
from gridtide.slots import MICROSECOND, to_microseconds

# States: milliseconds. A question of fewer is answered exactly, on whatever unit that takes.
FEW_STATES = 4_000
# The unit of last resort is the largest of these on which there is any schedule, microseconds.
FINER = (300_000_000, 60_000_000)
# How many parts of a slot are tried as a unit where that takes few states.
PARTS = (12, 6, 4, 3, 2, 1)


def cheapest(curve: Curve, job: Job, state: JobState = NOT_STARTED) -> Solution:
    """Return the cheapest schedule found; exact where all times share the unit of the slots.

    Raises:
        NoFeasibleWindow: there is not enough free time, or not for such segments.
        TooFine: the job's own times share only a very small unit.
    """
    exact, unit = exact_unit(curve.intervals, job, state), unit_of(curve, job, state)
    needed = states(curve.intervals, job, exact)
    if exact >= unit or needed <= FEW_STATES:
        return exact_segments.cheapest(curve, job, state)
    exact_segments.check_room(curve, job, state)
    segments = Segments(curve.intervals, job, state)
    found = list(_without_grid(curve, job, state))
    for size in (unit, *(each for each in FINER if each < unit)):
        found += _on_grids(curve, job, state, size)
        if found:
            break
    if not found:
        if unit >= FINER[-1] and needed > MOST_STATES:
            raise exact_segments.too_few_segments(curve, job)
        return exact_segments.cheapest(curve, job, state)
    solutions = [segments.solution(segments.improve(each)) for each in found]
    best = min(solutions, key=lambda solution: (solution.cost, solution.end))
    return replace(best, bound=min(best.cost, bound(curve, job)))


def bound(curve: Curve, job: Job) -> float:
    """Return a lower bound on the cost of any schedule: the cheapest slots with free pauses.

    With a power profile, the highest power takes the cheapest slots, whatever its order.
    """
    intervals, total = curve.intervals, 0.0
    offers = ((intervals.rates[i], intervals.lengths[i]) for i in intervals.order)
    rate, free = next(offers)
    for kw, length in sorted(((kw, end - start) for start, end, kw in job.steps), reverse=True):
        left = length
        while left:
            if not free:
                rate, free = next(offers)
            used = min(free, left)
            total += rate * used * kw
            free, left = free - used, left - used
    return in_units(total)


def taken(curve: Curve, job: Job, state: JobState = NOT_STARTED) -> int:
    """Return about how many states `cheapest` goes through."""
    exact, unit = exact_unit(curve.intervals, job, state), unit_of(curve, job, state)
    needed = states(curve.intervals, job, exact)
    return needed if exact >= unit else min(needed, 3 * states(curve.intervals, job, unit))


def unit_of(curve: Curve, job: Job, state: JobState) -> int:
    """Return the unit that slots and the job share, or a part of it if that takes few states.

    The remaining work of a job that has started does not count: it is as odd as the moment.
    Where checkpoints or a power profile count from its beginning, what lies between two of them
    does; as long as it runs, all of it.
    """
    edges = slot_edges(curve)
    apart = [later - earlier for earlier, later in pairwise(edges)]
    if _is_resumed(job, state):
        own = [later - earlier for earlier, later in pairwise(_changes(job))]
        own += overhead_lengths(job)
    else:
        own = limit_lengths(job)
        if not state.started or counts_progress(job):
            own.append(job.work)
    unit = gcd(*apart, *own) or HOUR
    for part in PARTS:
        if unit % part == 0 and (
            part == 1 or states(curve.intervals, job, unit // part) <= FEW_STATES
        ):
            return unit // part
    return unit


def counts_progress(job: Job) -> bool:
    """Say whether what the job may do depends on the work done since its beginning."""
    return bool(job.checkpoints) or len(job.steps) > 1


def _is_resumed(job: Job, state: JobState) -> bool:
    """Say whether it is paused, with work done that need not be a whole number of units."""
    return state.started and not state.running and counts_progress(job)


def _changes(job: Job) -> list[int]:
    """Return the work done at each checkpoint, change of power and at the end, ascending."""
    checkpoints = {to_microseconds(each) for each in job.checkpoints}
    return sorted(checkpoints | {end for _, end, _ in job.steps} | {job.work})


def slot_edges(curve: Curve) -> list[int]:
    """Return the edges of slots within the free time, ascending.

    Where other edges cut the slots at odd moments, those aligned with the most common slot.
    """
    edges = edges_within(curve)
    apart = [later - earlier for earlier, later in pairwise(edges)]
    if not apart or gcd(*apart) >= FINER[0]:
        return edges
    (step, _), *_ = Counter(apart).most_common(1)
    (phase, _), *_ = Counter(edge % step for edge in edges).most_common(1)
    return [edge for edge in edges if edge % step == phase] if step >= FINER[0] else edges


def _without_grid(curve: Curve, job: Job, state: JobState) -> Iterator[Spans]:
    """Yield schedules that need no grid: an unbroken run, and the cheapest slots."""
    if state.running:
        end = state.at + job.work
        spans = merged(zip(curve.intervals.starts, curve.intervals.ends, strict=True))
        if any(low <= state.at and end <= high for low, high in spans):
            yield [(state.at, end)]
    elif not (state.started and job.restart_cost.time):
        with suppress(NoFeasibleWindow):
            yield _spans(unbroken.cheapest(curve, job))
    if not is_limited(job) and not state.started:
        free = interruptible.cheapest(curve, job)
        if job.max_segments is None or free.segments <= job.max_segments:
            yield _spans(free)


def _on_grids(curve: Curve, job: Job, state: JobState, unit: int) -> Iterator[Spans]:
    """Yield the best schedule on each grid of `unit` that has one."""
    resumed = _is_resumed(job, state)
    changes = _changes(job) if resumed else [job.work]
    more = -changes[0] % unit
    if any((change + more) % unit for change in changes):
        return
    if more and counts_progress(job) and not resumed:
        return
    rest = _with_more(job, more) if more else job
    # A part of a unit counts as not run: it must only run on for longer.
    stands = state if state is NOT_STARTED else replace(state, ran=state.ran // unit * unit)
    segments = Segments(curve.intervals, job, state)
    for phase in _phases(curve, unit):
        cut = gridded(curve, unit, phase)
        if not cut.stretches:
            continue
        with suppress(NoFeasibleWindow, TooFine):
            spans = exact_segments.cheapest_spans(cut, rest, stands)
            trimmed = (
                segments.trim_start(spans, more) if resumed else segments.trim(spans, more)
            )
            if trimmed is not None:
                yield trimmed


def _with_more(job: Job, more: int) -> Job:
    """Return the job with `more` work before all that is left of it, microseconds."""
    extra, power = more * MICROSECOND, job.power
    if isinstance(power, PowerProfile):
        (length, kw), *steps = power.steps
        power = PowerProfile(((length + extra, kw), *steps))
    shortest = job.min_segment
    return replace(
        job,
        duration=job.duration + extra,
        power=power,
        checkpoints=tuple(each + extra for each in job.checkpoints),
        min_segment=job.duration + extra if shortest == job.duration else shortest,
    )


def _phases(curve: Curve, unit: int) -> list[int]:
    """Return the offsets of the grids: at the edges of slots, and at the first free moment."""
    edges = slot_edges(curve)
    firsts = [start % unit for _, start, _ in curve.stretches]
    common = Counter(firsts).most_common(1)[0][0]
    return list(dict.fromkeys([*(edge % unit for edge in edges[:1]), firsts[0], common]))


def _spans(solution: Solution) -> Spans:
    return merged((part.start, part.end) for part in solution.parts)
