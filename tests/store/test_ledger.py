"""The ledger: what ran, what is known of sources, readable at any time."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gridtide.errors import BadInput
from gridtide_store.errors import Damaged, NewerHome, Unusable
from gridtide_store.ledger import SCHEMA, Ledger
from gridtide_store.records import Facts, Flag, Outcome, Stage
from tests.final_days import final_days

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "home" / "ledger.sqlite")


def test_a_run_is_open_until_it_is_finished(ledger: Ledger, now: datetime) -> None:
    number = ledger.start_command("refresh", ["--since", "2026-03-01"], now)
    (running,) = ledger.commands()
    assert (running.outcome, running.finished, running.exit_code) == ("running", None, None)
    assert running.args == ("--since", "2026-03-01")
    assert running.pid == os.getpid()
    ledger.finish_command(number, now + HOUR, Outcome.PARTIAL, exit_code=3, summary={"rows": 7})
    (done,) = ledger.commands()
    assert (done.outcome, done.finished, done.exit_code) == ("partial", now + HOUR, 3)
    assert done.summary == {"rows": 7}


def test_runs_of_dead_processes_are_interrupted_at_the_next_start(
    ledger: Ledger, now: datetime
) -> None:
    ledger.start_command("refresh", [], now, pid=11, alive={11, 22}.__contains__)
    ledger.start_command("backtest", [], now, pid=22, alive={11, 22}.__contains__)
    ledger.start_command("refresh", [], now + HOUR, pid=33, alive={22}.__contains__)
    assert [(run.pid, run.outcome, run.finished) for run in ledger.commands()] == [
        (33, "running", None),
        (22, "running", None),
        (11, "interrupted", now + HOUR),
    ]


def test_our_own_process_counts_as_alive_and_one_that_ended_does_not(
    ledger: Ledger, now: datetime
) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    ledger.start_command("refresh", [], now, pid=child.pid)
    ledger.start_command("refresh", [], now)
    ledger.start_command("refresh", [], now)
    assert [run.outcome for run in ledger.commands()] == ["running", "running", "interrupted"]


def test_finishing_a_run_that_never_began_is_refused(ledger: Ledger, now: datetime) -> None:
    with pytest.raises(BadInput, match="unknown command 5"):
        ledger.finish_command(5, now, Outcome.DONE, exit_code=0)


def test_the_newest_runs_come_first_up_to_the_limit(ledger: Ledger, now: datetime) -> None:
    numbers = [ledger.start_command("refresh", [], now) for _ in range(3)]
    assert [run.id for run in ledger.commands(2)] == numbers[:0:-1]


def test_steps_come_back_as_noted_in_their_order(ledger: Ledger, now: datetime) -> None:
    run, other = (
        ledger.start_command("refresh", [], now),
        ledger.start_command("import", [], now),
    )
    steps = [
        Stage("eia", "generation", ("US-A", "US-B"), now, now + HOUR, "done", 5, 100, 12),
        Stage("neso", "", (), None, None, "skipped", message="no key"),
    ]
    for step in steps:
        ledger.record_stage(run, step)
    assert ledger.stages(run) == steps
    assert ledger.stages(other) == []


FIRST, SECOND = date(2026, 1, 1), date(2026, 1, 2)


def test_a_complete_day_is_settled_for_its_zone_alone(ledger: Ledger, now: datetime) -> None:
    ledger.record_answers(
        "eia", "load", complete=[("A", FIRST), ("B", SECOND)], silent={}, now=now
    )
    assert final_days(ledger, "eia", "load") == {"A": {FIRST}, "B": {SECOND}}
    assert final_days(ledger, "eia", "flow") == {}
    # What comes later with gaps, because another zone was requested, changes nothing.
    silence(ledger, now, 5)
    silence(ledger, now + 2 * DAY, 6)
    assert final_days(ledger, "eia", "load")["A"] == {FIRST}


def silence(ledger: Ledger, at: datetime, hours: float, zone: str = "A") -> None:
    silent = {(zone, FIRST): timedelta(hours=hours)}
    ledger.record_answers("eia", "load", complete=[], silent=silent, now=at)


@pytest.mark.parametrize(
    ("later", "settled"),
    [
        (timedelta(minutes=5), False),
        (timedelta(hours=11), False),
        (timedelta(hours=13), True),
        (timedelta(days=1), True),
        (timedelta(days=40), True),
        # The clock was set back: how much later it is remains unknown.
        (timedelta(days=-1), False),
        (timedelta(days=-400), False),
    ],
)
def test_a_silent_day_is_settled_when_another_day_brings_no_more(
    ledger: Ledger,
    now: datetime,
    later: timedelta,
    settled: bool,  # noqa: FBT001
) -> None:
    silence(ledger, now, 0)
    assert final_days(ledger, "eia", "load") == {}
    silence(ledger, now + later, 0)
    assert final_days(ledger, "eia", "load") == ({"A": {FIRST}} if settled else {})


def test_a_silent_day_that_grows_stays_open_until_a_day_brings_no_more(
    ledger: Ledger, now: datetime
) -> None:
    for day, hours in enumerate((0, 1, 5, 5.25, 20)):
        silence(ledger, now + day * DAY, hours)
        assert final_days(ledger, "eia", "load") == {}, day
    silence(ledger, now + 4 * DAY + HOUR, 20)  # the same day says nothing
    assert final_days(ledger, "eia", "load") == {}
    silence(ledger, now + 5 * DAY, 20)
    assert final_days(ledger, "eia", "load") == {"A": {FIRST}}


def test_growth_later_on_the_first_day_moves_the_wait(ledger: Ledger, now: datetime) -> None:
    silence(ledger, now, 0)
    silence(ledger, now + timedelta(hours=11), 3)
    silence(ledger, now + timedelta(hours=14), 3)  # 14 h after the first, 3 h after the growth
    assert final_days(ledger, "eia", "load") == {}
    silence(ledger, now + timedelta(hours=24), 3)
    assert final_days(ledger, "eia", "load") == {"A": {FIRST}}


def test_an_answer_that_brings_less_is_nothing_new(ledger: Ledger, now: datetime) -> None:
    silence(ledger, now, 20)
    silence(ledger, now + HOUR, 0)
    silence(ledger, now + HOUR * 2, 20)  # what was there before is no growth
    silence(ledger, now + DAY, 3)
    assert final_days(ledger, "eia", "load") == {"A": {FIRST}}


def test_a_zone_that_grows_keeps_no_other_one_open(ledger: Ledger, now: datetime) -> None:
    for day, hours in enumerate((1, 2)):
        silence(ledger, now + day * DAY, hours)
        silence(ledger, now + day * DAY, 1, zone="B")
    assert final_days(ledger, "eia", "load") == {"B": {FIRST}}


def test_after_the_clock_was_set_back_the_wait_begins_again(
    ledger: Ledger, now: datetime
) -> None:
    silence(ledger, now + 400 * DAY, 1)
    silence(ledger, now, 1)
    assert final_days(ledger, "eia", "load") == {}
    silence(ledger, now + HOUR, 1)
    assert final_days(ledger, "eia", "load") == {}
    silence(ledger, now + DAY, 1)
    assert final_days(ledger, "eia", "load") == {"A": {FIRST}}


def test_a_silent_day_that_becomes_complete_is_settled(ledger: Ledger, now: datetime) -> None:
    silence(ledger, now, 1)
    ledger.record_answers("eia", "load", complete=[("A", FIRST)], silent={}, now=now + HOUR)
    assert final_days(ledger, "eia", "load") == {"A": {FIRST}}


@pytest.mark.parametrize(
    ("version", "row"),
    [
        (1, "('eia', 'load', '', '2026-01-01')"),
        (2, "('eia', 'load', 'A', '2026-01-01', '2026-02-01T00:00:00Z', 1)"),
        (2, "('eia', 'load', 'A', '2026-01-01', '2026-02-01T00:00:00Z', 0)"),
    ],
)
def test_days_settled_by_an_older_version_are_requested_once_more(
    tmp_path: Path, version: int, row: str, now: datetime
) -> None:
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        for number in range(1, version + 1):
            script = SCHEMA / f"ledger_{number:03}.sql"
            connection.executescript(script.read_text(encoding="utf-8"))
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute(f"INSERT INTO settled VALUES {row}")  # noqa: S608  # ours, above
        connection.execute("INSERT INTO flag VALUES ('eia', 'x', 3, '2026-01-01T00:00:00Z')")
        connection.commit()
    ledger = Ledger(path)
    assert final_days(ledger, "eia", "load") == {}
    assert [flag.count for flag in ledger.flags()] == [3]
    silence(ledger, now, 1)
    assert final_days(ledger, "eia", "load") == {}


def test_days_settled_by_the_version_before_stay_so(tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        for number in range(1, 5):
            script = SCHEMA / f"ledger_{number:03}.sql"
            connection.executescript(script.read_text(encoding="utf-8"))
        connection.execute("PRAGMA user_version = 4")
        rows = [("A", 1, 0.0), ("B", 1, 3600.0), ("C", 0, 3600.0)]
        connection.executemany(
            "INSERT INTO settled VALUES "
            "('eia', 'load', ?, '2026-01-01', '2026-02-01T00:00:00Z', ?, ?)",
            rows,
        )
        connection.commit()
    ledger = Ledger(path)
    assert final_days(ledger, "eia", "load") == {"A": {FIRST}, "B": {FIRST}}
    assert ledger.answers("eia", "load")["C"][FIRST].news_at == datetime(2026, 2, 1, tzinfo=UTC)
    for zone in ("A", "B"):  # one that was complete stays final, one with gaps may grow
        silence(ledger, now, 5, zone=zone)
    assert final_days(ledger, "eia", "load") == {"A": {FIRST}}


def test_an_answer_of_a_final_day_is_remembered(ledger: Ledger, now: datetime) -> None:
    days = [("A", FIRST)]
    for at in (now, now + DAY):
        ledger.record_answers("eia", "load", complete=days, silent={}, now=at)
    (answered,) = ledger.answers("eia", "load")["A"].values()
    assert (answered.at, answered.news_at, answered.final) == (now + DAY, now, True)
    assert ledger.answers("eia", "load", since=SECOND) == {}


def test_what_is_known_of_a_source_is_replaced(ledger: Ledger) -> None:
    ledger.set_source(Facts("eia", "EIA", "https://api.eia.gov", "old"))
    facts = Facts("eia", "EIA", "https://api.eia.gov", "PD", simulated=True, restricted=True)
    ledger.set_source(facts)
    assert ledger.sources() == {"eia": facts}


def test_flags_add_up(ledger: Ledger, now: datetime) -> None:
    ledger.count_flags("eia", {"unmapped_code:WIN": 2, "duplicate": 1}, now)
    ledger.count_flags("eia", {"unmapped_code:WIN": 3}, now + HOUR)
    assert ledger.flags() == [
        Flag("eia", "duplicate", 1, now),
        Flag("eia", "unmapped_code:WIN", 5, now + HOUR),
    ]


def test_the_ledger_is_read_while_someone_else_writes(ledger: Ledger, now: datetime) -> None:
    ledger.start_command("refresh", [], now)
    with closing(sqlite3.connect(ledger.path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM run")
        assert len(ledger.commands()) == 1
        writer.execute("COMMIT")
    assert ledger.commands() == []


def test_a_ledger_opens_again_as_it_was(ledger: Ledger, now: datetime) -> None:
    ledger.start_command("refresh", [], now)
    assert len(Ledger(ledger.path).commands()) == 1


def test_a_newer_ledger_is_refused(ledger: Ledger) -> None:
    with closing(sqlite3.connect(ledger.path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerHome, match=r"version 99.*upgrade"):
        Ledger(ledger.path)


def test_a_file_that_is_no_ledger_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(Damaged, match="restore it"):
        Ledger(path)


def test_a_ledger_that_cannot_be_opened_is_not_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").mkdir()
    with pytest.raises(
        Unusable, match=r"ledger.sqlite cannot be opened or written \(.*\).*--home"
    ):
        Ledger(tmp_path / "ledger.sqlite")


def test_a_ledger_in_what_is_no_folder_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("no folder")
    with pytest.raises(Unusable, match="cannot be opened"):
        Ledger(tmp_path / "home" / "ledger.sqlite")
