"""The zones gridtide knows, their names and the cloud regions in them, read from tables."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from gridtide.errors import BadInput
from gridtide_store.names import Names, read_names

FOLDER = Path(__file__).with_name("catalogue")

# "Within 30 km of a listed cloud site" is the public rule for coordinates; cloud_regions.toml
# says where less is certain.
CERTAIN_KM = 30.0


class ZoneKind(StrEnum):
    """What stands behind a zone key."""

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
        """Case-folded zone key to the key as it is written."""
        return {key.casefold(): key for key in self.zones}

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """Case-folded alias to the zone's key."""
        return {
            alias.casefold(): zone.key for zone in self.zones.values() for alias in zone.aliases
        }

    def find(self, name: str) -> ZoneRecord | None:
        """The zone with this key, alias or certain name, in any case; None without."""
        folded = name.strip().casefold()
        key = self.keys.get(folded) or self.aliases.get(folded)
        if key is None and (meaning := self.names.find(name)) and meaning.certain:
            key = meaning.zones[0]
        return self.zones[key] if key else None


@cache
def load() -> Catalogue:
    """The catalogue of this release; read once per process (about 20 ms)."""
    return read(FOLDER / "zones.toml", FOLDER / "cloud_regions.toml", FOLDER / "names.toml")


def read(zones: Path, cloud_regions: Path, names: Path) -> Catalogue:
    """The catalogue in these three tables.

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
