"""Requests for the published price of a zone, and their responses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from gridtide.model import Quality, Slot
from gridtide.planning.problem.costs import CostSeries
from gridtide.schema.definition import Field
from gridtide.schema.requests import AsOf
from gridtide.schema.responses import IntensitySlot, Located, Origin, Response
from gridtide.schema.result import Record, Shown, Tabular

KWH_PER_MWH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRequest:
    """Known prices of a range, or the price of the present slot."""

    start: Annotated[
        datetime | None,
        Field(
            "the first slot starts here or later; a date is its start, UTC; left out: the "
            "present slot",
            day=True,
        ),
    ] = None
    end: Annotated[
        datetime | None,
        Field(
            "the last slot starts before this; a date is its start, UTC; left out, with "
            "`start`: the end of what is known",
            day=True,
        ),
    ] = None
    currency: Annotated[
        str | None, Field("as in EUR; left out: of several the one known furthest ahead")
    ] = None
    as_of: AsOf = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Price(Tabular, Response, Origin, Located, Shown, Record):
    """Slots of the published price that start in the requested range; or the present slot."""

    signal: Annotated[str, Field("the signal, such as price_eur")]
    currency: Annotated[str, Field("ISO 4217 code")]
    unit: Annotated[str, Field("such as EUR/MWh")]
    until: Annotated[datetime, Field("end of the last known slot, which may be ahead of now")]
    slots: Annotated[tuple[IntensitySlot, ...], Field("by start; a price may be below 0")]

    def costs(self) -> CostSeries:
        """Return the slots as the cost of a kWh, for goals of your own."""
        slots = (
            Slot(
                each.start,
                each.end,
                None if each.value is None else each.value / KWH_PER_MWH,
                each.quality or Quality.MEASURED,
            )
            for each in self.slots
        )
        return CostSeries(f"{self.currency}/kWh", tuple(slots))
