"""The numbers of workers an elastic job may use, and its speed at each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor
from typing import Annotated, ClassVar, NamedTuple

from gridtide.errors import BadInput
from gridtide.planning.problem import SMALLEST
from gridtide.schema.definition import Field
from gridtide.schema.validate import validate

NEAR = 1e-9  # relative; what floating point leaves behind in a table computed by hand


class Speed(NamedTuple):
    """Progress of a job with a number of workers."""

    workers: Annotated[float, Field("how many workers", former=("chips",))]
    speed: Annotated[float, Field("progress per time, 1 at base")]


@dataclass(frozen=True)
class Elastic:
    """Workers (machines) a job may use: none at all, or `minimum` to `maximum`.

    Attributes:
        maximum: most workers.
        minimum: fewest workers while it runs; it may also be paused.
        base: workers at which the job takes its `duration` and draws its `power`.
        ramp: largest change of workers from one slot to the next, a stretch in which it may not
            run counting as 0; ``None`` for no limit. Workers are then constant in a slot.
        throughput: speed at some numbers of workers, as pairs (workers, speed) ascending, speed
            1 at `base`; linear in between and from (0, 0), concave. Empty: in proportion to
            workers.
        fractional_workers: whether it may use any real number of workers, e.g. a share of a
            machine. By default workers are whole at every moment.

    Raises:
        BadInput: a value that is not a number; bounds the wrong way round; a table that does
            not cover them, falls, or is not concave; no whole number of workers within the
            bounds.
    """

    SCHEMA_NAME: ClassVar[str] = "Workers"

    maximum: Annotated[float, Field("most workers", above=0)]
    minimum: Annotated[float, Field("fewest workers while it runs", at_least=0)] = 0.0
    base: Annotated[float, Field("workers at which hours and power hold", above=0)] = 1.0
    ramp: Annotated[
        float | None,
        Field("largest change from one slot to the next; left out: no limit", above=0),
    ] = None
    throughput: Annotated[
        tuple[tuple[float, float], ...],
        Field(
            "speed at some numbers of workers, ascending and concave; left out: in proportion",
            encoded=tuple[Speed, ...],
            most=1000,
        ),
    ] = ()
    fractional_workers: Annotated[bool, Field("whether it may run on a part of a worker")] = (
        False
    )

    def __post_init__(self) -> None:
        validate(self)
        table = self.throughput
        if self.minimum > self.maximum:
            raise BadInput(
                f"minimum is {self.minimum:g}; give at most the maximum, {self.maximum:g}"
            )
        if min(self.maximum, self.base) < SMALLEST:
            raise BadInput(
                f"a maximum of {self.maximum:g} workers and a base of {self.base:g}: one is "
                "too small; check their unit"
            )
        if self.ramp is not None and self.ramp < self.minimum:
            raise BadInput(
                f"a ramp of {self.ramp} workers a slot never reaches the minimum of "
                f"{self.minimum}; give a ramp of at least the minimum"
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
        # What floating point leaves below a whole number in a quotient does not cost a worker.
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
        below the minimum, and wherever workers are whole. All numbers are then whole.
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
        if len(knots) == 1:
            raise BadInput(
                f"the throughput table {self.throughput} has no workers above 0; give the "
                f"speed at the maximum of {self.maximum:g} workers too"
            )
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
                "the throughput table is not concave: from (0, 0) on, each further worker adds "
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
