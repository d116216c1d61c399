"""``gridtide publish``: make what the store holds visible to readers."""

from __future__ import annotations

from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal
from gridtide.errors import NoData
from gridtide_pipelines.commands.session import begin
from gridtide_pipelines.derive.factors import factor_set
from gridtide_pipelines.ingest.flow import derive_pending
from gridtide_pipelines.refresh import publish_home
from gridtide_store.data_directory import writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.opening import refuse_without_store
from gridtide_store.store import Store


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
