"""``gridtide publish``: make what the store holds visible to readers."""

from __future__ import annotations

import argparse

from gridtide.cli.command import Command, Terminal
from gridtide.errors import NoData
from gridtide_pipelines.commands.session import begin
from gridtide_pipelines.derive.factors import factor_set
from gridtide_pipelines.ingest.flow import derive_pending
from gridtide_pipelines.publishing import publish_home
from gridtide_store.home import writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.opening import refuse_without_store
from gridtide_store.store import Store


def _arguments(parser: argparse.ArgumentParser) -> None:
    """It takes no arguments of its own."""


def _run(args: argparse.Namespace, terminal: Terminal) -> int:
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
    if args.json:
        terminal.document({"snapshot": snapshot})
    else:
        terminal.result(f"published {snapshot}")
    return 0


COMMAND = Command(
    name="publish",
    summary="publish what the store holds as a new snapshot",
    arguments=_arguments,
    run=_run,
)
