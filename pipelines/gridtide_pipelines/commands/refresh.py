"""``gridtide refresh``: ingest, derive, forecast, publish; for cron."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime

from gridtide.cli.command import Command, Terminal
from gridtide.model import parse_time
from gridtide_pipelines.commands.progress import shown
from gridtide_pipelines.commands.session import Session, add_new_store, begin
from gridtide_pipelines.commands.zones import add_zones, zone_keys
from gridtide_pipelines.ingest.fetch import Fetcher
from gridtide_pipelines.ingest.source import Source
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.refresh import Report, refresh, summary
from gridtide_store.home import writer_lock


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_zones(parser)
    parser.add_argument(
        "--since",
        metavar="TIME",
        help="fill the history back to then; an interrupted fill resumes",
    )
    parser.add_argument("--model", default="default", help="forecaster; default: %(default)s")
    parser.add_argument(
        "--simulate",
        action="store_true",
        help="ask only the simulated grid; refused in a home that holds real rows",
    )
    add_new_store(parser)


def _run(args: argparse.Namespace, terminal: Terminal) -> int:
    report = bring_up_to_date(
        begin(terminal),
        terminal,
        sources=chosen_sources(simulate=args.simulate),
        new_store=args.new_store,
        zones=zone_keys(args.zone),
        since=parse_time(args.since, name="--since") if args.since else None,
        model=args.model,
    )
    if args.json:
        terminal.document(summary(report))
    else:
        tell(report, terminal)
    return report.exit_code


def bring_up_to_date(
    session: Session,
    terminal: Terminal,
    *,
    sources: Sequence[Source],
    new_store: bool = False,
    zones: Sequence[str] = (),
    since: datetime | None = None,
    model: str = "default",
) -> Report:
    """Refresh the session's home from `sources`, with the lock and a progress bar.

    Raises:
        Busy: another process writes this home.
        BadInput: simulated and real rows would meet, or the store was lost.
    """
    with (
        writer_lock(session.home, "refresh", session.clock()),
        Fetcher(session.settings, environ=terminal.environ, undated_last=True) as fetch,
        shown(terminal) as progress,
    ):
        return refresh(
            session.home,
            session.settings,
            session.clock,
            sources=sources,
            zones=zones,
            since=since,
            model=model,
            fetch=fetch,
            progress=progress,
            new_store=new_store,
        )


def chosen_sources(*, simulate: bool) -> Sequence[Source]:
    """The live sources, or the simulated ones."""
    found = sources().values()
    return [source for source in found if source.simulated == simulate]


def tell(report: Report, terminal: Terminal) -> None:
    """One line a source, one a zone without forecast, one for the snapshot."""
    told = summary(report)
    for remark in report.remarks:
        terminal.say(remark)
    names: dict[str, dict[str, object]] = dict(told["sources"])  # type: ignore[call-overload]  # JSON
    for name, entry in names.items():
        message = f": {entry['message']}" if "message" in entry else ""
        terminal.say(f"{name}: {entry['status']}, {entry['rows']} rows{message}")
    if report.forecasts:
        for zone, reason in report.forecasts.reasons.items():
            terminal.say(f"no forecast for {zone}: {reason}")
    terminal.result(
        f"published {report.snapshot}: {report.derived_rows} derived rows, "
        f"{told['forecast_rows']} forecast rows"
    )


COMMAND = Command(
    name="refresh",
    summary="ingest, derive, forecast and publish; for cron",
    arguments=_arguments,
    run=_run,
)
