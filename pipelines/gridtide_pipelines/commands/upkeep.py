"""``gridtide check``, ``backup`` and ``restore``."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from gridtide.cli.command import Command, Terminal
from gridtide_pipelines.commands.session import begin
from gridtide_store.backup import Copied, backup, restore
from gridtide_store.check import check


def _no_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes no arguments of its own."""


def _check(args: argparse.Namespace, terminal: Terminal) -> int:
    session = begin(terminal)
    findings = check(session.home, session.clock())
    if args.json:
        terminal.document({"findings": [asdict(finding) for finding in findings]})
    elif not findings:
        terminal.result(f"{session.home.root} is as it was written")
    else:
        for finding in findings:
            terminal.result(f"{finding.place}: {finding.problem}; {finding.remedy}")
    return 1 if findings else 0


def _backup_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", type=Path, help="a new folder, or a new file ending in .tar")


def _backup(args: argparse.Namespace, terminal: Terminal) -> int:
    session = begin(terminal)
    copied = backup(session.home, args.target, session.clock())
    return _told(copied, f"{session.home.root} to {args.target}", args, terminal)


def _restore_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, help="what `gridtide backup` wrote")
    parser.add_argument(
        "--replace",
        action="store_true",
        help="restore over a home in use; what is there is kept in a folder beside",
    )


def _restore(args: argparse.Namespace, terminal: Terminal) -> int:
    session = begin(terminal)
    copied = restore(args.source, session.home, session.clock(), replace=args.replace)
    return _told(copied, f"{args.source} to {session.home.root}", args, terminal)


def _told(copied: Copied, way: str, args: argparse.Namespace, terminal: Terminal) -> int:
    if args.json:
        terminal.document(asdict(copied))
    else:
        terminal.result(f"copied and compared {copied.files} files from {way}")
    return 0


CHECK = Command(
    name="check",
    summary="see whether the home is as it was written: keys, hashes, snapshots",
    arguments=_no_arguments,
    run=_check,
)
BACKUP = Command(
    name="backup",
    summary="copy the home into a folder or a .tar file, and compare the copy",
    arguments=_backup_arguments,
    run=_backup,
)
RESTORE = Command(
    name="restore",
    summary="bring a backup back into a home",
    arguments=_restore_arguments,
    run=_restore,
)
