"""``gridtide backfill``: the history of publishers, newest first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated

import typer

from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput
from gridtide.model import format_time
from gridtide.values import read_moment
from gridtide_pipelines.backfill import Report, Show, summary
from gridtide_pipelines.backfill import backfill as fill
from gridtide_pipelines.commands.session import (
    NewStore,
    Session,
    Zones,
    begin,
    limits_of,
    open_fetcher,
    show_progress,
    split_names,
    zone_keys,
)
from gridtide_pipelines.ingest.access import reason_to_skip
from gridtide_pipelines.ingest.source import Source
from gridtide_pipelines.ingest.sources import sources as known_sources

# Lines in a log: one at most so often.
LINE_SECONDS = 60.0
NAMED = 5  # failures in the text


@command(
    "backfill",
    examples=[
        "backfill --source eia --since 2019-01-01",
        "backfill --source entsoe --zone DE,FR --since 2021-01-01 --publish",
    ],
)
def backfill(
    terminal: Terminal,
    *,
    source: Annotated[
        list[str],
        typer.Option(metavar="SOURCE", help="of which; may be repeated, and takes commas"),
    ],
    since: Annotated[str, typer.Option(metavar="TIME", help="how far back")],
    zone: Zones = None,
    publish: Annotated[
        bool, typer.Option("--publish", help="publish a snapshot at the end")
    ] = False,
    new_store: NewStore = False,
) -> int:
    """Fill the history of a publisher, newest first.

    What is there is not requested again: a run that was ended, even killed, goes on where it
    was. It releases the lock for other commands that write, such as an hourly refresh, and goes
    on after them. Derived values are computed at the end; forecasts and a snapshot are made by
    the next refresh.
    """
    session = begin(terminal)
    zones = zone_keys(zone)
    chosen = _choose(split_names(source, "--source", "eia,entsoe"), zones, session)
    start = read_moment(since, "--since", day=True)
    if start >= session.clock():
        raise BadInput(
            f"--since {format_time(start)} is not before now ({format_time(session.clock())})"
        )
    limits = limits_of(session.settings)
    with (
        open_fetcher(session, terminal, limits=limits) as fetch,
        _show(terminal) as show,
    ):
        report = fill(
            session.home,
            session.settings,
            session.clock,
            sources=chosen,
            zones=zones,
            since=start,
            fetch=fetch,
            show=show,
            publish=publish,
            new_store=new_store,
            limits=limits,
        )
    if terminal.json:
        terminal.document(summary(report))
    else:
        _print(report, terminal)
    return report.exit_code


def _choose(names: Sequence[str], zones: Sequence[str], session: Session) -> Sequence[Source]:
    """Return the sources named.

    Raises:
        BadInput: one is unknown or off, or has none of the zones.
    """
    known = known_sources()
    for name in names:
        if name not in known:
            raise BadInput(f"unknown source {name!r}; must be one of {', '.join(known)}")
        if reason := reason_to_skip(known[name], session.settings):
            raise BadInput(f"{name} is off: {reason}")
        if zones and not known[name].zones.intersection(zones):
            raise BadInput(
                f"{name} has no data of {', '.join(zones)}; `gridtide sources --json` lists "
                "its zones"
            )
    return [known[name] for name in names]


@contextmanager
def _show(
    terminal: Terminal, monotonic: Callable[[], float] = time.monotonic
) -> Iterator[Show]:
    """Show progress with the time left: one line on a terminal, now and then one in a log."""
    if terminal.interactive:
        with show_progress(terminal) as show:
            yield lambda what, done, of, left: show(f"{what}, {_left(left)}", done, of)
        return
    next_at = monotonic()

    def say(what: str, done: int, of: int, left: float | None) -> None:
        nonlocal next_at
        if monotonic() >= next_at or done == of:
            next_at = monotonic() + LINE_SECONDS
            terminal.say(f"{what}: {done} of {of} zone days, {_left(left)}")

    yield say


def _left(seconds: float | None) -> str:
    if seconds is None:
        return "time left unknown"
    minutes = timedelta(seconds=seconds) / timedelta(minutes=1)
    if minutes < 1:
        return "less than a minute left"
    return (
        f"about {minutes:.0f} min left" if minutes < 120 else f"about {minutes / 60:.0f} h left"
    )


def _print(report: Report, terminal: Terminal) -> None:
    for name, first in report.beyond.items():
        terminal.say(
            f"{name} answers from {format_time(first)} on; what lies before is beyond its reach"
        )
    for stage in report.failed[:NAMED]:
        terminal.say(f"{stage.source} {stage.kind}: {stage.status}: {stage.message}")
    if len(report.failed) > NAMED:
        terminal.say(f"and {len(report.failed) - NAMED} more failures; --json lists all")
    if report.left:
        terminal.say(f"{report.left} spans are left; run the command again to go on")
    for name, spans in report.spans.items():
        terminal.result(f"{name}: {report.rows[name]} rows from {spans} spans")
    if not report.spans:
        terminal.result("nothing is missing")
    elif report.snapshot:
        terminal.result(f"{report.derived_rows} derived rows; published {report.snapshot}")
    else:
        terminal.result(
            f"{report.derived_rows} derived rows; `gridtide refresh` or `gridtide publish` "
            "makes them visible"
        )
