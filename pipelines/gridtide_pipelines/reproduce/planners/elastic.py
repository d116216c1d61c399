"""Cheapest schedules of elastic jobs in many windows at once, without and with a ramp limit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gridtide.errors import BadInput
from gridtide_pipelines.reproduce.planners.whole_steps import Floats

Knees = Sequence[tuple[float, float]]

NEAR = 1e-9  # relative; what floating point leaves behind
# Each price cuts a corner off a convex curve, and 10 to 20 do; a curve has finitely many.
ROUNDS = 1000


def spread(values: Floats, work: float, knees: Knees) -> Floats:
    """Return workers in each slot of each window (windows, slots) that do `work` at least cost.

    `work` is in slots at speed 1; `knees` are the pairs (workers, speed) of a concave
    throughput from (0, 0) on, see `gridtide.planning.problem.scaling.Elastic.knees`. A slot
    filled in part runs between two knees. Ties go to the earliest slot.

    Raises:
        BadInput: the windows are too short even at full size, or a value is unknown or
        negative.
    """
    check(values, work, knees)
    workers = np.diff([workers for workers, _ in knees])
    speeds = np.diff([speed for _, speed in knees])
    windows, slots = values.shape
    cost = (values[:, None, :] * (workers / speeds)[:, None]).reshape(windows, -1)
    order = np.argsort(cost, axis=1, kind="stable")
    capacity = np.repeat(speeds, slots)[order]
    earlier = np.cumsum(capacity, axis=1) - capacity
    share = np.clip(work - earlier, 0, capacity) / capacity
    used = np.empty_like(cost)
    np.put_along_axis(used, order, share, axis=1)
    spent: Floats = (used.reshape(windows, len(workers), slots) * workers[:, None]).sum(axis=1)
    return spent


def check(values: Floats, work: float, knees: Knees) -> None:
    """Refuse input that neither `spread` nor `least` can handle.

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
            f"{fastest:g}; give a later deadline or more workers"
        )


def least(values: Floats, work: float, knees: Knees, ramp: float) -> Floats:
    """Return the least cost of each window (windows,), workers changing by at most `ramp`.

    Workers are constant in a slot, and 0 before the first and after the last. `work` and
    `knees` are as in `spread`. The knees must be whole multiples of `ramp`: then no size
    between the multiples is needed.

    Raises:
        BadInput: the windows are too short, a value is unknown or negative, or a knee lies
            between the multiples, which needs the linear programme.
    """
    check(values, work, knees)
    workers, speeds = _workers(knees, ramp)
    last_gain = ((knees[-1][1] - knees[-2][1]) / (knees[-1][0] - knees[-2][0])) * ramp
    # More than the whole window at full size costs: there all that the ramp allows is run.
    dear = values.sum(axis=1) * workers[-1] / last_gain + 1
    cost_low, work_low = np.zeros(len(values)), np.zeros(len(values))
    cost_high, work_high = _run(values, dear, workers, speeds)
    if (work_high < work * (1 - NEAR)).any():
        raise BadInput(
            f"{work:g} slots of work do not fit into {values.shape[1]} slots with a ramp of "
            f"{ramp:g} workers a slot; give a later deadline"
        )
    for _ in range(ROUNDS):
        apart = work_high - work_low > NEAR * work
        price = (cost_high - cost_low) / np.where(apart, work_high - work_low, 1.0)
        cost, done = _run(values, price, workers, speeds)
        below = cost_low - price * work_low
        better = apart & (cost - price * done < below - NEAR * (1 + np.abs(below)))
        if not better.any():
            break
        low, high = better & (done <= work), better & (done > work)
        cost_low, work_low = np.where(low, cost, cost_low), np.where(low, done, work_low)
        cost_high, work_high = np.where(high, cost, cost_high), np.where(high, done, work_high)
    least_cost: Floats = cost_low + price * np.where(apart, work - work_low, 0.0)
    return least_cost


def _workers(knees: Knees, ramp: float) -> tuple[Floats, Floats]:
    """Return the multiples of `ramp` up to the last knee, and the speed at each."""
    workers = ramp * np.arange(round(knees[-1][0] / ramp) + 1, dtype=np.float64)
    if any(np.abs(workers - size).min() > NEAR * ramp for size, _ in knees):
        raise BadInput(
            f"the throughput bends between the multiples of the ramp of {ramp:g}; such a job "
            "needs the linear programme of gridtide.planning"
        )
    sizes, speeds = np.transpose(knees)
    return workers, np.interp(workers, sizes, speeds)


def _run(
    values: Floats, price: Floats, workers: Floats, speeds: Floats
) -> tuple[Floats, Floats]:
    """Return cost and work (windows,) of the schedule with the least cost - price x work."""
    earned = price[:, None] * speeds
    # One column more on each side, which no path may come from.
    least_sum = np.full((len(values), len(workers) + 2), np.inf)
    work = np.zeros_like(least_sum)
    least_sum[:, 1] = 0.0
    for slot in values.T:
        best, did = least_sum[:, 1:-1].copy(), work[:, 1:-1].copy()
        for beside in (slice(None, -2), slice(2, None)):
            closer = least_sum[:, beside] < best
            np.copyto(best, least_sum[:, beside], where=closer)
            np.copyto(did, work[:, beside], where=closer)
        least_sum[:, 1:-1] = best + (slot[:, None] * workers - earned)
        work[:, 1:-1] = did + speeds
    last = 1 + least_sum[:, 1:3].argmin(axis=1)
    row = np.arange(len(values))
    done = work[row, last]
    return least_sum[row, last] + price * done, done
