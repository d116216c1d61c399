"""Regions as written on a command line: arguments, options, and lists with commas."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from gridtide.cli.options import describe_field, hide
from gridtide.errors import BadInput
from gridtide.model import NO_REGION
from gridtide.schema.requests import BestWindowRequest

_REGION = describe_field(BestWindowRequest, "region")
Regions = Annotated[
    list[str] | None,
    typer.Argument(metavar="REGION", help=f"{_REGION}; several with commas too"),
]
MoreRegions = Annotated[
    list[str] | None, typer.Option("--region", metavar="REGION", help="the same, repeatable")
]


@dataclass(frozen=True)
class SeveralRegions:
    """Regions as arguments or with ``--region``; a command gets a list of them."""

    def parameters(self, *, hidden: bool = False) -> Iterator[inspect.Parameter]:
        """Return the argument and the option."""
        for name, annotation in (("regions", Regions), ("region", MoreRegions)):
            yield _parameter(name, hide(annotation) if hidden else annotation)

    def decode(self, given: dict[str, Any]) -> Any:  # noqa: ANN401  # a list, or one region
        """Return the regions that are given, and take them out of `given`.

        Raises:
            BadInput: no region is given.
        """
        words = [*(given.pop("regions") or ()), *(given.pop("region") or ())]
        regions = split_regions(words)
        if not regions:
            raise BadInput(NO_REGION)
        return regions


@dataclass(frozen=True)
class OneRegion(SeveralRegions):
    """One region as an argument or with ``--region``.

    Attributes:
        command: that takes it, for the message where several are given.
        about: what the help text says of it.
        optional: whether the command gets None where no region is given.
    """

    command: str
    about: str = _REGION
    optional: bool = False

    def parameters(self, *, hidden: bool = False) -> Iterator[inspect.Parameter]:
        """Return the argument and the option."""
        argument = typer.Argument(metavar="REGION", help=self.about, hidden=hidden)
        option = typer.Option("--region", metavar="REGION", help="the same", hidden=hidden)
        for name, info in (("regions", argument), ("region", option)):
            yield _parameter(name, Annotated[list[str] | None, info])

    def decode(self, given: dict[str, Any]) -> str | None:
        """Return the region that is given, and take it out of `given`.

        Raises:
            BadInput: no region is given and one is needed, or several are.
        """
        if self.optional and not (given["regions"] or given["region"]):
            del given["regions"], given["region"]
            return None
        first, *others = super().decode(given)
        if others:
            raise BadInput(
                f"{self.command} takes one region, not {len(others) + 1}; to compare them use "
                "'gridtide best-region'"
            )
        return str(first)


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


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _parameter(name: str, annotation: Any) -> inspect.Parameter:  # noqa: ANN401  # of an option
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=None
    )
