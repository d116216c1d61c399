"""Delete old commands from the ledger; what is known of sources and answered days stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from gridtide.model import format_time
from gridtide_store.ledger import transaction

# A year and a bit: what happened at this time of the last year can be looked up.
KEEP_COMMANDS: Final = timedelta(days=400)


def prune_commands(path: Path, before: datetime) -> int:
    """Delete the commands that began before `before`, with their stages.

    The last stage of each source stays, and the last that was done, whose times
    `gridtide sources` prints; and so do their commands.

    Args:
        path: of the ledger.
        before: commands that began then or later stay.

    Returns:
        Commands deleted.
    """
    with transaction(path) as connection:
        connection.execute(
            "DELETE FROM step WHERE run IN (SELECT id FROM run WHERE started < ? "
            "AND outcome <> 'running') "
            "AND rowid NOT IN (SELECT max(rowid) FROM step GROUP BY source) "
            "AND rowid NOT IN "
            "(SELECT max(rowid) FROM step WHERE status = 'done' GROUP BY source)",
            (format_time(before),),
        )
        return connection.execute(
            "DELETE FROM run WHERE started < ? AND outcome <> 'running' "
            "AND id NOT IN (SELECT run FROM step) AND id < (SELECT max(id) FROM run)",
            (format_time(before),),
        ).rowcount
