"""What holds for the repository as a whole: versions, licences, entry points, texts."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from gridtide.cli.command import OneCommand

ROOT = Path(__file__).resolve().parents[1]
MAKE_ITS_OWN = {"MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"}


def project(path: str) -> dict[str, Any]:
    loaded = tomllib.loads((ROOT / path).read_text())["project"]
    assert isinstance(loaded, dict)
    return loaded


def test_both_distributions_have_one_version_and_name_each_other_by_it() -> None:
    service, sdk = project("pyproject.toml"), project("sdk/pyproject.toml")
    assert service["version"] == sdk["version"]
    assert f"gridtide[cli]=={sdk['version']}" in service["dependencies"]
    assert sdk["optional-dependencies"]["service"] == [
        f"gridtide-service=={service['version']}"
    ]


def test_both_distributions_want_the_same_python_and_licence() -> None:
    for each in (project("pyproject.toml"), project("sdk/pyproject.toml")):
        assert each["requires-python"] == ">=3.11"
        assert each["license"] == "Apache-2.0"
    texts = {(ROOT / "LICENSE").read_text(), (ROOT / "sdk/LICENSE").read_text()}
    assert len(texts) == 1
    assert "Apache License" in texts.pop()


def test_every_entry_point_names_something_that_is_there() -> None:
    commands = project("pyproject.toml")["entry-points"]["gridtide.commands"]
    for name, target in commands.items():
        loaded = EntryPoint(name, target, "gridtide.commands").load()
        assert isinstance(loaded, OneCommand)
        assert loaded.name == name
    (local,) = project("pyproject.toml")["entry-points"]["gridtide.local"].items()
    assert callable(EntryPoint(*local, "gridtide.local").load())


def texts() -> Iterator[tuple[str, str]]:
    """Name and text of every text file under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, text=True, capture_output=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    for each in filter(None, listed.stdout.split("\0")):
        path = ROOT / each
        if not path.is_file():
            continue
        content = path.read_bytes()
        if b"\0" not in content:
            yield each, content.decode("utf-8")


def test_no_text_names_a_place_on_somebody_s_machine() -> None:
    private = re.compile(
        r"(?<![\w.:/~-])/(root|home/\w{2,}|Users/\w{2,}|mnt|workspace|work)(?=[/\s'\"`])"
    )
    found = [
        f"{each}: {match[0]}"
        for each, text in texts()
        if (match := private.search(text)) and each != "tests/test_repository.py"
    ]
    assert found == []


def test_no_leftover_of_an_edit_is_committed() -> None:
    leftover = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|^(<<<<<<<|>>>>>>>) ", re.MULTILINE)
    found = [
        f"{each}: {match[0]}"
        for each, text in texts()
        if (match := leftover.search(text)) and each != "tests/test_repository.py"
    ]
    assert found == []


@pytest.mark.parametrize("verb", ["run", "clean"])
def test_make_takes_a_home_with_a_space_for_one_folder(verb: str) -> None:
    # `make test` hands its own options to what it starts, and with them make talks of folders.
    bare = {name: value for name, value in os.environ.items() if name not in MAKE_ITS_OWN}
    told = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "--always-make", verb, "HOME_DIR=a home"],
        cwd=ROOT,
        env=bare,
        capture_output=True,
        text=True,
        check=True,
    )
    assert '"a home"' in told.stdout.splitlines()[-1]
