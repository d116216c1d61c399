"""What every command of the service begins with: settings, log lines, clock and home."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from gridtide.cli.command import Terminal
from gridtide.clock import Clock
from gridtide_store.home import Home
from gridtide_store.logs import configure
from gridtide_store.settings import Settings


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a command."""

    settings: Settings
    clock: Clock
    home: Home


def add_new_store(parser: argparse.ArgumentParser) -> None:
    """The option of commands that fill a store."""
    parser.add_argument(
        "--new-store",
        action="store_true",
        help="begin a new store where the one of the published snapshots is missing",
    )


def begin(terminal: Terminal) -> Session:
    """The session `terminal`'s environment asks for; log lines go to its error stream.

    Raises:
        BadInput: a setting that cannot be read.
    """
    settings = Settings.from_env(terminal.environ)
    configure(settings, terminal.err)
    return Session(settings, Clock(settings.now), Home(settings.home))
