"""``gridtide demo``: a first answer on a fresh machine, then the service.

It has two data directories below the usual one, ``live`` and ``simulated``, so that real and
simulated rows never meet. Publishers of one zone answer where the network allows it. Where it
does not, the simulated grid does, and every answer says so.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated

import typer

from gridtide.cli import script
from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal
from gridtide.durations import number_or_text
from gridtide.errors import BadInput
from gridtide.model import parse_hours
from gridtide_pipelines.commands.refresh import bring_up_to_date, choose_sources
from gridtide_pipelines.commands.session import Session, begin
from gridtide_pipelines.errors import SourceError
from gridtide_pipelines.ingest.access import reason_to_skip
from gridtide_pipelines.ingest.fetch import Fetcher
from gridtide_pipelines.ingest.source import Kind, Query, Source

FIRST_REGION = {"live": "GB", "simulated": "DE"}

MOST_PORT = 65_535


@command("demo", examples=["demo", "demo --hours 2 --port 0"], document=False)
def demo(
    terminal: Terminal,
    *,
    hours: Annotated[
        str, typer.Option(metavar="DURATION", help="length of the example job")
    ] = "4",
    host: Annotated[
        str, typer.Option(metavar="HOST", help="address to serve at")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", help="0 picks a free one")] = 8000,
) -> int:
    """Show a first answer from live or simulated data, then serve.

    Serves until interrupted.
    """
    session = begin(terminal)
    # Before the refresh, which takes a while.
    parse_hours(number_or_text(hours), name="--hours")
    if not 0 <= port <= MOST_PORT:
        raise BadInput(f"--port: must be 0 to {MOST_PORT}, not {port}")
    # One zone, so that the first answer takes a minute; `refresh` fetches all of them.
    live = [
        source
        for source in choose_sources(simulate=False)
        if FIRST_REGION["live"] in source.zones
        and Kind.WEATHER not in source.kinds  # megabytes that the first answer does not need
        and not reason_to_skip(source, session.settings)
    ]
    kind = "live" if live and _reachable(live, session, terminal.environ) else "simulated"
    if kind == "simulated":
        terminal.say("no live source can be reached: this is the simulated grid, not real data")
    home = session.settings.home / kind
    inner = Terminal(
        terminal.out, terminal.err, {**terminal.environ, "GRIDTIDE_HOME": str(home)}
    )
    sources = live if kind == "live" else choose_sources(simulate=True)
    zones = (FIRST_REGION[kind],) if kind == "live" else ()
    bring_up_to_date(begin(inner), inner, sources=sources, zones=zones)
    there = ["--home", str(home)]
    request = ["best-window", FIRST_REGION[kind], "--hours", hours, *there]
    if code := script.main(request, terminal.environ):
        return code
    terminal.say(f"for other commands: export GRIDTIDE_HOME={shlex.quote(str(home))}")
    if kind == "live":
        terminal.say("this is one zone; `gridtide refresh` then fetches all that are live")
    serve = ["serve", "--host", host, "--port", str(port), *there]
    return script.main(serve, terminal.environ)


def _reachable(sources: Sequence[Source], session: Session, environ: Mapping[str, str]) -> bool:
    """Return whether any source answers its first request; the refresh tries for longer."""
    now = session.clock()
    with Fetcher(session.settings, environ=environ, sleep=lambda _: None) as fetch:
        for source in sources:
            zones = tuple(sorted(source.zones))
            query = Query(min(source.kinds), zones, now - timedelta(hours=2), now, now)
            (first, *_), *_ = source.requests(query)
            try:
                fetch(source, first)
            except SourceError:
                continue
            return True
    return False
