"""Resolve what a user passes as a region to a zone, or raise an error with candidates."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from gridtide.errors import BadInput, UnknownRegion
from gridtide_store import catalogue, coordinates
from gridtide_store.catalogue import ZoneRecord
from gridtide_store.names import Certainty, Meaning
from gridtide_store.postcodes import as_outward_code, zone_of_postcode

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)

# No name we know is longer; the rest of a longer text is neither searched nor repeated.
LONGEST = 80
# How many regions an error lists that are only spelled like the requested one.
LISTED = 5


class How(StrEnum):
    """By what a region was resolved; part of every response."""

    ZONE_KEY = "zone key"
    ALIAS = "alias"
    CLOUD_REGION = "cloud region"
    POSTCODE = "postcode"
    OUTLINE = "country outline"
    STATES = "outline of states"
    CITY = "listed city"
    SITE = "cloud site within 30 km"


@dataclass(frozen=True, slots=True)
class Resolution:
    """The zone that a region was resolved to, by what, and how certainly.

    Attributes:
        meaning: what the region is, in words, where it is not the zone itself.
    """

    region: str
    zone: str
    zone_name: str
    how: How
    certainty: Certainty = Certainty.EXACT
    meaning: str | None = None


def resolve(region: str) -> Resolution:
    """Return the zone that `region` means.

    Args:
        region: in any case a zone key (``DE``), another name of a zone or of what lies in one
            (``CISO``, ``Germany``, ``AUT``, ``IT_NORD``, ``10YPL-AREA-----S``, ``Wales``,
            ``Seattle``), a zone of your own (``x-campus``), a cloud region
            (``aws:us-east-1``) or a British postcode (``SW1A 1AA``); or coordinates in degrees,
            ``lat,lon`` (``52.5,13.4``).

    Raises:
        UnknownRegion: none of these, or coordinates whose zone is not certain;
            ``extra["nearest"]`` lists what could be passed instead.
        BadInput: empty, or coordinates off the globe.
    """
    text = region.strip()
    if not text:
        raise BadInput(
            "the region is empty; pass a zone (DE), a cloud region (aws:us-east-1) "
            "or a place (52.52,13.40)"
        )
    if (pair := _coordinates(text)) is not None:
        return _resolve_coordinates(text, *pair)
    if key := catalogue.own_zone(text):
        return Resolution(text, key, key, How.ZONE_KEY)
    known, name = catalogue.load(), text.casefold()
    if key := known.keys.get(name):
        return Resolution(text, key, known.zones[key].name, How.ZONE_KEY)
    if key := known.aliases.get(name):
        return Resolution(text, key, known.zones[key].name, How.ALIAS)
    if site := known.cloud_regions.get(name):
        zone = coordinates.covered_zone(site)
        return Resolution(
            text, zone.key, zone.name, How.CLOUD_REGION, Certainty.INSIDE, site.name
        )
    meaning = known.names.find(text) if len(text) <= LONGEST else None
    if meaning is None and (found := as_outward_code(text)):
        raise _ambiguous(text, *found)
    if meaning is not None and meaning.certainty:
        zone = known.zones[meaning.zones[0]]
        return Resolution(
            text, zone.key, zone.name, How.ALIAS, meaning.certainty, meaning.text or None
        )
    if meaning is None and (key := zone_of_postcode(text)):
        return Resolution(
            text, key, known.zones[key].name, How.POSTCODE, Certainty.INSIDE, "a postcode"
        )
    raise _unknown(text)


def resolve_zone(name: str) -> str:
    """Return the key of the zone with this key, alias or other name that is exactly its own.

    Case does not matter. It may be a zone of your own (``x-campus``).

    Raises:
        UnknownRegion: none, or not exactly one; ``extra["nearest"]`` lists those meant.
    """
    if own := catalogue.own_zone(name):
        return own
    if (found := catalogue.load().find(name[: LONGEST + 1])) is None:
        raise _unknown(name.strip())
    return found.key


def split_regions(values: Sequence[str]) -> list[str]:
    """Return the regions in `values`, each of which may be a list with commas.

    Two numbers in a row are coordinates: ``DE,52.5,13.4,FR`` is DE, 52.5,13.4 and FR.

    Raises:
        BadInput: a list with an empty item.
    """
    regions: list[str] = []
    for value in values:
        parts = [part.strip() for part in value.split(",")]
        if "" in parts:
            raise BadInput(f"{_short(value)!r} has an empty region; write them as DE,FR,SE")
        i = 0
        while i < len(parts):
            pair = parts[i : i + 2]
            take = 2 if len(pair) == 2 and all(map(NUMBER.fullmatch, pair)) else 1
            regions.append(",".join(pair[:take]))
            i += take
    return regions


def _resolve_coordinates(text: str, lat: float, lon: float) -> Resolution:
    if found := _zone_at(lat, lon):
        zone, how = found
        return Resolution(text, zone.key, zone.name, how, Certainty.INSIDE)
    meant = _zone_at(lon, lat) if abs(lon) <= 90 else None
    raise coordinates.uncertain(
        text,
        lat,
        lon,
        hint=f"; did you mean {lon:g},{lat:g} ({meant[0].name})?" if meant else "",
    )


def _zone_at(lat: float, lon: float) -> tuple[ZoneRecord, How] | None:
    if zone := coordinates.by_outline(lat, lon):
        return zone, How.OUTLINE
    if zone := coordinates.by_city(lat, lon):
        return zone, How.CITY
    if zone := coordinates.by_states(lat, lon):
        return zone, How.STATES
    if zone := coordinates.by_site(lat, lon):
        return zone, How.SITE
    return None


def _coordinates(text: str) -> tuple[float, float] | None:
    """Return latitude and longitude when `text` is numbers; None when it is a name."""
    parts = [part.strip() for part in text.split(",")]
    if not all(map(NUMBER.fullmatch, parts)):
        return None
    if len(parts) != 2:
        raise BadInput(
            f"{_short(text)!r} is not a place; write latitude and longitude as 52.52,13.40"
        )
    lat, lon = float(parts[0]), float(parts[1])
    if not -90 <= lat <= 90:
        swapped = abs(lon) <= 90 and abs(lat) <= 180
        hint = f"; it comes first, did you mean {parts[1]},{parts[0]}?" if swapped else ""
        raise BadInput(f"{_short(text)}: the latitude is not within -90 to 90{hint}")
    if not -180 <= lon <= 180:
        around = f"; did you mean {math.remainder(lon, 360):g}?" if abs(lon) <= 360 else ""
        raise BadInput(f"{_short(text)}: the longitude is not within -180 to 180{around}")
    return lat, lon


def _ambiguous(text: str, zone: str, country: str) -> UnknownRegion:
    """Return the error for an outward code that begins with the code of a country."""
    known = catalogue.load()
    meant = known.names.find(country)
    keys = [zone, *(meant.zones if meant else ())]
    return UnknownRegion(
        f"Unknown region {text!r}: it is a British outward postcode, and {country} is also the "
        "code of a country. Give the full postcode, as in SE5 8AA, or a zone: "
        + ", ".join(f"{key} ({known.zones[key].name})" for key in keys),
        nearest=[{"region": key, "zone": key, "name": known.zones[key].name} for key in keys],
    )


def _unknown(text: str) -> UnknownRegion:
    meaning = _site_elsewhere(text) or catalogue.load().names.find(text[:LONGEST])
    near = _meant(text, meaning) if meaning else _alike(text[:LONGEST])
    names = [f"{n['region']} ({n['name']})" for n in near]
    said = f"Unknown region {_short(text)!r}"
    if meaning and not meaning.zones:
        said += f": {meaning.text}, which gridtide does not cover"
    elif meaning:
        said += f": it means {meaning.text}, not exactly one zone"
    last = " or ".join(names[-2:])
    hint = f" Did you mean {', '.join([*names[:-2], last])}?" if names else ""
    return UnknownRegion(
        f"{said}.{hint} `gridtide zones --all` lists every zone; a place is written lat,lon",
        nearest=near,
    )


def _site_elsewhere(text: str) -> Meaning | None:
    """Return a cloud region without its provider, if all of that name are not covered.

    ``me-south-1`` is Bahrain and no part of Montenegro (ME).
    """
    known = catalogue.load()
    name = text.casefold()
    of = [site for key, site in known.cloud_regions.items() if key.partition(":")[2] == name]
    if not of or any(site.zone in known.zones for site in of):
        return None
    return Meaning((), text=" or ".join(f"{site.key} ({site.name})" for site in of))


def _meant(text: str, meaning: Meaning) -> list[dict[str, object]]:
    """Return the zones that a name means, then those that are called exactly like it."""
    zones = catalogue.load().zones
    meant: list[dict[str, object]] = [
        {"region": key, "zone": key, "name": zones[key].name} for key in meaning.zones
    ]
    same: list[dict[str, object]] = [dict(each) for each in _names().get(text.casefold(), [])]
    return [*meant, *(each for each in same if each not in meant)]


def _alike(text: str) -> list[dict[str, object]]:
    """Return up to `LISTED` regions that are meant or spelled like `text`.

    A part of a market (``CAISO_NORTH``) or of a country (``FR-BRE``) is that market's or that
    country's: what is only spelled alike elsewhere comes after it.
    """
    of = catalogue.load().names.country(text)
    spelled = _spelled_alike(text)
    if of is None:
        return spelled
    market = all("-" in key for key in of.zones)
    countries = {key.partition("-")[0] for key in of.zones}
    inside = [each for each in spelled if str(each["zone"]).partition("-")[0] in countries]
    first = [*([] if market else inside), *_meant("", of), *spelled]
    return [each for i, each in enumerate(first) if each not in first[:i]][:LISTED]


def _spelled_alike(text: str) -> list[dict[str, object]]:
    """Return up to five regions spelled like `text`: exact, then parts, then look-alikes."""
    word = text.casefold()
    names = _names()
    like = [name for name in names if len(word) >= 3 and word in name]
    like.sort(key=lambda name: (name != word, len(name)))
    like += difflib.get_close_matches(word, names, n=8, cutoff=0.7)
    found = {region["region"]: region for name in like for region in names[name]}
    return [dict(region) for region in list(found.values())[:LISTED]]


@cache
def _names() -> dict[str, list[dict[str, str]]]:
    """Map every case-folded name of a region to what could be passed for it."""
    known = catalogue.load()
    names: dict[str, list[dict[str, str]]] = {}
    for zone in known.zones.values():
        for name in {zone.key, zone.name, *zone.aliases}:
            entry = {"region": zone.key, "zone": zone.key, "name": zone.name}
            names.setdefault(name.casefold(), []).append(entry)
    for city in known.cities:
        for name in {city.key, city.name}:
            entry = {"region": city.key, "zone": city.zone, "name": known.zones[city.zone].name}
            names.setdefault(name.casefold(), []).append(entry)
    for site in known.cloud_regions.values():
        if site.zone in known.zones:
            for name in {site.key, site.key.split(":")[1], site.name}:
                entry = {"region": site.key, "zone": site.zone, "name": site.name}
                names.setdefault(name.casefold(), []).append(entry)
    return names


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
