"""Responses about the service itself: whether it is alive, and whether its data is current."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Self

from gridtide.schema.definition import Field
from gridtide.schema.result import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Health(Record):
    """The process answers."""

    status: Annotated[Literal["alive"], Field("of the process")] = "alive"
    version: Annotated[str, Field("release of the service")]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleZone:
    """A zone whose data is late, and why."""

    zone: Annotated[str, Field("its key")]
    reasons: Annotated[tuple[str, ...], Field("why it is late")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness(Record):
    """Whether requests get current answers, and if not, why."""

    status: Annotated[
        Literal["ready", "stale", "unavailable"], Field("whether responses are current")
    ]
    snapshot: Annotated[str | None, Field("the snapshot that is served")]
    published_at: Annotated[datetime | None, Field("when it was published")]
    zones: Annotated[int, Field("number of zones checked")]
    stale: Annotated[tuple[StaleZone, ...], Field("zones that are late")]
    reasons: Annotated[tuple[str, ...], Field("why all zones are late or nothing is served")]
    now: Annotated[datetime, Field("the server's clock")]
    replay: Annotated[bool, Field("whether that clock stands still at another time")]

    @classmethod
    def unavailable(cls, reason: str, now: datetime, *, replay: bool) -> Self:
        """Return the response of a service that has nothing to answer from."""
        return cls(
            status="unavailable",
            snapshot=None,
            published_at=None,
            zones=0,
            stale=(),
            reasons=(reason,),
            now=now,
            replay=replay,
        )
