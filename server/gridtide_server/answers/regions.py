"""The regions of a question, resolved to zones all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gridtide.errors import BadInput, TooManyRegions, UnknownRegion
from gridtide.model import MOST_REGIONS
from gridtide_store.regions import Resolution, resolve, split_regions

# The search for neighbours of an unknown place takes 5 ms: a list of errors is no way to
# keep the server busy.
NAMED = 20


def one(value: str) -> Resolution:
    """The one region asked for.

    Raises:
        BadInput: several.
        UnknownRegion: it resolves to no zone.
    """
    regions = split_regions([value])
    if len(regions) > 1:
        raise BadInput(
            f"one region is asked at a time here, not {len(regions)} ({', '.join(regions[:5])}"
            f"{', …' if len(regions) > 5 else ''}); /v1/best-region compares several"
        )
    return resolve(regions[0])


def several(values: Sequence[str]) -> list[Resolution]:
    """The regions asked for, in order, each once.

    Raises:
        TooManyRegions: more than `MOST_REGIONS`; none has been resolved then.
        UnknownRegion: one or more resolve to no zone; the message has them all, or the first
            `NAMED`.
    """
    regions = split_regions(values)
    if len(regions) > MOST_REGIONS:
        raise TooManyRegions(
            f"{len(regions)} regions in one question; at most {MOST_REGIONS}: ask in parts and "
            "compare the best of each, or name the zones that matter"
        )
    places: list[Resolution] = []
    unknown: dict[str, UnknownRegion] = {}
    for region in dict.fromkeys(regions):
        try:
            places.append(resolve(region))
        except UnknownRegion as error:
            unknown[region] = error
        if len(unknown) == NAMED:
            break
    if unknown:
        raise _all(unknown, looked_at=len(places) + len(unknown))
    return places


def _all(unknown: Mapping[str, UnknownRegion], *, looked_at: int) -> UnknownRegion:
    if len(unknown) == 1:
        return next(iter(unknown.values()))
    stopped = ", where the search stopped" if len(unknown) == NAMED else ""
    return UnknownRegion(
        f"{len(unknown)} of the first {looked_at} regions are unknown{stopped}: "
        + "; ".join(map(str, unknown.values())),
        unknown=list(unknown),
        nearest=[near for error in unknown.values() for near in _nearest(error)],
    )


def _nearest(error: UnknownRegion) -> list[object]:
    near = error.extra.get("nearest", [])
    return near if isinstance(near, list) else []
