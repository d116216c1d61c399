"""Values as whole numbers, and their running sums."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridtide.errors import BadInput
from gridtide.slots import STEPS_PER_UNIT

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# Sums stay below this, so that there is room in 64 bits for what means unknown.
ROOM = 2**60
# Values in a block: two megabytes, which a shared cache keeps from one step to the next.
BLOCK = 2**18


@dataclass(frozen=True, slots=True)
class Sums:
    """Rows of slots of one length, ready to be searched.

    Attributes:
        steps: (rows, slots + 1) value of each slot in steps, 0 where unknown and in the last
            column, so that all arrays have one shape and are searched in one go; turned
            negative where more is cleaner, so that less is always better.
        totals: (rows, slots + 1) sum of `steps` before each edge.
        unknown: (rows, slots + 1) how many slots before each edge are unknown; ``None`` where
            every slot is known.
        largest: greatest size of a step.
        lower_is_cleaner: whether `steps` have the sign of the values.
    """

    steps: Whole
    totals: Whole
    unknown: Whole | None
    largest: int
    lower_is_cleaner: bool

    @property
    def slots(self) -> int:
        """How many slots a row has."""
        return int(self.steps.shape[-1]) - 1

    @property
    def rows_a_block(self) -> int:
        """How many rows a block has; the last one may have fewer."""
        return min(max(1, BLOCK // (self.slots + 1)), len(self.steps))

    def blocks(self) -> Iterator[Sums]:
        """Yield the rows in blocks."""
        rows = self.rows_a_block
        for first in range(0, len(self.steps), rows):
            part = slice(first, first + rows)
            unknown = None if self.unknown is None else self.unknown[part]
            yield Sums(
                self.steps[part],
                self.totals[part],
                unknown,
                self.largest,
                self.lower_is_cleaner,
            )


def prepare_sums(values: Floats, *, lower_is_cleaner: bool = True) -> Sums:
    """Prepare `values` (rows, slots) as sums; NaN is an unknown slot.

    Raises:
        BadInput: values too large to sum exactly.
    """
    lacking = np.isnan(values)
    steps = in_steps(np.where(lacking, 0.0, values))
    if not lower_is_cleaner:
        steps = -steps
    unknown = before_edges(lacking) if lacking.any() else None
    padded = np.zeros((len(steps), steps.shape[-1] + 1), np.int64)
    padded[:, :-1] = steps
    largest = int(np.abs(steps).max(initial=0))
    return Sums(padded, before_edges(steps), unknown, largest, lower_is_cleaner)


def in_steps(values: Floats) -> Whole:
    """Convert `values` (.., slots) to whole numbers of 1e-9, as `gridtide.slots` does.

    Raises:
        BadInput: so large that the sum of a row might not fit 64 bits.
    """
    most = float(np.abs(values).max(initial=0.0))
    if not most * STEPS_PER_UNIT * values.shape[-1] < ROOM:
        raise BadInput(
            f"a value of {most:g} among {values.shape[-1]} slots is too large to sum exactly; "
            "check its unit"
        )
    # The parts apart: 1e9 times a large value would lose the digits that decide the rounding.
    whole = np.floor(values)
    parts = np.rint((values - whole) * STEPS_PER_UNIT)
    return whole.astype(np.int64) * STEPS_PER_UNIT + parts.astype(np.int64)


def before_edges(slots: NDArray[np.int64] | NDArray[np.bool_]) -> Whole:
    """Sum `slots` (.., slots) before each edge (.., slots + 1); the first is 0."""
    sums = np.zeros((*slots.shape[:-1], slots.shape[-1] + 1), np.int64)
    np.cumsum(slots, axis=-1, out=sums[..., 1:])
    return sums
