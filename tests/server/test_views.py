"""The SQL views of a snapshot, read with DuckDB as its users read it."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from gridtide.cli import script
from gridtide_store.data_directory import DataDirectory
from gridtide_store.database import instant
from gridtide_store.pointer import current_snapshot
from gridtide_store.snapshot import Observed, Snapshot
from tests.server.published import HOUR, NOW, PRODUCED, Asker, Publisher, observed

END = datetime(2027, 1, 1, tzinfo=UTC)


def views(home: DataDirectory, path: Path) -> duckdb.DuckDBPyConnection:
    """A connection that has run the script of ``gridtide export --sql``."""
    words = ["export", "--sql", str(path), "--force", "--now", NOW.isoformat()]
    assert script.main(words, {"GRIDTIDE_HOME": str(home.root)}) == 0
    connection = duckdb.connect()
    connection.execute(path.read_text())
    return connection


def slots(found: Observed) -> list[tuple[Any, ...]]:
    columns = (found.start_us, found.end_us, found.value, found.quality, found.known_at_us)
    rows = zip(*(each.tolist() for each in columns), found.source.tolist(), strict=True)
    return [tuple(None if each != each else each for each in row) for row in rows]


HISTORY = (
    'SELECT epoch_us(start), epoch_us("end"), value, quality, epoch_us(known_at), source '
    "FROM {view} WHERE zone = ? AND signal = ? ORDER BY start"
)


def compare(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> int:
    """Hold every pair of the snapshot to the views; the number of slots compared."""
    count = 0
    moments = [NOW - 30 * HOUR, NOW - 3 * HOUR, NOW]
    for zone, signal in sorted({(each.zone, each.signal) for each in snapshot.series}):
        for moment in (None, *moments):
            known = snapshot.observations(
                zone, signal, datetime(1900, 1, 1, tzinfo=UTC), END, as_of=moment
            )
            view = f"history_as_of(TIMESTAMPTZ '{moment}')" if moment else "history"
            rows = connection.execute(HISTORY.format(view=view), [zone, signal]).fetchall()
            assert rows == slots(known), (zone, signal, moment)
            count += len(rows)
    return count


def test_the_views_say_what_the_service_says(home: DataDirectory, tmp_path: Path) -> None:
    folder = current_snapshot(home)
    assert folder is not None
    with views(home, tmp_path / "views.sql") as connection, Snapshot.open(folder) as snapshot:
        assert compare(connection, snapshot) > 100
        for zone, signal in sorted({(each.zone, each.signal) for each in snapshot.series}):
            for moment in (None, NOW - HOUR, NOW - 2 * HOUR):
                issued = snapshot.run(zone, signal, as_of=moment or END)
                view = f"forecast_as_of(TIMESTAMPTZ '{moment}')" if moment else "forecast"
                rows = connection.execute(
                    f"SELECT model, epoch_us(issued_at), epoch_us(start), p10, p50, p90 "  # noqa: S608  # our own names
                    f"FROM {view} WHERE zone = ? AND signal = ? ORDER BY start",
                    [zone, signal],
                ).fetchall()
                assert (issued is None) == (rows == [])
                if issued is not None:
                    times = zip(
                        issued.start_us, issued.p10, issued.p50, issued.p90, strict=True
                    )
                    head = issued.model, instant(issued.issued_at)
                    assert rows == [(*head, *map(float, each)) for each in times]


def fill(publisher: Publisher, lot: random.Random, hour: int) -> None:
    """Values of three sources in slots of three lengths, some of them unknown."""
    for zone in ("AT", "DE"):
        for source in lot.sample(["alpha", "beta", "gamma"], lot.randint(1, 3)):
            values = [lot.choice([None, float(lot.randint(1, 9))]) for _ in range(24)]
            publisher.add(
                observed(
                    *(zone, values),
                    start=NOW - lot.randint(6, 20) * HOUR,
                    step=HOUR / lot.choice([1, 2, 4]),
                    source=source,
                    known_at=NOW - (6 - hour) * HOUR,
                )
            )


@pytest.mark.parametrize("seed", range(6))
def test_overlapping_slots_of_several_sources_are_merged_as_the_service_does(
    publisher: Publisher, tmp_path: Path, seed: int
) -> None:
    lot = random.Random(seed)  # noqa: S311  # the same numbers in every run
    fill(publisher, lot, 0)
    publisher.publish(NOW - HOUR)
    fill(publisher, lot, 1)  # goes into the delta
    fill(publisher, lot, 2)
    publisher.publish()
    folder = current_snapshot(publisher.home)
    assert folder is not None
    with (
        views(publisher.home, tmp_path / "views.sql") as connection,
        Snapshot.open(folder) as snapshot,
    ):
        assert compare(connection, snapshot) > 100


def test_another_process_reads_while_the_service_answers(
    home: DataDirectory, ask: Asker, tmp_path: Path
) -> None:
    views(home, tmp_path / "views.sql").close()
    (slot,) = ask.json("/v1/zones/DE/intensity")["slots"]
    code = (
        "import duckdb, sys\n"
        "connection = duckdb.connect()\n"
        "connection.execute(open(sys.argv[1]).read())\n"
        "query = 'SELECT arg_max(value, start) FROM intensity '\n"
        "query += \"WHERE zone = 'DE' AND signal = ?\"\n"
        "print(connection.execute(query, [sys.argv[2]]).fetchone()[0])\n"
        "try:\n"
        "    connection.execute('DELETE FROM delta.belief')\n"
        "except duckdb.Error as error:\n"
        "    print('read-only' in str(error))\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "views.sql"), PRODUCED]
    done = subprocess.run(words, text=True, capture_output=True, check=True)
    assert done.stdout.splitlines() == [str(slot["value"]), "True"]
    assert ask.json("/v1/zones/DE/intensity")["slots"] == [slot]


def test_views_are_there_for_what_is_published_and_refuse_a_part_of_it(
    home: DataDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with views(home, tmp_path / "views.sql") as connection:
        found = connection.execute("SELECT view_name FROM duckdb_views() WHERE temporary")
        names = {name for (name,) in found.fetchall()}
        licences = connection.execute("SELECT source, licence FROM source ORDER BY 1")
        assert licences.fetchall()[:2] == [("alpha", "CC-BY-4.0"), ("beta", "public domain")]
        row = connection.execute("SELECT count(*) FROM revision WHERE zone = 'DE'").fetchone()
        assert row == (27 + 3 + 1 + 3 + 1 + 1 + 2,)
    public = {"observation", "revision", "history", "forecast", "forecast_run"}
    public |= {"intensity", "carbon_free"}
    assert public <= names
    assert not names & {"generation", "load", "flow", "price", "share"}
    document = (Path(__file__).parents[2] / "docs/export.md").read_text()
    assert [name for name in sorted(public) if f"| `{name}` |" not in document] == []
    capsys.readouterr()
    environ = {"GRIDTIDE_HOME": str(home.root)}
    assert script.main(["export", "--sql", "--zone", "DE"], environ) == 2
    assert "name only a file" in capsys.readouterr().err
    assert script.main(["export", "--sql"], environ) == 0
    assert capsys.readouterr().out == (tmp_path / "views.sql").read_text()
    empty = {"GRIDTIDE_HOME": str(tmp_path / "none")}
    assert script.main(["export", "--sql"], empty) == 1
    assert "nothing published" in capsys.readouterr().err
