"""How an elastic job spreads its work over many windows at once, without a ramp limit.

The twin of the greedy in `gridtide.planning.solvers.elastic`: throughput is concave, so each
further chip in a slot costs more per work than the one before it, and filling in order of cost
is exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gridtide.errors import BadInput
from gridtide_pipelines.reproduce.planners.whole_steps import Floats

Knees = Sequence[tuple[float, float]]


def spread(values: Floats, work: float, knees: Knees) -> Floats:
    """Chips in each slot of each window (windows, slots) that do `work` at least cost.

    `work` is in slots at speed 1; `knees` are the points (chips, speed) of a concave throughput
    from (0, 0) on, see `gridtide.planning.problem.scaling.Elastic.knees`. A slot filled in part
    runs between two knees. Ties go to the earliest slot.

    Raises:
        BadInput: the windows are too short even at full size, or a value is unknown or
        negative.
    """
    check(values, work, knees)
    chips = np.diff([chips for chips, _ in knees])
    speeds = np.diff([speed for _, speed in knees])
    windows, slots = values.shape
    cost = (values[:, None, :] * (chips / speeds)[:, None]).reshape(windows, -1)
    order = np.argsort(cost, axis=1, kind="stable")
    capacity = np.repeat(speeds, slots)[order]
    earlier = np.cumsum(capacity, axis=1) - capacity
    share = np.clip(work - earlier, 0, capacity) / capacity
    used = np.empty_like(cost)
    np.put_along_axis(used, order, share, axis=1)
    spent: Floats = (used.reshape(windows, len(chips), slots) * chips[:, None]).sum(axis=1)
    return spent


def check(values: Floats, work: float, knees: Knees) -> None:
    """Refuse what neither this nor the programme with a ramp limit can answer.

    Raises:
        BadInput: the windows are too short even at full size, or a value is unknown or
        negative.
    """
    # Not >= 0 also where it is NaN. Below 0 the cheapest is to run more than the work.
    if not (values >= 0).all():
        raise BadInput("a value is unknown or below 0; cut the windows at gaps")
    slots, fastest = values.shape[1], knees[-1][1]
    if not 0 < work <= slots * fastest:
        raise BadInput(
            f"{work:g} slots of work do not fit into {slots} slots at a speed of at most "
            f"{fastest:g}; ask for a later deadline or more chips"
        )
