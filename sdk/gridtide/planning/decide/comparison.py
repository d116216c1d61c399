"""What a plan is compared with: running at once, median and worst start, and other plans."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from gridtide.errors import NoFeasibleWindow
from gridtide.model import format_time
from gridtide.planning.decide.candidate import Candidate, DataMove, Share, Site
from gridtide.planning.errors import TooFine
from gridtide.planning.problem.job import Job, Kind
from gridtide.planning.problem.objective import Goal, Objective
from gridtide.planning.problem.state import NOT_STARTED, JobState
from gridtide.planning.solvers import unbroken
from gridtide.planning.solvers.solution import Solution, apply_power, count_segments
from gridtide.planning.solvers.solve import has_segments, run_at_once, solve
from gridtide.planning.solvers.unbroken import trials
from gridtide.slots import to_moment


@dataclass(frozen=True)
class Baseline:
    """Runs at the job's own power at one site; ``None`` where there is none.

    Attributes:
        now: run at once, see `solve.run_at_once`.
        median, worst: costs of the unbroken starts at edges of slots, with PUE.
        kwh: energy of such a run, before PUE.
        pue: of the site.
    """

    now: Candidate | None
    median: float | None
    worst: float | None
    kwh: float
    pue: float

    @classmethod
    def of(cls, site: Site, job: Job) -> Baseline:
        """Compute the baselines at `site`, from expected values within the bounds."""
        found = sorted(each.cost * site.region.pue for each in trials(site.plain, job.steps))
        half = len(found) // 2
        return cls(
            now=run_now_at(site, job),
            median=(found[half] + found[~half]) / 2 if found else None,
            worst=found[-1] if found else None,
            kwh=job.kwh,
            pue=site.region.pue,
        )

    def saving_now(self, candidate: Candidate, goal: Goal) -> float | None:
        """Return the saving of `candidate` against running at once."""
        if self.now is None:
            return None
        return saving(candidate, goal, self.now.counts, self.now.mean)

    def saving(self, candidate: Candidate, goal: Goal, counts: float | None) -> float | None:
        """Return the saving of `candidate` against a run here that costs `counts`."""
        if counts is None:
            return None
        return saving(candidate, goal, counts, 1 - counts / self.kwh / self.pue)


def run_now_at(site: Site, job: Job, moved: tuple[DataMove, ...] = ()) -> Candidate | None:
    """Return the job run at `site` at once, after the data has `moved` there."""
    parts = run_at_once(site.plain, job)
    if parts is None:
        return None
    share = Share(site, parts)
    value = share.value + sum(move.counts for move in moved)
    return Candidate((share,), value, count_segments(parts), moved)


def saving(candidate: Candidate, goal: Goal, counts: float, mean: float) -> float | None:
    """Return the saving of `candidate` against a cost of `counts`; for CFE, against `mean`.

    A fraction, of the amount of a cost below 0; ``None`` where there is nothing to save from;
    for CFE, fraction points.
    """
    if goal.objective is Objective.CFE:
        return candidate.mean - mean
    return (counts - candidate.counts) / abs(counts) if counts else None


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
    the best unbroken run and plans that end sooner; running at once; the best plan at each
    other site.
    """
    site = chosen.site
    found = [(f"run in {other.site.region.name}", other) for other in elsewhere]
    if job.kind is Kind.UNBROKEN:
        found += _starts(job, site, moved, chosen.start, count)
    elif state is NOT_STARTED:
        found += _sooner(job, site, moved, chosen.end)
    if state is NOT_STARTED and (at_once := run_now_at(site, job, moved)) is not None:
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
