"""``gridtide forecast``: 72 h of every zone in the store, from what is known now."""

from __future__ import annotations

import argparse

from gridtide.cli.command import Command, Terminal
from gridtide.errors import NoData
from gridtide_pipelines.commands.progress import shown
from gridtide_pipelines.commands.session import begin
from gridtide_pipelines.commands.zones import add_zones, zone_keys
from gridtide_pipelines.forecast.issue import forecast_zones
from gridtide_pipelines.forecast.models import DEFAULT
from gridtide_store.home import writer_lock
from gridtide_store.opening import refuse_without_store
from gridtide_store.store import Store


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_zones(parser)
    parser.add_argument("--model", default=DEFAULT, help="forecaster; default: %(default)s")


def _run(args: argparse.Namespace, terminal: Terminal) -> int:
    session = begin(terminal)
    refuse_without_store(session.home)
    now, zones = session.clock(), zone_keys(args.zone)
    with (
        writer_lock(session.home, "forecast", now),
        Store.open(session.home) as store,
        shown(terminal) as progress,
    ):
        made = forecast_zones(
            store,
            session.home,
            now,
            zones=zones,
            model=args.model,
            workers=session.settings.workers,
            progress=progress,
        )
    if not made.runs and not made.reasons:
        raise NoData("the store is empty: import files or refresh before forecasting")
    for reason in made.reasons.values():
        terminal.say(f"no forecast: {reason}")
    if args.json:
        terminal.document({"rows": made.rows, "runs": made.runs, "not_forecast": made.reasons})
    else:
        by = ", ".join(f"{name} {count}" for name, count in made.runs.items()) or "none"
        terminal.result(f"{made.rows} forecast rows stored; runs by model: {by}")
    return 0 if made.runs else 1


COMMAND = Command(
    name="forecast",
    summary="forecast 72 h of every zone from what is known now",
    arguments=_arguments,
    run=_run,
)
