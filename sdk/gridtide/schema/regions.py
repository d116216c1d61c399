"""The regions a job may run in, asked of a service that knows their forecasts, as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

from gridtide.errors import BadInput, TooManyRegions
from gridtide.model import MOST_REGIONS, Region, format_region
from gridtide.planning.problem.regions import Moves, names_of, numbers_of
from gridtide.schema.decoding import Member, Shape
from gridtide.schema.forms import NUMBER, TEXT, Form, by_name, either, list_of, one_of
from gridtide.values import listed, optional, read_number, read_text, settle, shown, word_of

Json = dict[str, Any]


@dataclass(frozen=True)
class Candidate:
    """One region a job may run in; a `gridtide.planning.Place` without its forecast.

    Attributes:
        jurisdiction: left out, the country of its zone.
        latitude, longitude: left out, those of the cloud region or of the zone.
    """

    region: Region
    pue: float = 1.0
    intensity: float | None = None
    jurisdiction: str | None = None
    latitude: float | None = None
    longitude: float | None = None

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
    """The regions to choose from and the rules, as `gridtide.planning.problem.regions.Places`.

    In `places` a region stands for a candidate without more to say.

    Raises:
        BadInput: no region, or one twice.
        TooManyRegions: more than 500.
    """

    places: Sequence[Candidate | Region]
    home: str | None = None
    allowed: frozenset[str] | None = None
    residency: frozenset[str] | None = None
    max_latency_ms: float | None = None
    latency_from: str | None = None
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    data_gb: float = 0.0
    kwh_per_gb: float | None = None
    moves: Moves = Moves.ONE

    if TYPE_CHECKING:  # what may be given, each read as the type of its field

        def __init__(
            self,
            places: Iterable[Candidate | Region],
            home: str | None = None,
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
            places=listed(_candidate),
            home=optional(read_text),
            allowed=optional(names_of),
            residency=optional(names_of),
            max_latency_ms=optional(read_number),
            latency_from=optional(read_text),
            latency_ms=numbers_of,
            data_gb=read_number,
            kwh_per_gb=optional(read_number),
            moves=word_of(Moves),
        )
        names = [place.name for place in self.candidates]
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
        """Its `places`."""
        return tuple(place for place in self.places if isinstance(place, Candidate))


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


PLACE: Shape[Candidate] = Shape(
    "Place",
    "One region a job may run in.",
    {
        "region": Member(TEXT, "zone key, cloud region or lat,lon", required=True),
        "pue": Member(NUMBER, "energy drawn per energy of the job; left out: 1"),
        "intensity": Member(NUMBER, "its own value in place of the grid's"),
        "jurisdiction": Member(TEXT, "for residency; left out: the country of its zone"),
        "latitude": Member(NUMBER, "degrees; left out: of the cloud region or zone"),
        "longitude": Member(NUMBER, "degrees; left out: of the cloud region or zone"),
    },
    Candidate,
)
PLACE_OR_REGION: Form[Candidate] = either(
    (
        lambda value: isinstance(value, str),
        Form(lambda value, where: Candidate(TEXT.read(value, where)), TEXT.schema),
    ),
    (lambda value: isinstance(value, Mapping), PLACE.form),
    what="a region, or an object with region and pue",
)
PLACES: Shape[Candidates] = Shape(
    "Places",
    "The regions to choose from, and the rules for choosing.",
    {
        "places": Member(
            list_of(PLACE_OR_REGION), "regions; of equal ones the first wins", required=True
        ),
        "home": Member(TEXT, "the region where the job and its data are now"),
        "allowed": Member(list_of(TEXT, MOST_REGIONS), "regions that may be used"),
        "residency": Member(list_of(TEXT, MOST_REGIONS), "jurisdictions that may be used"),
        "max_latency_ms": Member(NUMBER, "longest round trip from latency_from"),
        "latency_from": Member(TEXT, "a region; left out: home"),
        "latency_ms": Member(
            by_name(NUMBER), "round trips by region; else the least that light in fibre allows"
        ),
        "data_gb": Member(NUMBER, "data to move when the job leaves home, and at each move"),
        "kwh_per_gb": Member(NUMBER, "energy of moving a gigabyte, half at either end"),
        "moves": Member(one_of(Moves), "one, or follow the cleanest place; left out: one"),
    },
    Candidates,
)
SHAPES = (PLACES, PLACE)


def candidates_to_json(candidates: Candidates) -> Json:
    """The JSON object of candidates; what is as by default is left out."""
    wire: Json = {"places": [place_to_json(place) for place in candidates.candidates]}
    for each in fields(Candidates):
        value = getattr(candidates, each.name)
        if each.name == "places" or value is None or value == each.default or value == {}:
            continue
        if isinstance(value, frozenset):
            wire[each.name] = sorted(value)
        else:
            wire[each.name] = dict(value) if isinstance(value, Mapping) else value
    if candidates.moves is not Moves.ONE:
        wire["moves"] = candidates.moves.value
    return wire


def place_to_json(place: Candidate) -> Json:
    """The JSON object of one candidate; what is as by default is left out."""
    wire: Json = {"region": place.name}
    for each in fields(Candidate):
        value = getattr(place, each.name)
        if each.name != "region" and value != each.default:
            wire[each.name] = value
    return wire


def _candidate(value: object, name: str) -> Candidate:
    return value if isinstance(value, Candidate) else Candidate(value)  # type: ignore[arg-type]  # it refuses


def _is_place(where: object) -> bool:
    return (
        isinstance(where, tuple)
        and len(where) == 2
        and all(isinstance(each, Real) for each in where)
    )
