"""A large batch mended a few jobs at a time: some are taken out and laid anew together.

Each time one job without a plan, or one that lost much to the others, and some that may run at
the same times are taken out, and an integer programme lays them into what the rest leaves of
the caps (a large neighbourhood search, Shaw 1998).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from time import monotonic

from gridtide.planning.batch.capacity import Cap, Member, crowded
from gridtide.planning.batch.greedy import improved
from gridtide.planning.batch.integer_program import grid_of, size_of, together
from gridtide.planning.decide.candidate import Choice

# Variables and seconds of one programme.
VARIABLES = 800
EACH = 0.5
# How often one job is tried in vain with other others.
TRIES = 3


def reshuffled(
    members: Sequence[Member],
    caps: Mapping[str, Cap],
    laid: Mapping[int, Choice],
    least: float,
    seconds: float,
) -> dict[int, Choice]:
    """`laid`, which keeps to the caps, with more of the members in it, and then for less.

    It ends after `seconds`, where all count no more than `least`, or where nothing helps.
    """
    found, unit = dict(laid), grid_of(members)[0]
    random = Random(len(members))  # noqa: S311  # to be the same each time
    sizes = {member.number: size_of(member, unit) for member in members}
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
        anew = together(taken, caps, rest, unit, min(EACH, ends - monotonic()))
        better = anew is not None and (
            bool(out)
            or sum(each.value for each in anew.values())
            < sum(found[number].value for number in numbers) * (1 - 1e-9)
        )
        if anew is None or not better or crowded(caps, {**rest, **anew}):
            failed[first.number] += 1
        else:
            found = {**rest, **anew}
            failed |= dict.fromkeys(numbers, 0)
    complete = len(found) == len(members)
    return improved(members, caps, found) if complete else found


def _by_loss(
    random: Random,
    members: Sequence[Member],
    found: Mapping[int, Choice],
    failed: Mapping[int, int],
) -> list[Member]:
    """One of the members not tried enough, sooner one that lost much to the others."""
    left = [each for each in members if failed[each.number] < TRIES]
    losses = [max(0.0, found[each.number].value - each.alone) for each in left]
    return random.choices(left, [loss + 1e-9 * (1 + sum(losses)) for loss in losses])


def _meet(one: Member, other: Member) -> bool:
    """Whether the two may run in one region at one time."""
    return any(
        here.place.region == there.place.region
        and here.curve.stretches
        and there.curve.stretches
        and here.curve.stretches[0].start < there.curve.stretches[-1].end
        and there.curve.stretches[0].start < here.curve.stretches[-1].end
        for here in one.sites
        for there in other.sites
    )
