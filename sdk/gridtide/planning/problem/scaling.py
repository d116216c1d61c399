"""The numbers of workers an elastic job may use, and its speed at each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor
from typing import Annotated, ClassVar

from gridtide.errors import BadInput
from gridtide.planning.problem.magnitudes import LARGEST, SMALLEST
from gridtide.schema.definition import Field
from gridtide.values import (
    listed,
    optional,
    read_flag,
    read_number,
    read_sequence,
    refuse,
    settle,
)

NEAR = 1e-9  # relative; what floating point leaves behind in a table computed by hand


def _pair(value: object, name: str) -> tuple[float, float]:
    """Read a row of the throughput table."""
    numbers = read_sequence(read_number, value, name)
    if len(numbers) != 2:
        refuse(value, name, "a pair of workers and their speed such as (2, 1.8)")
    workers, speed = numbers
    return workers, speed


@dataclass(frozen=True)
class Elastic:
    """Workers (machines) a job may use: none at all, or `minimum` to `maximum`.

    Attributes:
        maximum: most workers.
        minimum: fewest workers while it runs; it may also be paused.
        base: workers at which the job takes its `duration` and draws its `power`.
        ramp: largest change of workers from one slot to the next, a stretch in which it may not
            run
            counting as 0; ``None`` for no limit. Workers are then constant in a slot.
        throughput: speed at some numbers of workers, as pairs (workers, speed) ascending, speed
            1 at
            `base`; linear in between and from (0, 0), concave. Empty: in proportion to workers.
        fractional_workers: whether it may use any real number of workers, e.g. a share of a
            machine.
            By default workers are whole at every moment.

    Raises:
        BadInput: a value that is not a number; bounds the wrong way round; a table that does
            not cover
            them, falls, or is not concave; no whole number of workers within the bounds.
    """

    SCHEMA_NAME: ClassVar[str] = "Workers"

    maximum: Annotated[float, Field("most workers", divides=True)]
    minimum: Annotated[float, Field("fewest workers while it runs; left out: 0")] = 0.0
    base: Annotated[
        float, Field("workers at which hours and power hold; left out: 1", divides=True)
    ] = 1.0
    ramp: Annotated[
        float | None, Field("largest change from one slot to the next; left out: no limit")
    ] = None
    throughput: Annotated[
        tuple[tuple[float, float], ...],
        Field("speeds, ascending, concave; left out: as workers"),
    ] = ()
    fractional_workers: Annotated[
        bool, Field("whether it may run on a part of a worker; left out: whole workers")
    ] = False

    def __post_init__(self) -> None:
        settle(
            self,
            maximum=read_number,
            minimum=read_number,
            base=read_number,
            ramp=optional(read_number),
            throughput=listed(_pair),
            fractional_workers=read_flag,
        )
        table = self.throughput
        numbers = [self.maximum, self.minimum, self.base, self.ramp or 0.0]
        numbers += [number for pair in table for number in pair]
        if not all(-LARGEST <= number <= LARGEST for number in numbers):
            raise BadInput(
                "workers and their throughput must be numbers, none of them beyond "
                f"{LARGEST:g}; check their unit"
            )
        if not (0 <= self.minimum <= self.maximum and self.maximum > 0 and self.base > 0):
            raise BadInput(
                f"workers from {self.minimum} to {self.maximum} with a base of {self.base}; "
                "give 0 <= minimum <= maximum, and a maximum and a base above 0"
            )
        if min(self.maximum, self.base) < SMALLEST:
            raise BadInput(
                f"a maximum of {self.maximum:g} workers and a base of {self.base:g}: one is "
                "too small; check their unit"
            )
        if self.ramp is not None and not (self.ramp > 0 and self.ramp >= self.minimum):
            raise BadInput(
                f"a ramp of {self.ramp} workers a slot never reaches the minimum of "
                f"{self.minimum}; give a ramp above 0 and of at least the minimum"
            )
        if not self.fractional_workers:
            self._check_whole()
        if table:
            self._check_table()

    @property
    def least(self) -> float:
        """Fewest workers while it runs: the minimum, or the next whole number."""
        return self.minimum if self.fractional_workers else float(ceil(self.minimum))

    @property
    def most(self) -> float:
        """Most workers: the maximum, or the whole number below it."""
        return self.within(self.maximum)

    def within(self, workers: float) -> float:
        """Return the most workers that are at most `workers`, whole unless fractional."""
        # What floating point leaves below a whole number in a quotient is no worker less.
        return workers if self.fractional_workers else float(floor(workers * (1 + NEAR)))

    def speed(self, workers: float) -> float:
        """Return the progress per time at `workers`, from 0 to `maximum`; 1 at `base`."""
        if not self.throughput:
            return workers / self.base
        found = 0.0
        for (left, slow), (right, fast) in pairwise(self._knots()):
            found = slow + (fast - slow) * (workers - left) / (right - left)
            if workers <= right:
                return found
        return found

    def knees(self) -> tuple[tuple[float, float], ...]:
        """Return (workers, speed) from (0, 0) to the last number that adds speed; concave.

        Between two of them a job uses a number in between, or divides the time between the two:
        below
        the minimum, and wherever workers are whole. All numbers are then whole.
        """
        sizes = {self.least, self.most}
        for workers, _ in self.throughput:
            # Between two whole sizes with a bend between them the two share the time.
            sizes |= {workers} if self.fractional_workers else {floor(workers), ceil(workers)}
        inside = sorted({size for size in sizes if self.least <= size <= self.most} - {0})
        knots = [(0.0, 0.0), *((workers, self.speed(workers)) for workers in inside)]
        while len(knots) > 2 and knots[-1][1] <= knots[-2][1]:
            knots.pop()
        return tuple(knots)

    def _knots(self) -> tuple[tuple[float, float], ...]:
        return ((0.0, 0.0), *(pair for pair in self.throughput if pair != (0, 0)))

    def _check_whole(self) -> None:
        if not max(1, self.least) <= self.most:
            raise BadInput(
                f"no whole number of workers lies from {self.minimum:g} to "
                f"{self.maximum:g}; give bounds with one between, or set fractional_workers "
                "where the job may run on a part of one"
            )
        if self.ramp is not None and self.within(self.ramp) < max(1, self.least):
            raise BadInput(
                f"a ramp of {self.ramp:g} workers a slot never reaches "
                f"{max(1, self.least):g} whole workers; give a larger ramp, or set "
                "fractional_workers where the job may run on a part of one"
            )

    def _check_table(self) -> None:
        knots = self._knots()
        if any(right <= left for (left, _), (right, _) in pairwise(knots)):
            raise BadInput(
                f"the throughput table must ascend in workers; got {self.throughput}"
            )
        slopes = [
            (fast - slow) / (right - left) for (left, slow), (right, fast) in pairwise(knots)
        ]
        if slopes[-1] < 0 or any(
            after > before * (1 + NEAR) for before, after in pairwise(slopes)
        ):
            raise BadInput(
                "the throughput table is not concave: from (0, 0) on, each further chip adds "
                "as much speed as the one before it, or less, but not below 0; got "
                f"{self.throughput}"
            )
        most = knots[-1][0]
        if most < max(self.base, self.maximum):
            raise BadInput(
                f"the throughput table ends at {most} workers; it must cover the base of "
                f"{self.base} and the maximum of {self.maximum}"
            )
        if abs(self.speed(self.base) - 1) > NEAR:
            raise BadInput(
                f"the throughput table says {self.speed(self.base)} at the base of {self.base} "
                "workers, where the speed is 1; divide its speeds by that"
            )
