"""Damage in a snapshot: noticed, never served, healed by publishing; also in a warm server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gridtide_store.data_directory import DataDirectory
from gridtide_store.errors import Damaged
from tests.faults.damage import (
    MATRIX,
    Case,
    changed,
    cut,
    flip,
    forge,
    into_folder,
    manifest,
    npy,
    of,
    pickled,
    snapshot,
    swap,
)
from tests.faults.judging import answers, cases, gridtide, judge
from tests.server.published import NOW, Asker, FixedClock

pytestmark = [pytest.mark.faults, pytest.mark.slow]

BASE, RUNS, DELTA = "base-2026.duckdb", "runs.duckdb", "delta.duckdb"

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
    for name, shared in ((BASE, True), (RUNS, True), (DELTA, False), (MATRIX, True))
    for how, do in (
        ("flipped", lambda p: flip(p, p.stat().st_size // 2)),
        ("flipped at its end", lambda p: flip(p, -1)),
        ("cut", lambda p: cut(p, 0.7)),
        ("empty", lambda p: os.truncate(p, 0)),
        ("random", lambda p: p.write_bytes(os.urandom(p.stat().st_size))),
    )
] + [
    Case("base missing", of(BASE, Path.unlink), BASE, heals=True),
    Case("runs missing", of(RUNS, Path.unlink), RUNS, heals=True),
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


@pytest.mark.parametrize("case", cases(("manifest", MANIFEST), ("files", FILES)))
def test_damage_is_noticed_named_and_never_served(
    home: DataDirectory, case: Case, capfd: pytest.CaptureFixture[str]
) -> None:
    judge(home, case, capfd)


@pytest.mark.parametrize("case", cases(("manifest", MANIFEST), ("files", FILES)))
def test_a_server_that_runs_goes_on_or_refuses(
    warm: Asker, home: DataDirectory, case: Case
) -> None:
    case.damage(home)
    ready = warm("/readyz").status_code
    assert ready in (200, 503)
    for _ in range(2):
        answers(warm)
    assert gridtide(home, "publish") == 0
    assert answers(warm) == ["right"] * 3
    assert warm("/readyz").json()["status"] in ("ready", "stale")


@pytest.mark.parametrize("case", cases(("forged", FORGED)))
def test_a_forged_matrix_is_not_loaded(home: DataDirectory, case: Case) -> None:
    forged = snapshot(home)
    case.damage(home)
    with Asker(home, FixedClock(NOW)) as ask:
        assert set(answers(ask)) <= {"right", "refused"}
        with ask.reader.read() as view:
            assert view.snapshot.id != forged.name
    assert not (home.root / "pwned").exists()


def test_files_that_may_not_be_read_are_reported(home: DataDirectory) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    snapshot(home).chmod(0)
    with Asker(home, FixedClock(NOW)) as ask:
        assert set(answers(ask)) <= {"right", "refused"}
    snapshot(home).chmod(0o700)


def test_after_a_failed_read_a_file_is_hashed_anew_though_its_time_is_the_same(
    warm: Asker, home: DataDirectory
) -> None:
    path = snapshot(home) / MATRIX  # which the snapshot before shares
    seen = path.stat()
    flip(path, -1)  # as a bad sector does, which leaves the time of change alone
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    with pytest.raises(Damaged, match="a block"), warm.reader.read():
        raise Damaged("a block cannot be read; run `gridtide publish`")
    with pytest.raises(Damaged, match="is not what was published"), warm.reader.read():
        pass
