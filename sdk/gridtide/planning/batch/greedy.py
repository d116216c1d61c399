"""A batch laid one job after the other, each where it is best in what the caps leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf

from gridtide.errors import BadInput, NoFeasibleWindow
from gridtide.planning.batch.capacity import NEAR, Cap, Member, most_power, power_left, room
from gridtide.planning.decide.candidate import Choice
from gridtide.planning.decide.candidates import move_to
from gridtide.planning.decide.earliest import earliest
from gridtide.planning.problem.job import Job
from gridtide.planning.solvers import elastic, ramp
from gridtide.planning.solvers.solve import drafted

# How often every job is taken out and laid again.
ROUNDS = 3


def one_by_one(members: Sequence[Member], caps: Mapping[str, Cap]) -> dict[int, Choice] | None:
    """A choice for each member within the caps; ``None`` where some job finds no room.

    First the jobs with the least room to choose; where that leaves one without room, those
    that must end soonest; and at last each as early as it fits. Then each is taken out and laid
    again as long as that makes it better.
    """
    laid = laid_over(members, caps)
    return None if laid is None else improved(members, caps, laid)


def laid_over(
    members: Sequence[Member],
    caps: Mapping[str, Cap],
    known: Mapping[int, Choice] | None = None,
) -> dict[int, Choice] | None:
    """A choice for each member beside the `known` ones, which keep to the caps."""
    known = known or {}
    for order, early in ((_by_slack, False), (_by_end, False), (_by_end, True)):
        laid = _laid(sorted(members, key=order), caps, known, early=early)
        if laid is not None:
            return laid
    return None


def _laid(
    members: Sequence[Member],
    caps: Mapping[str, Cap],
    known: Mapping[int, Choice],
    *,
    early: bool,
) -> dict[int, Choice] | None:
    laid = dict(known)
    for member in members:
        if member.number in laid:
            continue
        choice = _best(member, caps, laid, early=early)
        if choice is None:
            return None
        laid[member.number] = choice
    return laid


def improved(
    members: Sequence[Member], caps: Mapping[str, Cap], laid: dict[int, Choice]
) -> dict[int, Choice]:
    """The choices, each taken out and made anew as long as that makes it better."""
    laid = dict(laid)
    for _ in range(ROUNDS):
        better = False
        # The one that lost most to the others first.
        for member in sorted(members, key=lambda each: each.alone - laid[each.number].value):
            others = {k: choice for k, choice in laid.items() if k != member.number}
            choice = _best(member, caps, others)
            if choice is not None and choice.value < laid[member.number].value:
                laid[member.number], better = choice, True
        if not better:
            break
    return laid


def _best(
    member: Member, caps: Mapping[str, Cap], laid: Mapping[int, Choice], *, early: bool = False
) -> Choice | None:
    """The best for one job in what the others leave, or the one that ends first."""
    question, best = member.question, None
    for site in member.sites:
        region = site.place.region
        running = [
            share.parts
            for choice in laid.values()
            for share in choice.shares
            if share.site.place.region == region
        ]
        cap, job = caps.get(region), _fitting(question.job, caps.get(region))
        chips = job.chips
        try:
            if chips and chips.ramp is not None:
                left = power_left(cap, running)
                draft = ramp.cheapest(site.curve, job, chips, chips.ramp, room=left)
            elif chips and not early:
                left = power_left(cap, running)
                draft = elastic.cheapest(site.curve, job, chips, left)
            else:
                free = room(site, cap, most_power(job), running)
                draft = earliest(free, job, inf) if early else drafted(free, job)
        except NoFeasibleWindow:
            continue
        choice = Choice.at(site, draft, move_to(question, site, member.home))
        if best is None or _rank(choice, early=early) < _rank(best, early=early):
            best = choice
    return best


def _fitting(job: Job, cap: Cap | None) -> Job:
    """The job with no more workers than `cap` carries, where some of its sizes fit at all."""
    chips, kw = job.chips, job.steps[0][2]
    if chips is None or cap is None or cap.kw is None or kw * chips.maximum <= 0:
        return job
    most = cap.kw * (1 + NEAR) / kw * chips.base
    if most >= chips.maximum:
        return job
    try:
        return replace(job, chips=replace(chips, maximum=most))
    except BadInput:  # not even its smallest size fits
        return job


def _rank(choice: Choice, *, early: bool) -> float:
    return choice.end if early else choice.value


def _by_slack(member: Member) -> tuple[float, int]:
    free = max(sum(end - start for _, start, end in s.curve.stretches) for s in member.sites)
    return free - member.question.job.work, member.number


def _by_end(member: Member) -> tuple[float, int]:
    ends = [site.curve.stretches[-1].end for site in member.sites if site.curve.stretches]
    return max(ends), member.number
