"""Other plans worth naming beside the best one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial

from gridtide.errors import NoFeasibleWindow
from gridtide.model import format_time
from gridtide.planning.decide.baseline import now_at
from gridtide.planning.decide.candidate import Choice, Moved
from gridtide.planning.errors import TooFine
from gridtide.planning.problem.job import Job, Kind
from gridtide.planning.solvers import unbroken
from gridtide.planning.solvers.overheads import FRESH, Standing
from gridtide.planning.solvers.region_costs import Site
from gridtide.planning.solvers.solution import Draft, powered
from gridtide.planning.solvers.solve import drafted, has_segments
from gridtide.slots import to_moment

# Parts of the time from the first free moment to the plan's end by which another plan ends.
SOONER = (0.75, 0.5, 0.25)
FIVE_MINUTES = 300_000_000


def others(
    job: Job,
    chosen: Choice,
    elsewhere: Sequence[Choice],
    moved: tuple[Moved, ...],
    count: int,
    standing: Standing,
) -> list[tuple[str, Choice]]:
    """Up to `count` plans that differ from `chosen`, best first, each with what is different.

    Other starts of an unbroken job, where its cost turns, half its length or more apart; for
    other kinds the best unbroken run and plans that end sooner; running at once; the best plan
    at each other site.
    """
    site = chosen.site
    found = [(f"run in {other.site.place.region}", other) for other in elsewhere]
    if job.kind is Kind.UNBROKEN:
        found += _starts(job, site, moved, chosen.start, count)
    elif standing is FRESH:
        found += _sooner(job, site, moved, chosen.end)
    if standing is FRESH and (at_once := now_at(site, job)) is not None:
        found.append(("run at once", at_once))
    seen = {_key(chosen)}
    distinct = []
    for what, choice in sorted(found, key=lambda pair: pair[1].value):
        if _key(choice) not in seen:
            seen.add(_key(choice))
            distinct.append((what, choice))
    return distinct[:count]


def _starts(
    job: Job, site: Site, moved: tuple[Moved, ...], chosen: int, count: int
) -> Iterator[tuple[str, Choice]]:
    named = [chosen]
    for cost, start in unbroken.basins(site.curve, job.steps):
        if any(abs(start - other) < job.work / 2 for other in named):
            continue
        named.append(start)
        parts = powered([(start, start + job.work)], job.steps)
        choice = Choice.at(site, Draft(cost, parts), moved)
        yield f"start at {format_time(to_moment(start))}", choice
        if len(named) > count:
            return


def _sooner(
    job: Job, site: Site, moved: tuple[Moved, ...], end: int
) -> Iterator[tuple[str, Choice]]:
    with suppress(NoFeasibleWindow):
        yield "run unbroken", Choice.at(site, unbroken.cheapest(site.curve, job), moved)
    first = site.curve.stretches[0].start
    for part in SOONER:
        deadline = round((first + (end - first) * part) / FIVE_MINUTES) * FIVE_MINUTES
        if has_segments(job):
            # At edges of slots their planner is quick.
            deadline = min(site.curve.cells.ends, key=partial(_apart, deadline))
        try:
            draft = drafted(site.curve.before(deadline), job)
        except (NoFeasibleWindow, TooFine):
            return
        yield f"end by {format_time(to_moment(deadline))}", Choice.at(site, draft, moved)


def _apart(one: int, other: int) -> int:
    return abs(one - other)


def _key(choice: Choice) -> tuple[object, ...]:
    return tuple((part, site.place.region) for part, site in choice.laid)
