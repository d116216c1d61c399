"""Rounding of an LP relaxation: divide each slot among the jobs that share it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import gcd

from gridtide.planning.batch.capacity import Member
from gridtide.planning.decide.candidate import Candidate, Site
from gridtide.planning.decide.candidates import move_to
from gridtide.planning.problem.job import HOUR, Job
from gridtide.planning.solvers.elastic import Increment
from gridtide.planning.solvers.solution import (
    Part,
    Solution,
    count_segments,
    in_units,
    join_parts,
)

# Hours and workers below it are what a solver leaves of none.
NONE = 1e-6
# Microseconds that rounding may take from or add to the work of an elastic job.
ROUNDING = 10**4


@dataclass(frozen=True)
class Taken:
    """`hours` that a member spends on one increment of its workers in ``[start, end)``."""

    member: Member
    site: Site
    start: int
    end: int
    increment: Increment
    variable: int
    hours: float = 0.0


def round_to_schedule(
    members: Sequence[Member], taken: Sequence[Taken], limits: Mapping[str, int | None]
) -> dict[int, Candidate] | None:
    """Return a candidate for each member; ``None`` where the shares do not form plans.

    `limits` are the most jobs at once by region.
    """
    used = [each for each in taken if each.hours > NONE]
    sites: dict[int, Site] = {}
    for each in used:
        if sites.setdefault(each.member.number, each.site) is not each.site:
            return None  # split over regions
    parts: dict[int, list[Part]] = {member.number: [] for member in members}
    unit = gcd(
        *(each.end - each.start for each in taken),
        *(member.problem.job.work for member in members),
    )
    for interval in _by_interval(used):
        plain = [each for each in interval if each.member.problem.job.workers is None]
        limit = limits[interval[0].site.region.name]
        _share(plain, unit, limit, parts)
        _assign_workers([each for each in interval if each not in plain], parts)
    candidates = {}
    for member in members:
        found = join_parts(sorted(parts[member.number], key=lambda part: part.start))
        if not _does_its_work(member.problem.job, found):
            return None
        if any(_has_a_part_of_a_worker(member.problem.job, part) for part in found):
            return None
        site = sites[member.number]
        cost = sum(
            rate * part.power_kw * (min(part.end, end) - max(part.start, start))
            for part in found
            for start, end, rate in _intervals(site, part)
        )
        solution = Solution(in_units(cost), found, count_segments(found))
        moved = move_to(member.problem, site, member.current_site)
        candidates[member.number] = Candidate.at(site, solution, moved)
    return candidates


def _by_interval(used: Sequence[Taken]) -> list[list[Taken]]:
    found: dict[tuple[str, int], list[Taken]] = {}
    for each in used:
        found.setdefault((each.site.region.name, each.start), []).append(each)
    return [found[key] for key in sorted(found)]


def _share(
    taken: Sequence[Taken], unit: int, limit: int | None, parts: dict[int, list[Part]]
) -> None:
    """Give each job its time: whole intervals first, the rest wrapped around."""
    times = [(round(each.hours * HOUR / unit) * unit, each) for each in taken]
    at = taken[0].start if taken else 0
    times = sorted(times, key=lambda pair: (-pair[0], pair[1].member.number))
    for time, each in times:
        if not time:
            break
        start, end, kw = each.start, each.end, each.member.problem.job.steps[0][2]
        mine = parts[each.member.number]
        if limit is None:
            mine.append(Part(start, start + time, kw))
            continue
        last = min(end, at + time)
        mine.append(Part(at, last, kw))
        left = at + time - last
        if left:
            mine.append(Part(start, start + left, kw))
        at = start + left if left or last == end else last


def _assign_workers(taken: Sequence[Taken], parts: dict[int, list[Part]]) -> None:
    """Give each elastic job its workers over the whole interval."""
    sizes: dict[int, float] = {}
    for each in taken:
        length = (each.end - each.start) / HOUR
        number = each.member.number
        sizes[number] = sizes.get(number, 0.0) + each.increment.more * each.hours / length
    for each in taken:
        number, job = each.member.number, each.member.problem.job
        size = sizes.pop(number, 0.0)
        if (
            job.workers
            and not job.workers.fractional_workers
            and abs(size - round(size)) <= NONE
        ):
            size = float(round(size))  # what a solver leaves beside a whole number
        if job.workers and size > NONE:
            kw = job.steps[0][2] / job.workers.base * size
            parts[number].append(Part(each.start, each.end, kw, size))


def _does_its_work(job: Job, parts: Sequence[Part]) -> bool:
    if job.workers is None:
        return sum(part.end - part.start for part in parts) == job.work
    done = sum(
        (part.end - part.start) * job.workers.speed(part.workers or 0.0) for part in parts
    )
    return abs(done - job.work) <= ROUNDING


def _has_a_part_of_a_worker(job: Job, part: Part) -> bool:
    whole = job.workers is not None and not job.workers.fractional_workers
    return whole and (part.workers or 0.0) % 1 != 0


def _intervals(site: Site, part: Part) -> list[tuple[int, int, int]]:
    intervals = site.curve.intervals
    return [
        (start, end, rate)
        for start, end, rate in zip(
            intervals.starts, intervals.ends, intervals.rates, strict=True
        )
        if start < part.end and end > part.start
    ]
