"""A home outlives a release: every older version comes up to today's, whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from gridtide_store.anomalies import Filter, read_anomalies
from gridtide_store.data_directory import DataDirectory
from gridtide_store.database import attach, connect
from gridtide_store.errors import Damaged, NewerHome
from gridtide_store.opening import Migration, load, migrate, version
from gridtide_store.raw_responses import raw_sizes
from gridtide_store.store import Store

SIGNAL = "ci_lifecycle_produced"
NEXT = Migration(
    len(load()) + 1,
    "next",
    "ALTER TABLE retrieval ADD COLUMN status INTEGER; UPDATE retrieval SET status = 200;",
)
# One home of each version there has been: its tables by the migrations up to it, and rows
# written the way that version wrote them. A new migration adds an entry here.
ROWS = {
    1: """
        INSERT INTO meta VALUES ('batch', 2), ('derived:ipcc_ar5', 1);
        INSERT INTO series VALUES (0, 'DE', 'ci_lifecycle_produced', 'a');
        INSERT INTO retrieval VALUES (1, 'a', '/x', '2026-03-02T12:00:00Z', 'ab', 2, NULL);
        INSERT INTO observation VALUES
            (0, '2026-03-02T11:00:00Z', '2026-03-02T12:00:00Z', 5.5, 'measured',
             '2026-03-02T12:00:00Z', 1, 1);
        INSERT INTO run VALUES (0, 'DE', 'ci_lifecycle_produced', 'weekly@1',
            '2026-03-02T12:00:00Z', '2026-03-02T12:00:00Z', 'a', false, 2);
        INSERT INTO step VALUES
            (0, '2026-03-02T12:00:00Z', '2026-03-02T13:00:00Z', NULL, 7.5, NULL);
    """,
}
ROWS[2] = ROWS[1]
ROWS[3] = """
    INSERT INTO meta VALUES ('batch', 2), ('derived:ipcc_ar5', 1);
    INSERT INTO series VALUES (0, 'DE', 'ci_lifecycle_produced', 'a');
    INSERT INTO retrieval VALUES
        (1, 'a', '/x', '2026-03-02T12:00:00Z', 'ab', 2, NULL, 'load', 22, 'first');
    INSERT INTO observation VALUES
        (0, '2026-03-02T11:00:00Z', '2026-03-02T12:00:00Z', 5.5, 'measured',
         '2026-03-02T12:00:00Z', 1, 1);
    INSERT INTO run VALUES (0, 'DE', 'ci_lifecycle_produced', 'weekly@1',
        '2026-03-02T12:00:00Z', '2026-03-02T12:00:00Z', 'a', false, 2, NULL);
    INSERT INTO step VALUES
        (0, '2026-03-02T12:00:00Z', '2026-03-02T13:00:00Z', NULL, 7.5, NULL);
"""
ROWS[4] = (
    ROWS[3]
    + """
        INSERT INTO extent VALUES
            (0, 1, '2026-03-02T11:00:00Z', '2026-03-02T12:00:00Z', '2026-03-02T12:00:00Z',
             false);
    """
)
WEATHER = """
        INSERT INTO weather_run VALUES (0, 'DE', 'gfs_1p00@box1', '2026-03-02T06:00:00Z',
            '2026-03-02T11:00:00Z', '2026-03-02T11:00:00Z', 'gfs', false, 2);
        INSERT INTO weather VALUES (0, 'temp_k', 3, 28015);
    """
ROWS[5] = ROWS[4] + WEATHER


@pytest.fixture
def file(home: DataDirectory) -> duckdb.DuckDBPyConnection:
    home.root.mkdir()
    connection = connect()
    attach(connection, home.live, "live", read_only=False)
    connection.execute("USE live")
    return connection


def build(connection: duckdb.DuckDBPyConnection, number: int) -> None:
    migrate(connection, load()[:number], who="test")
    connection.execute(ROWS[number])
    connection.close()


@pytest.mark.parametrize("number", range(1, len(load()) + 1))
def test_a_home_of_every_version_opens_with_its_rows(
    home: DataDirectory, file: duckdb.DuckDBPyConnection, number: int, now: datetime
) -> None:
    build(file, number)
    day = datetime(2026, 3, 2, tzinfo=now.tzinfo), datetime(2026, 3, 3, tzinfo=now.tzinfo)
    with Store.open(home) as store:
        assert version(store.connection) == len(load())
        history = store.history("DE", SIGNAL, *day, as_of=now)
        forecasts = store.forecasts("DE", SIGNAL, *day, as_of=now)
        assert history["value"].to_list() == [5.5]
        assert forecasts["p50"].to_list() == [7.5]
        assert store.cut == 2
        assert raw_sizes(store.connection)["a"].retrievals == 1
        assert read_anomalies(store.connection, Filter(), limit=1).is_empty()


def test_computed_rows_of_the_first_version_become_derived(
    home: DataDirectory, file: duckdb.DuckDBPyConnection, now: datetime
) -> None:
    migrate(file, load()[:1], who="test")
    file.execute(ROWS[1])
    file.execute(
        """
        INSERT INTO series VALUES (1, 'DE', 'ci_lifecycle_produced', 'derived@ipcc_ar5/a');
        INSERT INTO observation SELECT 1, slot_start, slot_end, value, unnest(
            ['measured'::quality]), known_at, 1, 2 FROM observation;
        INSERT INTO observation SELECT 1, slot_end, slot_end + INTERVAL 1 HOUR, NULL,
            'simulated', known_at, 1, 2 FROM observation WHERE series = 0;
        """
    )
    file.close()
    with Store.open(home) as store:
        found = store.connection.execute(
            "SELECT source, quality::TEXT FROM belief ORDER BY source, slot_start"
        ).fetchall()
        assert found == [
            ("a", "measured"),
            ("derived@ipcc_ar5/a", "derived"),
            ("derived@ipcc_ar5/a", "simulated"),
        ]
        rows = store.connection.execute("SELECT count(*) FROM belief_as_of(?)", [now])
        assert rows.fetchone() == (3,)


def test_a_further_migration_is_applied_once_and_keeps_the_rows(
    home: DataDirectory, store: Store, slots: Callable[..., pl.DataFrame], now: datetime
) -> None:
    store.append(slots([1.0], now))
    store.keep("a", "/x", b"x", now)
    store.close()
    for _ in range(2):
        with Store.open(home, [*load(), NEXT]) as upgraded:
            assert version(upgraded.connection) == NEXT.number
            assert upgraded.connection.execute("SELECT status FROM retrieval").fetchall() == [
                (200,)
            ]
            assert upgraded.series()["rows"].to_list() == [1]


def test_a_home_from_a_newer_version_is_refused_and_left_alone(
    home: DataDirectory, store: Store
) -> None:
    store.close()
    Store.open(home, [*load(), NEXT]).close()
    with pytest.raises(
        NewerHome, match=rf"version {NEXT.number}.*up to {len(load())}; upgrade"
    ):
        Store.open(home)
    with Store.open(home, [*load(), NEXT]) as again:
        assert version(again.connection) == NEXT.number


def test_a_migration_that_fails_midway_leaves_the_version_before(
    home: DataDirectory, store: Store
) -> None:
    store.close()
    broken = Migration(NEXT.number, "broken", f"{NEXT.sql}; FROM no_such_table;")
    with pytest.raises(Damaged, match="no_such_table"):
        Store.open(home, [*load(), broken])
    with Store.open(home) as again:
        assert version(again.connection) == len(load())
        names = again.connection.execute("SELECT * FROM retrieval").description
        assert names is not None
        assert "status" not in {name for name, *_ in names}


@pytest.mark.parametrize("names", [["002_late.sql"], ["001_a.sql", "003_c.sql"], []])
def test_a_gap_in_the_numbers_is_an_installation_that_is_not_whole(
    tmp_path: Path, names: list[str]
) -> None:
    for name in names:
        (tmp_path / name).write_text("")
    with pytest.raises(Damaged, match="reinstall"):
        load(tmp_path)


def test_a_file_that_is_no_database_is_damage(home: DataDirectory) -> None:
    home.root.mkdir()
    home.live.write_bytes(b"not a database" * 1000)
    with pytest.raises(Damaged, match="restore a backup"):
        Store.open(home)


def test_every_supported_duckdb_can_read_the_store(store: Store) -> None:
    ((tags,),) = store.connection.execute(
        "SELECT tags FROM duckdb_databases() WHERE database_name = 'live'"
    ).fetchall()
    assert tags["storage_version"].startswith("v1.5.0")
