"""The catalogue: zones, cloud regions and the names by which people know them."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from gridtide.errors import BadInput
from gridtide_store.names import Certainty, Meaning, Names, read_names

FOLDER = Path(__file__).with_name("catalogue")

# "Within 30 km of a listed cloud site" is the public rule for coordinates; cloud_regions.toml
# says where less is certain.
CERTAIN_KM = 30.0


def read_table(name: str) -> list[dict[str, str]]:
    """Return the rows of a CSV table that ships with the catalogue, by column."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


# Keys of zones that are not in the catalogue: an operator's own, as of a campus or an island.
OWN = re.compile(r"x-[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_OWN = 60


def own_zone(name: str) -> str | None:
    """Return the key of the zone of your own that `name` is, in any case; None if it is none.

    Such a zone has the data that was imported for it, no country and no coordinates, and its
    local time is UTC.
    """
    key = name.strip().lower()
    return key if len(key) <= LONGEST_OWN and OWN.fullmatch(key) else None


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
    members: tuple[str, ...] = ()
    eia: str | None = None
    began: date | None = None
    ended: date | None = None


@dataclass(frozen=True, slots=True)
class CloudRegion:
    """One region of a cloud provider; its `zone` need not be one gridtide covers."""

    key: str
    name: str
    zone: str
    lat: float
    lon: float
    certain_km: float = CERTAIN_KM


@dataclass(frozen=True, slots=True)
class City:
    """A city, or a part of one, all of which within `certain_km` is in one zone.

    cities.csv has them: cities of the United States, where a state is rarely in one zone. The
    zone is that of the utility that serves the city (`served_by`); the table was made by hand.
    """

    name: str
    state: str
    zone: str
    lat: float
    lon: float
    certain_km: float
    served_by: str

    @property
    def key(self) -> str:
        """Name and state, ``Seattle WA``."""
        return f"{self.name} {self.state}"


@dataclass(frozen=True)
class Catalogue:
    """Zones by key, cloud regions by ``provider:region``, and cities, in the tables' order."""

    zones: Mapping[str, ZoneRecord]
    cloud_regions: Mapping[str, CloudRegion]
    names: Names
    cities: tuple[City, ...] = ()

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

    def members(self, key: str) -> tuple[ZoneRecord, ...]:
        """Return the zones that an aggregate is made of; none for any other zone."""
        zone = self.zones.get(key)
        if zone is None or zone.kind is not ZoneKind.AGGREGATE:
            return ()
        if zone.members:
            return tuple(self.zones[member] for member in zone.members)
        return tuple(
            each
            for each in self.zones.values()
            if each.country == key and (each.kind is ZoneKind.ZONE or each.ended)
        )

    def find(self, name: str) -> ZoneRecord | None:
        """Return the zone with this key, alias or other name that is exactly its own.

        None without one. Case does not matter.
        """
        folded = name.strip().casefold()
        key = self.keys.get(folded) or self.aliases.get(folded)
        meaning = None if key else self.names.find(name)
        if meaning is not None and meaning.certainty is Certainty.EXACT:
            key = meaning.zones[0]
        return self.zones[key] if key else None


@cache
def load() -> Catalogue:
    """Return the catalogue of this release; it is read once per process (about 20 ms)."""
    return read(
        FOLDER / "zones.toml",
        FOLDER / "cloud_regions.toml",
        FOLDER / "names.toml",
        read_table("cities.csv"),
    )


def trusted(zone: str) -> tuple[str, ...]:
    """Return the sources of `zone`, most trusted first.

    Empty for a zone that is not in the catalogue.
    """
    record = load().find(zone)
    return record.sources if record else ()


def read(
    zones: Path, cloud_regions: Path, names: Path, cities: Iterable[Mapping[str, str]] = ()
) -> Catalogue:
    """Read the catalogue from these three tables and the rows of cities.csv.

    Raises:
        BadInput: a name that means two zones, or a field that is missing or unknown.
    """
    records = {key: _zone(key, fields) for key, fields in _table(zones).items()}
    taken = [n.casefold() for z in records.values() for n in (z.key, *z.aliases)]
    if len(taken) != len(set(taken)):
        twice = sorted({name for name in taken if taken.count(name) > 1})
        raise BadInput(f"{zones.name}: {', '.join(twice)} names two zones; keep one of them")
    if unknown := {each for zone in records.values() for each in zone.members} - set(records):
        raise BadInput(f"{zones.name}: no zone has the key {', '.join(sorted(unknown))}")
    rows = list(cities)
    own = {key: _own_names(zone) for key, zone in records.items()}
    return Catalogue(
        zones=records,
        cloud_regions={
            f"{provider}:{region}": _cloud_region(f"{provider}:{region}", fields)
            for provider, regions in _table(cloud_regions).items()
            for region, fields in regions.items()
        },
        names=read_names(names, own, _city_names(rows)),
        cities=tuple(map(_city, rows)),
    )


def _city(row: Mapping[str, str]) -> City:
    return City(
        row["city"],
        row["state"],
        row["zone"],
        float(row["lat"]),
        float(row["lon"]),
        float(row["certain_km"]),
        row["served_by"],
    )


def _city_names(rows: Iterable[Mapping[str, str]]) -> Iterator[tuple[str, Meaning]]:
    """Yield each name of a city with its meaning, without the state where that is clear."""
    for row in rows:
        name, state = row["city"], row["state"]
        meaning = Meaning((row["zone"],), Certainty.INSIDE, f"{name}, {state}")
        yield f"{name} {state}", meaning
        if row["alone"]:
            yield name, meaning


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
                "members": tuple(fields.get("members", ())),
            },
        )
    except (TypeError, ValueError) as error:
        raise BadInput(f"zone {key}: {error}") from error


def _own_names(zone: ZoneRecord) -> tuple[str, ...]:
    # The English name of a country is certain; those of parts (Grant County) need not be.
    whole = (zone.name,) if zone.key == zone.country else ()
    return (zone.key, *zone.aliases, *whole)


def _cloud_region(key: str, fields: dict[str, Any]) -> CloudRegion:
    try:
        return CloudRegion(key=key, **fields)
    except TypeError as error:
        raise BadInput(f"cloud region {key}: {error}") from error
