"""Every extra that a text names can be installed as the text says, from a clone too."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from gridtide.extras import how_to_install

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = sorted(
    tomllib.loads((ROOT / "sdk/pyproject.toml").read_text())["project"]["optional-dependencies"]
)
TEXTS = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/*.md"),
    ROOT / "sdk/README.md",
    *(path for part in ("sdk", "server", "pipelines") for path in (ROOT / part).rglob("*.py")),
]


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_folders_that_a_clone_installs_hold_what_the_extra_means(extra: str) -> None:
    _, _, clone = how_to_install(extra).partition("from a clone: pip install ")
    names = set()
    for folder in re.findall(r"(\./?[a-z]*)(?:\[|'|\s|$)", clone.replace("'", "")):
        project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
        names.add(project["name"])
    wanted = {"gridtide", "gridtide-service"} if extra == "service" else {"gridtide"}
    assert names == wanted
    assert extra == "service" or f"[{extra}]" in clone


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_text_names_an_extra_without_the_way_from_a_clone(path: Path) -> None:
    text = " ".join(path.read_text(encoding="utf-8").split())
    for found in re.finditer(r"pip install '?gridtide\[(\w+)\]", text):
        assert found.group(1) in EXTRAS
        assert "from a clone" in text[found.end() : found.end() + 40], path
