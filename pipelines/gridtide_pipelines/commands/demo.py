"""``gridtide demo``: a first answer on a fresh machine, then the service.

It has two homes of its own, one for real rows and one for simulated ones, so that the two
never meet. Keyless live sources answer where the network allows it; where it does not, the
simulated grid does, and every answer says so.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from gridtide.cli import script
from gridtide.cli.command import Command, Terminal
from gridtide_pipelines.commands.refresh import bring_up_to_date, chosen_sources
from gridtide_pipelines.commands.session import Session, begin
from gridtide_pipelines.errors import SourceError
from gridtide_pipelines.ingest.fetch import Fetcher, skipped
from gridtide_pipelines.ingest.source import Source

FIRST_QUESTION = {"live": "GB", "simulated": "DE"}


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hours", type=float, default=4.0, help="length of the example job")
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    parser.add_argument("--port", type=int, default=8000, help="default: %(default)s")


def _run(args: argparse.Namespace, terminal: Terminal) -> int:
    session = begin(terminal)
    live = [s for s in chosen_sources(simulate=False) if not skipped(s, session.settings)]
    kind = "live" if live and _reachable(live, session, terminal.environ) else "simulated"
    if kind == "simulated":
        terminal.say("no live source can be reached: this is the simulated grid, not real data")
    home = session.settings.home / kind
    inner = Terminal(
        terminal.out, terminal.err, {**terminal.environ, "GRIDTIDE_HOME": str(home)}
    )
    sources = live if kind == "live" else chosen_sources(simulate=True)
    bring_up_to_date(begin(inner), inner, sources=sources)
    return _show(args, home, FIRST_QUESTION[kind], terminal)


def _show(args: argparse.Namespace, home: Path, region: str, terminal: Terminal) -> int:
    """Print the first best window, then serve until interrupted."""
    there = ["--home", str(home)]
    question = ["best-window", region, "--hours", f"{args.hours:g}", *there]
    answered = script.main(question, terminal.environ)
    if answered:
        return answered
    serve = ["serve", "--host", args.host, "--port", str(args.port), *there]
    return script.main(serve, terminal.environ)


def _reachable(sources: Sequence[Source], session: Session, environ: Mapping[str, str]) -> bool:
    """Whether any of them answers at once; the refresh itself is more patient."""
    now = session.clock()
    with Fetcher(session.settings, environ=environ, sleep=lambda _: None) as fetch:
        for source in sources:
            kind, zones = min(source.kinds), sorted(source.zones)
            (first, *_), *_ = source.requests(kind, zones, now - timedelta(hours=2), now)
            try:
                fetch(source, first)
            except SourceError:
                continue
            return True
    return False


COMMAND = Command(
    name="demo",
    summary="a first answer from live or simulated data, then the service",
    arguments=_arguments,
    run=_run,
)
