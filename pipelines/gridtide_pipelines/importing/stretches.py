"""Find the length of each slot of a file from its times, where the length may change. Pure.

A stretch is a part of the file with one spacing of its times. Longer steps in it are gaps. A
file whose spacing changes is read stretch by stretch where only one reading is possible: each
stretch has rows enough, and its spacing is one that publishers use. Otherwise it is refused,
naming the time at which the spacing changes: four rows an hour apart among quarter hours may
be hours, or quarter hours with gaps between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import polars as pl

from gridtide.errors import BadInput
from gridtide.model import format_time

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

# So many equal steps in a row are a stretch, not gaps that happen to be alike: with half of all
# rows missing at random, one such run comes in 16 million rows.
MANY = 12
# In a file of at most FEW runs of equal steps three rows are a stretch too, unless those on
# both sides of it are closer together.
FEW = 5
LEAST_ROWS = 3
# In other files more longer steps in a row than this are hardly gaps, and fewer than MANY
# hardly a stretch.
MOST_GAPS = 3


@dataclass(frozen=True, slots=True)
class Run:
    """Equal spacings in a row: from the `first`-th time on, `count` of them of `step`."""

    first: int
    count: int
    step: timedelta

    @property
    def end(self) -> int:
        """Number of its last time."""
        return self.first + self.count


def slot_lengths(
    name: str, labels: pl.Series, *, ends: bool, given: timedelta | None
) -> pl.Series:
    """Return the length of the slot of each of `labels`, which are sorted and differ.

    Args:
        name: of the file, for messages.
        ends: whether the labels name the ends of slots, else their starts.
        given: the length of all slots, where it is given.

    Raises:
        BadInput: labels that do not fit a length, are ambiguous, or are too few to
            tell it; a time between whole seconds. Names the time and what to do.
    """
    if (odd := labels.filter(labels.dt.microsecond() != 0)).len():
        raise BadInput(f"{name}: {odd[0]} is not on a whole second; round the times")
    times: list[datetime] = labels.to_list()
    runs = runs_of(times)
    if not runs and given is None:
        raise BadInput(f"{name} has one slot only; say its length: --resolution PT1H")
    if given is not None:
        _check_given(name, times, runs, given)
        lengths: Sequence[timedelta] = [given] * len(times)
    else:
        lengths = _spread(name, times, _spacings(name, times, runs, ends=ends), ends=ends)
    return pl.Series("length", lengths, pl.Duration("us"))


def runs_of(times: Sequence[datetime]) -> list[Run]:
    """Group the spacings between `times`: equal ones in a row are one."""
    runs: list[Run] = []
    for i in range(len(times) - 1):
        step = times[i + 1] - times[i]
        if runs and runs[-1].step == step:
            runs[-1] = Run(runs[-1].first, runs[-1].count + 1, step)
        else:
            runs.append(Run(i, 1, step))
    return runs


def change_of(run: Run, times: Sequence[datetime]) -> str:
    """Return when the spacing changes to that of `run`, or from it if the file begins with
    it."""
    return format_time(times[run.first if run.first else run.end])


def _check_given(
    name: str, times: Sequence[datetime], runs: Sequence[Run], length: timedelta
) -> None:
    """Check that the given length can be that of all slots."""
    if all(run.step > length for run in runs) and len(times) > 2:
        least = min(run.step for run in runs)
        if all(run.step % length == timedelta(0) for run in runs):
            raise BadInput(
                f"{name}: rows are {least} apart, so slots of {length} would leave a gap "
                "after each; leave out --resolution, or name the true one"
            )
    for run in runs:
        start, end = format_time(times[run.first]), format_time(times[run.first + 1])
        if run.step % length:
            raise BadInput(
                f"{name}: from {start} to {end} is not a whole number of slots of {length}"
                "; correct the times, or leave out --resolution, so that each stretch of the "
                "file is read by its own spacing"
            )
        if run.step > length and run.count >= MANY:
            raise BadInput(
                f"{name}: the spacing of the times changes at {change_of(run, times)}: "
                f"{run.count} rows in a row are {run.step} apart, but slots would be {length}; "
                "leave out --resolution, so that each stretch of the file is read by its own "
                "spacing"
            )


def _spacings(
    name: str, times: Sequence[datetime], runs: Sequence[Run], *, ends: bool
) -> list[timedelta | None]:
    """Return the length of slots along each spacing; None for a gap."""
    commonest = _commonest(runs)
    stretches = [
        number
        for number, run in enumerate(runs)
        if (run.step == commonest or is_usual(run.step)) and _is_long(number, runs, ends=ends)
    ]
    if not stretches:
        stretches = [next(i for i, run in enumerate(runs) if run.step == commonest)]
    found: list[timedelta | None] = []
    for run, (before, after) in zip(runs, _sides(runs, stretches), strict=True):
        if before == after == run.step:
            found += [run.step] * run.count
            continue
        _refuse_odd(name, times, runs, run, before, after)
        found += [None] * run.count
    return found


def _sides(runs: Sequence[Run], stretches: Sequence[int]) -> list[tuple[timedelta, timedelta]]:
    """Return for each run the lengths of the slots before and after it.

    Unlike where they change.

    Short steps between longer slots cannot be gaps, so the change from long to short slots is
    where the first short step is, and that from short to long where the last one is.
    """
    first = runs[stretches[0]].step
    sides = [(first, first)] * (stretches[0] + 1)
    for one, other in pairwise(stretches):
        before, after = runs[one].step, runs[other].step
        if before > after:
            begin = next(i for i in range(one, other + 1) if runs[i].step == after)
            end = max(i for i in range(one, begin) if runs[i].step == before)
        else:
            end = max(i for i in range(one, other) if runs[i].step == before)
            begin = next(i for i in range(end + 1, other + 1) if runs[i].step == after)
        sides += [(before, before)] * (end - one)
        sides += [(before, after)] * (begin - end - 1)
        sides += [(after, after)] * (other - begin + 1)
    last = runs[stretches[-1]].step
    return sides + [(last, last)] * (len(runs) - len(sides))


def _commonest(runs: Sequence[Run]) -> timedelta:
    """Return the commonest spacing, of several the shortest."""
    counts: dict[timedelta, int] = {}
    for run in runs:
        counts[run.step] = counts.get(run.step, 0) + run.count
    return min(counts, key=lambda step: (-counts[step], step))


def _is_long(number: int, runs: Sequence[Run], *, ends: bool) -> bool:
    """Say whether a run is a stretch of slots, not one of gaps."""
    run = runs[number]
    if run.count >= MANY or len(runs) > FEW:
        return run.count >= MANY
    beside = [runs[i].step for i in (number - 1, number + 1) if 0 <= i < len(runs)]
    if len(beside) == 2 and max(beside) < run.step:
        return False
    # A time that names a start has the length of the step after it: the last of all has none.
    edge = 0 if ends else len(runs) - 1
    return run.count + (number == edge) >= LEAST_ROWS


def is_usual(step: timedelta) -> bool:
    """Say whether publishers have slots of this length: a part of an hour, or a day."""
    return HOUR % step == timedelta(0) or step == DAY


def _refuse_odd(
    name: str,
    times: Sequence[datetime],
    runs: Sequence[Run],
    run: Run,
    before: timedelta,
    after: timedelta,
) -> None:
    """Check that the spacings of `run`, which fit neither stretch beside it, are gaps."""
    fine = min(before, after)
    at = change_of(run, times)
    start, end = format_time(times[run.first]), format_time(times[run.first + 1])
    if run.step < max(before, after) or run.step % fine:
        raise BadInput(
            f"{name}: the spacing of the times changes at {at}: from {start} to {end} is not a "
            f"whole number of slots of {max(before, after)}; correct the times, or split the "
            "file there and import each part by itself"
        )
    edge = run is runs[0] or run is runs[-1]
    most = 1 if len(runs) <= FEW else MOST_GAPS
    few = run.count <= (0 if edge else most)
    gaps = before == after and (few or (run.count < MANY and not is_usual(run.step)))
    if not gaps and not (run.count == 1 and before != after):
        raise BadInput(
            f"{name}: the spacing of the times changes at {at}: {run.count + 1} rows from "
            f"{start} on are {run.step} apart, beside slots of {fine}, which may be longer "
            f"slots or gaps; if rows are missing there, name --resolution {_iso(fine)}, else "
            "split the file there and import each part by itself"
        )


def _spread(
    name: str, times: Sequence[datetime], steps: Sequence[timedelta | None], *, ends: bool
) -> list[timedelta]:
    """Return length of each time's slot: the spacing after it, or before where labels are ends.

    A time beside a gap has the length of its other side, one between gaps that of the
    stretches around it.
    """
    following = [*steps, None]
    preceding = [None, *steps]
    own, other = (preceding, following) if ends else (following, preceding)
    lengths: list[timedelta | None] = [
        one or another for one, another in zip(own, other, strict=True)
    ]
    before = _filled(lengths)
    after = _filled(lengths[::-1])[::-1]
    found = []
    for at, one, another in zip(times, before, after, strict=True):
        length = one or another
        if length is None or (another is not None and length != another):
            raise BadInput(
                f"{name}: the spacing of the times changes around {format_time(at)}, a row by "
                "itself between gaps; remove it, or split the file there and import each part "
                "by itself"
            )
        found.append(length)
    return found


def _filled(lengths: Sequence[timedelta | None]) -> list[timedelta | None]:
    """Return `lengths` with the last known one in place of None."""
    filled: list[timedelta | None] = []
    for length in lengths:
        filled.append(length or (filled[-1] if filled else None))
    return filled


def _iso(length: timedelta) -> str:
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    return f"PT{minutes}M" if not seconds else f"PT{minutes * 60 + seconds}S"
