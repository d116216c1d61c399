"""Responses about windows, forecasts, history, zones and the service itself.

Each is defined once, here: the server answers with these classes, the SDK decodes them, and
the OpenAPI is made from them. Times are aware UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from gridtide.model import Quality, Series, Signal, Slot
from gridtide.schema.definition import Field
from gridtide.schema.display import Shown
from gridtide.schema.frames import Tabular
from gridtide.schema.records import Record

AsOf = Annotated[datetime, Field("The knowledge time the answer stands on.")]
Replay = Annotated[bool, Field("The server's clock stands still at another time.")]
DataAge = Annotated[
    float | None, Field("From the end of the newest known slot to now, in seconds.", unit="s")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Located(Record):
    """Which zone answers for a region, and how it was found."""

    region: Annotated[str, Field("The region of the request.")]
    zone: Annotated[str, Field("Key of the zone that answers.")]
    zone_name: Annotated[str, Field("Its name.")]
    resolved_by: Annotated[
        str,
        Field("zone key, alias, cloud region, country outline, or cloud site within 30 km."),
    ]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Answer(Shown, Located):
    """Fields that all responses about a region share."""

    signal: Annotated[Signal, Field("Which quantity under which accounting rule.")]
    unit: Annotated[str, Field("gCO2e/kWh, or fraction (0 to 1).")]
    simulated: Annotated[bool, Field("The values are those of the built-in simulated grid.")]
    source: Annotated[str, Field("Publishers of the history, comma-separated.")]
    licence: Annotated[str, Field("Terms of those.")]
    data_age_seconds: DataAge
    as_of: AsOf
    replay: Replay


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BestWindow(Answer):
    """The cleanest window of the requested length; ties go to the earliest."""

    start: Annotated[datetime, Field("Start of the window.")]
    end: Annotated[datetime, Field("End of the window.")]
    hours: Annotated[float, Field("Length of the window.", unit="h")]
    mean: Annotated[float, Field("Forecast mean over the window (p50).")]
    mean_now: Annotated[
        float | None,
        Field("Forecast mean when starting at once; null where part of that is unknown."),
    ]
    saving: Annotated[
        float | None,
        Field(
            "Against starting at once in the same region: a fraction of mean_now for "
            "intensities, fraction points for CFE."
        ),
    ]
    quality: Annotated[Quality, Field("forecast, or simulated.")]
    model: Annotated[str, Field("The forecast model with its version.")]
    issued_at: Annotated[datetime, Field("When it issued the forecast run.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Infeasible(Located):
    """A region without such a window, and the reason."""

    SCHEMA_NAME: ClassVar[str] = "NoWindow"

    hours: Annotated[float, Field("Requested length.", unit="h")]
    signal: Signal
    unit: Annotated[str, Field("gCO2e/kWh, or fraction (0 to 1).")]
    window: Annotated[None, Field("Always null.")] = None
    reason: Annotated[str, Field("Why the region has no such window.")]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BestRegion(Tabular, BestWindow):
    """The best window of the best region, and all regions, cleanest first.

    Attributes:
        ranking: best window of each region, cleanest first; the first is this one.
        infeasible: regions without any. In JSON they end the ``ranking``, with a ``window`` of
            null.
    """

    ranking: Annotated[
        tuple[BestWindow, ...],
        Field(
            "Cleanest first; ties to the earliest window, then in the order of the request. "
            "Regions without such a window come last.",
            encoded=tuple[BestWindow | Infeasible, ...],
        ),
    ]
    infeasible: Annotated[tuple[Infeasible, ...], Field(local=True)]

    @classmethod
    def from_json(cls, wire: Mapping[str, Any]) -> Self:
        """Decode the response of ``/v1/best-region``, as `Record.from_json`."""
        entries = wire.get("ranking")
        if not isinstance(entries, list):
            return super(BestRegion, cls).from_json(wire)
        parts = {
            "ranking": [one for one in entries if not _lacks_window(one)],
            "infeasible": [one for one in entries if _lacks_window(one)],
        }
        return super(BestRegion, cls).from_json({**wire, **parts})

    def to_encode(self) -> object:
        """What is encoded: one ranking of all regions."""
        wire = {each.name: getattr(self, each.name) for each in fields(self)}
        return wire | {"ranking": self.ranking + wire.pop("infeasible")}


def _lacks_window(entry: object) -> bool:
    return isinstance(entry, dict) and entry.get("start") is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastSlot:
    """Quantiles of the mean over ``[start, end)``; `p50` is the value to decide by."""

    start: datetime
    end: datetime
    p10: float | None
    p50: float
    p90: float | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Forecast(Tabular, Answer):
    """One forecast run of one model, as issued."""

    quality: Annotated[Quality, Field("forecast, or simulated.")]
    model: Annotated[str, Field("The forecast model with its version.")]
    issued_at: Annotated[datetime, Field("When the model issued the run.")]
    known_at: Annotated[datetime, Field("When the service received it.")]
    slots: Annotated[tuple[ForecastSlot, ...], Field("By start.")]

    def series(self) -> Series:
        """Return the `p50` as a series, for the decisions of `gridtide.windows`."""
        slots = (Slot(slot.start, slot.end, slot.p50, self.quality) for slot in self.slots)
        return Series(self.zone, self.signal, tuple(slots))


@dataclass(frozen=True, slots=True, kw_only=True)
class IntensitySlot:
    """The mean over ``[start, end)``; where it is unknown, value and the rest are null."""

    start: datetime
    end: datetime
    value: float | None
    quality: Quality | None
    known_at: datetime | None
    source: str | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Intensity(Tabular, Answer):
    """Slots that start in the requested range, unknown ones with null; or the latest slot."""

    stale: Annotated[
        bool,
        Field(
            "The latest slot is older than the server's own maximum age, and was answered "
            "because the request allows it; false for a range."
        ),
    ]
    slots: Annotated[tuple[IntensitySlot, ...], Field("By start.")]

    def series(self) -> Series:
        """Return the slots as a series, for the decisions of `gridtide.windows`.

        A slot of which nothing is known is a gap in it.
        """
        slots = (
            Slot(slot.start, slot.end, slot.value, slot.quality)
            for slot in self.slots
            if slot.quality is not None
        )
        return Series(self.zone, self.signal, tuple(slots))


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneForecast:
    """The forecast run a zone's decisions are made from."""

    model: str
    issued_at: datetime
    end: Annotated[datetime, Field("End of its last slot.")]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ZoneInfo(Shown, Record):
    """One zone and what is known of it; nulls for one without data."""

    SCHEMA_NAME: ClassVar[str] = "Zone"

    zone: Annotated[str, Field("Its key.")]
    name: str
    country: str | None
    timezone: str | None
    lat: Annotated[float | None, Field(unit="degrees")]
    lon: Annotated[float | None, Field(unit="degrees")]
    kind: str
    aliases: tuple[str, ...]
    signals: tuple[Signal, ...]
    default_signal: Annotated[Signal | None, Field("The signal used where none is named.")]
    newest_slot_end: Annotated[datetime | None, Field("Of the default signal.")]
    data_age_seconds: DataAge
    forecast: Annotated[ZoneForecast | None, Field("Of the default signal.")]
    simulated: bool
    source: str | None
    licence: str | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Zones(Shown, Tabular, Record):
    """Zones by key; iterate over it for each `ZoneInfo`."""

    zones: tuple[ZoneInfo, ...]
    as_of: AsOf
    replay: Replay

    def __iter__(self) -> Iterator[ZoneInfo]:
        return iter(self.zones)

    def __len__(self) -> int:
        return len(self.zones)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health(Record):
    """The process answers."""

    status: Literal["alive"] = "alive"
    version: Annotated[str, Field("Release of the service.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleZone:
    """Why one zone's answers are not to be relied on."""

    zone: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness(Record):
    """Whether requests get current answers, and if not, why."""

    status: Literal["ready", "stale", "unavailable"]
    snapshot: str | None
    published_at: datetime | None
    zones: Annotated[int, Field("Number of zones checked.")]
    stale: tuple[StaleZone, ...]
    reasons: tuple[str, ...]
    now: datetime
    replay: Replay

    @classmethod
    def unavailable(cls, reason: str, now: datetime, *, replay: bool) -> Self:
        """Nothing to answer from."""
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
