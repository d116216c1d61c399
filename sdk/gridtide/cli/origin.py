"""Which region an answer is of, and where its data come from, as text for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.schema.estimates import format_estimates
from gridtide.schema.text import (
    SIMULATED,
    format_age,
    format_minute,
    format_region_of_zone,
    format_resolution,
)

if TYPE_CHECKING:
    from gridtide.schema.plans import PlanAnswer
    from gridtide.schema.prices import Price
    from gridtide.schema.responses import Answer


def region_title(answer: Answer | PlanAnswer | Price) -> str:
    """Return the zone that answers, and the region of the request where it differs."""
    return format_region_of_zone(answer.region, answer.zone, answer.zone_name)


def provenance(answer: Answer | PlanAnswer, quality: str) -> list[str]:
    """Return signal, quality, age, source and licence of an answer, a line each."""
    estimated = format_estimates(answer.estimates, answer.signal)
    return [
        f"  signal   {answer.signal}",
        f"  quality  {quality}",
        *origin(answer),
        *(f"  {line}" for line in estimated),
    ]


def origin(answer: Answer | PlanAnswer | Price) -> list[str]:
    """Return age, source, licence and zone of an answer, and what it is not, a line each."""
    seconds = answer.data_age_seconds
    old = "age unknown" if seconds is None else f"{format_age(seconds)} old"
    lines = [
        f"  data     {old}, {answer.source} ({answer.licence})",
        f"  zone     {format_resolution(answer.resolved_by, answer.certainty, answer.meaning)}",
    ]
    if answer.replay:
        lines.append(f"  replay   as known at {format_minute(answer.as_of)}, not now")
    if answer.simulated:
        lines.append(f"  {SIMULATED}")
    return lines
