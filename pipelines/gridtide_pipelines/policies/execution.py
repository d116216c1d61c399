"""Carry out a plan on past data: energy drawn, replanning as forecasts come in, emissions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from math import inf

from gridtide.errors import NoData, NoFeasibleWindow
from gridtide.model import Series
from gridtide.planning import Job, Outlook, Plan, PlannedSlot, Progress, replan
from gridtide.planning.decide.integrals import integrated
from gridtide.planning.planner import round_up_to_five_minutes
from gridtide.planning.problem.job import HOUR
from gridtide.planning.solvers.solution import EnergyDraw
from gridtide.slots import to_instant
from gridtide_pipelines.policies.as_issued import PastForecast


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy that a job draws in one region, before PUE.

    Attributes:
        running: while it runs.
        stops: kWh of each pause and restart that takes no time, at its moment.
    """

    running: list[EnergyDraw] = field(default_factory=list)
    stops: list[tuple[int, float]] = field(default_factory=list)


def energy_by_region(job: Job, slots: Sequence[PlannedSlot]) -> dict[str, Energy]:
    """Return all energy that `slots` of `job` draw, by region."""
    found = {slot.region: Energy() for slot in slots}
    for slot in slots:
        start, end = to_instant(slot.start), to_instant(slot.end)
        kwh = (end - start) * slot.power_kw / HOUR
        found[slot.region].running.append(EnergyDraw(start, end, kwh))
    pause, restart = (
        0.0 if cost.time else cost.kwh for cost in (job.pause_cost, job.restart_cost)
    )
    for earlier, later in pairwise(slots):
        if later.start > earlier.end:
            found[earlier.region].stops.append((to_instant(earlier.end), pause))
            found[later.region].stops.append((to_instant(later.start), restart))
    return found


def replan_at_each(
    job: Job, plan: Plan, issues: Iterable[PastForecast]
) -> tuple[PlannedSlot, ...]:
    """Return the slots that run when the rest is planned again at each of `issues`.

    A new plan holds from the next full five minutes on. An unbroken job that runs runs on, and
    where a forecast leaves no feasible schedule, the plan stays. Costs of pauses in time are
    not distinguished from work in a plan's slots; `make_policies` refuses them.
    """
    ran: tuple[PlannedSlot, ...] = ()
    first = plan  # progress counts from the whole job, which only this plan knows
    for issue in issues:
        at = round_up_to_five_minutes(issue.known_at)
        if at >= plan.end:
            break
        so_far = (*ran, *_before(plan.slots, at))
        try:
            plan = replan(first, _progress(job, so_far, at), issue.outlook)
        except NoFeasibleWindow:
            continue
        ran = so_far
    return (*ran, *plan.slots)


def _before(slots: Sequence[PlannedSlot], at: datetime) -> tuple[PlannedSlot, ...]:
    return tuple(replace(each, end=min(each.end, at)) for each in slots if each.start < at)


def _progress(job: Job, ran: Sequence[PlannedSlot], at: datetime) -> Progress:
    """Return the progress of `job` at `at`, having run `ran`."""
    if not ran:
        return Progress(at)
    # Summed as numbers: a number of workers may do no whole number of microseconds of work.
    done = sum(
        (to_instant(each.end) - to_instant(each.start)) * _speed(job, each) for each in ran
    )
    starts = [ran[0].start]
    starts += [later.start for earlier, later in pairwise(ran) if later.start > earlier.end]
    running = ran[-1].end == at
    return Progress(
        at,
        done=timedelta(microseconds=round(done)),
        running=running,
        running_for=at - starts[-1] if running else timedelta(0),
        segments=len(starts),
    )


def _speed(job: Job, slot: PlannedSlot) -> float:
    """Return the work done per time, 1 with the job's own workers."""
    return 1.0 if job.workers is None else job.workers.speed(slot.workers or 0.0)


@dataclass(frozen=True, slots=True)
class Amount:
    """Energy in kWh, and what it counts: grams, or of CFE the kWh that are not carbon-free."""

    kwh: float
    counted: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a job is planned and scored on; its own zone first.

    Attributes:
        truths: by region, over its slack.
        issues: the newest forecast of each when the job came.
        short: whether one of them ends before the job has to.
    """

    truths: Mapping[str, Series]
    issues: Sequence[PastForecast]
    short: bool

    @property
    def ideal(self) -> list[Outlook]:
        """The truth in place of a forecast."""
        return [Outlook(truth) for truth in self.truths.values()]

    @property
    def outlooks(self) -> list[Outlook]:
        """The forecasts that the job is planned by."""
        return [issue.outlook for issue in self.issues]

    @property
    def forecasts(self) -> dict[str, Series]:
        """The expected values, by region."""
        return {each.expected.zone: each.expected for each in self.outlooks}


def amount(series: Mapping[str, Series], energy: Mapping[str, Energy]) -> Amount:
    """Sum `energy` and what it counts by `series`, both by region.

    As in a plan, a pause or restart at an edge of two slots counts in the cleaner one.

    Raises:
        NoData: a part of it is unknown.
    """
    kwh = counted = 0.0
    for region, each in energy.items():
        there = series[region]
        parts = [*each.running, *(_beside(there, *stop) for stop in each.stops if stop[1])]
        total = integrated(there.runs, parts)
        if total is None:
            raise NoData(f"{region} {there.signal} is unknown for a part of the run")
        used = sum(part.kwh for part in parts)
        kwh += used
        counted += total if there.signal.lower_is_cleaner else used - total
    return Amount(kwh, counted)


def _beside(series: Series, instant: int, kwh: float) -> EnergyDraw:
    """Return `kwh` drawn just before or after `instant`, where it is known and cleaner."""
    before, after = EnergyDraw(instant - 1, instant, 1.0), EnergyDraw(instant, instant + 1, 1.0)
    rated = [(integrated(series.runs, [each]), each) for each in (before, after)]
    sign = 1 if series.signal.lower_is_cleaner else -1
    _, there = min(rated, key=lambda pair: inf if pair[0] is None else sign * pair[0])
    return there._replace(kwh=kwh)
