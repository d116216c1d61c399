"""Backups that somebody else made: nothing of this machine gets into a home by them."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gridtide.cli import script
from gridtide.errors import GridtideError
from gridtide_store.backup import backup, restore
from gridtide_store.data_directory import DataDirectory
from gridtide_store.errors import Damaged
from gridtide_store.store import Store
from tests.faults.damage import fill, flip, sql, view_of
from tests.server.published import HOUR, NOW

pytestmark = [pytest.mark.faults, pytest.mark.slow]

OPERATORS = "the operator's own words"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("foreign")
    backup(fill(folder / "home"), folder / "copy", NOW)
    return folder / "copy"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text(OPERATORS)
    return path


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "copy"))


def listed(folder: Path, change: Callable[[dict[str, Any]], object] = lambda _: None) -> None:
    """Write the list anew, so that all hashes are right; then change it."""
    path = folder / "backup.json"
    document = json.loads(path.read_bytes())
    for name in document["files"]:
        content = (folder / name).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        document["files"][name] = {"bytes": len(content), "sha256": digest}
    change(document)
    path.write_text(json.dumps(document))


def pack(folder: Path, target: Path) -> Path:
    with tarfile.open(target, "w") as tar:
        for path in sorted(folder.rglob("*")):
            tar.add(path, arcname=path.relative_to(folder).as_posix(), recursive=False)
    return target


def refused(source: Path, tmp_path: Path) -> str:
    """The one sentence of a restore that brings nothing in."""
    home = DataDirectory(tmp_path / "restored")
    with pytest.raises(GridtideError) as caught:
        restore(source, home, NOW)
    left = [path.name for path in home.root.iterdir()] if home.root.exists() else []
    assert left in ([], [home.lock.name])
    assert "; " in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("table", ["retrieval", "observation", "series"])
def test_a_view_over_a_local_file_is_refused_and_reads_nothing(
    copy: Path, secret: Path, tmp_path: Path, table: str
) -> None:
    statements = [part.replace("retrieval", table) for part in view_of(secret)]
    sql(copy / "live.duckdb", *statements)
    listed(copy)
    assert f"the view '{table}'" in refused(copy, tmp_path)
    # Put in place by hand, it is not read either.
    home = DataDirectory(tmp_path / "by-hand")
    shutil.copytree(copy, home.root)
    with pytest.raises(Damaged, match="view"):
        Store.open(home)
    for command in ("check", "publish", "forecast"):
        assert script.main([command], {"GRIDTIDE_HOME": str(home.root)}) == 1
    for path in home.root.rglob("*"):
        if path.is_file() and path.name != "live.duckdb":
            assert OPERATORS.encode() not in path.read_bytes()


def test_a_view_in_a_snapshot_is_refused(copy: Path, secret: Path, tmp_path: Path) -> None:
    (folder,) = (copy / "snapshots").iterdir()
    base = folder / "base-2026.duckdb"
    sql(
        base,
        "DROP TABLE belief",
        f"CREATE VIEW belief AS SELECT content AS zone FROM read_text('{secret}')",  # noqa: S608  # a path of the test's
    )
    manifest = folder / "manifest.json"
    document = json.loads(manifest.read_bytes())
    content = base.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    document["files"][base.name] = {"bytes": len(content), "sha256": digest}
    version = document.pop("format")
    document.pop("sha256")
    own = hashlib.sha256(json.dumps(document, indent=1).encode()).hexdigest()
    manifest.write_text(json.dumps({"format": version, **document, "sha256": own}))
    listed(copy)
    assert "the view 'belief'" in refused(copy, tmp_path)


def test_queries_of_a_store_reach_no_file_outside_and_no_setting(
    tmp_path: Path, secret: Path
) -> None:
    with Store.open(DataDirectory(tmp_path / "home")) as store:
        for statement in (
            f"SELECT * FROM read_text('{secret}')",  # noqa: S608  # a path of the test's
            f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
            f"ATTACH '{tmp_path}/other.duckdb' AS other",
            "SET enable_external_access = true",
            "SET autoload_known_extensions = true",
            "INSTALL httpfs",
        ):
            with pytest.raises(Exception, match=r"Permission|configuration|disabled"):
                store.connection.execute(statement)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("kind", ["file", "folder", "tar", "hard link"])
def test_links_are_not_followed(copy: Path, secret: Path, tmp_path: Path, kind: str) -> None:
    source = copy
    if kind == "folder":
        shutil.move(copy / "raw", tmp_path / "moved")
        (copy / "raw").symlink_to(tmp_path / "moved")
    else:
        (copy / "ledger.sqlite").unlink()
        (copy / "ledger.sqlite").symlink_to(secret)
    listed(copy)
    if kind in ("tar", "hard link"):
        source = pack(copy, tmp_path / "copy.tar")
    if kind == "hard link":
        entry = tarfile.TarInfo("ledger.sqlite")
        entry.type, entry.linkname = tarfile.LNKTYPE, str(secret)
        with tarfile.open(source, "a") as tar:
            tar.addfile(entry)
    said = refused(source, tmp_path)
    assert "link" in said or "lacks" in said


LISTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "outside": lambda d: d["files"].update({"../x": d["files"]["CURRENT"]}),
    "absolute": lambda d: d["files"].update({"/etc/x": d["files"]["CURRENT"]}),
    "backslash": lambda d: d["files"].update({"raw\\..\\x": d["files"]["CURRENT"]}),
    "the lock": lambda d: d["files"].update({"writer.lock": d["files"]["CURRENT"]}),
    "a log": lambda d: d["files"].update({"live.duckdb.wal": d["files"]["CURRENT"]}),
    "a folder's name": lambda d: d["files"].update({"raw": d["files"]["CURRENT"]}),
    "no files": lambda d: d.pop("files"),
    "files a list": lambda d: d.update(files=[]),
    "bytes a text": lambda d: d["files"]["CURRENT"].update(bytes="5"),
    "no hash": lambda d: d["files"]["CURRENT"].pop("sha256"),
    "format a text": lambda d: d.update(format="one"),
    "format of later": lambda d: d.update(format=99),
    "format of 400 digits": lambda d: d.update(format=10**400),
    "no store": lambda d: d["files"].pop("live.duckdb"),
}


@pytest.mark.parametrize("kind", LISTS)
def test_an_odd_list_is_refused(copy: Path, tmp_path: Path, kind: str) -> None:
    listed(copy, LISTS[kind])
    refused(copy, tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_cut_tar_is_refused(copy: Path, tmp_path: Path, share: float) -> None:
    whole = pack(copy, tmp_path / "copy.tar")
    content = whole.read_bytes()
    whole.write_bytes(content[: int(len(content) * share)])
    refused(whole, tmp_path)


def test_a_flipped_byte_anywhere_in_a_backup_is_refused(copy: Path, tmp_path: Path) -> None:
    for path in sorted(copy.rglob("*")):
        if path.is_file() and path.name != "backup.json":
            flip(path, path.stat().st_size // 2)
            assert "not as it was written" in refused(copy, tmp_path)
            flip(path, path.stat().st_size // 2)


def test_where_there_is_no_backup_nothing_is_left(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    for source in (tmp_path / "nowhere", tmp_path):
        assert script.main(["restore", str(source)], {"GRIDTIDE_HOME": str(home)}) == 2
        assert "is not a backup" in capfd.readouterr().err
    assert not home.exists()


@pytest.mark.parametrize("name", ["copy", "copy.tar"])
def test_a_backup_is_its_owners_and_its_draft_has_no_name_to_guess(
    tmp_path: Path, name: str
) -> None:
    home = fill(tmp_path / "home")
    target = tmp_path / "there" / name
    target.parent.mkdir()
    trap = tmp_path / "trap"
    # Where earlier drafts had a name that anybody could know.
    (target.parent / f".{name}.partial").symlink_to(trap)
    backup(home, target, NOW)
    assert not trap.exists()
    modes = {path.stat().st_mode & 0o077 for path in target.rglob("*") if path.is_file()}
    assert (target.stat().st_mode & 0o077, modes | {0}) == (0, {0})
    assert home.root.stat().st_mode & 0o777 == 0o700
    with (
        tarfile.open(fileobj=io.BytesIO(target.read_bytes()))
        if target.is_file()
        else (tarfile.open(pack(target, tmp_path / "x.tar"))) as tar
    ):
        assert "live.duckdb" in tar.getnames()
    restore(target, DataDirectory(tmp_path / "again"), NOW + HOUR)
    assert (tmp_path / "again").stat().st_mode & 0o777 == 0o700
