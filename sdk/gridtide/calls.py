"""The table of calls: what each asks of which address, and how its answer is read.

Nothing is sent here. What cannot be right (a naive time, no length, no region) is refused
before it reaches a server, with the same errors the server would answer. The answers' classes
are loaded with the first answer: to make them takes as long as the rest of the SDK's import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gridtide.errors import BadInput, TooManyRegions
from gridtide.model import MOST_REGIONS, Length, Signal, When, format_time, hours_of, utc
from gridtide.values import read_flag, read_moment, read_number, read_text, shown

if TYPE_CHECKING:
    from gridtide.schema.responses import BestRegion, BestWindow, Forecast, Intensity, Zones

T_co = TypeVar("T_co", covariant=True)

Region = str | tuple[float, float]
"""A zone key, a cloud region such as ``aws:us-east-1``, or ``(lat, lon)`` in degrees."""

Json = Mapping[str, Any]

# Servers and clients take addresses up to 64 KB, in which a character may become three.
LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Call(Generic[T_co]):
    """One GET: path below the service's address, query parameters, reader of its JSON.

    With a body it is a POST, which changes nothing at the service either.
    """

    path: str
    params: tuple[tuple[str, str], ...]
    read: Callable[[Json], T_co]
    body: bytes | None = None

    @property
    def method(self) -> str:
        """The method of HTTP."""
        return "GET" if self.body is None else "POST"

    def __post_init__(self) -> None:
        length = len(self.path) + sum(len(name) + len(value) for name, value in self.params)
        if length > LONGEST:
            raise BadInput(
                f"the question is too long ({length} characters, at most {LONGEST}); "
                "name fewer regions, and ask in parts"
            )


def zones(*, every: bool) -> Call[Zones]:
    """What the service has; with `every`, all zones it knows of."""
    wanted = (("all", "true"),) if read_flag(every, "every") else ()
    return Call("/v1/zones", wanted, _read_zones)


def intensity(
    region: Region,
    *,
    start: When | date | None,
    end: When | date | None,
    signal: Signal | str | None,
    as_of: When | None,
    max_age: Length | None,
) -> Call[Intensity]:
    """Known slots of a range; without one the latest, at most `max_age` hours old.

    A date is its start, UTC.
    """
    return Call(
        f"/v1/zones/{_in_path(region)}/intensity",
        (
            *_day("start", start),
            *_day("end", end),
            *_signal(signal),
            *_time("as_of", as_of),
            *_hours("max_age", max_age),
        ),
        _read_intensity,
    )


def forecast(
    region: Region, *, signal: Signal | str | None, as_of: When | None, model: str | None
) -> Call[Forecast]:
    """The newest forecast."""
    return Call(
        f"/v1/zones/{_in_path(region)}/forecast",
        (*_signal(signal), *_time("as_of", as_of), *_text("model", model)),
        _read_forecast,
    )


def best_window(
    region: Region,
    *,
    hours: Length,
    earliest: When | None,
    deadline: When | None,
    signal: Signal | str | None,
    as_of: When | None,
) -> Call[BestWindow]:
    """The cleanest run in one region."""
    return Call(
        "/v1/best-window",
        (
            ("region", region_text(region)),
            *_run(hours, earliest, deadline),
            *_signal(signal),
            *_time("as_of", as_of),
        ),
        _read_best_window,
    )


def best_region(
    regions: Iterable[Region],
    *,
    hours: Length,
    earliest: When | None,
    deadline: When | None,
    signal: Signal | str | None,
    as_of: When | None,
) -> Call[BestRegion]:
    """The cleanest region and run, jointly."""
    if not isinstance(regions, Iterable):
        raise BadInput(f"regions is {shown(regions)}; give a list of regions such as ['DE']")
    named = [regions] if isinstance(regions, str) else list(regions)
    if not named:
        raise BadInput("there is no region to choose from; name at least one")
    if len(named) > MOST_REGIONS:
        raise TooManyRegions(
            f"{len(named)} regions in one question; at most {MOST_REGIONS}: ask in parts and "
            "compare the best of each"
        )
    return Call(
        "/v1/best-region",
        (
            *(("region", region_text(region)) for region in named),
            *_run(hours, earliest, deadline),
            *_signal(signal),
            *_time("as_of", as_of),
        ),
        _read_best_region,
    )


def region_text(region: Region) -> str:
    """`region` as the service reads it: ``lat,lon`` for a place.

    Raises:
        BadInput: an empty name, or what is neither a name nor a place on Earth.
    """
    if isinstance(region, str):
        if region.strip():
            return read_text(region.strip(), "region")
        raise BadInput("region is empty; name a zone such as DE, a cloud region, or lat,lon")
    try:
        # These unpack too, to numbers that are no degrees or are in no order.
        pair = () if isinstance(region, bytes | bytearray | Set | Mapping) else region
        lat, lon = pair
    except (TypeError, ValueError) as error:
        raise BadInput(
            f"region {shown(region)} is neither a name nor (lat, lon); name a zone such as DE, "
            "a cloud region, or a place in degrees"
        ) from error
    give = "degrees; what is not finite is no place"
    lat, lon = (
        read_number(lat, "the latitude of region", give),
        read_number(lon, "the longitude of region", give),
    )
    if not (abs(lat) <= 90 and abs(lon) <= 180):
        raise BadInput(
            f"region {shown(region)} is no place: latitude is -90 to 90 and comes first, "
            "longitude is -180 to 180"
        )
    return f"{lat!r},{lon!r}"


def _in_path(region: Region) -> str:
    from urllib.parse import quote  # slow to import, and httpx has it by now

    return quote(region_text(region), safe="")


def _time(name: str, moment: When | None) -> tuple[tuple[str, str], ...]:
    return () if moment is None else ((name, format_time(aware(name, moment))),)


def _day(name: str, moment: When | date | None) -> tuple[tuple[str, str], ...]:
    if moment is None:
        return ()
    return ((name, format_time(read_moment(moment, name, day=True))),)


def _text(name: str, value: str | None) -> tuple[tuple[str, str], ...]:
    text = "" if value is None else read_text(value, name)
    return ((name, text),) if text else ()


def aware(name: str, moment: When) -> datetime:
    """A time that was given, in UTC.

    Raises:
        BadInput: naive, or not ISO 8601.
    """
    return utc(moment, name=name)


def _signal(signal: Signal | str | None) -> tuple[tuple[str, str], ...]:
    # A newer server may know a signal that this SDK does not, so the name goes as it is.
    return () if signal is None else (("signal", read_text(signal, "signal")),)


def _hours(name: str, hours: Length | None) -> tuple[tuple[str, str], ...]:
    return () if hours is None else ((name, repr(hours_of(hours, name=name))),)


def _run(
    hours: Length, earliest: When | None, deadline: When | None
) -> tuple[tuple[str, str], ...]:
    return (
        ("hours", repr(hours_of(hours))),
        *_time("earliest", earliest),
        *_time("deadline", deadline),
    )


def _read_zones(wire: Json) -> Zones:
    from gridtide.schema.responses import Zones

    return Zones.from_json(wire)


def _read_intensity(wire: Json) -> Intensity:
    from gridtide.schema.responses import Intensity

    return Intensity.from_json(wire)


def _read_forecast(wire: Json) -> Forecast:
    from gridtide.schema.responses import Forecast

    return Forecast.from_json(wire)


def _read_best_window(wire: Json) -> BestWindow:
    from gridtide.schema.responses import BestWindow

    return BestWindow.from_json(wire)


def _read_best_region(wire: Json) -> BestRegion:
    from gridtide.schema.responses import BestRegion

    return BestRegion.from_json(wire)
