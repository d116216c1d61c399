"""The cost of a kWh over time, in any unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Annotated, ClassVar, NamedTuple

from gridtide.errors import BadInput, NoCommonSignal
from gridtide.model import Length, Quality, Slot, When, format_time, parse_hours, slots_of, utc
from gridtide.schema.definition import Field
from gridtide.schema.validate import validate
from gridtide.slots import Run, unbroken
from gridtide.values import read_number, read_text, values_of

MOST_COSTS = 100_000


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


def one_unit(costs: Mapping[str, CostSeries | None]) -> None:
    """Refuse costs of regions in several units, as prices in several currencies.

    Raises:
        NoCommonSignal: they are; message and ``extra["signals"]`` say which region has what.
    """
    units = {name: each.unit for name, each in costs.items() if each is not None}
    if len(set(units.values())) > 1:
        raise NoCommonSignal(
            "costs can only be compared in one unit, not in "
            + ", ".join(f"{unit} ({region})" for region, unit in units.items())
            + "; name regions of one currency, or compare them by the objective carbon",
            signals={region: [unit] for region, unit in units.items()},
        )
