"""The regions a job may run in, asked of a service that knows their forecasts, as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Annotated, Any, Literal

from gridtide.errors import BadInput, TooManyRegions
from gridtide.model import MOST_REGIONS, Region, format_region
from gridtide.planning.problem.regions import Moves, names_of, numbers_of
from gridtide.schema.decoding import define_shape
from gridtide.schema.definition import Field
from gridtide.schema.forms import TEXT, Form, either, list_of
from gridtide.values import listed, optional, read_number, read_text, settle, shown, word_of

Json = dict[str, Any]


@dataclass(frozen=True)
class Candidate:
    """One region a job may run in; a `gridtide.planning.CandidateRegion` without its forecast.

    Attributes:
        jurisdiction: left out, the country of its zone.
        latitude, longitude: left out, those of the cloud region or of the zone.
    """

    region: Annotated[Region, Field("zone key, cloud region or lat,lon")]
    pue: Annotated[float, Field("energy drawn per energy of the job; left out: 1")] = 1.0
    intensity: Annotated[
        float | None, Field("its own value in place of the grid's", unit="gCO2e/kWh")
    ] = None
    jurisdiction: Annotated[
        str | None, Field("for residency; left out: the country of its zone")
    ] = None
    latitude: Annotated[
        float | None, Field("degrees; left out: of the cloud region or zone")
    ] = None
    longitude: Annotated[
        float | None, Field("degrees; left out: of the cloud region or zone")
    ] = None

    def __post_init__(self) -> None:
        format_region(self.region)
        settle(
            self,
            pue=read_number,
            intensity=optional(read_number),
            jurisdiction=optional(read_text),
            latitude=optional(read_number),
            longitude=optional(read_number),
        )

    @property
    def name(self) -> str:
        """The region as the service reads it."""
        return format_region(self.region)


@dataclass(frozen=True)
class Candidates:
    """The regions to choose from and the rules, as `gridtide.planning.CandidateRegions`.

    In `regions` a region stands for a candidate without more to say.

    Raises:
        BadInput: no region, or one twice.
        TooManyRegions: more than 500.
    """

    regions: Annotated[
        Sequence[Candidate | Region],
        Field("regions; of equal ones the first wins", former=("places",)),
    ]
    current_region: Annotated[
        str | None,
        Field(
            "the region where the job and its data are now",
            former=("home",),
        ),
    ] = None
    allowed: Annotated[frozenset[str] | None, Field("regions that may be used")] = None
    residency: Annotated[frozenset[str] | None, Field("jurisdictions that may be used")] = None
    max_latency_ms: Annotated[
        float | None, Field("longest round trip from latency_from", unit="ms")
    ] = None
    latency_from: Annotated[str | None, Field("a region; left out: the current region")] = None
    latency_ms: Annotated[
        Mapping[str, float],
        Field("round trips by region; else the least that light in fibre allows", unit="ms"),
    ] = field(default_factory=dict)
    data_gb: Annotated[
        float,
        Field(
            "data to move when the job leaves its current region, and at each move", unit="GB"
        ),
    ] = 0.0
    kwh_per_gb: Annotated[
        float | None, Field("energy of moving a gigabyte, half at either end", unit="kWh")
    ] = None
    moves: Annotated[Moves, Field("one, or follow the cleanest region; left out: one")] = (
        Moves.ONE
    )

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
        settle(
            self,
            regions=listed(_candidate),
            current_region=optional(read_text),
            allowed=optional(names_of),
            residency=optional(names_of),
            max_latency_ms=optional(read_number),
            latency_from=optional(read_text),
            latency_ms=numbers_of,
            data_gb=read_number,
            kwh_per_gb=optional(read_number),
            moves=word_of(Moves),
        )
        names = [each.name for each in self.candidates]
        if not names:
            raise BadInput("there is no region to choose from; name at least one")
        if len(names) > MOST_REGIONS:
            raise TooManyRegions(
                f"{len(names)} regions in one question; at most {MOST_REGIONS}: ask in parts "
                "and compare the best of each"
            )
        if len(set(names)) < len(names):
            raise BadInput(f"a region is named twice: {', '.join(names)}; name each once")

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Its `regions`."""
        return tuple(each for each in self.regions if isinstance(each, Candidate))


Where = Region | Candidate | Candidates | Iterable[Region | Candidate]
"""A region, several, or several with rules."""


def as_candidates(where: object) -> Candidates:
    """What may be given as a place: a region, several, or `Candidates`.

    Raises:
        BadInput: none of these, or no region.
    """
    if isinstance(where, Candidates):
        return where
    if isinstance(where, str | Candidate) or _is_place(where):
        where = [where]
    if not isinstance(where, Iterable):
        raise BadInput(
            f"{shown(where)} is no region; name one such as DE, several, or give Candidates"
        )
    return Candidates(tuple(where))


PLACE = define_shape(
    Candidate, {"region": Form(TEXT.read, TEXT.schema, lambda region: format_region(region))}
)


def _write_candidate(candidate: Candidate) -> object:
    wire = PLACE.write(candidate)
    return wire["region"] if set(wire) == {"region"} else wire


_READ_CANDIDATE: Form[Candidate] = either(
    (
        lambda value: isinstance(value, str),
        Form(lambda value, where: Candidate(TEXT.read(value, where)), TEXT.schema),
    ),
    (lambda value: isinstance(value, Mapping), PLACE.form),
    what="a region, or an object with region and pue",
)
PLACE_OR_REGION = Form(_READ_CANDIDATE.read, _READ_CANDIDATE.schema, _write_candidate)
_NAMES = list_of(TEXT, MOST_REGIONS)
_SET = Form(_NAMES.read, _NAMES.schema, sorted)
PLACES = define_shape(
    Candidates, {"regions": list_of(PLACE_OR_REGION), "allowed": _SET, "residency": _SET}
)
SHAPES = (PLACES, PLACE)


def _candidate(value: object, name: str) -> Candidate:
    return value if isinstance(value, Candidate) else Candidate(value)  # type: ignore[arg-type]  # it refuses


def _is_place(where: object) -> bool:
    return (
        isinstance(where, tuple)
        and len(where) == 2
        and all(isinstance(each, Real) for each in where)
    )
