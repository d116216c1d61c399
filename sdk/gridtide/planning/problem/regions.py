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
class CandidateRegion:
    """One region in which a job may run.

    Attributes:
        name: the region, as the plan names it.
        outlook: forecast of its signal.
        pue: energy drawn per energy of the job, 1 or more.
        intensity: its own value in place of the grid's, for a site with its own supply; in the
            unit of
            the signal, at the times that the forecast covers.
        jurisdiction: compared with `CandidateRegions.residency`, e.g. a country.
        latitude, longitude: degrees, for a cap on the latency.

    Raises:
        BadInput: a value out of range.
    """

    name: str
    outlook: Outlook
    pue: float = 1.0
    intensity: float | None = None
    jurisdiction: str | None = None
    latitude: float | None = None
    longitude: float | None = None

    def __post_init__(self) -> None:
        settle(
            self,
            name=read_text,
            outlook=instance_of(Outlook, "an Outlook"),
            pue=read_number,
            intensity=optional(read_number),
            jurisdiction=optional(read_text),
            latitude=optional(read_number),
            longitude=optional(read_number),
        )
        if not 1 <= self.pue <= LARGEST:
            raise BadInput(f"{self.name}: a PUE of {self.pue}; give 1 or more, to {LARGEST:g}")
        if self.intensity is not None and not -LARGEST <= self.intensity <= LARGEST:
            raise BadInput(f"{self.name}: its own intensity is {self.intensity}; give a number")
        if (self.latitude is None) != (self.longitude is None):
            raise BadInput(f"{self.name}: give both latitude and longitude, or neither")
        if not (abs(self.latitude or 0) <= 90 and abs(self.longitude or 0) <= 180):
            raise BadInput(
                f"{self.name}: ({self.latitude}, {self.longitude}) are not coordinates; give "
                "a latitude from -90 to 90 and a longitude from -180 to 180"
            )

    @property
    def believed(self) -> Outlook:
        """The outlook, with the region's own value where it has one."""
        if self.intensity is None:
            return self.outlook
        series = self.outlook.expected
        slots = tuple(
            Slot(slot.start, slot.end, self.intensity, slot.quality) for slot in series.slots
        )
        own = Series(series.zone, series.signal, slots)
        return Outlook(own, own, own, self.outlook.issued_at, self.outlook.model)


@dataclass(frozen=True)
class CandidateRegions:
    """The regions to choose from, and the rules for choosing.

    Attributes:
        regions: in order; of equal ones the first wins.
        current_region: where the job and its data are now; savings are measured against
            running there.
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

    regions: tuple[CandidateRegion, ...]
    current_region: str | None = None
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
            regions=listed(instance_of(CandidateRegion, "a CandidateRegion")),
            allowed=optional(names_of),
            residency=optional(names_of),
            current_region=optional(read_text),
            max_latency_ms=optional(read_number),
            latency_from=optional(read_text),
            latency_ms=numbers_of,
            data_gb=read_number,
            kwh_per_gb=optional(read_number),
            moves=word_of(Moves),
        )
        names = [each.name for each in self.regions]
        if not names:
            raise BadInput("there is no region to choose from; name at least one")
        if len(set(names)) < len(names):
            raise BadInput(f"a region is named twice: {', '.join(names)}; name each once")
        signals = {each.name: each.outlook.signal for each in self.regions}
        if len(set(signals.values())) > 1:
            raise NoCommonSignal(
                "regions can only be compared on one signal, not on "
                + ", ".join(f"{signal} ({name})" for name, signal in signals.items()),
                signals={name: [signal] for name, signal in signals.items()},
            )
        for name in (self.current_region, self.latency_from):
            if name is not None and name not in names:
                raise BadInput(
                    f"{name!r} must be one of the regions {', '.join(names)}; add it"
                )
        if not 0 <= self.data_gb <= LARGEST:
            raise BadInput(f"data to move is {self.data_gb} GB; give 0 or more, to {LARGEST:g}")
        if self.data_gb and (self.kwh_per_gb is None or self.current_region is None):
            raise BadInput(
                "data to move needs kwh_per_gb, the energy of moving a gigabyte, and "
                "current_region, where it is; give both"
            )
        if self.kwh_per_gb is not None and not 0 <= self.kwh_per_gb <= LARGEST:
            raise BadInput(f"kwh_per_gb is {self.kwh_per_gb}; give 0 or more, to {LARGEST:g}")
        if (
            self.max_latency_ms is not None
            and (self.latency_from or self.current_region) is None
        ):
            raise BadInput(
                "a cap on the latency needs latency_from, or current_region; give one"
            )

    @property
    def signal(self) -> Signal:
        """The signal of all regions."""
        return self.regions[0].outlook.signal

    @property
    def move_kwh(self) -> float:
        """Energy of one move of the data."""
        return self.data_gb * (self.kwh_per_gb or 0.0)

    def named(self, region: str) -> CandidateRegion:
        """The region of that name."""
        return next(each for each in self.regions if each.name == region)

    def ruled_out(self) -> dict[str, str]:
        """Regions that may not be used, with the reason.

        Raises:
            BadInput: a latency is neither given nor can be bounded.
            NoFeasibleWindow: none is left.
        """
        reasons = {each.name: why for each in self.regions if (why := self._against(each))}
        if len(reasons) == len(self.regions):
            raise NoFeasibleWindow(
                "no region is left to run in: "
                + "; ".join(f"{region}: {why}" for region, why in reasons.items())
                + ". Allow one of them"
            )
        return reasons

    def _against(self, region: CandidateRegion) -> str | None:
        if self.allowed is not None and region.name not in self.allowed:
            return "it is not on the list of allowed regions"
        if self.residency is not None and region.jurisdiction not in self.residency:
            return (
                f"its jurisdiction, {region.jurisdiction or 'unknown'}, is not one of "
                + ", ".join(sorted(self.residency))
            )
        if self.max_latency_ms is not None:
            latency = self._latency(region)
            if latency > self.max_latency_ms:
                return (
                    f"a round trip takes {latency:.3g} ms, over the {self.max_latency_ms:g} ms"
                )
        return None

    def _latency(self, region: CandidateRegion) -> float:
        origin = self.named(self.latency_from or self.current_region or "")
        if region.name in self.latency_ms:
            return self.latency_ms[region.name]
        if region == origin:
            return 0.0
        kilometres = distance_km(origin, region)
        if kilometres == inf:
            raise BadInput(
                f"the latency from {origin.name} to {region.name} is unknown; give it in "
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


def distance_km(one: CandidateRegion, other: CandidateRegion) -> float:
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
