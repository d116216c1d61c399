"""Every call of the script in the documents and under infra/ is one the script takes."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from gridtide.cli.app import OWN
from gridtide.cli.command import OneCommand
from gridtide.errors import GridtideError
from gridtide.plugins import COMMANDS
from gridtide_pipelines.commands.summaries import SUMMARIES

ROOT = Path(__file__).resolve().parents[1]
SKIPPED = {".venv", ".git", "node_modules", ".pytest_cache", ".hypothesis", "decisions"}
DOCUMENTS = sorted(
    path for path in ROOT.rglob("*.md") if not SKIPPED & set(path.relative_to(ROOT).parts)
)
INFRA = sorted(path for path in (ROOT / "infra").rglob("*") if path.is_file())
# What comes before the words of a call: the start of a line, a shell's word, or a folder.
CALL = re.compile(r"(?:^|[;&|(]|\bexec|[/\s]bin/|\bif)\s*gridtide ([^|&;>)\n]+)", re.MULTILINE)
OF_ALL = ("--home", "--now", "--url", "--json")
OF_THE_GROUP = ("--version", "--help", "--install-completion", "--show-completion")


@cache
def command(name: str) -> OneCommand:
    """The subcommand of that name."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    target = OWN[name].target if name in OWN else points[COMMANDS].get(name)
    assert target, f"there is no command {name}"
    loaded = EntryPoint(name, target, COMMANDS).load()
    assert isinstance(loaded, OneCommand)
    return loaded


def all_commands() -> list[str]:
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    return sorted({*OWN, *points[COMMANDS]})


def in_documents() -> Iterator[tuple[str, str]]:
    """Calls in shell blocks, without comments and with lines continued."""
    for path in DOCUMENTS:
        for block in re.findall(r"^```sh\n(.*?)^```", path.read_text(), re.M | re.S):
            text = re.sub(r"\s+#.*$", "", block.replace("\\\n", " "), flags=re.MULTILINE)
            yield from ((path.name, call) for call in CALL.findall(text))


def under_infra() -> Iterator[tuple[str, str]]:
    """Calls in units, crontab and compose, and the words an image or a service starts with."""
    for path in INFRA:
        text = re.sub(r"^\s*#.*$", "", path.read_text(), flags=re.MULTILINE)
        if path.suffix not in (".py", ".yaml") or path.name == "compose.yaml":
            yield from ((path.name, call) for call in CALL.findall(text))
        for words in re.findall(r"^(?:CMD|\s+command:) (\[.+\])$", text, re.MULTILINE):
            yield path.name, shlex.join(json.loads(words))


def spans() -> Iterator[tuple[str, str]]:
    """Calls named in running text, which may leave out what a call needs."""
    for path in DOCUMENTS:
        text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
        yield from ((path.name, call) for call in re.findall(r"`gridtide ([^`]+)`", text))


CALLS = sorted({*in_documents(), *under_infra()})


@pytest.mark.parametrize(("file", "call"), CALLS, ids=[" ".join(each) for each in CALLS])
def test_a_written_call_is_one_the_script_takes(file: str, call: str) -> None:
    name, *words = shlex.split(call)
    try:
        command(name).make_context(f"gridtide {name}", words)
    except GridtideError as error:
        pytest.fail(f"{file}: gridtide {call}: {error}")


def test_calls_are_found_in_every_kind_of_file() -> None:
    files = {file for file, _ in CALLS}
    assert {"README.md", "operations.md", "Containerfile", "compose.yaml"} <= files
    assert {"crontab", "gridtide.service", "gridtide-refresh.service"} <= files


def test_a_command_named_in_running_text_exists_with_its_options() -> None:
    named = sorted(set(spans()))
    assert named
    for file, call in named:
        name, *words = call.split()
        if name.startswith("-"):
            assert name in (*OF_THE_GROUP, *OF_ALL), f"{file}: gridtide {call}"
            continue
        one = command(name)
        known = {option for param in one.params for option in param.opts} | set(one.renamed)
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert options <= known, f"{file}: gridtide {call}"


@pytest.mark.parametrize("name", all_commands())
def test_the_listed_line_is_the_first_of_the_help_text(name: str) -> None:
    listed = {name: own.summary for name, own in OWN.items()} | SUMMARIES
    assert (command(name).help or "").splitlines()[0] == listed[name]
    assert len(listed[name]) <= 80
    assert listed[name].endswith(".")


@pytest.mark.parametrize("name", all_commands())
def test_every_help_text_has_examples_that_the_command_takes(name: str) -> None:
    epilog = command(name).epilog or ""
    calls = re.findall(r"^  gridtide (.+)$", epilog, re.MULTILINE)
    assert calls
    for call in calls:
        first, *words = shlex.split(call)
        assert first == name
        command(name).make_context(f"gridtide {name}", words)


@pytest.mark.parametrize("name", all_commands())
def test_every_option_is_explained_and_no_text_is_markup(name: str) -> None:
    for param in command(name).params:
        if not getattr(param, "hidden", False):
            text = getattr(param, "help", None) or ""
            assert text, f"{name} {param.opts}"
            assert "[" not in text, f"{name} {param.opts}: Rich would read it as markup"


@pytest.mark.parametrize("name", all_commands())
def test_no_two_options_of_a_command_have_one_name(name: str) -> None:
    named = [option for param in command(name).params for option in param.opts]
    assert sorted(set(named)) == sorted(named)
