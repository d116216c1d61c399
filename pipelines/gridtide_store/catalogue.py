"""The catalogue: zones, cloud regions and the names by which people know them."""

from __future__ import annotations

import csv
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from gridtide.errors import BadInput

# Spaces, hyphens and dashes of all kinds, and what code lists put between the parts of a code.
SEPARATORS = re.compile(r"[\s\-\u2010-\u2015_/|]+")
# Letters that Unicode does not take apart into a base letter and an accent.
PLAIN = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "ß": "ss", "æ": "ae", "\u2019": "'"})
# Without separators, shorter names would be taken for each other: NO-1 is not a country code.
LEAST_JOINED = 4

FOLDER = Path(__file__).with_name("catalogue")

# "Within 30 km of a listed cloud site" is the public rule for coordinates; cloud_regions.toml
# says where less is certain.
CERTAIN_KM = 30.0


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name means.

    Attributes:
        zones: keys of ours, the most likely first; empty where gridtide does not cover it.
        certain: it denotes exactly the one zone there is in `zones`.
        text: in words, ``the United Kingdom``; empty when certain.
    """

    zones: tuple[str, ...]
    certain: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """Meanings by folded name, and by that name without separators."""

    folded: Mapping[str, Meaning]
    joined: Mapping[str, Meaning]

    def find(self, text: str) -> Meaning | None:
        """Return what `text` means as a name; None when the name is unknown.

        ``US-PJM`` and ``AUS-NSW``, a country and a zone in it, are read as such.
        """
        name = fold(text)
        country, _, rest = name.partition("-")
        return self._whole(name) or (self._within(country, rest) if rest else None)

    def country(self, text: str) -> Meaning | None:
        """Return what the part of `text` before its first separator means as a name."""
        first, _, rest = fold(text).partition("-")
        return self.folded.get(first) if rest else None

    def _whole(self, name: str) -> Meaning | None:
        joined = name.replace("-", "")
        found = self.folded.get(name)
        if found is None and len(joined) >= LEAST_JOINED:
            found = self.joined.get(joined)
        return found

    def _within(self, country: str, rest: str) -> Meaning | None:
        """Return zone `rest` in a country: its key without the country's code, or its alias."""
        of = self.folded.get(country)
        if of is None or not of.zones:
            return of  # a part of a country that is not covered is not covered either
        code = of.zones[0]
        meant = self._whole(f"{code.casefold()}-{rest}") or self._whole(rest)
        if meant is None or not meant.zones or meant.zones[0].split("-")[0] != code:
            return None
        return meant


def fold(text: str) -> str:
    """Return `text` without letter case, accents and full stops, separators as hyphens."""
    plain = unicodedata.normalize("NFKD", text.strip()).casefold().translate(PLAIN)
    bare = "".join(each for each in plain if not unicodedata.combining(each))
    kept = bare.replace(".", "").replace("'", "").replace("&", "and")
    return SEPARATORS.sub("-", kept)


def read_names(path: Path, own: Mapping[str, Iterable[str]]) -> Names:
    """Read the meanings in a table, beside the zones' `own` names, which come first.

    Raises:
        BadInput: not TOML, an unknown zone, or a name that denotes two zones.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{path.name} is not TOML: {error}") from error
    entries = list(_entries(table))
    if unknown := sorted({z for _, meaning in entries for z in meaning.zones} - set(own)):
        raise BadInput(f"{path.name}: no zone has the key {', '.join(unknown)}")
    keys = [
        (name, Meaning((key,), certain=True)) for key, names in own.items() for name in names
    ]
    first: dict[str, Meaning] = {}
    for name, meaning in keys:
        first.setdefault(fold(name), meaning)
    later: dict[str, Meaning] = {}
    for name, meaning in entries:
        folded = fold(name)
        if folded not in first:
            later[folded] = _both(name, later.get(folded), meaning)
    folded_names = first | later
    joined: dict[str, Meaning] = {}
    for name, meaning in folded_names.items():
        together = name.replace("-", "")
        before = joined.get(together)
        joined[together] = meaning if before in (None, meaning) else _either(before, meaning)
    return Names(folded_names, joined)


def _entries(table: Mapping[str, Any]) -> Iterable[tuple[str, Meaning]]:
    for key, names in table["zone"].items():
        yield from ((name, Meaning((key,), certain=True)) for name in names)
    for each in table["several"]:
        meaning = Meaning(tuple(each["zones"]), text=each["means"])
        yield from ((name, meaning) for name in each["names"])
    for code, each in table["elsewhere"].items():
        meaning = Meaning((), text=each["name"])
        yield from ((name, meaning) for name in (code, each["name"], *each["names"]))


def _both(name: str, before: Meaning | None, meaning: Meaning) -> Meaning:
    """Add a further meaning to a name; a certain meaning must agree with all others."""
    if before is None or before == meaning:
        return meaning
    if before.certain or meaning.certain:
        raise BadInput(f"{name!r} denotes a zone and something else as well; keep one of them")
    return _either(before, meaning)


def _either(before: Meaning, meaning: Meaning) -> Meaning:
    zones = tuple(dict.fromkeys(before.zones + meaning.zones))
    texts = dict.fromkeys(text for text in (before.text, meaning.text) if text)
    return Meaning(zones, text=" or ".join(texts))


def read_table(name: str) -> list[dict[str, str]]:
    """Return the rows of a CSV table that ships with the catalogue, by column."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


class ZoneKind(StrEnum):
    """What a zone key stands for."""

    ZONE = "zone"
    AGGREGATE = "aggregate"
    RETIRED = "merged_or_retired"


@dataclass(frozen=True, slots=True)
class ZoneRecord:
    """One bidding zone or balancing area; zones.toml says what each field means."""

    key: str
    name: str
    country: str
    timezone: str
    lat: float
    lon: float
    kind: ZoneKind = ZoneKind.ZONE
    aliases: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    eia: str | None = None


@dataclass(frozen=True, slots=True)
class CloudRegion:
    """One region of a cloud provider; its `zone` need not be one gridtide covers."""

    key: str
    name: str
    zone: str
    lat: float
    lon: float
    certain_km: float = CERTAIN_KM


@dataclass(frozen=True)
class Catalogue:
    """Zones by key and cloud regions by ``provider:region``, both in the tables' order."""

    zones: Mapping[str, ZoneRecord]
    cloud_regions: Mapping[str, CloudRegion]
    names: Names

    @cached_property
    def keys(self) -> Mapping[str, str]:
        """Map each case-folded zone key to the key as it is written."""
        return {key.casefold(): key for key in self.zones}

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """Map each case-folded alias to the zone's key."""
        return {
            alias.casefold(): zone.key for zone in self.zones.values() for alias in zone.aliases
        }

    def find(self, name: str) -> ZoneRecord | None:
        """Return the zone with this key, alias or certain name, in any case.

        None without one.
        """
        folded = name.strip().casefold()
        key = self.keys.get(folded) or self.aliases.get(folded)
        if key is None and (meaning := self.names.find(name)) and meaning.certain:
            key = meaning.zones[0]
        return self.zones[key] if key else None


@cache
def load() -> Catalogue:
    """Return the catalogue of this release; it is read once per process (about 20 ms)."""
    return read(FOLDER / "zones.toml", FOLDER / "cloud_regions.toml", FOLDER / "names.toml")


def read(zones: Path, cloud_regions: Path, names: Path) -> Catalogue:
    """Read the catalogue from these three tables.

    Raises:
        BadInput: a name that means two zones, or a field that is missing or unknown.
    """
    records = {key: _zone(key, fields) for key, fields in _table(zones).items()}
    taken = [n.casefold() for z in records.values() for n in (z.key, *z.aliases)]
    if len(taken) != len(set(taken)):
        twice = sorted({name for name in taken if taken.count(name) > 1})
        raise BadInput(f"{zones.name}: {', '.join(twice)} names two zones; keep one of them")
    return Catalogue(
        zones=records,
        cloud_regions={
            f"{provider}:{region}": _cloud_region(f"{provider}:{region}", fields)
            for provider, regions in _table(cloud_regions).items()
            for region, fields in regions.items()
        },
        names=read_names(names, {key: _own_names(zone) for key, zone in records.items()}),
    )


def _table(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{path.name} is not TOML: {error}") from error


def _zone(key: str, fields: dict[str, Any]) -> ZoneRecord:
    try:
        return ZoneRecord(
            key=key,
            **fields
            | {
                "kind": ZoneKind(fields.get("kind", ZoneKind.ZONE)),
                "aliases": tuple(fields.get("aliases", ())),
                "sources": tuple(fields.get("sources", ())),
            },
        )
    except (TypeError, ValueError) as error:
        raise BadInput(f"zone {key}: {error}") from error


def _own_names(zone: ZoneRecord) -> tuple[str, ...]:
    # The English name of a country is certain; those of parts (Grant County, Victoria) are not.
    whole = (zone.name,) if zone.key == zone.country else ()
    return (zone.key, *zone.aliases, *whole)


def _cloud_region(key: str, fields: dict[str, Any]) -> CloudRegion:
    try:
        return CloudRegion(key=key, **fields)
    except TypeError as error:
        raise BadInput(f"cloud region {key}: {error}") from error
