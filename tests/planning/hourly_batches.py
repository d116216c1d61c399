"""Random batches of all kinds in whole hours, and an integer programme of the tests' own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from random import Random

import numpy as np
from scipy.optimize import Bounds as Box
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import csr_array

from gridtide.errors import NoFeasibleWindow
from gridtide.model import Series
from gridtide.planning.batch.capacity import Cap
from gridtide.planning.batch.schedule import BatchPlan, Request, plan_batch
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Cost, Job, Kind
from gridtide.planning.problem.regions import CandidateRegion, CandidateRegions
from gridtide.planning.problem.scaling import Elastic
from tests.planning.worlds import CI, HOUR, T0

REGIONS = ("DE", "FR", "PL")


@dataclass(frozen=True)
class Asked:
    """One job of a batch, in whole hours."""

    kind: Kind
    work: int
    kw: float
    hours: tuple[int, ...]  # in which it may run
    regions: tuple[str, ...]
    workers: Elastic | None = None
    shortest: int = 1  # hours of a piece
    segments: int | None = None
    pause: float = 0.0  # kWh
    restart: float = 0.0  # kWh
    home: str | None = None
    move: float = 0.0  # kWh


@dataclass(frozen=True)
class Batch:
    """Jobs, hourly values and PUE by region, and caps by region."""

    jobs: tuple[Asked, ...]
    values: dict[str, list[float]]
    pue: dict[str, float]
    caps: dict[str, Cap]


def draws(seed: int, hours: int = 10, most: int = 10) -> Batch:
    """A batch of two to `most` jobs of any kind, often as many as just fit."""
    random = Random(seed)  # noqa: S311  # to be the same each time
    regions = REGIONS[: random.choice([1, 2, 2, 3])]
    values = {each: [float(random.randint(50, 400)) for _ in range(hours)] for each in regions}
    pue = {each: random.choice([1.0, 1.1, 1.5]) for each in regions}
    count = random.randint(2, most)
    caps = {}
    for region in regions:
        by = random.choice(["jobs", "kw", "kw", "both", "none" if len(regions) > 1 else "kw"])
        jobs = random.randint(1, 2 + count // 3) if by in ("jobs", "both") else None
        kw = float(random.randint(4, 8 + count)) if by in ("kw", "both") else None
        if by != "none":
            caps[region] = Cap(jobs=jobs, kw=kw)
    kinds = [Kind.UNBROKEN, Kind.INTERRUPTIBLE, Kind.SEGMENTS, Kind.ELASTIC, Kind.ELASTIC]
    return Batch(
        tuple(_job(random, random.choice(kinds), regions, hours) for _ in range(count)),
        values,
        pue,
        caps,
    )


def _job(random: Random, kind: Kind, regions: tuple[str, ...], hours: int) -> Asked:
    work, first = random.randint(1, 4), random.randint(0, hours // 2)
    last = random.randint(min(hours, first + work), hours)
    free = list(range(first, last))
    if len(free) > work + 1 and random.random() < 0.3:  # closed, or ruled out
        free.remove(random.choice(free[1:-1]))
    some = tuple(random.sample(regions, random.randint(1, len(regions))))
    more: dict[str, object] = {}
    if len(some) > 1 and random.random() < 0.2:
        more |= {"home": random.choice(some), "move": random.choice([0.5, 2.0])}
    if kind is Kind.SEGMENTS:
        more |= {
            "shortest": random.choice([1, 1, 2, min(work, 3)]) if work > 1 else 1,
            "segments": random.choice([None, 2, 3]),
            "pause": random.choice([0.0, 0.3]),
            "restart": random.choice([0.0, 0.5, 1.0]),
        }
    if kind is Kind.ELASTIC:
        maximum = random.randint(1, 4)
        minimum = random.choice([0, 0, 1, min(2, maximum)])
        ramp = random.choice([None, None, max(1, minimum), max(2, minimum)])
        table = ((1.0, 1.0), (2.0, 1.75), (4.0, 2.75))
        more["workers"] = Elastic(
            maximum,
            minimum=minimum,
            ramp=ramp,
            throughput=random.choice([(), (), table]),
            fractional_workers=random.random() < 0.4,
        )
    return Asked(kind, work, float(random.randint(1, 4)), tuple(free), some, **more)  # type: ignore[arg-type]  # the test passes what the type refuses


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

    What is laid so may be laid; schedules off the hour may count less.
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
    programme: Programme, job: Asked, region: str, values: list[float], moving: float
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
    programme: Programme, job: Asked, region: str, values: list[float], here: int
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
    programme: Programme, job: Asked, region: str, values: list[float], here: int
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


def requests(batch: Batch) -> list[Request]:
    """The batch, as it is asked for."""
    found = []
    for job in batch.jobs:
        first, last = job.hours[0], job.hours[-1] + 1
        closed = [hour for hour in range(first, last) if hour not in job.hours]
        limits: dict[str, object] = {}
        if job.kind is Kind.SEGMENTS:
            limits = {
                "min_segment": job.shortest * HOUR if job.shortest > 1 else None,
                "max_segments": job.segments,
                "pause_cost": Cost(job.pause),
                "restart_cost": Cost(job.restart),
            }
        made = Job(job.work * HOUR, job.kind, power=job.kw, workers=job.workers, **limits)  # type: ignore[arg-type]  # the test passes what the type refuses
        places = tuple(
            CandidateRegion(
                region,
                Outlook(Series.regular(region, CI, T0, HOUR, values)),
                pue=batch.pue[region],
            )
            for region, values in batch.values.items()
        )
        where = CandidateRegions(
            places,
            allowed=frozenset(job.regions),
            current_region=job.home,
            data_gb=job.move,
            kwh_per_gb=1.0 if job.move else None,
        )
        bounds = Bounds(
            earliest=T0 + first * HOUR,
            deadline=T0 + last * HOUR,
            blackouts=tuple((T0 + hour * HOUR, T0 + (hour + 1) * HOUR) for hour in closed),
        )
        found.append(Request(made, where, bounds))
    return found


def planned(batch: Batch) -> BatchPlan | str:
    """The plans, or the code of the error."""
    try:
        return plan_batch(requests(batch), batch.caps, now=T0)
    except NoFeasibleWindow as error:
        return error.code


def breaks(batch: Batch, found: BatchPlan) -> list[str]:
    """What of a schedule is not as asked, moment by moment."""
    wrong = []
    for i, (job, plan) in enumerate(zip(batch.jobs, found.plans, strict=True)):
        wrong += [f"job {i}: {each}" for each in _breaks(job, plan)]
    for region, cap in batch.caps.items():
        slots = [s for plan in found.plans for s in plan.slots if s.region == region]
        for moment in {s.start for s in slots}:
            now = [s for s in slots if s.start <= moment < s.end]
            if len(now) > (cap.jobs or len(now)) or (
                cap.kw is not None and sum(s.power_kw for s in now) > cap.kw * (1 + 1e-6)
            ):
                wrong.append(f"the cap of {region} at {moment}")
    return wrong


def _breaks(job: Asked, plan: object) -> list[str]:
    wrong, slots = [], plan.slots  # type: ignore[attr-defined]  # added at run time
    if len({s.region for s in slots}) > 1 or slots[0].region not in job.regions:
        wrong.append("not in its one region")
    for slot in slots:
        first, last = (slot.start - T0) / HOUR, (slot.end - T0) / HOUR
        hours = range(int(first), -int(-last // 1))
        if not all(hour in job.hours for hour in hours):
            wrong.append(f"runs at {slot.start}, when it may not")
    workers = job.workers
    done = sum(
        (
            (s.end - s.start) * (1.0 if workers is None else workers.speed(s.workers or 0.0))
            for s in slots
        ),
        timedelta(0),
    )
    over = done - job.work * HOUR
    if over < -timedelta(seconds=0.02) or (
        over > timedelta(seconds=0.02) and (workers is None or workers.ramp is None)
    ):
        wrong.append(f"work of {done}")
    if workers is not None:
        if not workers.fractional_workers and any(s.workers % 1 for s in slots):
            wrong.append("a part of a worker")
        near = 1e-5
        if any(
            not workers.minimum - near <= s.workers <= workers.maximum + near for s in slots
        ):
            wrong.append("a size out of its bounds")
        if workers.ramp is not None:
            wrong += _leaps(job, slots, workers.ramp + near)
        return wrong
    spans: list[list[object]] = []
    for slot in slots:
        if spans and spans[-1][1] == slot.start:
            spans[-1][1] = slot.end
        else:
            spans.append([slot.start, slot.end])
    if job.kind is Kind.UNBROKEN and len(spans) > 1:
        wrong.append("broken")
    if job.segments is not None and len(spans) > job.segments:
        wrong.append(f"{len(spans)} pieces")
    if job.kind is Kind.SEGMENTS and any(
        end - start < job.shortest * HOUR for start, end in spans
    ):  # type: ignore[operator]  # checked above
        wrong.append("too short a piece")
    return wrong


def _leaps(job: Asked, slots: object, ramp: float) -> list[str]:
    def size(hour: int) -> float:
        middle = T0 + (hour + 0.5) * HOUR
        return sum(s.workers for s in slots if s.start <= middle < s.end)  # type: ignore[attr-defined]  # added at run time

    whole = all((s.start - T0) % HOUR == timedelta(0) == (s.end - T0) % HOUR for s in slots)  # type: ignore[attr-defined]  # added at run time
    hours = range(job.hours[0] - 1, job.hours[-1] + 1)
    leap = max(abs(size(hour + 1) - size(hour)) for hour in hours)
    return ([] if whole else ["a size that is not held"]) + (
        [f"a leap of {leap}"] if leap > ramp else []
    )
