"""``gridtide zones``."""

from __future__ import annotations

from typing import Annotated

import typer

from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal


@command("zones", examples=["zones", "zones --all --json"], answers=True)
def zones(
    terminal: Terminal,
    *,
    every: Annotated[bool, typer.Option("--all", help="also zones without data")] = False,
) -> int:
    """List the zones with their signals and data age."""
    from gridtide.cli import show
    from gridtide.client import Client

    with Client(environ=terminal.environ) as client:
        answer = client.zones(every=every)
    terminal.answer(answer.to_json(), lambda: show.zones(answer))
    return 0
