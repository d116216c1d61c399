"""``gridtide forecast``: print the newest forecast of a region."""

from __future__ import annotations

from typing import Annotated

import typer

from gridtide.cli.command import command
from gridtide.cli.options import AsOf, ChosenSignal, MoreRegions, Regions, one_region
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput


@command(
    "forecast",
    examples=["forecast DE", "forecast GB --local", "forecast US-CAL-CISO --json"],
    answers=True,
)
def forecast(
    terminal: Terminal,
    *,
    regions: Regions = None,
    region: MoreRegions = None,
    signal: ChosenSignal = None,
    as_of: AsOf = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="of this model; default: the newest of any"),
    ] = None,
    zone: Annotated[
        list[str] | None,
        typer.Option(metavar="ZONE", help="as in 'gridtide issue'", hidden=True),
    ] = None,
) -> int:
    """Print the newest forecast of a region.

    Without a region it makes new forecast runs, as 'gridtide issue' does.
    """
    if not regions and not region:
        if signal or as_of or not (terminal.shows_text or terminal.json):
            raise BadInput("name a region to print its newest forecast: gridtide forecast DE")
        return _issue(terminal, zone, model)
    if zone:
        raise BadInput(
            "--zone makes new forecast runs, and a region prints the newest one; give one of "
            "them, or use 'gridtide issue --zone'"
        )
    from gridtide.cli import show
    from gridtide.client import Client

    named = one_region("forecast", regions, region)
    with Client(environ=terminal.environ) as client:
        answer = client.forecast(named, signal=signal, as_of=as_of, model=model)
    terminal.answer(answer.to_json(), lambda: show.forecast(answer))
    return 0


def _issue(terminal: Terminal, zone: list[str] | None, model: str | None) -> int:
    """Make new forecast runs, by the command of the service."""
    from gridtide.cli import app

    words = ["issue", *(f"--zone={each}" for each in zone or ())]
    if model is not None:
        words.append(f"--model={model}")
    if terminal.json:
        words.append("--json")
    return app.run(words, terminal.environ)
