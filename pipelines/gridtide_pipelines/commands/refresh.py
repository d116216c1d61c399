"""``gridtide refresh``: ingest, derive, forecast, publish; for cron."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput
from gridtide.model import format_time, parse_time
from gridtide_pipelines.commands.session import (
    NewStore,
    Session,
    Zones,
    begin,
    limits_of,
    open_fetcher,
    show_progress,
    zone_keys,
)
from gridtide_pipelines.ingest.source import Source
from gridtide_pipelines.ingest.sources import sources as known_sources
from gridtide_pipelines.refresh import Report, summary
from gridtide_pipelines.refresh import refresh as refresh_home
from gridtide_store.data_directory import writer_lock


@command(
    "refresh",
    examples=[
        "refresh",
        "refresh --zone DE,FR --since 2026-01-01T00:00Z",
        "refresh --simulate --home /tmp/simulated",
    ],
)
def refresh(
    terminal: Terminal,
    *,
    zone: Zones = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="fill the history back to then; an interrupted fill resumes",
        ),
    ] = None,
    model: Annotated[str, typer.Option(metavar="NAME", help="forecast model")] = "default",
    simulate: Annotated[
        bool,
        typer.Option(
            "--simulate",
            help="fetch from the simulated grid only; refused where real rows are stored",
        ),
    ] = False,
    new_store: NewStore = False,
) -> int:
    """Fetch new data, derive, forecast and publish.

    Runs from cron or a systemd timer. One source that fails does not stop the others: the
    rest is published and the exit code is 3.
    """
    session = begin(terminal)
    report = bring_up_to_date(
        session,
        terminal,
        sources=choose_sources(simulate=simulate),
        new_store=new_store,
        zones=zone_keys(zone),
        since=None if since is None else _past(since, session.clock()),
        model=model,
    )
    if terminal.json:
        terminal.document(summary(report))
    else:
        print_report(report, terminal)
    return report.exit_code


def _past(text: str, now: datetime) -> datetime:
    """Return the time of ``--since``.

    Raises:
        BadInput: it is not a time, or has not come yet.
    """
    since = parse_time(text, name="--since")
    if since > now:
        raise BadInput(
            f"--since {format_time(since)} is later than now ({format_time(now)}); give a past "
            "time, or leave it out"
        )
    return since


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
    """Refresh the session's data directory from `sources`, with the lock and a progress bar.

    Raises:
        Busy: another process writes this home.
        BadInput: simulated and real rows would meet, or the store was lost.
    """
    limits = limits_of(session.settings)
    with (
        writer_lock(session.home, "refresh", session.clock()),
        open_fetcher(session, terminal, limits=limits, undated_last=True) as fetch,
        show_progress(terminal) as progress,
    ):
        return refresh_home(
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
            limits=limits,
        )


def choose_sources(*, simulate: bool) -> Sequence[Source]:
    """Return the live sources, or the simulated ones."""
    found = known_sources().values()
    return [source for source in found if source.simulated == simulate]


def print_report(report: Report, terminal: Terminal) -> None:
    """Print a line for each source, each zone without a forecast, and the snapshot."""
    summed = summary(report)
    for remark in report.remarks:
        terminal.say(remark)
    names: dict[str, dict[str, object]] = dict(summed["sources"])  # type: ignore[call-overload]  # JSON
    for name, entry in names.items():
        message = f": {entry['message']}" if "message" in entry else ""
        terminal.say(f"{name}: {entry['status']}, {entry['rows']} rows{message}")
    if report.forecasts:
        for zone, reason in report.forecasts.reasons.items():
            terminal.say(f"no forecast for {zone}: {reason}")
    terminal.result(
        f"published {report.snapshot}: {report.derived_rows} derived rows, "
        f"{summed['forecast_rows']} forecast rows"
    )
