"""Regions of a request, resolved to zones. No clock, no HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from gridtide.errors import BadInput, NoData, TooManyRegions, UnknownRegion
from gridtide.model import MOST_REGIONS
from gridtide_store import catalogue
from gridtide_store.catalogue import ZoneKind
from gridtide_store.coordinates import list_zones, nearest
from gridtide_store.estimates import estimated_zones
from gridtide_store.regions import Resolution, resolve, split_regions

# The search for the neighbours of an unknown region takes 5 ms, so a long list of unknown
# regions must not keep the server busy.
MOST_UNKNOWN = 20


class Location(TypedDict):
    """The fields of a response that say which zone it is about."""

    region: str
    zone: str
    zone_name: str
    resolved_by: str
    certainty: Literal["exact", "inside", "mostly"]
    meaning: str | None


def location_of(region: Resolution) -> Location:
    """Return the fields of a response that say which zone it is about."""
    return {
        "region": region.region,
        "zone": region.zone,
        "zone_name": region.zone_name,
        "resolved_by": region.how.value,
        "certainty": region.certainty.value,
        "meaning": region.meaning,
    }


def without_publisher(region: Resolution) -> NoData | None:
    """Return the error for a zone that no publisher reports on; None for any other zone."""
    if catalogue.own_zone(region.zone):
        return NoData(
            f"{region.zone} is a zone of your own, and nothing is imported for it: `gridtide "
            f"import FILE --zone {region.zone}`, then `gridtide publish`; check its name"
        )
    zone = catalogue.load().zones[region.zone]
    if record := estimated_zones().get(zone.key):
        return NoData(
            f"{zone.key} ({zone.name}) publishes no mix; it is estimated from its flows with "
            f"{' and '.join(record.neighbours)}, which must be known: `gridtide sources` says "
            "what their publishers need, then `gridtide refresh`",
            nearest=nearest(zone.lat, zone.lon, published=True),
        )
    if zone.sources or zone.kind is ZoneKind.AGGREGATE:
        return None
    near = nearest(zone.lat, zone.lon, published=True)
    return NoData(
        f"{zone.key} ({zone.name}) has no publisher that gridtide reads; `gridtide "
        f"import` takes values of your own. The nearest zones with one: {list_zones(near)}",
        nearest=near,
    )


def resolve_region(text: str) -> Resolution:
    """Resolve a text that must be one region.

    Raises:
        BadInput: it lists several regions.
        UnknownRegion: it resolves to no zone.
    """
    names = split_regions([text])
    if len(names) > 1:
        raise BadInput(
            f"one region is expected here, not {len(names)} ({', '.join(names[:5])}"
            f"{', …' if len(names) > 5 else ''}); /v1/best-region compares several"
        )
    return resolve(names[0])


def resolve_regions(texts: Sequence[str]) -> list[Resolution]:
    """Resolve regions in their order, each once; a text may list several with commas.

    Raises:
        TooManyRegions: more than `MOST_REGIONS`; none has been resolved then.
        UnknownRegion: one or more resolve to no zone; the message has them all, or the first
            `MOST_UNKNOWN`.
    """
    names = split_regions(texts)
    if len(names) > MOST_REGIONS:
        raise TooManyRegions(
            f"{len(names)} regions in one question; at most {MOST_REGIONS}: ask in parts and "
            "compare the best of each, or name the zones that matter"
        )
    resolved: list[Resolution] = []
    unknown: dict[str, UnknownRegion] = {}
    for name in dict.fromkeys(names):
        try:
            resolved.append(resolve(name))
        except UnknownRegion as error:
            unknown[name] = error
        if len(unknown) == MOST_UNKNOWN:
            break
    if unknown:
        raise _combine(unknown, searched=len(resolved) + len(unknown))
    return resolved


def _combine(unknown: Mapping[str, UnknownRegion], *, searched: int) -> UnknownRegion:
    """Return one error for all unknown regions."""
    if len(unknown) == 1:
        return next(iter(unknown.values()))
    stopped = ", where the search stopped" if len(unknown) == MOST_UNKNOWN else ""
    return UnknownRegion(
        f"{len(unknown)} of the first {searched} regions are unknown{stopped}: "
        + "; ".join(map(str, unknown.values())),
        unknown=list(unknown),
        nearest=[near for error in unknown.values() for near in _nearest(error)],
    )


def _nearest(error: UnknownRegion) -> list[object]:
    near = error.extra.get("nearest", [])
    return near if isinstance(near, list) else []
