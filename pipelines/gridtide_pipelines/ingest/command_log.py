"""A run of a command in the ledger: noted when it begins and, however it ends, when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from gridtide_store.ledger import Ledger
from gridtide_store.records import Outcome


@dataclass(slots=True)
class Note:
    """What the ledger will hold of a run; failed unless the run says otherwise."""

    run: int
    outcome: Outcome = Outcome.FAILED
    exit_code: int = 1
    summary: Mapping[str, object] = field(default_factory=dict)

    def done(self, summary: Mapping[str, object], *, exit_code: int = 0) -> None:
        """The run did what it should, all of it (0) or in part (3)."""
        self.outcome = Outcome.PARTIAL if exit_code else Outcome.DONE
        self.exit_code, self.summary = exit_code, summary


@contextmanager
def noted(
    ledger: Ledger, command: str, args: Sequence[str], now: Callable[[], datetime]
) -> Iterator[Note]:
    """Note a run of `command` for the length of the block."""
    note = Note(ledger.start_run(command, args, now()))
    try:
        yield note
    finally:
        ledger.finish_run(
            note.run,
            now(),
            note.outcome,
            exit_code=note.exit_code,
            summary=note.summary,
        )
