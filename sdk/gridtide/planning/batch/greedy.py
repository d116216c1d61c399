"""Greedy batch plans: one job after the other, each where it is best in the capacity left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf

from gridtide.errors import BadInput, NoFeasibleWindow
from gridtide.planning.batch.capacity import (
    NEAR,
    Cap,
    Member,
    free_under_cap,
    most_power,
    power_left,
)
from gridtide.planning.decide.candidate import Candidate
from gridtide.planning.decide.candidates import move_to
from gridtide.planning.problem.job import Job
from gridtide.planning.solvers import elastic, ramp
from gridtide.planning.solvers.solve import earliest, solve

# How often every job is taken out and placed again.
ROUNDS = 3


def place_one_by_one(
    members: Sequence[Member], caps: Mapping[str, Cap]
) -> dict[int, Candidate] | None:
    """Return a candidate for each member within the caps; ``None`` where a job does not fit.

    First the jobs with the least slack; where a job then does not fit, those that must end
    soonest; and at last each as early as it fits. Then each is taken out and placed again while
    that lowers the cost.
    """
    schedule = place_all(members, caps)
    return None if schedule is None else improve(members, caps, schedule)


def place_all(
    members: Sequence[Member],
    caps: Mapping[str, Cap],
    known: Mapping[int, Candidate] | None = None,
) -> dict[int, Candidate] | None:
    """Return a candidate for each member beside the `known` ones, which keep to the caps."""
    known = known or {}
    for order, early in ((_by_slack, False), (_by_end, False), (_by_end, True)):
        schedule = _place_in_order(sorted(members, key=order), caps, known, early=early)
        if schedule is not None:
            return schedule
    return None


def _place_in_order(
    members: Sequence[Member],
    caps: Mapping[str, Cap],
    known: Mapping[int, Candidate],
    *,
    early: bool,
) -> dict[int, Candidate] | None:
    schedule = dict(known)
    for member in members:
        if member.number in schedule:
            continue
        candidate = _best(member, caps, schedule, early=early)
        if candidate is None:
            return None
        schedule[member.number] = candidate
    return schedule


def improve(
    members: Sequence[Member], caps: Mapping[str, Cap], schedule: dict[int, Candidate]
) -> dict[int, Candidate]:
    """Take each candidate out and schedule it again while that lowers the cost."""
    schedule = dict(schedule)
    for _ in range(ROUNDS):
        better = False
        # The one that lost most to the others first.
        for member in sorted(
            members, key=lambda each: each.alone - schedule[each.number].value
        ):
            others = {k: candidate for k, candidate in schedule.items() if k != member.number}
            candidate = _best(member, caps, others)
            if candidate is not None and candidate.value < schedule[member.number].value:
                schedule[member.number], better = candidate, True
        if not better:
            break
    return schedule


def _best(
    member: Member,
    caps: Mapping[str, Cap],
    schedule: Mapping[int, Candidate],
    *,
    early: bool = False,
) -> Candidate | None:
    """Return the best candidate for one job in the capacity left, or the earliest."""
    problem, best = member.problem, None
    for site in member.sites:
        region = site.region.name
        running = [
            share.parts
            for candidate in schedule.values()
            for share in candidate.shares
            if share.site.region.name == region
        ]
        cap, job = caps.get(region), _fitting(problem.job, caps.get(region))
        workers = job.workers
        try:
            if workers and workers.ramp is not None:
                left = power_left(cap, running)
                solution = ramp.cheapest(
                    site.curve, job, workers, workers.ramp, free_power=left
                )
            elif workers and not early:
                left = power_left(cap, running)
                solution = elastic.cheapest(site.curve, job, workers, left)
            else:
                free = free_under_cap(site, cap, most_power(job), running)
                solution = earliest(free, job, inf) if early else solve(free, job)
        except NoFeasibleWindow:
            continue
        candidate = Candidate.at(site, solution, move_to(problem, site, member.current_site))
        if best is None or _rank(candidate, early=early) < _rank(best, early=early):
            best = candidate
    return best


def _fitting(job: Job, cap: Cap | None) -> Job:
    """Return the job with no more workers than `cap` carries, if any number fits."""
    workers, kw = job.workers, job.steps[0][2]
    if workers is None or cap is None or cap.kw is None or kw * workers.maximum <= 0:
        return job
    most = cap.kw * (1 + NEAR) / kw * workers.base
    if most >= workers.maximum:
        return job
    try:
        return replace(job, workers=replace(workers, maximum=most))
    except BadInput:  # not even its fewest workers fit
        return job


def _rank(candidate: Candidate, *, early: bool) -> float:
    return candidate.end if early else candidate.value


def _by_slack(member: Member) -> tuple[float, int]:
    free = max(sum(end - start for _, start, end in s.curve.stretches) for s in member.sites)
    return free - member.problem.job.work, member.number


def _by_end(member: Member) -> tuple[float, int]:
    ends = [site.curve.stretches[-1].end for site in member.sites if site.curve.stretches]
    return max(ends), member.number
