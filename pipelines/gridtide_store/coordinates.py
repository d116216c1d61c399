"""The zone at coordinates, where it is certain, and the nearest zones where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from gridtide.errors import UnknownRegion
from gridtide_store import catalogue, geography
from gridtide_store.catalogue import CERTAIN_KM, City, CloudRegion, ZoneKind, ZoneRecord
from gridtide_store.geography import BORDER_KM, Outline

# How many neighbours an error lists.
LISTED = 5

# Outlines of countries with several zones are this coarse.
NEAR_KM = 10.0


def by_outline(lat: float, lon: float) -> ZoneRecord | None:
    """Return zone of the one-zone country around the coordinates, unless a border is near."""
    around = _around(lat, lon)
    if around is None or _near_border(around, lat, lon):
        return None
    return _only_zones()[around.country]


def by_states(lat: float, lon: float) -> ZoneRecord | None:
    """Return the zone of the states around the coordinates, unless their border is near.

    Only of states that lie wholly in one zone: see `geography.Atlas.states`.
    """
    for key, outline in geography.load().states.items():
        if outline.contains(lat, lon) and not _near_border(outline, lat, lon):
            return catalogue.load().zones[key]
    return None


def by_city(lat: float, lon: float) -> ZoneRecord | None:
    """Return the zone of the cities that are certainly near, if they agree."""
    known = catalogue.load()
    zones = {
        city.zone
        for city in known.cities
        if geography.haversine_km(lat, lon, city.lat, city.lon) <= city.certain_km
    }
    return known.zones[zones.pop()] if len(zones) == 1 else None


def by_site(lat: float, lon: float) -> ZoneRecord | None:
    """Return the zone of the cloud sites that are certainly near, if they agree."""
    zones = {site.zone for site in _sites_near(lat, lon)}
    return catalogue.load().zones.get(zones.pop()) if len(zones) == 1 else None


def covered_zone(site: CloudRegion) -> ZoneRecord:
    """Return the zone of a cloud region.

    Raises:
        UnknownRegion: gridtide does not cover it; ``extra["nearest"]`` has zones it does.
    """
    if (zone := catalogue.load().zones.get(site.zone)) is not None:
        return zone
    near = nearest(site.lat, site.lon)
    raise UnknownRegion(
        f"{site.key} ({site.name}) is in zone {site.zone}, which gridtide does not cover; "
        f"the nearest it does: {list_zones(near)}",
        nearest=near,
    )


def uncertain(region: str, lat: float, lon: float, *, hint: str = "") -> UnknownRegion:
    """Return error for coordinates whose zone is not certain: why, and the nearest zones."""
    near = nearest(lat, lon)
    remedy = hint or "; pass a zone instead."
    return UnknownRegion(
        f"{region} {_why(lat, lon)}{remedy} Nearest: {list_zones(near)}", nearest=near
    )


def nearest(lat: float, lon: float, *, published: bool = False) -> list[dict[str, object]]:
    """Return the nearest zones, nearest first: region to pass, zone, name, distance_km.

    The distance is to the outline of a one-zone country; of other zones to the middle or to
    their nearest city or cloud site. In a country of several zones its nearest zones are always
    listed.

    Args:
        published: leave out the zones that no publisher reports on.
    """
    zones = [
        zone
        for zone in catalogue.load().zones.values()
        if zone.kind is ZoneKind.ZONE and (zone.sources or not published)
    ]
    ranked = sorted((_distance_km(zone, lat, lon), zone.key, zone) for zone in zones)
    several = _several_around(lat, lon)
    own = [entry for entry in ranked if several and entry[2].country == several][:3]
    others = [entry for entry in ranked if entry not in own]
    return [
        {
            "region": zone.key,
            "zone": zone.key,
            "name": zone.name,
            "distance_km": round(km, 1) if km < 10 else round(km),
        }
        for km, _, zone in sorted(own + others[: LISTED - len(own)])
    ]


def _why(lat: float, lon: float) -> str:
    if sites := _sites_near(lat, lon):
        named = " and ".join(f"{site.key} in {site.zone}" for site in sites)
        if len({site.zone for site in sites}) == 1:
            return f"is near {named}, a zone gridtide does not cover"
        return f"is near cloud sites of different zones ({named})"
    if _around(lat, lon):
        return f"is within {BORDER_KM:g} km of a border, where its zone is not certain"
    if several := _several_around(lat, lon):
        zones = catalogue.load().zones.values()
        count = sum(z.country == several and z.kind is ZoneKind.ZONE for z in zones)
        return (
            f"is in or near {several}, a country of {count} zones, and no cloud site within "
            f"{CERTAIN_KM:g} km{_or_city(several)} makes its zone certain"
        )
    return (
        "is in no country's outline (at sea, or where gridtide covers no zone) and no cloud "
        f"site within {CERTAIN_KM:g} km makes its zone certain"
    )


def _or_city(country: str) -> str:
    cities = catalogue.load().cities
    return (
        " and no listed city" if any(c.zone.startswith(f"{country}-") for c in cities) else ""
    )


def list_zones(near: Sequence[dict[str, object]]) -> str:
    """Return what `nearest` found, in words."""
    return ", ".join(f"{n['zone']} ({n['name']}) {n['distance_km']} km" for n in near)


def _around(lat: float, lon: float) -> Outline | None:
    outlines = geography.load().one_zone.values()
    return next((outline for outline in outlines if outline.contains(lat, lon)), None)


def _several_around(lat: float, lon: float) -> str | None:
    """Return the country of several zones in or near which the coordinates lie."""
    if _around(lat, lon):
        return None
    outlines = geography.load().several_zones.values()
    near = (
        outline.country
        for outline in outlines
        if outline.contains(lat, lon) or outline.distance_km(lat, lon, within=NEAR_KM) < NEAR_KM
    )
    return next(near, None)


def _near_border(outline: Outline, lat: float, lon: float) -> bool:
    return outline.distance_km(lat, lon, within=BORDER_KM, borders_only=True) < BORDER_KM


def _sites_near(lat: float, lon: float) -> list[CloudRegion]:
    """Return the cloud sites that are near enough to decide the zone of the coordinates.

    A site in a one-zone country decides inside its outline only (Annemasse is 6 km
    from the site in Geneva, and in France), any other only outside of all outlines.
    """
    around = _around(lat, lon)
    return [
        site
        for site in catalogue.load().cloud_regions.values()
        if geography.haversine_km(lat, lon, site.lat, site.lon) <= site.certain_km
        and _country_outline(site.zone) == (around.country if around else None)
    ]


def _country_outline(zone: str) -> str | None:
    """Return the country whose outline decides for this zone, if one does."""
    record = catalogue.load().zones.get(zone)
    return record.country if record and record.country in geography.load().one_zone else None


def _distance_km(zone: ZoneRecord, lat: float, lon: float) -> float:
    if _country_outline(zone.key):
        outline = geography.load().one_zone[zone.country]
        return 0.0 if outline.contains(lat, lon) else outline.far_km(lat, lon)
    points = [(zone.lat, zone.lon), *_sites_of(zone.key)]
    return min(geography.haversine_km(lat, lon, *point) for point in points)


@cache
def _only_zones() -> dict[str, ZoneRecord]:
    """Map each country that has an outline of its own to its zone."""
    return {
        zone.country: zone
        for zone in catalogue.load().zones.values()
        if zone.kind is ZoneKind.ZONE and _country_outline(zone.key)
    }


@cache
def _sites_of(zone: str) -> tuple[tuple[float, float], ...]:
    known = catalogue.load()
    sites: list[CloudRegion | City] = [*known.cloud_regions.values(), *known.cities]
    return tuple((site.lat, site.lon) for site in sites if site.zone == zone)
