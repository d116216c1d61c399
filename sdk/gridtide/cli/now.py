"""``gridtide now``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gridtide.cli.command import command
from gridtide.cli.options import AsOf, ChosenSignal, MoreRegions, Regions, number, regions_of
from gridtide.cli.terminal import Terminal
from gridtide.errors import GridtideError, NoData, StaleData, UnknownRegion

if TYPE_CHECKING:
    from gridtide.schema.responses import Intensity


@command(
    "now",
    examples=["now GB", "now DE,FR --signal cfe_produced", "now DE --print slots.0.value"],
    answers=True,
)
def now(
    terminal: Terminal,
    *,
    regions: Regions = None,
    region: MoreRegions = None,
    signal: ChosenSignal = None,
    as_of: AsOf = None,
    max_age: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="accept a value whose slot ended so long ago; default: the service's, 6 h",
        ),
    ] = None,
) -> int:
    """Show how clean the grid is now.

    Prints the latest known slot of each region. A value older than --max-age is refused with
    exit code 5.
    """
    from gridtide.cli import show
    from gridtide.client import Client

    named = regions_of(regions, region)

    def latest(region: str) -> Intensity | GridtideError:
        try:
            return client.intensity(region, signal=signal, as_of=as_of, max_age=number(max_age))
        except (NoData, StaleData, UnknownRegion) as error:
            if len(named) == 1:
                raise
            return error

    with Client(environ=terminal.environ) as client:
        found = [latest(each) for each in named]
    answers = [each for each in found if not isinstance(each, GridtideError)]
    errors = [each for each in found if isinstance(each, GridtideError)]
    documents = [
        {"region": each, "code": one.code, "detail": str(one), **one.extra}
        if isinstance(one, GridtideError)
        else one.to_json()
        for each, one in zip(named, found, strict=True)
    ]
    terminal.answer(
        documents[0] if len(documents) == 1 else documents, lambda: map(show.now, answers)
    )
    if terminal.shows_text:
        for error in errors:
            terminal.say(f"gridtide: {error}")
    return max((error.exit_code for error in errors), default=0)
