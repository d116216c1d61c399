"""The commands ``issue`` and ``publish``: forecast runs and a snapshot from the store."""

from __future__ import annotations

from typing import Annotated

import typer

from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal
from gridtide.errors import NoData
from gridtide_pipelines.commands.session import Zones, begin, show_progress, zone_keys
from gridtide_pipelines.derive.factors import factor_set
from gridtide_pipelines.forecast.issue import forecast_zones
from gridtide_pipelines.forecast.models import DEFAULT
from gridtide_pipelines.ingest.flow import derive_pending
from gridtide_pipelines.refresh import publish_home
from gridtide_store.data_directory import writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.opening import refuse_without_store
from gridtide_store.store import Store


@command("issue", examples=["issue", "issue --zone DE,FR --model weekly"])
def issue(
    terminal: Terminal,
    *,
    zone: Zones = None,
    model: Annotated[str, typer.Option(metavar="NAME", help="forecast model")] = DEFAULT,
) -> int:
    """Make forecast runs from what is known now.

    Each run covers the next 72 hours of one zone. 'gridtide refresh' makes them too;
    'gridtide publish' makes them visible.
    """
    session = begin(terminal)
    refuse_without_store(session.home)
    now, zones = session.clock(), zone_keys(zone)
    with (
        writer_lock(session.home, "issue", now),
        Store.open(session.home) as store,
        show_progress(terminal) as progress,
    ):
        made = forecast_zones(
            store,
            session.home,
            now,
            zones=zones,
            model=model,
            workers=session.settings.workers,
            progress=progress,
        )
    if not made.runs and not made.reasons:
        raise NoData("the store is empty: import files or refresh before forecasting")
    for reason in made.reasons.values():
        terminal.say(f"no forecast: {reason}")
    if terminal.json:
        terminal.document({"rows": made.rows, "runs": made.runs, "not_forecast": made.reasons})
    else:
        by = ", ".join(f"{name} {count}" for name, count in made.runs.items()) or "none"
        terminal.result(f"{made.rows} forecast rows stored; runs by model: {by}")
    return 0 if made.runs else 1


@command("publish", examples=["publish", "publish --json"])
def publish(terminal: Terminal) -> int:
    """Publish what the store holds as a new snapshot.

    Servers read the newest snapshot. 'gridtide refresh' publishes too.
    """
    session = begin(terminal)
    refuse_without_store(session.home)
    with (
        writer_lock(session.home, "publish", session.clock()),
        Store.open(session.home) as store,
    ):
        if store.series().is_empty():
            raise NoData(
                f"{session.home.root} holds nothing to publish; run `gridtide refresh`, or "
                "import a file"
            )
        derive_pending(store, factor_set())
        ledger = Ledger(session.home.ledger)
        snapshot = publish_home(store, ledger, session.home, session.clock)
    if terminal.json:
        terminal.document({"snapshot": snapshot})
    else:
        terminal.result(f"published {snapshot}")
    return 0
