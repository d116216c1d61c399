"""Backtest policies: plan on forecasts as issued, score on what came true."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from gridtide.errors import NoData, NoFeasibleWindow
from gridtide.model import Series, format_time
from gridtide.planning import Job, Moves, Plan, PlannedSlot
from gridtide.slots import to_instant, to_moment
from gridtide_pipelines.forecast.models import worker_pool
from gridtide_pipelines.policies.as_issued import PastForecast, PastForecasts, whole
from gridtide_pipelines.policies.execution import (
    Amount,
    Scenario,
    amount,
    energy_by_region,
    replan_at_each,
)
from gridtide_pipelines.policies.policies import Occurrence, Policy, at_once, best, unbroken


@dataclass(frozen=True, slots=True)
class Case:
    """One zone: what came true, what was forecast, and the clock its hours are read from.

    `source` and `simulated` are of the truth.
    """

    zone: str
    truth: Series
    issues: PastForecasts
    timezone: str = "UTC"
    source: str = ""
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Scored:
    """One job under one policy.

    Attributes:
        at: when it came.
        start, end: of what was run.
        segments: how often it started.
        regions: where it ran, in order, each once.
        now: run at once in its own zone, on the truth.
        planned: what the plan expected when the job came, on the forecast.
        realised: what was run, on the truth.
        oracle: the best there was, with the truth known beforehand.
        issued_at, model: of the forecast it was planned on.
        note: why it ran at once although the policy waits; mostly empty.
    """

    zone: str
    policy: str
    at: datetime
    start: datetime
    end: datetime
    segments: int
    regions: tuple[str, ...]
    now: Amount
    planned: Amount
    realised: Amount
    oracle: Amount
    issued_at: datetime | None
    model: str | None
    note: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A job that is scored under no policy, so that all are compared on the same jobs."""

    zone: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result for one zone.

    Attributes:
        source, simulated: of the truth.
        scored: by job, then in the order of the policies.
        stored, reissued: jobs planned on a forecast from the store, or on one made again.
        short: jobs whose forecast ended before they had to.
        models: jobs by the model they were planned with.
    """

    zone: str
    source: str
    simulated: bool
    scored: tuple[Scored, ...]
    left_out: tuple[LeftOut, ...]
    stored: int
    reissued: int
    short: int
    models: Mapping[str, int]


def simulate(
    cases: Sequence[Case],
    policies: Sequence[Policy],
    occurrences: Sequence[tuple[datetime, datetime]],
    *,
    workers: int = 1,
    progress: Callable[[str, int, int], None] = lambda _what, _done, _all: None,
) -> list[Outcome]:
    """Score every job under every policy in every zone.

    Args:
        occurrences: when each job comes, and when it has to have ended.
        workers: processes, a zone each; with more than one the cases must be picklable. One
            where a policy moves jobs: forecasts of all zones are then made once for all.
        progress: called with how many jobs are done, and of how many.
    """
    count = len(cases) * len(occurrences)
    moving = any(policy.moves for policy in policies)
    if workers > 1 and len(cases) > 1 and not moving:
        with worker_pool(workers) as pool:
            futures = [
                pool.submit(simulate_zone, each, policies, occurrences) for each in cases
            ]
            return [each.result() for each in futures]
    found: list[Outcome] = []

    def tell(done: int) -> None:
        progress("simulate", len(found) * len(occurrences) + done, count)

    for case in cases:
        elsewhere = [each for each in cases if moving and each is not case]
        outcome = simulate_zone(case, policies, occurrences, elsewhere, progress=tell)
        found.append(outcome)
    return found


def simulate_zone(
    case: Case,
    policies: Sequence[Policy],
    occurrences: Sequence[tuple[datetime, datetime]],
    elsewhere: Sequence[Case] = (),
    *,
    progress: Callable[[int], None] = lambda _done: None,
) -> Outcome:
    """Score every job under every policy in one zone.

    Args:
        elsewhere: the zones that policies may move its jobs to.
        progress: called with how many jobs are done.
    """
    scored: list[Scored] = []
    left_out: list[LeftOut] = []
    issued: list[tuple[PastForecast, bool]] = []
    for done, (at, latest) in enumerate(occurrences, start=1):
        when = Occurrence(at, latest, case.timezone)
        try:
            scenario = _scenario(case, elsewhere, at, latest)
            scored += _scored(case, policies, when, scenario)
            issued.append((scenario.issues[0], scenario.short))
        except (NoData, NoFeasibleWindow) as error:
            left_out.append(LeftOut(case.zone, at, str(error)))
        progress(done)
    stored = sum(issue.stored for issue, _ in issued)
    return Outcome(
        zone=case.zone,
        source=case.source,
        simulated=case.simulated,
        scored=tuple(scored),
        left_out=tuple(left_out),
        stored=stored,
        reissued=len(issued) - stored,
        short=sum(short for _, short in issued),
        models=dict(sorted(Counter(issue.outlook.model or "" for issue, _ in issued).items())),
    )


def _scenario(
    case: Case, elsewhere: Sequence[Case], at: datetime, latest: datetime
) -> Scenario:
    """Collect what the job at `at` is planned and scored on, or name the zone without data."""
    issues, truths, short = [], {}, False
    for each in (case, *elsewhere):
        try:
            issues.append(each.issues.at(at))
            short |= whole(issues[-1], at, latest) < latest
            truths[each.truth.zone] = cut_series(each.truth, at, latest)
        except NoData as error:
            if each is case:
                raise
            raise NoData(f"{each.zone}: {error}") from error
    return Scenario(truths, issues, short)


def _scored(
    case: Case, policies: Sequence[Policy], when: Occurrence, scenario: Scenario
) -> list[Scored]:
    """Score one job under each policy; raise where it cannot be scored under one of them."""
    truths, forecasts = scenario.truths, scenario.forecasts
    own, *elsewhere = scenario.ideal
    # Computed once for all policies that share them.
    baselines: dict[Job, Amount] = {}
    oracles: dict[tuple[Job, Moves | None], Amount] = {}
    found = []
    for policy in policies:
        whole_job, free = unbroken(policy.job), policy.free
        if whole_job not in baselines:
            slots = at_once(whole_job, when.at, own).slots
            baselines[whole_job] = amount(truths, energy_by_region(whole_job, slots))
        if (free, policy.moves) not in oracles:
            slots = best(free, when, policy.reach(own, elsewhere)).slots
            oracles[free, policy.moves] = amount(truths, energy_by_region(free, slots))
        outlook, *others = scenario.outlooks
        plan, note = policy.decide(when, outlook, others)
        slots = _run(case, policy, when, plan)
        found.append(
            Scored(
                zone=case.zone,
                policy=policy.name,
                at=when.at,
                start=slots[0].start,
                end=slots[-1].end,
                segments=count_segments(slots),
                regions=tuple(dict.fromkeys(slot.region for slot in slots)),
                now=baselines[whole_job],
                planned=amount(forecasts, energy_by_region(policy.job, plan.slots)),
                realised=amount(truths, energy_by_region(policy.job, slots)),
                oracle=oracles[free, policy.moves],
                issued_at=outlook.issued_at,
                model=outlook.model,
                note=note,
            )
        )
    return found


def _run(case: Case, policy: Policy, when: Occurrence, plan: Plan) -> tuple[PlannedSlot, ...]:
    if not policy.replans:
        return plan.slots
    return replan_at_each(policy.job, plan, case.issues.between(when.at, when.latest))


def count_segments(slots: Sequence[PlannedSlot]) -> int:
    """Count how often a job starts that runs in `slots`."""
    return 1 + sum(later.start > earlier.end for earlier, later in pairwise(slots))


def cut_series(truth: Series, start: datetime, end: datetime) -> Series:
    """Return the slots of `truth` over ``[start, end)``.

    Raises:
        NoData: a part is unknown; says from when on.
    """
    first = max(0, bisect_right(truth.slots, start, key=lambda slot: slot.start) - 1)
    last = bisect_left(truth.slots, end, key=lambda slot: slot.start)
    part = Series(truth.zone, truth.signal, truth.slots[first:last])
    reached = to_instant(start)
    for run in part.runs:
        if run.edges[0] > reached:
            break
        reached = max(reached, run.edges[-1])
    if reached < to_instant(end):
        raise NoData(f"the truth is unknown at {format_time(to_moment(reached))}")
    return part
