"""What each zone has, and what a user must set for it: the sources by zone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gridtide_pipelines.ingest.source import Kind, Source
from gridtide_pipelines.ingest.sources import sources
from gridtide_store.catalogue import trusted
from gridtide_store.estimates import estimated_zones
from gridtide_store.trust import order_by_trust

NOTHING: Final = "nothing"
ALLOW: Final = "GRIDTIDE_ALLOW_RESTRICTED=1"
# New Brunswick's operator publishes load and flows; no publisher has its mix.
WITHOUT_MIX: Final = frozenset({"CA-NB", *estimated_zones()})
# What an estimated zone needs for the flows that its estimate is made from: those of British
# Columbia are in Statistics Canada's data, as is the load.
ESTIMATED: Final = {
    "CA-BC": (ALLOW,),
    "CA-MB": ("EIA_API_KEY",),
    "CA-NL": (ALLOW,),
}


def sources_of(zone: str) -> tuple[Source, ...]:
    """Return the sources that report on a zone, most trusted first, without weather."""
    known = {
        name: source
        for name, source in sources().items()
        if zone in source.zones and not source.simulated and Kind.WEATHER not in source.kinds
    }
    return tuple(known[name] for name in order_by_trust(known, trusted(zone)))


def needs_of(source: Source) -> tuple[str, ...]:
    """Return the variables without which a source is off; empty where it needs none."""
    needed = source.credentials
    keys = needed.variables if needed and not needed.optional else ()
    return (*keys, *([ALLOW] if source.restricted else []))


def has_intensity(source: Source, zone: str) -> bool:
    """Say whether a refresh has intensities of a zone from a source: its mix, or their own."""
    return (
        bool({Kind.GENERATION, Kind.INTENSITY} & source.kinds)
        and not source.bulk
        and zone not in WITHOUT_MIX
    )


def live_with(zone: str) -> tuple[str, ...] | None:
    """Return the fewest variables with which a refresh has intensities of a zone.

    Empty where none is needed; None where no publisher has what they are derived from.
    """
    if zone in ESTIMATED:
        return ESTIMATED[zone]
    ways = [needs_of(each) for each in sources_of(zone) if has_intensity(each, zone)]
    # A restricted source is the last resort: whether it may be used is the user's to judge.
    return min(ways, key=lambda way: (ALLOW in way, len(way)), default=None)


def signals_of(zone: str) -> tuple[str, ...]:
    """Return the kinds that the sources of a zone have, and whether its mix is estimated."""
    kinds = {str(kind) for source in sources_of(zone) for kind in source.kinds}
    if zone in WITHOUT_MIX:
        kinds -= {str(Kind.GENERATION)}
        kinds |= {str(Kind.LOAD)} if sources_of(zone) else set()
    return (*sorted(kinds), *(["estimate"] if zone in ESTIMATED else []))


def format_zone_needs(zone: str) -> str:
    """Return what is needed for intensities of a zone, in words."""
    needs = live_with(zone)
    if needs is None:
        return "a publisher of its mix" if sources_of(zone) else "a publisher"
    return format_needs(needs)


def format_needs(needs: Sequence[str]) -> str:
    """Return what must be set, in words."""
    return " and ".join(needs) or NOTHING


def about_zone(zone: str) -> dict[str, object]:
    """Return what a zone needs and has, as ``gridtide sources --zone --json`` shows it."""
    needs = live_with(zone)
    return {
        "zone": zone,
        "needs": None if needs is None else list(needs),
        "signals": list(signals_of(zone)),
        "sources": [
            {"source": each.name, "needs": list(needs_of(each)), "kinds": sorted(each.kinds)}
            for each in sources_of(zone)
        ],
    }
