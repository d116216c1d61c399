"""Responses about windows, forecasts, history and zones.

The server answers with these classes, the SDK decodes them, and the OpenAPI is made from them.
Fields that responses have in common are written once, in the first three. Times are aware UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from gridtide.model import Quality, Series, Signal, Slot
from gridtide.schema.aggregates import AggregateOf
from gridtide.schema.definition import Field, definition_of
from gridtide.schema.estimates import Estimates
from gridtide.schema.priced import WindowPrice
from gridtide.schema.result import Record, Shown, Tabular

DataAge = Annotated[
    float | None,
    Field(
        "from the end of the newest known slot to now; of several regions, the oldest", unit="s"
    ),
]


@dataclass(frozen=True, kw_only=True, repr=False)
class Response:
    """Fields that all responses from data carry."""

    __slots__ = ()

    as_of: Annotated[datetime, Field("the knowledge time the answer stands on")]
    replay: Annotated[bool, Field("whether the server's clock stands still at another time")]


@dataclass(frozen=True, kw_only=True, repr=False)
class Located:
    """A region, the zone that answers for it, and how that was found."""

    __slots__ = ()

    region: Annotated[str, Field("the region of the request")]
    zone: Annotated[str, Field("key of the zone that answers")]
    zone_name: Annotated[str, Field("its name")]
    resolved_by: Annotated[
        str,
        Field(
            "zone key, alias, cloud region, postcode, country outline, outline of states, "
            "listed city, or cloud site within 30 km"
        ),
    ]
    certainty: Annotated[
        Literal["exact", "inside", "mostly"],
        Field(
            "exact: the region is the zone; inside: it lies wholly inside the zone; mostly: at "
            "least 97 % of its load is in the zone"
        ),
    ]
    meaning: Annotated[
        str | None, Field("what the region is, in words; null where the zone says it")
    ]


@dataclass(frozen=True, kw_only=True, repr=False)
class Origin:
    """Where the values of a response come from."""

    __slots__ = ()

    simulated: Annotated[bool, Field("whether values of the built-in simulated grid are used")]
    source: Annotated[str, Field("publishers of the history, comma-separated")]
    licence: Annotated[str, Field("terms of those")]
    data_age_seconds: DataAge
    estimates: Estimates = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Answer(Response, Origin, Located, Shown, Record):
    """Fields that all responses about one region share."""

    signal: Annotated[Signal, Field("which quantity under which accounting rule")]
    unit: Annotated[str, Field("gCO2e/kWh, or fraction (0 to 1)")]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BestWindow(Answer):
    """The cleanest window of the requested length; ties go to the earliest."""

    start: Annotated[datetime, Field("start of the window")]
    end: Annotated[datetime, Field("end of the window")]
    hours: Annotated[float, Field("length of the window", unit="h")]
    mean: Annotated[float, Field("forecast mean over the window (p50)")]
    mean_now: Annotated[
        float | None,
        Field("forecast mean when starting at once; null where part of that is unknown"),
    ]
    saving: Annotated[
        float | None,
        Field(
            "against starting at once in the same region: a fraction of what is least "
            "(mean_now for intensities; of its amount where it is below 0), fraction points "
            "for CFE"
        ),
    ]
    quality: Annotated[Quality, Field("forecast, or simulated")]
    model: Annotated[str, Field("the forecast model with its version")]
    issued_at: Annotated[datetime, Field("when it issued the forecast run")]
    objective: Annotated[
        str | None, Field("what is least here; null: by a service that knew carbon alone")
    ] = None
    carbon_price: Annotated[
        float | None, Field("of a tonne of CO2e, where the objective is weighted")
    ] = None
    price: Annotated[
        WindowPrice | None, Field("the published price, where the objective counts it")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Infeasible(Located, Record):
    """A region without such a window, and the reason."""

    SCHEMA_NAME: ClassVar[str] = "NoWindow"

    hours: Annotated[float, Field("requested length", unit="h")]
    signal: Annotated[Signal, Field("which quantity under which accounting rule")]
    unit: Annotated[str, Field("gCO2e/kWh, or fraction (0 to 1)")]
    window: Annotated[None, Field("always null")] = None
    reason: Annotated[str, Field("why the region has no such window")]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BestRegion(Tabular, BestWindow):
    """The best window of the best region, and all regions, cleanest first.

    Attributes:
        infeasible: regions without any; in JSON the end of ``ranking``, with a null ``window``.
    """

    ranking: Annotated[
        tuple[BestWindow, ...],
        Field(
            "cleanest first; ties to the earliest window, then in the order of the request. "
            "Regions without such a window come last",
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
        """Return what is encoded: one ranking of all regions."""
        wire = {each: getattr(self, each) for each in definition_of(BestRegion)}
        return wire | {"ranking": self.ranking + wire.pop("infeasible")}


def _lacks_window(entry: object) -> bool:
    return isinstance(entry, dict) and entry.get("start") is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastSlot:
    """Quantiles of the mean over ``[start, end)``; `p50` is the value to decide by."""

    start: Annotated[datetime, Field("start of the slot")]
    end: Annotated[datetime, Field("end of the slot")]
    p10: Annotated[float | None, Field("lower in one case of ten; null where not forecast")]
    p50: Annotated[float, Field("the median, to decide by")]
    p90: Annotated[float | None, Field("lower in nine cases of ten; null where not forecast")]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Forecast(Tabular, Answer):
    """One forecast run of one model, as issued."""

    quality: Annotated[Quality, Field("forecast, or simulated")]
    model: Annotated[str, Field("the forecast model with its version")]
    issued_at: Annotated[datetime, Field("when the model issued the run")]
    known_at: Annotated[datetime, Field("when the service received it")]
    slots: Annotated[tuple[ForecastSlot, ...], Field("by start")]

    def series(self) -> Series:
        """Return the `p50` as a series, for the decisions of `gridtide.windows`."""
        slots = tuple(Slot(each.start, each.end, each.p50, self.quality) for each in self.slots)
        return Series(self.zone, self.signal, slots)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntensitySlot:
    """The mean over ``[start, end)``; where it is unknown, value and the rest are null."""

    start: Annotated[datetime, Field("start of the slot")]
    end: Annotated[datetime, Field("end of the slot")]
    value: Annotated[float | None, Field("mean over the slot; null where unknown")]
    quality: Annotated[Quality | None, Field("how the value came to be known")]
    known_at: Annotated[datetime | None, Field("when the service knew this value")]
    source: Annotated[str | None, Field("the source of this value")]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Intensity(Tabular, Answer):
    """Slots that start in the requested range, unknown ones with null; or the latest slot."""

    aggregate: Annotated[
        AggregateOf | None,
        Field("of what the values are the mean, where several zones answer; else null"),
    ]

    stale: Annotated[
        bool,
        Field(
            "the latest slot is older than the server's own maximum age, and was answered "
            "because the request allows it; false for a range"
        ),
    ]
    slots: Annotated[tuple[IntensitySlot, ...], Field("by start")]

    def series(self) -> Series:
        """Return the slots as a series, with a gap where nothing is known of a slot."""
        slots = (
            Slot(slot.start, slot.end, slot.value, slot.quality)
            for slot in self.slots
            if slot.quality is not None
        )
        return Series(self.zone, self.signal, tuple(slots))


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneForecast:
    """The forecast run a zone's decisions are made from."""

    model: Annotated[str, Field("the model with its version")]
    issued_at: Annotated[datetime, Field("when the model issued the run")]
    end: Annotated[datetime, Field("end of its last slot")]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ZoneInfo(Shown, Record):
    """One zone and what is known of it; nulls for one without data."""

    SCHEMA_NAME: ClassVar[str] = "Zone"

    zone: Annotated[str, Field("its key")]
    name: Annotated[str, Field("its name in English")]
    country: Annotated[str | None, Field("ISO 3166 code")]
    timezone: Annotated[str | None, Field("IANA name")]
    lat: Annotated[float | None, Field("of coordinates in the zone", unit="degrees")]
    lon: Annotated[float | None, Field("of coordinates in the zone", unit="degrees")]
    kind: Annotated[
        str, Field("zone, aggregate (several zones together), or merged_or_retired")
    ]
    aliases: Annotated[tuple[str, ...], Field("other names of the region")]
    signals: Annotated[tuple[Signal, ...], Field("signals with data")]
    default_signal: Annotated[Signal | None, Field("the signal used where none is named")]
    newest_slot_end: Annotated[datetime | None, Field("of the default signal")]
    data_age_seconds: DataAge
    forecast: Annotated[ZoneForecast | None, Field("of the default signal")]
    simulated: Annotated[bool, Field("whether its values are of the simulated grid")]
    source: Annotated[str | None, Field("publishers, comma-separated")]
    licence: Annotated[str | None, Field("terms of those")]
    prices: Annotated[tuple[str, ...], Field("signals of published prices")] = ()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Zones(Response, Shown, Tabular, Record):
    """Zones by key; iterate over it for each `ZoneInfo`."""

    zones: Annotated[tuple[ZoneInfo, ...], Field("by key")]

    def __iter__(self) -> Iterator[ZoneInfo]:
        return iter(self.zones)

    def __len__(self) -> int:
        return len(self.zones)
