"""Results as one line of text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import singledispatch

from gridtide.errors import GridtideError
from gridtide.model import Series, Signal
from gridtide.planning.batch.schedule import BatchPlan
from gridtide.planning.decide.response import Plan
from gridtide.schema.batches import Batch
from gridtide.schema.estimates import mark_estimate
from gridtide.schema.footprints import FootprintAnswer
from gridtide.schema.plans import PlanAnswer, ScheduleAnswer
from gridtide.schema.prices import Price
from gridtide.schema.quality import ZoneQuality
from gridtide.schema.responses import (
    Answer,
    BestRegion,
    BestWindow,
    Forecast,
    Intensity,
    ZoneInfo,
    Zones,
)
from gridtide.schema.sources import SourceInfo, Sources
from gridtide.schema.text import (
    format_grams,
    format_minute,
    format_percent,
    format_price,
    format_region_of_zone,
    format_value,
)

# Keys of zones that are named before the rest is counted.
MOST_NAMED = 8


@singledispatch
def summarize(result: object) -> str:
    """Return one line that says what a result is about and what it comes to."""
    return type(result).__name__


@summarize.register
def _best_window(result: BestWindow) -> str:
    return (
        f"{_zone(result)}: {_span(result.start, result.end)}, "
        f"{format_value(result.mean, result.signal)}{_priced(result)}"
        f"{_saves(result.saving, result.signal)}{_marks(result)}"
    )


def _priced(result: BestWindow) -> str:
    """Return the price of a window, where it is counted."""
    price = result.price
    return "" if price is None else f" at {format_price(price.mean, price.unit)}"


@summarize.register
def _price(result: Price) -> str:
    return (
        f"{format_region_of_zone(result.region, result.zone, result.zone_name)}: "
        f"{result.signal}, {_slots(result.slots)}, until {format_minute(result.until)}"
        f"{_simulated(result.simulated)}"
    )


@summarize.register
def _best_region(result: BestRegion) -> str:
    count = len(result.ranking) + len(result.infeasible)
    return f"{_best_window(result)}; best of {_many(count, 'region')}"


@summarize.register
def _forecast(result: Forecast) -> str:
    return (
        f"{_zone(result)}: {result.signal}, {_slots(result.slots)}, by {result.model}, "
        f"issued {format_minute(result.issued_at)}{_marks(result)}"
    )


@summarize.register
def _intensity(result: Intensity) -> str:
    if len(result.slots) != 1:
        text = f"{result.signal}, {_slots(result.slots)}"
    else:
        (slot,) = result.slots
        value = "unknown" if slot.value is None else format_value(slot.value, result.signal)
        text = f"{value}, {_span(slot.start, slot.end)}, {slot.quality or 'nothing known'}"
    return f"{_zone(result)}: {text}{_marks(result)}"


@summarize.register
def _series(result: Series) -> str:
    return f"{result.zone}: {result.signal}, {_slots(result.slots)}"


@summarize.register
def _zones(result: Zones) -> str:
    return _listed("zone", [each.zone for each in result.zones])


@summarize.register
def _zone_info(result: ZoneInfo) -> str:
    return f"{result.zone} ({result.name}): {result.default_signal or 'no signal'}"


@summarize.register
def _zone_quality(result: ZoneQuality) -> str:
    zone = format_region_of_zone(result.region, result.zone, result.zone_name)
    named = ", ".join(f"{each.flag} {each.count}" for each in result.counts[:MOST_NAMED])
    return f"{zone}: {named or 'no anomaly'}"


@summarize.register
def _sources(result: Sources) -> str:
    return _listed("source", [each.source for each in result.sources])


@summarize.register
def _source_info(result: SourceInfo) -> str:
    return f"{result.source} ({result.title}): {result.rows} rows"


@summarize.register
def _plan(result: Plan) -> str:
    where = _zone(result) if isinstance(result, PlanAnswer) else result.region
    grams = "" if result.grams is None else f", {format_grams(result.grams)}"
    marks = _marks(result) if isinstance(result, PlanAnswer) else ""
    return (
        f"{where}: {_span(result.start, result.end)}, "
        f"{format_value(result.mean, result.signal)}, {result.kwh:.4g} kWh{grams}"
        f"{_saves(result.saving_now, result.signal)}{marks}"
    )


@summarize.register
def _schedule(result: ScheduleAnswer) -> str:
    return f"{_many(len(result.plans), 'plan')}; {result.sentence}"


@summarize.register
def _batch_plan(result: BatchPlan) -> str:
    return f"{_many(len(result.plans), 'plan')}; {result.sentence}"


@summarize.register
def _batch(result: Batch) -> str:
    errors = sum(isinstance(each, GridtideError) for each in result)
    return f"{_many(len(result), 'answer')}{f', {errors} of them errors' if errors else ''}"


@summarize.register
def _footprint(result: FootprintAnswer) -> str:
    where = "" if result.zone is None else f"{result.region or result.zone}: "
    grams = "emissions unknown" if result.gross_g is None else format_grams(result.gross_g)
    return f"{where}{result.kwh:.4g} kWh, {grams}{_marks(result)}"


def _zone(result: Answer | PlanAnswer) -> str:
    return format_region_of_zone(result.region, result.zone, result.zone_name)


def _span(start: datetime, end: datetime) -> str:
    return f"{format_minute(start)} to {format_minute(end)}"


def _slots(slots: tuple[object, ...]) -> str:
    if not slots:
        return "no slots"
    first, last = slots[0], slots[-1]
    span = _span(first.start, last.end)  # type: ignore[attr-defined]  # slots of any kind
    return f"{_many(len(slots), 'slot')}, {span}"


def _saves(saving: float | None, signal: Signal) -> str:
    if not saving or saving < 0:
        return ""
    if signal.lower_is_cleaner:
        return f", saves {format_percent(saving)}"
    return f", {100 * saving:.1f} points more than now"


def _listed(what: str, names: Sequence[str]) -> str:
    """Return how many there are, and the first few names."""
    more = ", …" if len(names) > MOST_NAMED else ""
    named = f": {', '.join(names[:MOST_NAMED])}{more}" if names else ""
    return f"{_many(len(names), what)}{named}"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _marks(result: Answer | PlanAnswer | FootprintAnswer) -> str:
    """Return what the values of a result are not."""
    return f"{_simulated(result.simulated)}{mark_estimate(result.estimates)}"


def _simulated(simulated: bool) -> str:  # noqa: FBT001  # a field of the result
    return " (simulated)" if simulated else ""
