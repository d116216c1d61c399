"""Regions in which a job may run, and the rules that exclude some of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import asin, cos, inf, radians, sin, sqrt

from gridtide.errors import BadInput, NoCommonSignal, NoFeasibleWindow
from gridtide.model import Series, Signal, Slot
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.magnitudes import LARGEST
from gridtide.values import (
    instance_of,
    listed,
    optional,
    read_list,
    read_number,
    read_text,
    refuse,
    settle,
    word_of,
)

EARTH_KM = 6371.0088  # mean radius, IUGG
# Light in glass fibre: the speed of light over a group index of 1.468 (ITU-T G.652 fibre).
FIBRE_KM_PER_MS = 299.792458 / 1.468


class Moves(StrEnum):
    """How often a job may change its region."""

    ONE = "one"  # it runs in one region, moved there before it starts
    FOLLOW = "follow"  # it may move at every edge of a slot


@dataclass(frozen=True)
class Place:
    """One region in which a job may run.

    Attributes:
        region: its name in the plan.
        outlook: forecast of its signal.
        pue: energy drawn per energy of the job, 1 or more.
        intensity: its own value in place of the grid's, for a site with its own supply; in the
            unit of
            the signal, at the times that the forecast covers.
        jurisdiction: compared with `Places.residency`, e.g. a country.
        latitude, longitude: degrees, for a cap on the latency.

    Raises:
        BadInput: a value out of range.
    """

    region: str
    outlook: Outlook
    pue: float = 1.0
    intensity: float | None = None
    jurisdiction: str | None = None
    latitude: float | None = None
    longitude: float | None = None

    def __post_init__(self) -> None:
        settle(
            self,
            region=read_text,
            outlook=instance_of(Outlook, "an Outlook"),
            pue=read_number,
            intensity=optional(read_number),
            jurisdiction=optional(read_text),
            latitude=optional(read_number),
            longitude=optional(read_number),
        )
        if not 1 <= self.pue <= LARGEST:
            raise BadInput(
                f"{self.region}: a PUE of {self.pue}; give 1 or more, to {LARGEST:g}"
            )
        if self.intensity is not None and not -LARGEST <= self.intensity <= LARGEST:
            raise BadInput(
                f"{self.region}: its own intensity is {self.intensity}; give a number"
            )
        if (self.latitude is None) != (self.longitude is None):
            raise BadInput(f"{self.region}: give both latitude and longitude, or neither")
        if not (abs(self.latitude or 0) <= 90 and abs(self.longitude or 0) <= 180):
            raise BadInput(
                f"{self.region}: ({self.latitude}, {self.longitude}) are not coordinates; give "
                "a latitude from -90 to 90 and a longitude from -180 to 180"
            )

    @property
    def believed(self) -> Outlook:
        """The outlook, with the place's own value where it has one."""
        if self.intensity is None:
            return self.outlook
        series = self.outlook.expected
        slots = tuple(
            Slot(slot.start, slot.end, self.intensity, slot.quality) for slot in series.slots
        )
        own = Series(series.zone, series.signal, slots)
        return Outlook(own, own, own, self.outlook.issued_at, self.outlook.model)


@dataclass(frozen=True)
class Places:
    """The regions to choose from, and the rules for choosing.

    Attributes:
        places: in order; of equal ones the first wins.
        home: current region of the job and its data; savings are measured against running
            there.
        allowed: regions that may be used; ``None`` for all.
        residency: jurisdictions that may be used; ``None`` for all.
        max_latency_ms: longest round trip from `latency_from`.
        latency_from: a region, by default the current one.
        latency_ms: measured round trips by region; otherwise the shortest that the great circle
            and
            light in fibre allow.
        data_gb: data to move when the job leaves its current region: at once, or with moves
            that
            follow also right at its start; and at each further move.
        kwh_per_gb: energy of moving a gigabyte; half is drawn at either end.
        moves: once before the start, or following the cleanest region.

    Raises:
        BadInput: no region, a duplicate, an unknown current region, or a rule that lacks what
            it needs.
        NoCommonSignal: the forecasts have different signals.
    """

    places: tuple[Place, ...]
    home: str | None = None
    allowed: frozenset[str] | None = None
    residency: frozenset[str] | None = None
    max_latency_ms: float | None = None
    latency_from: str | None = None
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    data_gb: float = 0.0
    kwh_per_gb: float | None = None
    moves: Moves = Moves.ONE

    def __post_init__(self) -> None:
        settle(
            self,
            places=listed(instance_of(Place, "a Place")),
            allowed=optional(names_of),
            residency=optional(names_of),
            home=optional(read_text),
            max_latency_ms=optional(read_number),
            latency_from=optional(read_text),
            latency_ms=numbers_of,
            data_gb=read_number,
            kwh_per_gb=optional(read_number),
            moves=word_of(Moves),
        )
        names = [place.region for place in self.places]
        if not names:
            raise BadInput("there is no region to choose from; name at least one")
        if len(set(names)) < len(names):
            raise BadInput(f"a region is named twice: {', '.join(names)}; name each once")
        signals = {place.region: place.outlook.signal for place in self.places}
        if len(set(signals.values())) > 1:
            raise NoCommonSignal(
                "regions can only be compared on one signal, not on "
                + ", ".join(f"{signal} ({name})" for name, signal in signals.items()),
                signals={name: [signal] for name, signal in signals.items()},
            )
        for name in (self.home, self.latency_from):
            if name is not None and name not in names:
                raise BadInput(
                    f"{name!r} must be one of the regions {', '.join(names)}; add it"
                )
        if not 0 <= self.data_gb <= LARGEST:
            raise BadInput(f"data to move is {self.data_gb} GB; give 0 or more, to {LARGEST:g}")
        if self.data_gb and (self.kwh_per_gb is None or self.home is None):
            raise BadInput(
                "data to move needs kwh_per_gb, the energy of moving a gigabyte, and home, the "
                "region it is in; give both"
            )
        if self.kwh_per_gb is not None and not 0 <= self.kwh_per_gb <= LARGEST:
            raise BadInput(f"kwh_per_gb is {self.kwh_per_gb}; give 0 or more, to {LARGEST:g}")
        if self.max_latency_ms is not None and (self.latency_from or self.home) is None:
            raise BadInput("a cap on the latency needs latency_from, or home; give one")

    @property
    def signal(self) -> Signal:
        """The signal of all regions."""
        return self.places[0].outlook.signal

    @property
    def move_kwh(self) -> float:
        """Energy of one move of the data."""
        return self.data_gb * (self.kwh_per_gb or 0.0)

    def named(self, region: str) -> Place:
        """The place of a region."""
        return next(place for place in self.places if place.region == region)

    def ruled_out(self) -> dict[str, str]:
        """Regions that may not be used, with the reason.

        Raises:
            BadInput: a latency is neither given nor can be bounded.
            NoFeasibleWindow: none is left.
        """
        reasons = {place.region: why for place in self.places if (why := self._against(place))}
        if len(reasons) == len(self.places):
            raise NoFeasibleWindow(
                "no region is left to run in: "
                + "; ".join(f"{region}: {why}" for region, why in reasons.items())
                + ". Allow one of them"
            )
        return reasons

    def _against(self, place: Place) -> str | None:
        if self.allowed is not None and place.region not in self.allowed:
            return "it is not on the list of allowed regions"
        if self.residency is not None and place.jurisdiction not in self.residency:
            return (
                f"its jurisdiction, {place.jurisdiction or 'unknown'}, is not one of "
                + ", ".join(sorted(self.residency))
            )
        if self.max_latency_ms is not None:
            latency = self._latency(place)
            if latency > self.max_latency_ms:
                return (
                    f"a round trip takes {latency:.3g} ms, over the {self.max_latency_ms:g} ms"
                )
        return None

    def _latency(self, place: Place) -> float:
        origin = self.named(self.latency_from or self.home or "")
        if place.region in self.latency_ms:
            return self.latency_ms[place.region]
        if place == origin:
            return 0.0
        kilometres = distance_km(origin, place)
        if kilometres == inf:
            raise BadInput(
                f"the latency from {origin.region} to {place.region} is unknown; give it in "
                "latency_ms, or give both their latitude and longitude"
            )
        return 2 * kilometres / FIBRE_KM_PER_MS


def names_of(value: object, name: str) -> frozenset[str]:
    """Return a set of names; a single name is refused, as its letters would be names."""
    return frozenset(read_list(read_text, value, name))


def numbers_of(value: object, name: str) -> dict[str, float]:
    """Return numbers by name."""
    if not isinstance(value, Mapping):
        refuse(value, name, "a mapping of region to number")
    return {
        read_text(key, f"a name in {name}"): read_number(each, f"{name}[{key!r}]")
        for key, each in value.items()
    }


def distance_km(one: Place, other: Place) -> float:
    """Return the great circle distance; infinite where coordinates are missing."""
    if (
        one.latitude is None
        or one.longitude is None
        or other.latitude is None
        or other.longitude is None
    ):
        return inf
    north, south = radians(one.latitude), radians(other.latitude)
    east = radians(one.longitude - other.longitude)
    half = sin((north - south) / 2) ** 2 + cos(north) * cos(south) * sin(east / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(min(1.0, half)))
