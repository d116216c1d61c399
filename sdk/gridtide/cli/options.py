"""Options that several subcommands share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, overload

import typer

from gridtide.cli.regions import split_regions
from gridtide.durations import number_or_text
from gridtide.errors import BadInput

Regions = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="REGION",
        help="zone (DE), cloud region (aws:us-east-1) or coordinates (52.5,13.4); commas too",
    ),
]
MoreRegions = Annotated[
    list[str] | None, typer.Option("--region", metavar="REGION", help="the same, repeatable")
]
Hours = Annotated[
    str, typer.Option(metavar="DURATION", help="length of the job: 4, 4h, 90min, PT4H")
]
Earliest = Annotated[str | None, typer.Option(metavar="TIME", help="not before; default: now")]
Deadline = Annotated[str | None, typer.Option(metavar="TIME", help="the job has ended by then")]
ChosenSignal = Annotated[
    str | None,
    typer.Option(
        "--signal",
        metavar="NAME",
        help="signal to use, e.g. cfe_produced; default: lifecycle intensity",
    ),
]
AsOf = Annotated[
    str | None, typer.Option(metavar="TIME", help="only what was known at this moment")
]


@overload
def number(text: str) -> float | str: ...
@overload
def number(text: None) -> None: ...
@overload
def number(text: str | None) -> float | str | None: ...
def number(text: str | None) -> float | str | None:
    """The number, or the text for the reader of the request to refuse."""
    return text if text is None else number_or_text(text)


def whole(text: str | None) -> int | str | None:
    """The whole number, or the text for the reader of the request to refuse."""
    try:
        return text if text is None else int(text)
    except ValueError:
        return text


def regions_of(*words: Sequence[str] | None) -> list[str]:
    """The regions named, in order.

    Raises:
        BadInput: there is none.
    """
    regions = split_regions(word for each in words for word in each or ())
    if not regions:
        raise BadInput("there is no region to choose from; name at least one")
    return regions


def one_region(command: str, *words: Sequence[str] | None) -> str:
    """The one region named.

    Raises:
        BadInput: there is none, or several.
    """
    regions = regions_of(*words)
    if len(regions) > 1:
        raise BadInput(
            f"{command} takes one region, not {len(regions)}; to compare them use "
            "'gridtide best-region'"
        )
    return regions[0]
