"""Capacity limits of regions, and the capacity that other jobs leave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Annotated

from gridtide.planning.decide.candidate import Candidate, Site
from gridtide.planning.problem.job import Job
from gridtide.planning.problem.state import PlanningProblem
from gridtide.planning.solvers.costs import Curve, Stretch
from gridtide.planning.solvers.elastic import FreePower
from gridtide.planning.solvers.solution import Part
from gridtide.schema.definition import Field
from gridtide.schema.validate import validate

# Relative; what sums of powers may be over a cap by rounding.
NEAR = 1e-9
# Beyond all times, microseconds.
FIRST_INSTANT, LAST_INSTANT = -(10**18), 10**18


@dataclass(frozen=True, slots=True)
class Cap:
    """Capacity limit: most jobs at once, and most power of all of them before PUE."""

    jobs: Annotated[
        int | None, Field("most jobs at the same time; left out: no limit", at_least=1)
    ] = None
    kw: Annotated[
        float | None,
        Field("most power of all before PUE; left out: no limit", unit="kW", above=0),
    ] = None

    def __post_init__(self) -> None:
        validate(self, "cap")


@dataclass(frozen=True)
class Member:
    """One job of a batch.

    Attributes:
        number: its index in the batch.
        sites: where it may run.
        current_site: where its data is.
        alone: cost of the best plan found, were it the only job.
        least: lower bound on the cost of any plan for it.
    """

    number: int
    problem: PlanningProblem
    sites: tuple[Site, ...]
    current_site: Site | None
    alone: float
    least: float


def most_power(job: Job) -> float:
    """Return the highest power of a job, kW before PUE."""
    highest = max(kw for *_, kw in job.steps)
    costs = [
        cost.kwh / (cost.time.total_seconds() / 3600)
        for cost in (job.pause_cost, job.restart_cost)
        if cost.time
    ]
    size = job.workers.maximum / job.workers.base if job.workers else 1.0
    return max(highest * size, *costs, 0.0)


def free_under_cap(
    site: Site,
    cap: Cap | None,
    power: float,
    running: Iterable[Sequence[Part]],
) -> Curve:
    """Return the free time at `site` in which one more job of `power` keeps to `cap`.

    `running` are the parts of the other jobs there, each in order.
    """
    if cap is None:
        return site.curve
    most_jobs = inf if cap.jobs is None else cap.jobs
    most_kw = inf if cap.kw is None else cap.kw * (1 + NEAR)
    spans: list[tuple[float, float]] = []
    jobs, kw = 0, 0.0
    begins: float | None = -inf if power <= most_kw else None
    for instant, (count, drawn) in sorted(_changes(running).items()):
        jobs, kw = jobs + count, kw + drawn
        fits = jobs < most_jobs and kw + power <= most_kw
        if begins is not None and not fits:
            spans.append((begins, instant))
            begins = None
        elif begins is None and fits:
            begins = instant
    if begins is not None:
        spans.append((begins, inf))
    return _within(site.curve, spans)


def power_left(cap: Cap | None, running: Iterable[Sequence[Part]]) -> list[FreePower] | None:
    """Return the power that `running` leaves of `cap` over time; ``None``: unlimited."""
    if cap is None:
        return None
    most_kw = inf if cap.kw is None else cap.kw * (1 + NEAR)
    most_jobs = inf if cap.jobs is None else cap.jobs
    found: list[FreePower] = []
    start, jobs, kw = FIRST_INSTANT, 0, 0.0
    for instant, (count, drawn) in [*sorted(_changes(running).items()), (LAST_INSTANT, (0, 0))]:
        if jobs < most_jobs and instant > start:
            found.append(FreePower(start, instant, most_kw - kw))
        start, jobs, kw = instant, jobs + count, kw + drawn
    return found


def _changes(running: Iterable[Sequence[Part]]) -> dict[int, tuple[int, float]]:
    """Return, by instant, the change in the number of running jobs and in their power."""
    changes: dict[int, tuple[int, float]] = {}

    def change(instant: int, count: int, power: float) -> None:
        jobs, kw = changes.get(instant, (0, 0.0))
        changes[instant] = jobs + count, kw + power

    for parts in running:
        for part in parts:
            change(part.start, 1, part.power_kw)
            change(part.end, -1, -part.power_kw)
    return changes


def exceeds_caps(caps: Mapping[str, Cap], candidates: Mapping[int, Candidate]) -> bool:
    """Say whether the candidates exceed a cap at any time."""
    for region, cap in caps.items():
        there = [
            share.parts
            for candidate in candidates.values()
            for share in candidate.shares
            if share.site.region.name == region
        ]
        instants = sorted({part.start for parts in there for part in parts})
        for instant in instants:
            now = [p for parts in there for p in parts if p.start <= instant < p.end]
            if cap.jobs is not None and len(now) > cap.jobs:
                return True
            if cap.kw is not None and sum(p.power_kw for p in now) > cap.kw * (1 + NEAR):
                return True
    return False


def members_over_caps(caps: Mapping[str, Cap], candidates: Mapping[int, Candidate]) -> set[int]:
    """Return members without which the rest keeps to the caps, the largest first."""
    out: set[int] = set()
    for region, cap in caps.items():
        there = [
            (part, number)
            for number, candidate in candidates.items()
            for share in candidate.shares
            for part in share.parts
            if share.site.region.name == region
        ]
        for instant in sorted({part.start for part, _ in there}):
            now = [
                (part.power_kw, number)
                for part, number in there
                if part.start <= instant < part.end and number not in out
            ]
            now.sort()
            while now and (
                (cap.jobs is not None and len(now) > cap.jobs)
                or (cap.kw is not None and sum(kw for kw, _ in now) > cap.kw * (1 + NEAR))
            ):
                out.add(now.pop()[1])
    return out


def _within(curve: Curve, spans: Sequence[tuple[float, float]]) -> Curve:
    stretches = []
    for run, start, end in curve.stretches:
        for low, high in spans:
            first, last = max(start, low), min(end, high)
            if first < last:
                stretches.append(Stretch(run, int(first), int(last)))
    return Curve(curve.name, tuple(stretches))
