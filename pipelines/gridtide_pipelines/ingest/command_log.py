"""Record a command in the ledger: when it begins and, however it ends, when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from gridtide_store.ledger import Ledger
from gridtide_store.records import Outcome


@dataclass(slots=True)
class CommandNote:
    """The outcome that the ledger will record of a command; failed until `done` is called."""

    command: int
    outcome: Outcome = Outcome.FAILED
    exit_code: int = 1
    summary: Mapping[str, object] = field(default_factory=dict)

    def done(self, summary: Mapping[str, object], *, exit_code: int = 0) -> None:
        """Set that the command succeeded, wholly (exit code 0) or in part (3)."""
        self.outcome = Outcome.PARTIAL if exit_code else Outcome.DONE
        self.exit_code, self.summary = exit_code, summary


@contextmanager
def record_command(
    ledger: Ledger, command: str, args: Sequence[str], now: Callable[[], datetime]
) -> Iterator[CommandNote]:
    """Record `command` in the ledger for the length of the block."""
    note = CommandNote(ledger.start_command(command, args, now()))
    try:
        yield note
    finally:
        ledger.finish_command(
            note.command,
            now(),
            note.outcome,
            exit_code=note.exit_code,
            summary=note.summary,
        )
