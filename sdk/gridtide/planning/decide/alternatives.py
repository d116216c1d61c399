"""Other plans to name beside the best one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial

from gridtide.errors import NoFeasibleWindow
from gridtide.model import format_time
from gridtide.planning.decide.baseline import run_now_at
from gridtide.planning.decide.candidate import Candidate, DataMove
from gridtide.planning.errors import TooFine
from gridtide.planning.problem.job import Job, Kind
from gridtide.planning.problem.state import NOT_STARTED, JobState
from gridtide.planning.solvers import unbroken
from gridtide.planning.solvers.region_costs import Site
from gridtide.planning.solvers.solution import Solution, apply_power
from gridtide.planning.solvers.solve import has_segments, solve
from gridtide.slots import to_moment

# Parts of the time from the first free moment to the plan's end by which another plan ends.
SOONER = (0.75, 0.5, 0.25)
FIVE_MINUTES = 300_000_000


def find_alternatives(
    job: Job,
    chosen: Candidate,
    elsewhere: Sequence[Candidate],
    moved: tuple[DataMove, ...],
    count: int,
    state: JobState,
) -> list[tuple[str, Candidate]]:
    """Return up to `count` plans that differ from `chosen`, best first, and how they differ.

    For an unbroken job, local minima that are half its length or more apart; for other kinds
    the best
    unbroken run and plans that end sooner; running at once; the best plan at each other site.
    """
    site = chosen.site
    found = [(f"run in {other.site.region.name}", other) for other in elsewhere]
    if job.kind is Kind.UNBROKEN:
        found += _starts(job, site, moved, chosen.start, count)
    elif state is NOT_STARTED:
        found += _sooner(job, site, moved, chosen.end)
    if state is NOT_STARTED and (at_once := run_now_at(site, job)) is not None:
        found.append(("run at once", at_once))
    seen = {_key(chosen)}
    distinct = []
    for what, candidate in sorted(found, key=lambda pair: pair[1].value):
        if _key(candidate) not in seen:
            seen.add(_key(candidate))
            distinct.append((what, candidate))
    return distinct[:count]


def _starts(
    job: Job, site: Site, moved: tuple[DataMove, ...], chosen: int, count: int
) -> Iterator[tuple[str, Candidate]]:
    named = [chosen]
    for cost, start in unbroken.basins(site.curve, job.steps):
        if any(abs(start - other) < job.work / 2 for other in named):
            continue
        named.append(start)
        parts = apply_power([(start, start + job.work)], job.steps)
        candidate = Candidate.at(site, Solution(cost, parts), moved)
        yield f"start at {format_time(to_moment(start))}", candidate
        if len(named) > count:
            return


def _sooner(
    job: Job, site: Site, moved: tuple[DataMove, ...], end: int
) -> Iterator[tuple[str, Candidate]]:
    with suppress(NoFeasibleWindow):
        yield "run unbroken", Candidate.at(site, unbroken.cheapest(site.curve, job), moved)
    first = site.curve.stretches[0].start
    for part in SOONER:
        deadline = round((first + (end - first) * part) / FIVE_MINUTES) * FIVE_MINUTES
        if has_segments(job):
            # At edges of slots their planner is quick.
            deadline = min(site.curve.intervals.ends, key=partial(_apart, deadline))
        try:
            solution = solve(site.curve.before(deadline), job)
        except (NoFeasibleWindow, TooFine):
            return
        yield f"end by {format_time(to_moment(deadline))}", Candidate.at(site, solution, moved)


def _apart(one: int, other: int) -> int:
    return abs(one - other)


def _key(candidate: Candidate) -> tuple[object, ...]:
    return tuple((part, site.region.name) for part, site in candidate.placed_parts)
