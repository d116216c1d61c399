"""Every call of the script in the documents and under infra/ is one the script takes."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from gridtide.cli.command import Command
from gridtide.cli.commands import OWN
from gridtide.plugins import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
SKIPPED = {".venv", ".git", "node_modules", ".pytest_cache", ".hypothesis", "decisions"}
DOCUMENTS = sorted(
    path for path in ROOT.rglob("*.md") if not SKIPPED & set(path.relative_to(ROOT).parts)
)
INFRA = sorted(path for path in (ROOT / "infra").rglob("*") if path.is_file())
# What comes before the words of a call: the start of a line, a shell's word, or a folder.
CALL = re.compile(r"(?:^|[;&|(]|\bexec|[/\s]bin/|\bif)\s*gridtide ([^|&;>)\n]+)", re.MULTILINE)
OF_ALL = ("--home", "--now", "--url", "--json")


@cache
def parser(name: str) -> argparse.ArgumentParser:
    """What a subcommand takes, the options of every command too."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    if name in OWN:
        command = OWN[name]
    else:
        assert name in points[COMMANDS], f"there is no command {name}"
        loaded = EntryPoint(name, points[COMMANDS][name], COMMANDS).load()
        assert isinstance(loaded, Command)
        command = loaded
    made = argparse.ArgumentParser(prog=f"gridtide {name}", allow_abbrev=False)
    command.arguments(made)
    for option in OF_ALL[:-1]:
        made.add_argument(option)
    made.add_argument("--json", action="store_true")
    return made


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
        parser(name).parse_args(words)
    except SystemExit as stop:
        pytest.fail(f"{file}: gridtide {call}: argparse stops with {stop.code}")


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
            assert name in ("--version", "--help", *OF_ALL), f"{file}: gridtide {call}"
            continue
        known = set(re.findall(r"--[\w-]+", parser(name).format_help()))
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert options <= known, f"{file}: gridtide {call}"
