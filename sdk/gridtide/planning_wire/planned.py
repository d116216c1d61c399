"""A plan as a service answers it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from gridtide.model import Quality
from gridtide.planning.answer import Plan
from gridtide.planning.question import Question
from gridtide.wire import to_wire


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAnswer(Plan):
    """A plan, and what every answer says of the region it starts in.

    Attributes:
        zone: key of the grid zone of `region`.
        zone_name: its name.
        resolved_by: how the one led to the other.
        quality: ``forecast``, or ``simulated``.
        simulated: True where the built-in simulated grid answers for a region of the plan.
        source: publishers behind the forecasts of its regions, comma-separated.
        licence: terms of those.
        data_age_seconds: from the end of the newest known slot to now; of several, the oldest.
        as_of: only what was known at this moment was used.
        replay: True where the service's clock stands at another time than the real one.
        asked: JSON of the question, for `replan`; not part of the wire form.
    """

    zone: str
    zone_name: str
    resolved_by: str
    quality: Quality
    simulated: bool
    source: str
    licence: str | None
    data_age_seconds: float | None
    as_of: datetime
    replay: bool
    question: Question | None = field(default=None, repr=False)
    asked: bytes | None = field(default=None, repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """The JSON object, as the service sends it."""
        return {
            each.name: to_wire(getattr(self, each.name))
            for each in fields(self)
            if each.name not in ("question", "asked")
        }
