"""Large neighbourhood search: plan a few jobs of a batch again at a time (Shaw 1998).

Each round takes out one job without a plan, or one that lost much to the others, with some that
may run at the same times, and an integer programme places them in the capacity left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from time import monotonic

from gridtide.planning.batch.capacity import Cap, Member, exceeds_caps
from gridtide.planning.batch.greedy import improve
from gridtide.planning.batch.integer_program import count_variables, grid_of, solve_together
from gridtide.planning.decide.candidate import Candidate

# Variables and seconds of one programme.
VARIABLES = 800
EACH = 0.5
# How often one job is tried in vain with other others.
TRIES = 3


def improve_by_neighbourhoods(
    members: Sequence[Member],
    caps: Mapping[str, Cap],
    schedule: Mapping[int, Candidate],
    least: float,
    seconds: float,
) -> dict[int, Candidate]:
    """Return `schedule`, which keeps to the caps, with more members or at a lower cost.

    Ends after `seconds`, once the cost is at most `least`, or where nothing helps.
    """
    found, unit = dict(schedule), grid_of(members)[0]
    random = Random(len(members))  # noqa: S311  # to be the same each time
    sizes = {member.number: count_variables(member, unit) for member in members}
    ends = monotonic() + seconds
    failed = {member.number: 0 for member in members}
    while monotonic() < ends and min(failed.values()) < TRIES:
        out = [member for member in members if member.number not in found]
        if not out and sum(each.value for each in found.values()) <= least:
            break
        first = random.choice(out or _by_loss(random, members, found, failed))
        taken, size = [first], sizes[first.number]
        # Where it was tried in vain the others are others, and in the end more.
        most = VARIABLES * (1 + failed[first.number] // TRIES)
        for member in random.sample(list(members), len(members)):
            near = member is not first and member.number in found and _meet(first, member)
            if near and size + sizes[member.number] <= most:
                taken.append(member)
                size += sizes[member.number]
        if size > most:
            break  # slots as small as this are no grid for a programme
        numbers = {member.number for member in taken}
        rest = {number: each for number, each in found.items() if number not in numbers}
        anew = solve_together(taken, caps, rest, unit, min(EACH, ends - monotonic()))
        better = anew is not None and (
            bool(out)
            or sum(each.value for each in anew.values())
            < sum(found[number].value for number in numbers) * (1 - 1e-9)
        )
        if anew is None or not better or exceeds_caps(caps, {**rest, **anew}):
            failed[first.number] += 1
        else:
            found = {**rest, **anew}
            failed |= dict.fromkeys(numbers, 0)
    complete = len(found) == len(members)
    return improve(members, caps, found) if complete else found


def _by_loss(
    random: Random,
    members: Sequence[Member],
    found: Mapping[int, Candidate],
    failed: Mapping[int, int],
) -> list[Member]:
    """Pick a member not tried enough, preferring one that lost much to the others."""
    left = [each for each in members if failed[each.number] < TRIES]
    losses = [max(0.0, found[each.number].value - each.alone) for each in left]
    return random.choices(left, [loss + 1e-9 * (1 + sum(losses)) for loss in losses])


def _meet(one: Member, other: Member) -> bool:
    """Whether the two may run in one region at the same time."""
    return any(
        here.region.name == there.region.name
        and here.curve.stretches
        and there.curve.stretches
        and here.curve.stretches[0].start < there.curve.stretches[-1].end
        and there.curve.stretches[0].start < here.curve.stretches[-1].end
        for here in one.sites
        for there in other.sites
    )
