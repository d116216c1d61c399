"""Commands past their retention period leave the ledger; what sources are judged by stays."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from gridtide_store.ledger import Ledger
from gridtide_store.ledger_upkeep import prune_commands
from gridtide_store.records import Outcome, Stage

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def stage(source: str, status: str) -> Stage:
    return Stage(source, "load", ("DE",), START, START + DAY, status, message=status)


def test_old_commands_go_and_the_last_of_each_source_stay(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    for number in range(10):
        command = ledger.start_command(
            "refresh", [], START + number * DAY, alive=lambda _: True
        )
        statuses = {"a": "done", "b": "done" if number < 2 else "source_changed"}
        if number < 4:
            statuses["c"] = "source_unavailable"  # and is not requested any more
        for source, status in statuses.items():
            ledger.record_stage(command, stage(source, status))
        if number != 5:  # which is still running
            ledger.finish_command(command, START + number * DAY, Outcome.DONE, exit_code=0)
    ledger.record_answers(
        "a", "load", complete=[("DE", date(2026, 3, 1))], silent={}, now=START
    )
    before = ledger.outcomes()
    assert prune_commands(ledger.path, START + 8 * DAY) == 5
    # The last that was done of b, the last of c, the running one, and the two newest.
    assert [each.id for each in ledger.commands()] == [10, 9, 6, 4, 2]
    assert ledger.outcomes() == before
    assert len(ledger.stages(6)) == 2
    assert ledger.answers("a", "load") != {}
    assert prune_commands(ledger.path, START + 8 * DAY) == 0
    # Even of a ledger that is old as a whole the newest command stays, so that no number is
    # given twice.
    assert prune_commands(ledger.path, START + 99 * DAY) == 1
    assert [each.id for each in ledger.commands()] == [10, 6, 4, 2]
    assert ledger.start_command("refresh", [], START + 99 * DAY) == 11
