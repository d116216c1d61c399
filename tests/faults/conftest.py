"""What the fault suite leans on: the moment at which its refreshes run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gridtide_store.data_directory import DataDirectory
from tests.faults.damage import fill
from tests.faults.judging import answers
from tests.server.published import NOW, Asker, FixedClock


@pytest.fixture
def moment() -> datetime:
    """A fixed full hour, at which every refresh of the suite begins."""
    return datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small published home, made once for all tests of a process."""
    return fill(tmp_path_factory.mktemp("damage") / "home").root


@pytest.fixture
def home(template: Path, tmp_path: Path) -> DataDirectory:
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
    return DataDirectory(root)


@pytest.fixture
def warm(home: DataDirectory) -> Iterator[Asker]:
    """A server that has answered before anything was damaged."""
    with Asker(home, FixedClock(NOW)) as ask:
        assert answers(ask) == ["right"] * 3
        yield ask
