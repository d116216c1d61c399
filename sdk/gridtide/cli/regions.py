"""Regions as written on a command line: arguments, options, and lists with commas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from gridtide.cli.options import describe_field
from gridtide.errors import BadInput
from gridtide.schema.requests import BestWindowRequest

_REGION = describe_field(BestWindowRequest, "region")
# Of commands that take one region; several are refused with the command that compares them.
Region = Annotated[list[str] | None, typer.Argument(metavar="REGION", help=_REGION)]
SameRegion = Annotated[
    list[str] | None, typer.Option("--region", metavar="REGION", help="the same")
]
# Of commands that take several.
Regions = Annotated[
    list[str] | None,
    typer.Argument(metavar="REGION", help=f"{_REGION}; several with commas too"),
]
MoreRegions = Annotated[
    list[str] | None, typer.Option("--region", metavar="REGION", help="the same, repeatable")
]


def split_regions(words: Iterable[str]) -> list[str]:
    """Return every region of `words`, each a region or a comma list of them, in order.

    Two numbers side by side are one place: ``DE,52.5,13.4,FR`` is DE, ``52.5,13.4`` and FR.
    """
    regions: list[str] = []
    for word in words:
        half: str | None = None
        for part in (each.strip() for each in word.split(",")):
            if half is not None and _is_number(part):
                regions[-1] = f"{half},{part}"
                half = None
            elif part:
                regions.append(part)
                half = part if _is_number(part) else None
    return regions


def regions_of(*words: Sequence[str] | None) -> list[str]:
    """Return the regions named, in order.

    Raises:
        BadInput: no region is named.
    """
    regions = split_regions(word for each in words for word in each or ())
    if not regions:
        raise BadInput("there is no region to choose from; name at least one")
    return regions


def one_region(command: str, *words: Sequence[str] | None) -> str:
    """Return the one region named.

    Raises:
        BadInput: no region is named, or several.
    """
    regions = regions_of(*words)
    if len(regions) > 1:
        raise BadInput(
            f"{command} takes one region, not {len(regions)}; to compare them use "
            "'gridtide best-region'"
        )
    return regions[0]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
