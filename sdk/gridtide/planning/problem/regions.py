"""Regions in which a job may run, and the rules that exclude some of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import asin, cos, inf, radians, sin, sqrt
from typing import Annotated, Any

from gridtide.errors import BadInput, NoFeasibleWindow
from gridtide.model import MOST_REGIONS, NO_REGION, Series, Signal, Slot
from gridtide.planning.problem.costs import CostSeries, one_unit
from gridtide.planning.problem.forecast import Outlook
from gridtide.schema.definition import Field
from gridtide.schema.validate import check_named, validate
from gridtide.windows import one_signal

EARTH_KM = 6371.0088  # mean radius, IUGG
# Light in glass fibre: the speed of light over a group index of 1.468 (ITU-T G.652 fibre).
FIBRE_KM_PER_MS = 299.792458 / 1.468


class Moves(StrEnum):
    """How often a job may change its region."""

    ONE = "one"  # it runs in one region, moved there before it starts
    FOLLOW = "follow"  # it may move at every edge of a slot


# Fields that `CandidateRegion` shares with the requests of a service.
Pue = Annotated[
    float, Field("power usage effectiveness: energy drawn per energy of the job", at_least=1)
]
OwnIntensity = Annotated[
    float | None, Field("its own value in place of the grid's", unit="gCO2e/kWh")
]
Jurisdiction = Annotated[str | None, Field("for residency; left out: the country of its zone")]
Latitude = Annotated[
    float | None,
    Field("left out: of the cloud region or zone", unit="degrees", at_least=-90, at_most=90),
]
Longitude = Annotated[
    float | None,
    Field("left out: of the cloud region or zone", unit="degrees", at_least=-180, at_most=180),
]


@dataclass(frozen=True)
class CandidateRegion:
    """One region in which a job may run.

    Attributes:
        name: the region, as the plan names it.
        outlook: forecast of its signal.
        pue: energy drawn per energy of the job, 1 or more.
        intensity: its own value in place of the grid's, for a site with its own supply; in the
            unit of the signal, at the times that the forecast covers.
        jurisdiction: compared with `CandidateRegions.residency`, e.g. a country.
        latitude, longitude: degrees, for a cap on the latency.
        costs: cost of a kWh here, where the goal has none: the published price.

    Raises:
        BadInput: a value out of range.
    """

    name: str
    outlook: Outlook
    pue: Pue = 1.0
    intensity: OwnIntensity = None
    jurisdiction: Jurisdiction = None
    latitude: Latitude = None
    longitude: Longitude = None
    costs: CostSeries | None = None

    def __post_init__(self) -> None:
        validate(self)
        check_coordinates(self.name, self.latitude, self.longitude)

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
class RegionRules:
    """Regions to choose from, and the rules for choosing; a request has them as a plan does."""

    regions: tuple[Any, ...]
    current_region: Annotated[
        str | None, Field("the region where the job and its data are now", former=("home",))
    ] = None
    allowed: Annotated[
        frozenset[str] | None,
        Field("regions that may be used; left out: all", most=MOST_REGIONS),
    ] = None
    residency: Annotated[
        frozenset[str] | None,
        Field("jurisdictions that may be used; left out: all", most=MOST_REGIONS),
    ] = None
    max_latency_ms: Annotated[
        float | None, Field("longest round trip from latency_from", unit="ms")
    ] = None
    latency_from: Annotated[str | None, Field("a region; left out: the current region")] = None
    latency_ms: Annotated[
        Mapping[str, float],
        Field(
            "measured round trips by region; else the least that light in fibre allows",
            unit="ms",
        ),
    ] = field(default_factory=dict)
    data_gb: Annotated[
        float,
        Field(
            "data to move when the job leaves its current region, and at each move",
            unit="GB",
            at_least=0,
        ),
    ] = 0.0
    kwh_per_gb: Annotated[
        float | None,
        Field("energy of moving a gigabyte, half at either end", unit="kWh", at_least=0),
    ] = None
    moves: Annotated[
        Moves, Field("one move, before the start, or follow the cleanest region")
    ] = Moves.ONE

    def check_rules(self, regions: Sequence[str]) -> None:
        """Refuse a rule about a region that is not one of `regions`, those to choose from.

        Raises:
            BadInput: an unknown region, with the nearest.
        """
        for field_name in ("current_region", "latency_from"):
            name = getattr(self, field_name)
            check_named(field_name, () if name is None else (name,), regions)
        check_named("allowed", sorted(self.allowed or ()), regions)
        check_named("latency_ms", self.latency_ms, regions)


@dataclass(frozen=True)
class CandidateRegions(RegionRules):
    """The regions to choose from, and the rules for choosing.

    Attributes:
        regions: in order; of equal ones the first wins.
        current_region: where the job and its data are now; savings are measured against running
            there.
        allowed: regions that may be used; ``None`` for all.
        residency: jurisdictions that may be used; ``None`` for all.
        max_latency_ms: longest round trip from `latency_from`.
        latency_from: a region, by default the current one.
        latency_ms: measured round trips by region; otherwise the shortest that the great circle
            and light in fibre allow.
        data_gb: data to move when the job leaves its current region: at once, or with moves
            that follow also right at its start; and at each further move.
        kwh_per_gb: energy of moving a gigabyte; half is drawn at either end.
        moves: once before the start, or following the cleanest region.

    Raises:
        BadInput: no region, a duplicate, an unknown current region, or a rule that lacks what
            it needs.
        NoCommonSignal: the forecasts have different signals, or the costs different units.
    """

    regions: tuple[CandidateRegion, ...]

    def __post_init__(self) -> None:
        validate(self)
        names = [each.name for each in self.regions]
        check_names(names)
        one_signal({each.name: each.outlook.signal for each in self.regions})
        one_unit({each.name: each.costs for each in self.regions})
        self.check_rules(names)
        if self.data_gb and (self.kwh_per_gb is None or self.current_region is None):
            raise BadInput(
                "data to move needs kwh_per_gb, the energy of moving a gigabyte, and "
                "current_region, where it is; give both"
            )
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
        """Return the region of this name."""
        return next(each for each in self.regions if each.name == region)

    def ruled_out(self) -> dict[str, str]:
        """Return the regions that may not be used, with the reason.

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


def check_names(names: Sequence[str]) -> None:
    """Refuse an empty list of regions, and one that names a region twice.

    Raises:
        BadInput: it is.
    """
    if not names:
        raise BadInput(NO_REGION)
    if len(set(names)) < len(names):
        raise BadInput(f"a region is named twice: {', '.join(names)}; name each once")


def check_coordinates(name: str, latitude: float | None, longitude: float | None) -> None:
    """Refuse one coordinate without the other.

    Raises:
        BadInput: one is missing.
    """
    if (latitude is None) != (longitude is None):
        raise BadInput(f"{name}: give both latitude and longitude, or neither")


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
