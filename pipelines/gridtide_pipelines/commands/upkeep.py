"""``gridtide check``, ``backup`` and ``restore``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal
from gridtide_pipelines.commands.session import begin
from gridtide_store import backup as copies
from gridtide_store.backup import Copied
from gridtide_store.check import check as findings_of


@command("check", examples=["check", "check --json"])
def check(terminal: Terminal) -> int:
    """Verify that the data directory is as it was written.

    Compares keys, hashes and snapshots; exits with 1 and a remedy for each finding.
    """
    session = begin(terminal)
    findings = findings_of(session.home, session.clock())
    if terminal.json:
        terminal.document({"findings": [asdict(finding) for finding in findings]})
    elif not findings:
        terminal.result(f"{session.home.root} is as it was written")
    else:
        for finding in findings:
            terminal.result(f"{finding.path}: {finding.problem}; {finding.remedy}")
    return 1 if findings else 0


@command("backup", examples=["backup /backups/monday", "backup /backups/monday.tar"])
def backup(
    terminal: Terminal,
    *,
    target: Annotated[
        Path,
        typer.Argument(metavar="TARGET", help="a new folder, or a new file ending in .tar"),
    ],
) -> int:
    """Copy the data directory into a folder or a .tar file.

    The copy is compared with the original.
    """
    session = begin(terminal)
    copied = copies.backup(session.home, target, session.clock())
    return _report(copied, f"{session.home.root} to {target}", terminal)


@command("restore", examples=["restore /backups/monday", "restore monday.tar --replace"])
def restore(
    terminal: Terminal,
    *,
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="what 'gridtide backup' wrote")
    ],
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="restore over a data directory in use; its content is kept in a folder beside",
        ),
    ] = False,
) -> int:
    """Restore a backup into a data directory."""
    session = begin(terminal)
    copied = copies.restore(source, session.home, session.clock(), replace=replace)
    return _report(copied, f"{source} to {session.home.root}", terminal)


def _report(copied: Copied, from_to: str, terminal: Terminal) -> int:
    if terminal.json:
        terminal.document(asdict(copied))
    else:
        terminal.result(f"copied and compared {copied.files} files from {from_to}")
    return 0
