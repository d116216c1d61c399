"""The objective of a plan: least carbon, most CFE, least cost, or a weighted sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

from gridtide.errors import BadInput
from gridtide.model import Length, Quality, Slot, When, format_time, parse_hours, slots_of, utc
from gridtide.schema.definition import Field
from gridtide.schema.validate import validate
from gridtide.slots import Run, unbroken
from gridtide.values import read_number, read_text, values_of

MOST_COSTS = 100_000


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


class CostSlot(NamedTuple):
    """Cost per kWh from start to before end; null is unknown."""

    start: Annotated[datetime, Field("the start")]
    end: Annotated[datetime, Field("the end")]
    value: Annotated[float | None, Field("cost per kWh; null where unknown")] = None


@dataclass(frozen=True)
class Costs:
    """Cost per kWh over time: slots, or start, step and values for slots of one length."""

    unit: Annotated[str, Field("what the cost is in, e.g. EUR/kWh")]
    slots: Annotated[
        tuple[CostSlot, ...] | None, Field("sorted, not overlapping", most=MOST_COSTS)
    ] = None
    start: Annotated[datetime | None, Field("start of the first slot")] = None
    step: Annotated[timedelta | None, Field("length of each slot in hours")] = None
    values: Annotated[
        tuple[float | None, ...] | None,
        Field("cost in each slot; null where unknown", most=MOST_COSTS),
    ] = None

    @classmethod
    def of(cls, costs: CostSeries) -> Costs:
        """Return a cost series as its slots."""
        slots = (CostSlot(slot.start, slot.end, slot.value) for slot in costs.slots)
        return cls(costs.unit, tuple(slots))

    def decoded(self) -> CostSeries:
        """Return the cost series.

        Raises:
            BadInput: neither slots nor start, step and values, or both.
        """
        regular = (self.start, self.step, self.values)
        if self.slots is not None and regular == (None, None, None):
            slots = (Slot(*each, Quality.FORECAST) for each in self.slots)
            return CostSeries(self.unit, tuple(slots))
        if self.slots is not None or not (self.start and self.step) or self.values is None:
            raise BadInput(
                "costs: give slots, each with start, end and value; or start, step and values "
                "for slots of one length"
            )
        return CostSeries.regular(self.unit, self.start, self.step, self.values)


@dataclass(frozen=True)
class CostSeries:
    """Cost of a kWh over time, in any unit, e.g. EUR; slots sorted, not overlapping.

    An unknown cost is a slot whose value is ``None``, or no slot. Costs may be below 0.

    Raises:
        BadInput: a value is NaN or infinite, or slots overlap.
    """

    ENCODED: ClassVar[type[Costs]] = Costs

    unit: str
    slots: tuple[Slot, ...]

    def __post_init__(self) -> None:
        validate(self, slots=slots_of)
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

    @property
    def total_unit(self) -> str:
        """Unit of a sum: `unit`, which may be named as that of a kWh (EUR/kWh), without it."""
        return self.unit.removesuffix("/kWh")

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
            as early as possible.
        min_saving: smallest saving worth waiting for, a fraction (of grams or cost; for CFE,
            fraction points); below it the job runs now.
        quantile: the quantile of the forecast by which the plan is chosen.

    Raises:
        BadInput: a field that the objective needs is missing, or one that it does not use is
            given.
    """

    objective: Annotated[
        Objective,
        Field(
            "what is minimised: grams, energy that is not carbon-free, cost, or a weighted sum",
            former=("aim",),
        ),
    ] = Objective.CARBON
    costs: Annotated[CostSeries | None, Field("for the objectives cost and weighted")] = None
    carbon_weight: Annotated[
        float | None, Field("what a gram is worth, for the objective weighted", at_least=0)
    ] = None
    cost_weight: Annotated[
        float | None,
        Field("what a unit of cost is worth, for the objective weighted", at_least=0),
    ] = None
    budget_grams: Annotated[
        float | None,
        Field("the earliest plan within it, not the cleanest", unit="gCO2e", at_least=0),
    ] = None
    threshold: Annotated[
        float | None, Field("run only while the signal is at or under it (cfe: at or over)")
    ] = None
    min_saving: Annotated[
        float, Field("smallest saving worth waiting for, a fraction", at_least=0, below=1)
    ] = 0.0
    quantile: Annotated[Quantile, Field("p50 minimises what is expected, p90 is robust")] = (
        Quantile.P50
    )

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
        validate(self, "goal")
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
        elif None in weights or not any(weights):
            raise BadInput(
                f"goal weighted: weights {weights} for a gram and for a unit of cost; give "
                "both, not both 0"
            )
        if self.budget_grams is not None and self.objective is not Objective.CARBON:
            raise BadInput(
                f"goal {self.objective}: a budget in grams goes with the objective carbon only"
            )
        if self.threshold is not None and self.budget_grams is not None:
            raise BadInput(
                "budget_grams and threshold each request the earliest plan; give one of them"
            )
        if self.min_saving and self.earliest:
            raise BadInput(
                "min_saving does not go with a budget or a threshold; drop min_saving"
            )

    @property
    def earliest(self) -> bool:
        """Whether the earliest plan within a limit is requested, not the best one."""
        return self.budget_grams is not None or self.threshold is not None
