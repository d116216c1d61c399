"""What goes over the wire: the answers of ``/v1``, field by field."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gridtide.model import Quality, Signal


def _open(schema: dict[str, Any]) -> None:
    schema.pop("additionalProperties", None)


class Answer(BaseModel):
    """All answers: this server writes no other fields, and a later one may add some."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_open)


AsOf = Annotated[datetime, Field(description="The knowledge time the answer stands on.")]
Replay = Annotated[bool, Field(description="The server's clock stands still at another time.")]
Age = Annotated[
    float | None,
    Field(description="From the end of the newest known slot to now, in seconds."),
]


class Placed(Answer):
    """Which zone answers for what was asked, and how it was found."""

    region: str = Field(description="As asked.")
    zone: str
    zone_name: str
    resolved_by: str = Field(
        description="zone key, alias, cloud region, country outline, or cloud site within "
        "30 km."
    )


class BestWindow(Placed):
    """The cleanest unbroken run of the length asked; ties go to the earliest."""

    start: datetime
    end: datetime
    hours: float
    signal: Signal
    unit: str = Field(description="gCO2e/kWh, or fraction (0 to 1).")
    mean: float = Field(description="Forecast mean over the window (p50).")
    mean_now: float | None = Field(
        description="Forecast mean when starting at once; null where part of that is unknown."
    )
    saving: float | None = Field(
        description="Against starting at once in the same region: a fraction of mean_now for "
        "intensities, fraction points for CFE."
    )
    quality: Quality
    simulated: bool
    source: str = Field(description="The history the forecast was made from.")
    licence: str
    model: str
    issued_at: datetime
    data_age_seconds: Age
    as_of: AsOf
    replay: Replay


class NoWindow(Placed):
    """A region that has no such window, and why."""

    hours: float
    signal: Signal
    unit: str
    window: None = None
    reason: str


class BestRegion(BestWindow):
    """The best window of the best region, and all regions, cleanest first."""

    ranking: list[BestWindow | NoWindow] = Field(
        description="Cleanest first; ties to the earliest window, then in the order asked. "
        "Regions without such a window come last."
    )


class Described(Placed):
    """What is said of a series as a whole."""

    signal: Signal
    unit: str
    simulated: bool
    source: str
    licence: str
    data_age_seconds: Age
    as_of: AsOf
    replay: Replay


class ForecastSlot(Answer):
    """One step of a run over ``[start, end)``."""

    start: datetime
    end: datetime
    p10: float | None
    p50: float
    p90: float | None


class Forecast(Described):
    """One run of one model, as issued."""

    quality: Quality
    model: str
    issued_at: datetime
    known_at: datetime
    slots: list[ForecastSlot]


class IntensitySlot(Answer):
    """The mean over ``[start, end)``; where it is unknown, value and the rest are null."""

    start: datetime
    end: datetime
    value: float | None
    quality: Quality | None
    known_at: datetime | None
    source: str | None


class Intensity(Described):
    """Slots that start in the range asked; every unknown one is there, with null."""

    stale: bool = Field(
        description="The latest slot is older than the server's own maximum age, and was "
        "answered because the request allows it; false for a range."
    )
    slots: list[IntensitySlot]


class ZoneForecast(Answer):
    """The run a zone's decisions are made from."""

    model: str
    issued_at: datetime
    end: datetime


class Zone(Answer):
    """One zone and what is known of it; nulls for one without data."""

    zone: str
    name: str
    country: str | None
    timezone: str | None
    lat: float | None
    lon: float | None
    kind: str
    aliases: list[str]
    signals: list[Signal]
    default_signal: Signal | None
    newest_slot_end: datetime | None = Field(description="Of the default signal.")
    data_age_seconds: Age
    forecast: ZoneForecast | None = Field(description="Of the default signal.")
    simulated: bool
    source: str | None
    licence: str | None


class Zones(Answer):
    """Zones by key."""

    zones: list[Zone]
    as_of: AsOf
    replay: Replay


class Health(Answer):
    """The process answers."""

    status: Literal["alive"] = "alive"
    version: str


class StaleZone(Answer):
    """Why one zone's answers are not to be relied on."""

    zone: str
    reasons: list[str]


class Readiness(Answer):
    """Whether questions get current answers, and if not, why."""

    status: Literal["ready", "stale", "unavailable"]
    snapshot: str | None
    published_at: datetime | None
    zones: int = Field(description="Zones looked at.")
    stale: list[StaleZone]
    reasons: list[str]
    now: datetime
    replay: Replay

    @classmethod
    def unavailable(cls, reason: str, now: datetime, *, replay: bool) -> Readiness:
        """Nothing to answer from."""
        return cls(
            status="unavailable",
            snapshot=None,
            published_at=None,
            zones=0,
            stale=[],
            reasons=[reason],
            now=now,
            replay=replay,
        )
