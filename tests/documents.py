"""Outputs and tables in the documents, made from the code that they show.

    python -m tests.documents           # writes tables and outputs (a minute)
    python -m tests.documents tables    # writes the tables of commands and requests alone

`tests/test_docs.py` holds the documents to them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import textwrap
import tomllib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path

from typer.core import TyperArgument

from gridtide.cli import script
from gridtide.cli.app import OWN
from gridtide.cli.command import OneCommand, shared
from gridtide.plugins import COMMANDS
from gridtide_pipelines.ingest.needs import (
    ALLOW,
    NOTHING,
    format_needs,
    format_zone_needs,
    live_with,
    needs_of,
    signals_of,
    sources_of,
)
from gridtide_pipelines.ingest.sources import sources
from gridtide_store import catalogue
from gridtide_store.catalogue import ZoneKind
from tests import rest_tables

ROOT = Path(__file__).resolve().parents[1]
WITH_OUTPUT = ("README.md", "sdk/README.md", "docs/plans.md", "docs/commands.md")
WITH_TABLES = (*WITH_OUTPUT, "docs/sources.md")
# A block of code, and the block of its output where there is one.
SHOWN = re.compile(
    r"^```(python|sh)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
TABLE = re.compile(r"^(<!-- made from the code: (\w+) -->\n).*?^(<!-- end -->)$", re.M | re.S)
ZONES = "DE,FR,GB,US-MIDA-PJM"


def simulated_home(folder: Path) -> dict[str, str]:
    """Return the environment of a user with forecasts of a simulated grid in `folder`."""
    environ = {
        "GRIDTIDE_HOME": str(folder),
        "GRIDTIDE_NOW": "2026-03-02T12:00Z",
        "GRIDTIDE_WORKERS": "1",
        "TZ": "Europe/Berlin",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
    }
    words = ["refresh", "--simulate", "--zone", ZONES, "--model", "naive"]
    assert script.main(words, environ) == 0
    return environ


def with_outputs(text: str, environ: Mapping[str, str]) -> str:
    """Return a document in which every block shows what it prints.

    Python blocks are all run; a shell block is run where it shows an output.
    """

    def rewrite(found: re.Match[str]) -> str:
        language, code, output = found.groups()
        if language == "sh" and output is None:
            return found[0]
        printed = run(language, code, environ)
        assert printed or "print(" not in code, code
        block = f"```{language}\n{code}```\n"
        return f"{block}\n```text\n{printed}```\n" if printed else block

    return SHOWN.sub(rewrite, text)


def run(language: str, code: str, environ: Mapping[str, str]) -> str:
    """Return what a block prints; it must not fail or warn."""
    words = [sys.executable, "-W", "error", "-c"] if language == "python" else ["sh", "-ec"]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [*words, code],
            env=dict(environ),
            cwd=folder,
            text=True,
            capture_output=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, ""), f"{code}{done.stderr}"
    return done.stdout


def with_tables(text: str) -> str:
    """Return a document whose marked tables are made from the commands."""
    made = {
        "commands": command_table,
        "options": option_tables,
        "live": live_table,
        "zones": zone_table,
    }
    return TABLE.sub(lambda found: f"{found[1]}\n{made[found[2]]()}\n\n{found[3]}", text)


@cache
def commands() -> Mapping[str, OneCommand]:
    """Return the subcommands of the SDK and of the service, in the order of the help text."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    targets = {name: own.target for name, own in OWN.items()}
    targets |= dict(sorted(points[COMMANDS].items()))
    loaded = {name: EntryPoint(name, each, COMMANDS).load() for name, each in targets.items()}
    assert all(isinstance(each, OneCommand) for each in loaded.values())
    return loaded


def live_table() -> str:
    """Return how many zones have generation or intensity with no key, and what brings more."""
    by_need: dict[tuple[str, ...], list[str]] = {}
    for zone in live_zones():
        by_need.setdefault(live_with(zone) or (), []).append(zone)
    rows = []
    for needs in sorted(by_need, key=lambda needs: (ALLOW in needs, len(needs), needs)):
        more = " more" if needs else ""
        zones = by_need[needs]
        rows.append(f"| {_needed(needs)} | {len(zones)}{more} | {_by_part(zones)} |")
    every = live_zones()
    rows.append(f"| all of these | {len(every)} | {_by_part(every)} |")
    return "\n".join(["| needs | zones | of these |", "| --- | --- | --- |", *rows])


def live_zones() -> list[str]:
    """Return the zones of which a refresh can have intensities."""
    return [zone for zone in catalogue.load().zones if live_with(zone) is not None]


def _needed(needs: Sequence[str]) -> str:
    """Return variables with the address where a key is to be had."""
    obtain = {
        name: source.credentials.obtain
        for source in sources().values()
        if source.credentials
        for name in source.credentials.variables
    }
    free = {each: f" ([free]({obtain[each]}))" for each in needs if each in obtain}
    return " and ".join(f"`{each}`{free.get(each, '')}" for each in needs) or NOTHING


def zone_table() -> str:
    """Return what each zone needs, its sources and their signals, in order of the catalogue."""
    rows = []
    for record in catalogue.load().zones.values():
        if record.kind is not ZoneKind.ZONE:
            continue
        named = [
            f"`{each.name}`{f' ({format_needs(needs_of(each))})' if needs_of(each) else ''}"
            for each in sources_of(record.key)
        ]
        cells = (
            f"`{record.key}` {record.name}",
            format_zone_needs(record.key),
            named[0] if named else "-",
            ", ".join(named[1:]) or "-",
            ", ".join(signals_of(record.key)) or "-",
        )
        rows.append(f"| {' | '.join(cells)} |")
    head = "| zone | needs | first | then | signals |"
    return "\n".join([head, "| --- | --- | --- | --- | --- |", *rows])


def _by_part(zones: Collection[str]) -> str:
    """Count zones by part of the world."""
    part = {"US": "United States", "CA": "Canada", "AU": "Australia"}
    counts = Counter(part.get(zone[:2], "Europe") for zone in zones)
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def command_table() -> str:
    """Return the table of the commands with the first line of each help text."""
    rows = [f"| `{name}` | {summary(each)} |" for name, each in commands().items()]
    return "\n".join(["| command | what it does |", "| --- | --- |", *rows])


def summary(command: OneCommand) -> str:
    """Return the first line of a help text, without its full stop."""
    return (command.help or "").splitlines()[0].removesuffix(".")


def option_tables() -> str:
    """Return a section for each command with its arguments and options."""
    parts = []
    for name, each in commands().items():
        text = re.sub(r"\n(?!\n)(?<!\n\n)", " ", (each.help or "").strip())
        rows = [f"| `{option}` | {meaning} |" for option, meaning in options(name, each)]
        if rows:
            rows = ["", "| option | meaning |", "| --- | --- |", *rows]
        parts.append("\n".join([f"### `gridtide {name}`", "", wrapped(text), *rows]))
    return "\n\n".join(parts)


def wrapped(text: str) -> str:
    """Return paragraphs in lines of at most 120 characters."""
    return "\n\n".join(textwrap.fill(each.strip(), 120) for each in text.split("\n\n"))


def options(name: str, command: OneCommand) -> Iterator[tuple[str, str]]:
    """Return the arguments and options of a command, without those of every command."""
    everywhere = {each.name for each in shared(answers=True)}
    context = command.make_context(name, [], resilient_parsing=True)
    for param in command.params:
        record = param.get_help_record(context)
        if record is not None and param.name not in everywhere:
            option, meaning = (each.strip().replace("|", "\\|") for each in record)
            if isinstance(param, TyperArgument):  # without its type in Python
                option = param.display_name_raw
            yield option, meaning.replace("  [", " [").replace("<", "\\<")


def main(words: Sequence[str]) -> None:
    """Write the tables of all documents, and the outputs unless only ``tables`` are wanted."""
    rest_tables.PATH.write_text(rest_tables.write_tables(rest_tables.PATH.read_text()))
    with tempfile.TemporaryDirectory() as folder:
        environ = {} if "tables" in words else simulated_home(Path(folder))
        for name in WITH_TABLES:
            path = ROOT / name
            text = with_tables(path.read_text())
            shown = environ and name in WITH_OUTPUT
            path.write_text(with_outputs(text, environ) if shown else text)


if __name__ == "__main__":
    main(sys.argv[1:])
