"""Random batches of all kinds in whole hours, and an integer programme of the tests' own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from gridtide.errors import NoFeasibleWindow
from gridtide.model import Series
from gridtide.planning.batch.capacity import Cap
from gridtide.planning.batch.schedule import BatchPlan, Request, plan_batch
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Cost, Job, Kind
from gridtide.planning.problem.regions import CandidateRegion, CandidateRegions
from gridtide.planning.problem.scaling import Elastic
from tests.planning.settings import CI, HOUR, T0

REGIONS = ("DE", "FR", "PL")


@dataclass(frozen=True)
class JobSpec:
    """One job of a batch, in whole hours."""

    kind: Kind
    work: int
    kw: float
    hours: tuple[int, ...]  # in which it may run
    regions: tuple[str, ...]
    workers: Elastic | None = None
    shortest: int = 1  # hours of a segment
    segments: int | None = None
    pause: float = 0.0  # kWh
    restart: float = 0.0  # kWh
    home: str | None = None
    move: float = 0.0  # kWh


@dataclass(frozen=True)
class Batch:
    """Jobs, hourly values and PUE by region, and caps by region."""

    jobs: tuple[JobSpec, ...]
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


def _job(random: Random, kind: Kind, regions: tuple[str, ...], hours: int) -> JobSpec:
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
    return JobSpec(kind, work, float(random.randint(1, 4)), tuple(free), some, **more)  # type: ignore[arg-type]  # the test passes what the type refuses


def requests(batch: Batch) -> list[Request]:
    """The requests of the batch."""
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
    """What a schedule breaks, moment by moment."""
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


def _breaks(job: JobSpec, plan: object) -> list[str]:
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
    # One hour is the MILP's own slot, not a limit of the request.
    if job.shortest > 1 and any(end - start < job.shortest * HOUR for start, end in spans):  # type: ignore[operator]  # checked above
        wrong.append("too short a piece")
    return wrong


def _leaps(job: JobSpec, slots: object, ramp: float) -> list[str]:
    def size(hour: int) -> float:
        middle = T0 + (hour + 0.5) * HOUR
        return sum(s.workers for s in slots if s.start <= middle < s.end)  # type: ignore[attr-defined]  # added at run time

    whole = all((s.start - T0) % HOUR == timedelta(0) == (s.end - T0) % HOUR for s in slots)  # type: ignore[attr-defined]  # added at run time
    hours = range(job.hours[0] - 1, job.hours[-1] + 1)
    leap = max(abs(size(hour + 1) - size(hour)) for hour in hours)
    return ([] if whole else ["a size that is not held"]) + (
        [f"a leap of {leap}"] if leap > ramp else []
    )
