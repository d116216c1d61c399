"""The zones gridtide knows and the cloud regions that lie in them, read from two tables."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from gridtide.errors import BadInput, UnknownRegion

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
        """The zone with this key or alias, in any case; None when there is none."""
        folded = name.strip().casefold()
        key = self.keys.get(folded) or self.aliases.get(folded)
        return self.zones[key] if key else None

    def zone(self, name: str) -> ZoneRecord:
        """The zone with this key or alias, in any case.

        Raises:
            UnknownRegion: there is none; `gridtide zones --all` lists them.
        """
        if (zone := self.find(name)) is None:
            raise UnknownRegion(
                f"no zone has the key or alias {name!r}; `gridtide zones --all` lists them"
            )
        return zone


@cache
def load() -> Catalogue:
    """The catalogue of this release; read once per process (about 12 ms)."""
    return read(FOLDER / "zones.toml", FOLDER / "cloud_regions.toml")


def read(zones: Path, cloud_regions: Path) -> Catalogue:
    """The catalogue in these two tables.

    Raises:
        BadInput: a name that means two zones, or a field that is missing or unknown.
    """
    catalogue = Catalogue(
        zones={key: _zone(key, fields) for key, fields in _table(zones).items()},
        cloud_regions={
            f"{provider}:{region}": _cloud_region(f"{provider}:{region}", fields)
            for provider, regions in _table(cloud_regions).items()
            for region, fields in regions.items()
        },
    )
    names = [n.casefold() for z in catalogue.zones.values() for n in (z.key, *z.aliases)]
    if len(names) != len(set(names)):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise BadInput(f"{zones.name}: {', '.join(twice)} names two zones; keep one of them")
    return catalogue


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


def _cloud_region(key: str, fields: dict[str, Any]) -> CloudRegion:
    try:
        return CloudRegion(key=key, **fields)
    except TypeError as error:
        raise BadInput(f"cloud region {key}: {error}") from error
