"""Goals as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from gridtide.errors import BadInput
from gridtide.model import Quality, Slot, format_time
from gridtide.planning.problem.objective import Aim, CostSeries, Goal, Quantile
from gridtide.schema.decoding import Member, Shape
from gridtide.schema.forms import HOURS, MOMENT, NUMBER, TEXT, list_of, nullable, one_of

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
GOAL: Shape[Goal] = Shape(
    "Goal",
    "What the plan is to reach.",
    {
        "aim": Member(one_of(Aim), "what is minimised; left out: carbon"),
        "costs": Member(COSTS.form, "for the aims cost and weighted"),
        "carbon_weight": Member(NUMBER, "what a gram is worth, for the aim weighted"),
        "cost_weight": Member(NUMBER, "what a unit of cost is worth, for the aim weighted"),
        "budget_grams": Member(NUMBER, "the earliest plan within it, not the cleanest"),
        "threshold": Member(
            NUMBER, "run only while the signal is at or under it (cfe: at or over)"
        ),
        "min_saving": Member(NUMBER, "smallest saving worth waiting for, a fraction"),
        "quantile": Member(
            one_of(Quantile), "which value of the forecast decides; left out: p50"
        ),
    },
    Goal,
)
SHAPES = (GOAL, COSTS, COST_SLOT)


def goal_from_json(wire: object, where: str = "goal") -> Goal:
    """The goal of a JSON object.

    Raises:
        BadInput: a member unknown or out of range, or one the aim lacks or has no use for.
    """
    return GOAL.read(wire, where)


def goal_to_json(goal: Goal) -> Json:
    """The JSON object of a goal; what is as by default is left out."""
    wire: Json = {"aim": goal.aim.value}
    if goal.costs is not None:
        wire["costs"] = {
            "unit": goal.costs.unit,
            "slots": [
                {
                    "start": format_time(slot.start),
                    "end": format_time(slot.end),
                    "value": slot.value,
                }
                for slot in goal.costs.slots
            ],
        }
    for name in ("carbon_weight", "cost_weight", "budget_grams", "threshold"):
        if (value := getattr(goal, name)) is not None:
            wire[name] = value
    if goal.min_saving:
        wire["min_saving"] = goal.min_saving
    if goal.quantile is not Quantile.P50:
        wire["quantile"] = goal.quantile.value
    return wire
