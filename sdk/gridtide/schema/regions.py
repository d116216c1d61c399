"""The regions of a request: one, several, or several with rules for choosing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from gridtide.errors import BadInput, TooManyRegions
from gridtide.model import MOST_REGIONS, Region, format_region
from gridtide.planning.problem.regions import (
    Jurisdiction,
    Latitude,
    Longitude,
    Moves,
    OwnIntensity,
    Pue,
    RegionRules,
    check_coordinates,
    check_names,
)
from gridtide.schema.definition import Field
from gridtide.schema.validate import validate
from gridtide.values import listed, shown


@dataclass(frozen=True)
class Candidate:
    """One region a job may run in; a `gridtide.planning.CandidateRegion` without its forecast.

    Attributes:
        region: coordinates are written ``lat,lon``.
        jurisdiction: left out, the country of its zone.
        latitude, longitude: left out, those of the cloud region or of the zone.
    """

    SHORT: ClassVar[str] = "region"

    region: Annotated[str, Field("zone key, cloud region or lat,lon")]
    pue: Pue = 1.0
    intensity: OwnIntensity = None
    jurisdiction: Jurisdiction = None
    latitude: Latitude = None
    longitude: Longitude = None

    if TYPE_CHECKING:  # what may be given, each read as the type of its field

        def __init__(
            self,
            region: Region,
            pue: float = 1.0,
            intensity: float | None = None,
            jurisdiction: str | None = None,
            latitude: float | None = None,
            longitude: float | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        validate(self, region=lambda region, _: format_region(region))
        check_coordinates(self.region, self.latitude, self.longitude)


@dataclass(frozen=True)
class Candidates(RegionRules):
    """The regions to choose from and the rules, as `gridtide.planning.CandidateRegions`.

    In `regions` a region stands for a candidate without more to say. One that is named twice
    counts once.

    Raises:
        BadInput: no region, or one twice with different values.
        TooManyRegions: more than 500.
    """

    regions: Annotated[
        tuple[Candidate, ...], Field("of equal ones the first wins", former=("places",))
    ]

    if TYPE_CHECKING:  # what may be given, each read as the type of its field

        def __init__(
            self,
            regions: Iterable[Candidate | Region],
            current_region: str | None = None,
            allowed: Iterable[str] | None = None,
            residency: Iterable[str] | None = None,
            max_latency_ms: float | None = None,
            latency_from: str | None = None,
            latency_ms: Mapping[str, float] = {},
            data_gb: float = 0.0,
            kwh_per_gb: float | None = None,
            moves: Moves | Literal["one", "follow"] = Moves.ONE,
        ) -> None: ...

    def __post_init__(self) -> None:
        validate(self, regions=_CANDIDATES)
        if len(self.regions) > 1:
            # Named again, a region says nothing new, unless it has other values.
            object.__setattr__(self, "regions", tuple(dict.fromkeys(self.regions)))
        names = [each.region for each in self.regions]
        if len(names) > MOST_REGIONS:
            raise TooManyRegions(
                f"{len(names)} regions in one request; at most {MOST_REGIONS}: split the "
                "request and compare the best of each part"
            )
        check_names(names)
        self.check_rules(names)


Where = Region | Candidate | Candidates | Iterable[Region | Candidate]
"""A region, several, or several with rules."""


@dataclass(frozen=True)
class RequestedRegions:
    """The three fields of which one names the regions of a request."""

    region: Annotated[str | None, Field("one region")] = None
    regions: Annotated[
        tuple[Candidate, ...] | None, Field("several, by name or as objects with pue")
    ] = None
    candidates: Annotated[
        Candidates | None, Field("several, with rules for choosing", former=("places",))
    ] = None

    @classmethod
    def of(cls, where: object) -> RequestedRegions:
        """Return the field that says `where`, the shortest that says all."""
        found = as_candidates(where)
        if found != Candidates(found.regions):
            return cls(candidates=found)
        if len(found.regions) == 1 and found.regions[0] == Candidate(found.regions[0].region):
            return cls(region=found.regions[0].region)
        return cls(regions=found.regions)

    def decoded(self) -> Candidates:
        """Return the candidates that the one field names.

        Raises:
            BadInput: no field is given, or several; an empty list.
        """
        fields = (self.region, self.regions, self.candidates)
        given = [each for each in fields if each is not None]
        if len(given) != 1:
            raise BadInput(
                "give one of region, regions and candidates"
                + ("" if given else ": no region is given")
            )
        return as_candidates(given[0])


def as_candidates(where: object) -> Candidates:
    """Return what may be given as regions: a region, several, or `Candidates`.

    Raises:
        BadInput: something else, or no region.
    """
    if isinstance(where, Candidates):
        return where
    if isinstance(where, str | Candidate) or _is_coordinates(where):
        where = [where]
    if isinstance(where, Mapping) or not isinstance(where, Iterable):
        raise BadInput(
            f"where is {shown(where)}; give a region such as DE, several, or Candidates"
        )
    return Candidates(tuple(where))


def _candidate(value: object, name: str) -> Candidate:
    return value if isinstance(value, Candidate) else Candidate(value)  # type: ignore[arg-type]  # it refuses


_CANDIDATES = listed(_candidate)


def _is_coordinates(where: object) -> bool:
    return (
        isinstance(where, tuple)
        and len(where) == 2
        and all(isinstance(each, Real) for each in where)
    )
