"""A plan as a service answers it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Self

from gridtide.errors import ApiError
from gridtide.model import Quality
from gridtide.planning.decide.request import PlanningProblem
from gridtide.planning.decide.response import Plan
from gridtide.schema.definition import Field
from gridtide.schema.records import decode_response
from gridtide.schema.responses import AsOf, Replay


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PlanAnswer(Plan):
    """When and where a job runs, and why.

    Attributes:
        asked: JSON of the request, for `replan`; the service does not send it.
    """

    SCHEMA_NAME: ClassVar[str] = "Plan"

    zone: Annotated[str, Field("Key of the zone of `region`.")]
    zone_name: Annotated[str, Field("Its name.")]
    resolved_by: Annotated[
        str,
        Field("zone key, alias, cloud region, country outline, or cloud site within 30 km."),
    ]
    quality: Annotated[Quality, Field("forecast, or simulated.")]
    simulated: Annotated[
        bool, Field("The built-in simulated grid answers for a region of the plan.")
    ]
    source: Annotated[
        str, Field("Publishers behind the forecasts of its regions, comma-separated.")
    ]
    licence: Annotated[str, Field("Terms of those.")]
    data_age_seconds: Annotated[
        float | None,
        Field(
            "From the end of the newest known slot to now; of several regions, the oldest.",
            unit="s",
        ),
    ]
    as_of: AsOf
    replay: Replay
    problem: Annotated[PlanningProblem | None, Field(local=True)] = field(
        default=None, repr=False
    )
    asked: Annotated[bytes | None, Field(local=True)] = field(
        default=None, repr=False, compare=False
    )

    @classmethod
    def from_json(cls, wire: Mapping[str, Any]) -> Self:
        """This plan of its JSON object, as the service or ``gridtide plan --json`` wrote it.

        Raises:
            ApiError: a member is missing or is not what it should be.
        """
        plan = decode_response(cls, wire)
        asked = wire.get("asked")
        if asked is None:
            return plan
        if not isinstance(asked, Mapping):
            raise ApiError(f"the plan's request 'asked' is {asked!r:.80}, not a JSON object")
        return replace(plan, asked=json.dumps(asked, ensure_ascii=False).encode())

    def to_json(self, *, asked: bool = False) -> dict[str, Any]:
        """Return the JSON object, as the service sends it.

        Args:
            asked: whether to add the request, where it is known, so that `from_json` gives a
                plan that `replan` takes.
        """
        wire = super(PlanAnswer, self).to_json()
        if asked and self.asked is not None:
            wire["asked"] = json.loads(self.asked)
        return wire
