"""The EIC codes under which ENTSO-E publishes each zone and border.

The tables are facts of ENTSO-E's list of areas with their EIC codes and types (Transparency
Platform, web API guide, annex A) and of the items that its tables show under each. A zone may
have several codes at once, whose values are added, and others before a split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from gridtide_store.catalogue import read_table


@dataclass(frozen=True, slots=True)
class Area:
    """An EIC code under which an item of a zone is published, in ``[since, until)``."""

    zone: str
    item: str
    eic: str
    since: datetime | None
    until: datetime | None


@cache
def areas() -> Sequence[Area]:
    """Return the codes of generation, load and price of every zone."""
    return [
        Area(
            row["zone"],
            row["item"],
            row["eic"],
            _day(row["valid_from"]),
            _day(row["valid_to"]),
        )
        for row in read_table("entsoe_areas.csv")
    ]


@cache
def borders() -> Sequence[tuple[tuple[str, str], tuple[str, str]]]:
    """Return the pairs of zones with an exchange, and the codes it is published under."""
    return [
        ((row["from"], row["to"]), (row["eic_from"], row["eic_to"]))
        for row in read_table("entsoe_borders.csv")
    ]


@cache
def codes_of(zone: str) -> frozenset[str]:
    """Return every EIC code that stands for `zone`, at a border too."""
    of_items = {each.eic for each in areas() if each.zone == zone}
    of_borders = {
        code
        for zones, codes in borders()
        for key, code in zip(zones, codes, strict=True)
        if key == zone
    }
    return frozenset(of_items | of_borders)


def direction(area: str, source: str, target: str) -> float:
    """Return 1 for an exchange along ``source->target``, -1 against it.

    Both may be zones or EIC codes.

    Raises:
        ValueError: the exchange is of another border.
    """
    out, _, into = area.partition("->")
    sources, targets = codes_of(source) | {source}, codes_of(target) | {target}
    if out in sources or into in targets:
        return 1.0
    if out in targets or into in sources:
        return -1.0
    raise ValueError(f"an exchange {area[:60]}, which is not of {source}->{target}")


def _day(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
