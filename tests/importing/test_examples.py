"""The examples in docs/import.md print what the document shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from gridtide.cli.script import main
from gridtide_pipelines.importing.tables import MOST_VALUES

DOCUMENT = (Path(__file__).parents[2] / "docs" / "import.md").read_text()
EXAMPLE = re.compile(
    r"^```csv (\S+)\n(.*?)^```\n\n```sh\n(.*?)^```\n\n```text\n(.*?)^```\n", re.M | re.S
)
EXAMPLES = EXAMPLE.findall(DOCUMENT)


@pytest.mark.parametrize(("name", "content", "command", "output"), EXAMPLES)
def test_an_example_prints_what_the_document_shows(
    name: str,
    content: str,
    command: str,
    output: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    program, *words = shlex.split(command.replace("\\\n", " "))
    assert program == "gridtide"
    assert main(words, {"GRIDTIDE_HOME": str(tmp_path / "home")}) == 0
    assert capsys.readouterr().out == output


def test_every_csv_of_the_document_is_such_an_example() -> None:
    assert DOCUMENT.count("```csv") == len(EXAMPLES) == 2
    assert f"At most {MOST_VALUES // 1_000_000} million values" in DOCUMENT
