"""The rows of each result that is a series or a list, and the columns they are read into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatch
from typing import Any

from gridtide.accounting.emissions import Metered, RowFootprint
from gridtide.model import Series, Slot
from gridtide.planning.batch.schedule import BatchPlan
from gridtide.planning.decide.response import Plan, PlannedSlot
from gridtide.schema.footprint_responses import FootprintAnswer
from gridtide.schema.frames import Column, Reader, columns_of
from gridtide.schema.responses import (
    BestRegion,
    BestWindow,
    Forecast,
    ForecastSlot,
    Intensity,
    IntensitySlot,
    ZoneInfo,
    Zones,
)
from gridtide.schema.schedules import ScheduleAnswer

Table = tuple[Sequence[Column], Sequence[Any]]


@singledispatch
def table_of(result: object) -> Table:
    """Return the columns of a result, and its rows."""
    raise TypeError(f"a {type(result).__name__} has no rows")


@table_of.register
def _forecast(result: Forecast) -> Table:
    return columns_of(ForecastSlot), result.slots


@table_of.register
def _intensity(result: Intensity) -> Table:
    return columns_of(IntensitySlot), result.slots


@table_of.register
def _series(result: Series) -> Table:
    return columns_of(Slot), result.slots


@table_of.register
def _zones(result: Zones) -> Table:
    return columns_of(ZoneInfo), result.zones


@table_of.register
def _best_region(result: BestRegion) -> Table:
    """The ranking; regions without a window come last, with their reason."""
    reason = Column("reason", str, lambda row: getattr(row, "reason", None))
    return (*columns_of(BestWindow), reason), (*result.ranking, *result.infeasible)


@table_of.register
def _plan(result: Plan) -> Table:
    return columns_of(PlannedSlot), result.slots


@table_of.register(ScheduleAnswer)
@table_of.register(BatchPlan)
def _schedule(result: ScheduleAnswer | BatchPlan) -> Table:
    """The slots of all plans, each with the place of its job in the request, from 0."""
    job = Column("job", int, lambda row: row[0])
    of_slot = (replace(each, read=_of_slot(each.read)) for each in columns_of(PlannedSlot))
    rows = [(at, slot) for at, plan in enumerate(result.plans) for slot in plan.slots]
    return (job, *of_slot), rows


def _of_slot(read: Reader) -> Reader:
    return lambda row: read(row[1])


@table_of.register(FootprintAnswer)
@table_of.register(Metered)
def _footprint(result: FootprintAnswer | Metered) -> Table:
    return columns_of(RowFootprint), result.rows
