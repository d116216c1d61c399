"""``gridtide history``: the known values of a region over a range of time."""

from __future__ import annotations

from typing import Annotated

import typer

from gridtide.cli.command import command
from gridtide.cli.options import AsOf, ChosenSignal, MoreRegions, Regions, one_region
from gridtide.cli.terminal import Terminal


@command(
    "history",
    examples=[
        "history DE --from 2026-11-01 --to 2026-11-02",
        "history GB --from 2026-11-01T00:00Z --to 2026-11-01T06:00Z --json",
    ],
    answers=True,
)
def history(
    terminal: Terminal,
    *,
    regions: Regions = None,
    region: MoreRegions = None,
    start: Annotated[
        str,
        typer.Option("--from", metavar="TIME", help="first moment; a day is its start, UTC"),
    ],
    end: Annotated[
        str,
        typer.Option("--to", metavar="TIME", help="slots start before it; a day is its start"),
    ],
    signal: ChosenSignal = None,
    as_of: AsOf = None,
) -> int:
    """List the known values of a region."""
    from gridtide.cli import show
    from gridtide.client import Client

    named = one_region("history", regions, region)
    with Client(environ=terminal.environ) as client:
        answer = client.intensity(named, start=start, end=end, signal=signal, as_of=as_of)
    terminal.answer(answer.to_json(), lambda: show.history(answer))
    return 0
