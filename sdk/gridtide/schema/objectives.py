"""Goals as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from gridtide.errors import BadInput
from gridtide.model import Quality, Slot, format_time
from gridtide.planning.problem.objective import CostSeries, Goal
from gridtide.schema.decoding import Member, Shape, define_shape
from gridtide.schema.forms import HOURS, MOMENT, NUMBER, TEXT, Form, list_of, nullable

Json = dict[str, Any]
MOST_COSTS = 100_000


def _slot(start: datetime, end: datetime, value: float | None = None) -> Slot:
    return Slot(start, end, value, Quality.FORECAST)


COST_SLOT = Shape(
    "CostSlot",
    "Cost per kWh from start to before end; null is unknown.",
    {
        "start": Member(MOMENT, "the start", required=True),
        "end": Member(MOMENT, "the end", required=True),
        "value": Member(NUMBER, "cost per kWh; null where unknown"),
    },
    _slot,
)


def _costs(
    unit: str,
    slots: tuple[Slot, ...] | None = None,
    start: datetime | None = None,
    step: timedelta | None = None,
    values: Sequence[float | None] | None = None,
) -> CostSeries:
    regular = (start, step, values)
    if slots is not None and regular == (None, None, None):
        return CostSeries(unit, slots)
    if slots is not None or start is None or step is None or values is None:
        raise BadInput(
            "costs: give slots, each with start, end and value; or start, step and values for "
            "slots of one length"
        )
    try:
        _ = start + len(values) * step
    except OverflowError as error:
        raise BadInput("costs: the last slot ends beyond the calendar; check step") from error
    return CostSeries.regular(unit, start, step, values)


COSTS: Shape[CostSeries] = Shape(
    "Costs",
    "Cost per kWh over time: slots, or start, step and values for slots of one length.",
    {
        "unit": Member(TEXT, "what the cost is in, e.g. EUR/kWh", required=True),
        "slots": Member(list_of(COST_SLOT.form, MOST_COSTS), "sorted, not overlapping"),
        "start": Member(MOMENT, "start of the first slot"),
        "step": Member(HOURS, "length of each slot in hours"),
        "values": Member(
            list_of(nullable(NUMBER), MOST_COSTS), "cost in each slot; null where unknown"
        ),
    },
    _costs,
)


def _write_costs(costs: CostSeries) -> Json:
    slots = [
        {"start": format_time(slot.start), "end": format_time(slot.end), "value": slot.value}
        for slot in costs.slots
    ]
    return {"unit": costs.unit, "slots": slots}


GOAL = define_shape(Goal, {"costs": Form(COSTS.read, COSTS.form.schema, _write_costs)})
SHAPES = (GOAL, COSTS, COST_SLOT)
