"""A data directory, and the command ``gridtide import`` on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gridtide.cli.script import main
from gridtide_store.data_directory import DataDirectory

Run = Callable[..., int]


@pytest.fixture
def home(tmp_path: Path) -> DataDirectory:
    return DataDirectory(tmp_path / "home")


@pytest.fixture
def run(home: DataDirectory, tmp_path: Path) -> Run:
    def run(*words: str, **files: str) -> int:
        """``gridtide import`` with these files, written first, and these further words."""
        paths = []
        for name, text in files.items():
            path = tmp_path / "folder" / f"{name}.csv"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            paths.append(str(path))
        environ = {"GRIDTIDE_HOME": str(home.root), "HOME": str(tmp_path)}
        return main(["import", *paths, "--zone", "DE", "--label", "start", *words], environ)

    return run
