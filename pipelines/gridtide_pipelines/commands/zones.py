"""``--zone``, which may be repeated and takes commas, in every command that has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from gridtide_store.regions import resolve_zone

Zones = Annotated[
    list[str] | None,
    typer.Option(
        "--zone", metavar="ZONE", help="only this zone; may be repeated, and takes commas"
    ),
]


def zone_keys(given: Sequence[str] | None) -> tuple[str, ...]:
    """The keys of the zones named, in the order given, each once.

    Raises:
        UnknownRegion: one denotes no zone; ``extra["nearest"]`` has candidates.
    """
    names = [name.strip() for text in given or () for name in text.split(",") if name.strip()]
    return tuple(dict.fromkeys(resolve_zone(name).key for name in names))
