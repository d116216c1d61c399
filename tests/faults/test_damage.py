"""Damage outside of snapshots: noticed, never served, reported with a remedy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gridtide_store.data_directory import DataDirectory
from tests.faults.damage import (
    Case,
    body,
    cut,
    flip,
    into_folder,
    ledger,
    live,
    overwrite,
    pointer,
    replaced,
    sql,
    view_of,
)
from tests.faults.judging import cases, gridtide, judge, one_sentence

pytestmark = [pytest.mark.faults, pytest.mark.slow]

NO_DATABASE = b"not a database " * 2000

STORE = [
    Case("header zeroed", live(lambda p: overwrite(p, 0, 12288)), "live.duckdb"),
    Case("main header zeroed", live(lambda p: overwrite(p, 0, 4096)), "live.duckdb"),
    Case("main header random", live(lambda p: overwrite(p, 0, 4096, seed=1)), "live.duckdb"),
    Case("both headers random", live(lambda p: overwrite(p, 4096, 8192, seed=2)),
         "live.duckdb"),
    Case("first block random", live(lambda p: overwrite(p, 12288, 4096, seed=3)),
         "live.duckdb"),
    Case("all after the headers", live(lambda p: overwrite(p, 12288, p.stat().st_size - 12288)),
         "live.duckdb"),
    Case("half", live(lambda p: cut(p, 0.5)), "live.duckdb"),
    Case("hundred bytes", live(lambda p: os.truncate(p, 100)), "live.duckdb"),
    Case("empty", live(lambda p: os.truncate(p, 0)), "live.duckdb"),
    Case("missing", live(Path.unlink), "live.duckdb"),
    Case("a folder", live(into_folder), "live.duckdb"),
    Case("text", live(replaced(NO_DATABASE)), "live.duckdb"),
    Case("of another DuckDB", live(lambda p: overwrite(p, 12, 1, seed=5)), "live.duckdb"),
    Case("of somebody else", live(lambda p: (p.unlink(), sql(p, "CREATE TABLE t (x INT)"))),
         "live.duckdb"),
    Case("with a view", live(lambda p: sql(p, *view_of(Path("/etc/hostname")))), "live.duckdb"),
    Case("with a macro", live(lambda p: sql(p, "CREATE MACRO round(x) AS 0")), "live.duckdb"),
    Case("a table with other columns",
         live(lambda p: sql(p, "DROP TABLE run", "CREATE TABLE run (x INT)")), "live.duckdb"),
    Case("a table less", live(lambda p: sql(p, "ALTER TABLE step RENAME TO steps")),
         "live.duckdb"),
]  # fmt: skip

LEDGER = [
    Case("header zeroed", ledger(lambda p: overwrite(p, 0, 100)), "ledger.sqlite"),
    Case("text", ledger(replaced(NO_DATABASE)), "ledger.sqlite"),
    Case("cut", ledger(lambda p: cut(p, 0.3)), "ledger.sqlite"),
    Case("a folder", ledger(into_folder), "ledger.sqlite"),
    Case(
        "pages random",
        ledger(lambda p: overwrite(p, 4096, 8192, seed=6)),
        "ledger.sqlite",
        harmless=True,
    ),
    # It is made anew; what is known of the sources comes from the snapshot before.
    Case("missing", ledger(Path.unlink), "ledger.sqlite", heals=True),
    Case("empty", ledger(lambda p: os.truncate(p, 0)), "ledger.sqlite", heals=True),
]

POINTER = [
    Case("empty", pointer(b""), "CURRENT", heals=True),
    Case("missing", pointer(None), "CURRENT", heals=True),
    Case("binary", pointer(bytes(range(256))), "CURRENT", heals=True),
    Case("to nowhere", pointer(b"20260101T000000Z-gone\n"), "CURRENT", heals=True),
    Case("outside", pointer(b"../../etc\n"), "CURRENT", heals=True),
    Case("absolute", pointer(b"/etc\n"), "CURRENT", heals=True),
    Case("two lines", pointer(b"one\ntwo\n"), "CURRENT", heals=True),
    Case("ten megabytes", pointer(b"a" * 10_000_000), "CURRENT", heals=True),
    Case("a folder", lambda home: into_folder(home.current), "CURRENT", heals=True),
]

BODIES = [
    Case("cut", body(lambda p: cut(p, 0.5)), ".gz", heals=True),
    Case("missing", body(Path.unlink), ".gz", heals=True),
    Case("flipped", body(lambda p: flip(p, -6)), ".gz", heals=True),
    Case("no gzip", body(replaced(b"as it was received")), ".gz", heals=True),
    Case("a folder", body(into_folder), ".gz", heals=True),
]


@pytest.mark.parametrize(
    "case",
    cases(("store", STORE), ("ledger", LEDGER), ("pointer", POINTER), ("bodies", BODIES)),
)
def test_damage_is_noticed_named_and_never_served(
    home: DataDirectory, case: Case, capfd: pytest.CaptureFixture[str]
) -> None:
    judge(home, case, capfd)


@pytest.mark.parametrize("kind", ["folder", "link", "binary"])
def test_an_odd_lock_file_is_reported_or_does_not_matter(
    home: DataDirectory, tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    home.lock.unlink()
    if kind == "folder":
        home.lock.mkdir()
    elif kind == "link":
        home.lock.symlink_to(elsewhere)
    else:
        home.lock.write_bytes(os.urandom(1000))
    code = gridtide(home, "publish")
    assert elsewhere.read_text() == "mine"
    if kind == "binary":
        assert code == 0
    else:
        assert code == 1
        assert one_sentence(capfd.readouterr().err)
