"""What the service answers, as typed values; the wire form of each is its JSON object.

Times are aware UTC. `from_json` ignores members it does not know; `to_json` gives the wire
form, times as ``2026-03-01T00:00:00Z``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from gridtide.model import Quality, Series, Signal, Slot
from gridtide.schema.records import from_wire, to_wire

if TYPE_CHECKING:
    import polars as pl


class Wire:
    """Read from and written to one JSON object."""

    __slots__ = ()

    @classmethod
    def from_json(cls, wire: Mapping[str, Any]) -> Self:
        """This answer of its JSON object.

        Raises:
            ApiError: a member is missing or is not what it should be.
        """
        return from_wire(cls, wire)

    def to_json(self) -> dict[str, Any]:
        """The JSON object, as the service sends it."""
        return dict(to_wire(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Wire):
    """What every answer about a region says.

    Attributes:
        region: as it was asked for.
        zone: key of the grid zone that answers.
        zone_name: its name.
        resolved_by: how the one led to the other, e.g. ``cloud region``.
        signal: which quantity under which accounting rule.
        unit: ``gCO2e/kWh`` or ``fraction``.
        simulated: True where the built-in simulated grid answers: no real values.
        source: publishers, comma-separated.
        licence: terms of those.
        data_age_seconds: from the end of the newest known slot to now.
        as_of: only what was known at this moment was used.
        replay: True where the service's clock stands at another time than the real one.
    """

    region: str
    zone: str
    zone_name: str
    resolved_by: str
    signal: Signal
    unit: str
    simulated: bool
    source: str
    licence: str | None
    data_age_seconds: float | None
    as_of: datetime
    replay: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BestWindow(Answer):
    """The cleanest run for a job, ``[start, end)``.

    Attributes:
        hours: its length.
        mean: mean of the signal over it.
        mean_now: mean of a run as long that starts at once; None: unknown.
        saving: what waiting gains: a fraction of `mean_now` for intensities, fraction points
            for CFE; None where `mean_now` is unknown or 0.
        quality: ``forecast``, or ``simulated``.
        model: the forecaster with its version.
        issued_at: when it made the forecast.
    """

    start: datetime
    end: datetime
    hours: float
    mean: float
    mean_now: float | None
    saving: float | None
    quality: Quality
    model: str | None
    issued_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Infeasible:
    """A region that was asked for and has no window, and why.

    `hours`, `signal` and `unit` say of what; None where an older service does not say so.
    """

    region: str
    zone: str
    zone_name: str
    resolved_by: str
    hours: float | None = None
    signal: Signal | None = None
    unit: str | None = None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BestRegion(BestWindow):
    """The cleanest region with its window, and how the others compare.

    Attributes:
        ranking: best window of each region, cleanest first; the first is this one.
        infeasible: regions without any. On the wire these end the ``ranking``, with a
            ``window`` of null.
    """

    ranking: tuple[BestWindow, ...]
    infeasible: tuple[Infeasible, ...]

    @classmethod
    def from_json(cls, wire: Mapping[str, Any]) -> Self:
        """The answer of ``/v1/best-region``, as `Wire.from_json`."""
        entries = wire.get("ranking")
        if not isinstance(entries, list):
            return from_wire(cls, wire)
        parts = {
            "ranking": [one for one in entries if not _lacks_window(one)],
            "infeasible": [one for one in entries if _lacks_window(one)],
        }
        return from_wire(cls, {**wire, **parts})

    def to_json(self) -> dict[str, Any]:
        """The JSON object, as the service sends it."""
        wire = dict(to_wire(self))
        without = [{**entry, "window": None} for entry in wire.pop("infeasible")]
        return {**wire, "ranking": wire["ranking"] + without}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast(Answer):
    """One forecast of one zone, as issued.

    Attributes:
        quality: ``forecast``, or ``simulated``.
        model: the forecaster with its version.
        issued_at: when it made the forecast.
        known_at: when the service had it.
        slots: by start.
    """

    quality: Quality
    model: str
    issued_at: datetime
    known_at: datetime
    slots: tuple[ForecastSlot, ...]

    def series(self) -> Series:
        """The `p50` as a series, for the decisions of `gridtide.windows`."""
        slots = (Slot(slot.start, slot.end, slot.p50, self.quality) for slot in self.slots)
        return Series(self.zone, self.signal, tuple(slots))

    def to_polars(self) -> pl.DataFrame:
        """Columns start, end (UTC), p10, p50, p90, as `schema.frames.frame`."""
        from gridtide.schema.frames import frame

        return frame(ForecastSlot, self.slots)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntensitySlot:
    """Mean over ``[start, end)``; a `value` of None is unknown, not 0.

    Where nobody has said anything of the slot, nothing else is known of it either.
    """

    start: datetime
    end: datetime
    value: float | None
    quality: Quality | None
    known_at: datetime | None
    source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intensity(Answer):
    """What is known of one zone over a range, or its latest slot.

    Attributes:
        slots: by start.
        stale: True where the latest slot is older than the service's maximum age and was
            answered because a larger one was given; False for a range; None where the service
            does not say.
    """

    slots: tuple[IntensitySlot, ...]
    stale: bool | None

    def series(self) -> Series:
        """The slots as a series, for the decisions of `gridtide.windows`.

        A slot of which nothing was said is a gap in it.
        """
        slots = (
            Slot(slot.start, slot.end, slot.value, slot.quality)
            for slot in self.slots
            if slot.quality is not None
        )
        return Series(self.zone, self.signal, tuple(slots))

    def to_polars(self) -> pl.DataFrame:
        """Columns start, end, value, quality, known_at, source, as `schema.frames.frame`."""
        from gridtide.schema.frames import frame

        return frame(IntensitySlot, self.slots)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneForecast:
    """The newest forecast of a zone's default signal, and how far it reaches."""

    model: str
    issued_at: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneInfo(Wire):
    """One zone, and what the service has of it."""

    zone: str
    name: str
    country: str | None
    timezone: str | None
    lat: float | None
    lon: float | None
    kind: str | None
    aliases: tuple[str, ...]
    signals: tuple[Signal, ...]
    default_signal: Signal | None
    newest_slot_end: datetime | None
    data_age_seconds: float | None
    forecast: ZoneForecast | None
    simulated: bool
    source: str | None
    licence: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones(Wire):
    """The zones the service answers for; iterate over it for each `ZoneInfo`."""

    zones: tuple[ZoneInfo, ...]
    as_of: datetime
    replay: bool

    def __iter__(self) -> Iterator[ZoneInfo]:
        return iter(self.zones)

    def __len__(self) -> int:
        return len(self.zones)
