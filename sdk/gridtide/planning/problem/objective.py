"""The objective of a plan: least carbon, most CFE, least cost, or a weighted sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal

from gridtide.errors import BadInput
from gridtide.model import Length, Quality, Slot, When, format_time, parse_hours, slots_of, utc
from gridtide.planning.problem.magnitudes import LARGEST
from gridtide.schema.definition import Field
from gridtide.slots import Run, unbroken
from gridtide.values import (
    instance_of,
    optional,
    read_number,
    read_text,
    settle,
    values_of,
    word_of,
)


class Objective(StrEnum):
    """What is minimised."""

    CARBON = "carbon"  # grams
    CFE = "cfe"  # kWh that are not carbon-free
    COST = "cost"  # the cost series
    WEIGHTED = "weighted"  # grams and cost, each times its weight


class Quantile(StrEnum):
    """The quantile of the forecast by which a plan is chosen."""

    P50 = "p50"  # the expected value
    P90 = "p90"  # dirtier than nine cases of ten: robust


@dataclass(frozen=True)
class CostSeries:
    """Cost of a kWh over time, in any unit, e.g. EUR; slots sorted, not overlapping.

    An unknown cost is a slot whose value is ``None``, or no slot. Costs may be below 0.

    Raises:
        BadInput: a value is NaN or infinite, or slots overlap.
    """

    unit: str
    slots: tuple[Slot, ...]

    def __post_init__(self) -> None:
        settle(self, unit=read_text, slots=slots_of)
        for earlier, later in pairwise(self.slots):
            if later.start < earlier.end:
                raise BadInput(
                    f"cost in {self.unit}: slot {format_time(later.start)} starts before the "
                    "one before it ends; sort the slots by start and give each moment once"
                )

    @classmethod
    def regular(
        cls, unit: str, start: When, step: Length, values: Sequence[float | None]
    ) -> CostSeries:
        """Return slots of one length, one after the other from `start` on.

        Raises:
            BadInput: `start` is naive, `step` is not positive, or a value is NaN or infinite.
        """
        read_text(unit, "unit")
        first, length = utc(start, name="start"), parse_hours(step, name="step")
        slots = []
        for i, value in enumerate(values_of(values)):
            try:
                begin, end = first + i * length, first + (i + 1) * length
            except OverflowError as error:
                raise BadInput(
                    f"cost in {unit}: the last slot ends beyond the calendar; check step"
                ) from error
            if value is not None:
                value = read_number(  # the same, as a number
                    value,
                    f"cost in {unit}: the value at {format_time(begin)}",
                    "a finite number, or None where the cost is unknown",
                )
            slots.append(Slot(begin, end, value, Quality.FORECAST))
        return cls(unit, tuple(slots))

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The unbroken runs of known slots."""
        return unbroken(self.slots)


@dataclass(frozen=True)
class Goal:
    """The objective of a plan, and its limits.

    Attributes:
        objective: what is minimised.
        costs: cost per kWh, for the objectives cost and weighted.
        carbon_weight: worth of a gram, for the objective weighted; a price of 100 per tonne is
            ``1e-4``.
        cost_weight: worth of a unit of cost, for the objective weighted.
        budget_grams: choose the earliest plan within this budget, not the cleanest.
        threshold: run only while the signal is at or under it (for CFE: at or over), and then
            as
            early as possible.
        min_saving: smallest saving worth waiting for, a fraction (of grams or cost; for CFE,
            fraction
            points); below it the job runs now.
        quantile: the quantile of the forecast by which the plan is chosen.

    Raises:
        BadInput: a field that the objective needs is missing, or one that it does not use is
            given.
    """

    objective: Annotated[
        Objective, Field("what is minimised; left out: carbon", former=("aim",))
    ] = Objective.CARBON
    costs: Annotated[CostSeries | None, Field("for the objectives cost and weighted")] = None
    carbon_weight: Annotated[
        float | None, Field("what a gram is worth, for the objective weighted")
    ] = None
    cost_weight: Annotated[
        float | None, Field("what a unit of cost is worth, for the objective weighted")
    ] = None
    budget_grams: Annotated[
        float | None, Field("the earliest plan within it, not the cleanest", unit="gCO2e")
    ] = None
    threshold: Annotated[
        float | None, Field("run only while the signal is at or under it (cfe: at or over)")
    ] = None
    min_saving: Annotated[float, Field("smallest saving worth waiting for, a fraction")] = 0.0
    quantile: Annotated[
        Quantile, Field("which value of the forecast decides; left out: p50")
    ] = Quantile.P50

    if TYPE_CHECKING:  # what may be given, each read as the type of its field

        def __init__(
            self,
            objective: Objective
            | Literal["carbon", "cfe", "cost", "weighted"] = Objective.CARBON,
            costs: CostSeries | None = None,
            carbon_weight: float | None = None,
            cost_weight: float | None = None,
            budget_grams: float | None = None,
            threshold: float | None = None,
            min_saving: float = 0.0,
            quantile: Quantile | Literal["p50", "p90"] = Quantile.P50,
        ) -> None: ...

    def __post_init__(self) -> None:
        settle(
            self,
            "goal",
            objective=word_of(Objective),
            costs=optional(instance_of(CostSeries, "a CostSeries")),
            carbon_weight=optional(read_number),
            cost_weight=optional(read_number),
            budget_grams=optional(read_number),
            threshold=optional(read_number),
            min_saving=read_number,
            quantile=word_of(Quantile),
        )
        if (self.objective in (Objective.COST, Objective.WEIGHTED)) != (self.costs is not None):
            raise BadInput(
                f"goal {self.objective}: the objectives cost and weighted need a cost series, "
                "the others do not take one"
            )
        weights = (self.carbon_weight, self.cost_weight)
        if self.objective is not Objective.WEIGHTED:
            if weights != (None, None):
                raise BadInput(
                    f"goal {self.objective} does not take weights; use the objective weighted"
                )
        elif any(each is None or not 0 <= each <= LARGEST for each in weights) or not any(
            weights
        ):
            raise BadInput(
                f"goal weighted: weights {weights} for a gram and for a unit of cost; give "
                f"both, 0 or more, to {LARGEST:g}, not both 0"
            )
        if self.budget_grams is not None:
            if self.objective is not Objective.CARBON:
                raise BadInput(
                    f"goal {self.objective}: a budget in grams goes with the objective carbon "
                    "only"
                )
            if not 0 <= self.budget_grams <= LARGEST:
                raise BadInput(
                    f"the carbon budget is {self.budget_grams} g; give 0 or more, to "
                    f"{LARGEST:g}"
                )
        if self.threshold is not None and not -LARGEST <= self.threshold <= LARGEST:
            raise BadInput(
                f"the threshold is {self.threshold}; give a finite number, to {LARGEST:g}"
            )
        if self.threshold is not None and self.budget_grams is not None:
            raise BadInput(
                "budget_grams and threshold each request the earliest plan; give one of them"
            )
        if self.min_saving and self.earliest:
            raise BadInput(
                "min_saving does not go with a budget or a threshold; drop min_saving"
            )
        if not 0 <= self.min_saving < 1:
            raise BadInput(
                f"min_saving is {self.min_saving}; give a fraction from 0 to below 1"
            )

    @property
    def earliest(self) -> bool:
        """Whether the earliest plan within a limit is requested, not the best one."""
        return self.budget_grams is not None or self.threshold is not None
