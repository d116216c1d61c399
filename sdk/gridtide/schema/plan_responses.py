"""A plan as a service answers it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Self

from gridtide.errors import ApiError
from gridtide.model import Quality
from gridtide.planning.decide.request import Question
from gridtide.planning.decide.response import Plan
from gridtide.schema.records import from_wire, to_wire

# What only the client keeps.
OWN = ("question", "asked")


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
        asked: JSON of the request, for `replan`; the service does not send it.
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

    @classmethod
    def from_json(cls, wire: Mapping[str, Any]) -> Self:
        """This plan of its JSON object, as the service or ``gridtide plan --json`` wrote it.

        Raises:
            ApiError: a member is missing or is not what it should be.
        """
        if not isinstance(wire, Mapping):
            return from_wire(cls, wire)
        answer = {name: value for name, value in wire.items() if name not in OWN}
        plan, asked = from_wire(cls, answer), wire.get("asked")
        if asked is None:
            return plan
        if not isinstance(asked, Mapping):
            raise ApiError(f"the plan's request 'asked' is {asked!r:.80}, and no JSON object")
        return replace(plan, asked=json.dumps(asked, ensure_ascii=False).encode())

    def to_json(self, *, asked: bool = False) -> dict[str, Any]:
        """The JSON object, as the service sends it.

        Args:
            asked: whether to add the request, where it is known, so that `from_json` gives a
                plan that `replan` takes.
        """
        wire = {
            each.name: to_wire(getattr(self, each.name))
            for each in fields(self)
            if each.name not in OWN
        }
        if asked and self.asked is not None:
            wire["asked"] = json.loads(self.asked)
        return wire
