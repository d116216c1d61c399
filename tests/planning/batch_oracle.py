"""An integer programme of the tests' own for batches in whole hours."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from scipy.optimize import Bounds as Box
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import csr_array

from gridtide.planning.batch.capacity import Cap
from gridtide.planning.problem.job import Kind
from tests.planning.hourly_batches import Batch, JobSpec


@dataclass
class Programme:
    """Variables with their costs, and rows of (variable, factor) with their limits."""

    costs: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)
    rows: list[tuple[dict[int, float], float, float]] = field(default_factory=list)
    jobs: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    kw: dict[tuple[str, int], list[tuple[int, float]]] = field(default_factory=dict)

    def variable(self, cost: float = 0.0, most: float = 1.0, *, whole: bool = True) -> int:
        self.costs.append(cost)
        self.upper.append(most)
        self.whole.append(int(whole))
        return len(self.costs) - 1

    def row(self, terms: dict[int, float], low: float, high: float) -> None:
        self.rows.append((terms, low, high))

    def load(self, region: str, hour: int, runs: int, kw: list[tuple[int, float]]) -> None:
        self.jobs.setdefault((region, hour), []).append(runs)
        self.kw.setdefault((region, hour), []).extend(kw)

    def solve(self) -> float | None:
        parts = [(i, k, f) for i, (row, _, _) in enumerate(self.rows) for k, f in row.items()]
        i, k, f = zip(*parts, strict=True)
        shape = len(self.rows), len(self.costs)
        low, high = [low for _, low, _ in self.rows], [high for _, _, high in self.rows]
        found = milp(
            self.costs,
            constraints=LinearConstraint(csr_array((f, (i, k)), shape=shape), low, high),
            bounds=Box(np.zeros(len(self.costs)), np.array(self.upper)),
            integrality=np.array(self.whole),
            options={"mip_rel_gap": 1e-6, "time_limit": 60},
        )
        assert found.status in (0, 1, 2)
        return None if found.x is None else float(found.fun)


def best(batch: Batch) -> float | None:
    """The least by whole hours; ``None`` where there is no such schedule.

    What is placed so may be placed; schedules off the hour may count less.
    """
    programme = Programme()
    for job in batch.jobs:
        one: dict[int, float] = {}
        for region in job.regions:
            values = [value * batch.pue[region] for value in batch.values[region]]
            moving = 0.0
            if job.move and region != job.home:
                # Both ends in the hour at hand, as is the plan's convention.
                assert job.home is not None
                moving = (
                    sum(batch.values[each][0] for each in (job.home, region)) * job.move / 2
                )
            if job.kind is Kind.UNBROKEN:
                one |= dict.fromkeys(_starts(programme, job, region, values, moving), 1.0)
                continue
            here = programme.variable(moving)
            one[here] = 1.0
            (_sizes if job.workers else _runs)(programme, job, region, values, here)
        programme.row(one, 1, 1)
    for (region, hour), runs in programme.jobs.items():
        cap = batch.caps.get(region, Cap())
        if cap.jobs is not None:
            programme.row(dict.fromkeys(runs, 1.0), -np.inf, cap.jobs)
        if cap.kw is not None:
            programme.row(dict(programme.kw[region, hour]), -np.inf, cap.kw)
    return programme.solve()


def _starts(
    programme: Programme, job: JobSpec, region: str, values: list[float], moving: float
) -> list[int]:
    found = []
    for start in job.hours:
        hours = range(start, start + job.work)
        if all(hour in job.hours for hour in hours):
            each = programme.variable(moving + job.kw * sum(values[hour] for hour in hours))
            found.append(each)
            for hour in hours:
                programme.load(region, hour, each, [(each, job.kw)])
    return found


def _runs(
    programme: Programme, job: JobSpec, region: str, values: list[float], here: int
) -> None:
    """A job that pauses; what each pause and restart counts is in the cleaner hour beside."""
    runs = {hour: programme.variable(job.kw * values[hour]) for hour in job.hours}
    programme.row({**dict.fromkeys(runs.values(), 1.0), here: -job.work}, 0, 0)
    for hour, run in runs.items():
        programme.load(region, hour, run, [(run, job.kw)])
    if job.kind is Kind.INTERRUPTIBLE:
        return
    begins, ends, had, left = {}, {}, {}, {}
    for hour in job.hours:
        near = values[hour], values[hour - 1] if hour - 1 in runs else values[hour]
        after = values[hour], values[hour + 1] if hour + 1 in runs else values[hour]
        begins[hour] = programme.variable(job.restart * min(near))
        ends[hour] = programme.variable(job.pause * min(after))  # after this hour
        had[hour] = programme.variable(-job.restart * min(near))  # the first start, free
        left[hour] = programme.variable(-job.pause * min(after))  # the last end, free
    for hour, run in runs.items():
        before = {runs[hour - 1]: 1.0} if hour - 1 in runs else {}
        later = {runs[hour + 1]: 1.0} if hour + 1 in runs else {}
        programme.row({run: -1.0, begins[hour]: 1.0, **before}, 0, np.inf)
        programme.row({run: -1.0, ends[hour]: 1.0, **later}, 0, np.inf)
        programme.row({begins[hour]: 1.0, run: -1.0}, -np.inf, 0)
        if before:
            programme.row({begins[hour]: 1.0, **before}, -np.inf, 1)
        if later:
            programme.row({ends[hour]: 1.0, **later}, -np.inf, 1)
        programme.row({ends[hour]: 1.0, run: -1.0}, -np.inf, 0)
        programme.row({had[hour]: 1.0, begins[hour]: -1.0}, -np.inf, 0)
        programme.row({left[hour]: 1.0, ends[hour]: -1.0}, -np.inf, 0)
        # Nothing runs before the first start or after the last end.
        programme.row({run: 1.0} | {had[h]: -1.0 for h in had if h <= hour}, -np.inf, 0)
        programme.row({run: 1.0} | {left[h]: -1.0 for h in left if h >= hour}, -np.inf, 0)
        for h in range(hour, hour + job.shortest):
            on = {runs[h]: -1.0} if h in runs else {}
            programme.row({begins[hour]: 1.0} | on, -np.inf, 0)
    for each in (had, left):
        programme.row({**dict.fromkeys(each.values(), 1.0), here: -1.0}, 0, 0)
    if job.segments is not None:
        programme.row(dict.fromkeys(begins.values(), 1.0), -np.inf, job.segments)


def _sizes(
    programme: Programme, job: JobSpec, region: str, values: list[float], here: int
) -> None:
    """An elastic job: one size an hour, or none; speed by the table."""
    workers = job.workers
    assert workers is not None
    knees = [(0.0, 0.0), *(workers.throughput or ((workers.maximum, workers.maximum),))]
    steps = []
    for (a, slow), (b, fast) in pairwise(knees):
        more = min(b, workers.maximum) - a
        if more > 0:
            steps.append((more, (fast - slow) / (b - a)))
    work: dict[int, float] = {here: -float(job.work)}
    size_at = {}
    for hour in job.hours:
        run = programme.variable()
        size = programme.variable(
            job.kw * values[hour], workers.maximum, whole=not workers.fractional_workers
        )
        size_at[hour] = size
        programme.row({size: 1.0, run: -float(workers.maximum)}, -np.inf, 0)
        programme.row({size: 1.0, run: -float(workers.minimum)}, 0, np.inf)
        programme.row({run: 1.0, here: -1.0}, -np.inf, 0)
        programme.load(region, hour, run, [(size, job.kw)])
        parts = {}
        for more, speed in steps:
            part = programme.variable(most=more, whole=False)
            parts[part], work[part] = -1.0, speed
        programme.row({size: 1.0, **parts}, 0, 0)
    programme.row(work, 0, np.inf)
    if workers.ramp is None:
        return
    for hour, size in size_at.items():
        for other in (hour - 1, hour + 1):
            beside = {size_at[other]: -1.0} if other in size_at else {}
            programme.row({size: 1.0} | beside, -np.inf, workers.ramp)
