"""Damaged files: noticed, never served, told in one sentence with a remedy that works."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridtide import cli
from gridtide_store.home import Home
from tests.faults.damage import (
    FORECAST,
    HISTORY,
    MATRIX,
    Case,
    body,
    changed,
    cut,
    fill,
    flip,
    forge,
    into_folder,
    ledger,
    live,
    manifest,
    npy,
    of,
    overwrite,
    pickled,
    pointer,
    replaced,
    snapshot,
    sql,
    swap,
    view_of,
)
from tests.server.world import HOUR, NOW, Asker, Standing

pytestmark = [pytest.mark.faults, pytest.mark.slow]

BASE, DELTA = "base.duckdb", "delta.duckdb"
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

MANIFEST = [
    Case("cut", manifest(lambda b: b[: len(b) // 2]), "manifest.json", heals=True),
    Case("empty", manifest(lambda _: b""), "manifest.json", heals=True),
    Case("no JSON", manifest(lambda _: b"\xff\x00{"), "manifest.json", heals=True),
    Case("a list", manifest(lambda _: b"[]"), "manifest.json", heals=True),
    Case("deep", manifest(lambda _: b"[" * 100_000), "manifest.json", heals=True),
    Case("a number as text", changed(lambda d: d.update(cut="7")), "manifest.json", heals=True),
    Case("400 digits", changed(lambda d: d.update(cut=10**400)), "manifest.json", heals=True),
    Case("huge step", changed(lambda d: d["matrices"][0].update(step_seconds=2**62)),
         "manifest.json", heals=True),
    Case("other start", changed(lambda d: d["matrices"][0]["rows"][0].update(
        start="2026-03-01T00:00:00Z")), "manifest.json", heals=True),
    Case("wrong hash", changed(lambda d: d["files"][BASE].update(sha256="0" * 64)),
         "manifest.json", heals=True),
    Case("another id", changed(lambda d: d.update(id="other")), "manifest.json", heals=True),
    Case("a file outside", changed(lambda d: d["files"].update({"../x": d["files"][BASE]})),
         "manifest.json", heals=True),
    Case("missing", of("manifest.json", Path.unlink), "manifest.json", heals=True),
]  # fmt: skip

FILES = [
    Case(
        f"{name} {how}", of(name, do), name, served="refused" if shared else "right", heals=True
    )
    for name, shared in ((BASE, True), (DELTA, False), (MATRIX, True))
    for how, do in (
        ("flipped", lambda p: flip(p, p.stat().st_size // 2)),
        ("flipped at its end", lambda p: flip(p, -1)),
        ("cut", lambda p: cut(p, 0.7)),
        ("empty", lambda p: os.truncate(p, 0)),
        ("random", lambda p: p.write_bytes(os.urandom(p.stat().st_size))),
    )
] + [
    Case("base missing", of(BASE, Path.unlink), BASE, heals=True),
    Case("delta missing", of(DELTA, Path.unlink), DELTA, heals=True),
    Case("matrix missing", of(MATRIX, Path.unlink), MATRIX, heals=True),
    Case("base and delta swapped", swap, "duckdb", heals=True),
    Case("base a folder", of(BASE, into_folder), BASE, heals=True),
]

# Their hashes are right, so that only what is in them tells. `check` compares what was
# published, and this is; the reader refuses it.
FORGED = [
    Case("dtype", lambda home: forge(home, MATRIX, npy([[[1, 2]] * 3])), ""),
    Case("shape", lambda home: forge(home, MATRIX, npy([[1.0, 2.0]] * 3)), ""),
    Case("objects", lambda home: forge(home, MATRIX, npy([{}], pickled=True)), ""),
    Case("pickle", pickled, ""),
    Case("no header", lambda home: forge(home, MATRIX, b"\x93NUMPY"), ""),
    Case("empty", lambda home: forge(home, MATRIX, b""), ""),
]

BODIES = [
    Case("cut", body(lambda p: cut(p, 0.5)), ".gz", heals=True),
    Case("missing", body(Path.unlink), ".gz", heals=True),
    Case("flipped", body(lambda p: flip(p, -6)), ".gz", heals=True),
    Case("no gzip", body(replaced(b"as it was received")), ".gz", heals=True),
    Case("a folder", body(into_folder), ".gz", heals=True),
]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("damage") / "home").root


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Home:
    """A copy of the home; files linked in it are linked in the copy."""
    root = tmp_path / "home"
    linked: dict[int, Path] = {}

    def copy(source: str, target: str) -> None:
        inode = Path(source).stat().st_ino
        if inode in linked:
            os.link(linked[inode], target)
        else:
            shutil.copy2(source, target)
            linked[inode] = Path(target)

    shutil.copytree(template, root, copy_function=copy)
    return Home(root)


@pytest.fixture
def warm(home: Home) -> Iterator[Asker]:
    """A server that has answered before anything was damaged."""
    with Asker(home, Standing(NOW)) as ask:
        assert answers(ask) == ["right"] * 3
        yield ask


def answers(ask: Asker) -> list[str]:
    """How three questions are answered: from the matrix, from the files, and of the past.

    Whatever is damaged, a value is the true one or there is none.
    """
    history = "/v1/zones/DE/intensity?start=2026-03-01T12:00Z&end=2026-03-02T12:00Z"
    found = []
    for question in (
        "/v1/best-window?region=DE&hours=1",
        history,
        f"{history}&as_of=2026-03-02T11:59Z",
    ):
        answer = ask(question)
        if answer.status_code == 200:
            told = answer.json()
            if "slots" in told:
                values = [slot["value"] for slot in told["slots"]]
                # The snapshot before has 20 of the 24; as of a minute ago one is not known.
                pairs = list(zip(values, HISTORY, strict=False))
                assert all(one in (None, true) for one, true in pairs)
                assert values[:20] == HISTORY[:20]
            else:
                assert told["mean"] == min(FORECAST)
            found.append("right")
        else:
            assert answer.status_code == 503, answer.text
            assert answer.json()["code"] in ("damaged", "unusable_home", "newer_home")
            assert "; " in answer.json()["detail"]
            found.append("refused")
    assert ask("/healthz").status_code == 200
    return found


def gridtide(home: Home, *words: str) -> int:
    later = (NOW + HOUR).isoformat()
    return cli.main([*words, "--now", later], {"GRIDTIDE_HOME": str(home.root)})


def one_sentence(text: str) -> bool:
    """One line that is no traceback and names a remedy after a semicolon."""
    lines = [line for line in text.strip().splitlines() if " WARNING " not in line]
    return len(lines) == 1 and lines[0].startswith("gridtide: ") and "; " in lines[0]


def cases(*groups: tuple[str, list[Case]]) -> list[object]:
    return [
        pytest.param(case, id=f"{group}-{case.name}".replace(" ", "-"))
        for group, all_of_it in groups
        for case in all_of_it
    ]


@pytest.mark.parametrize(
    "case",
    cases(
        ("store", STORE),
        ("ledger", LEDGER),
        ("pointer", POINTER),
        ("manifest", MANIFEST),
        ("files", FILES),
        ("bodies", BODIES),
    ),
)
def test_damage_is_noticed_named_and_never_served(
    home: Home, case: Case, capfd: pytest.CaptureFixture[str]
) -> None:
    case.damage(home)
    with Asker(home, Standing(NOW)) as cold:
        assert set(answers(cold)) == {case.served}
    capfd.readouterr()
    assert gridtide(home, "check") == 1
    said = capfd.readouterr().out
    assert case.named in said
    assert all("; " in line for line in said.strip().splitlines())
    code = gridtide(home, "publish")
    told = capfd.readouterr()
    if case.harmless and code == 0:
        return
    if not case.heals:
        assert code in (1, 2)
        assert one_sentence(told.err), told.err
        return
    assert code == 0, told.err
    with Asker(home, Standing(NOW + 2 * HOUR)) as again:
        assert answers(again) == ["right"] * 3
    if case not in BODIES:  # which publishing does not bring back
        left = gridtide(home, "check")
        assert left == 0, capfd.readouterr().out


@pytest.mark.parametrize("case", cases(("manifest", MANIFEST), ("files", FILES)))
def test_a_server_that_runs_goes_on_or_refuses(warm: Asker, home: Home, case: Case) -> None:
    case.damage(home)
    ready = warm("/readyz").status_code
    assert ready in (200, 503)
    for _ in range(2):
        answers(warm)
    assert gridtide(home, "publish") == 0
    assert answers(warm) == ["right"] * 3
    assert warm("/readyz").json()["status"] in ("ready", "stale")


@pytest.mark.parametrize("case", cases(("forged", FORGED)))
def test_a_forged_matrix_is_not_loaded(home: Home, case: Case) -> None:
    forged = snapshot(home)
    case.damage(home)
    with Asker(home, Standing(NOW)) as ask:
        assert set(answers(ask)) <= {"right", "refused"}
        with ask.reader.read() as view:
            assert view.snapshot.id != forged.name
    assert not (home.root / "pwned").exists()


@pytest.mark.parametrize("kind", ["folder", "link", "binary"])
def test_an_odd_lock_file_is_told_or_does_not_matter(
    home: Home, tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str]
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


def test_files_that_may_not_be_read_are_told(home: Home) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    snapshot(home).chmod(0)
    with Asker(home, Standing(NOW)) as ask:
        assert set(answers(ask)) <= {"right", "refused"}
    snapshot(home).chmod(0o700)
