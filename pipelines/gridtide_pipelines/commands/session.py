"""What every command of the service begins with: settings, log lines, clock and home."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from gridtide.cli.terminal import Terminal
from gridtide.clock import Clock
from gridtide_store.data_directory import DataDirectory
from gridtide_store.logs import configure
from gridtide_store.settings import Settings

NewStore = Annotated[
    bool,
    typer.Option(
        "--new-store",
        help="begin a new store where the one of the published snapshots is missing",
    ),
]


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a command."""

    settings: Settings
    clock: Clock
    home: DataDirectory


def begin(terminal: Terminal) -> Session:
    """The session `terminal`'s environment asks for; log lines go to its error stream.

    Raises:
        BadInput: a setting that cannot be read.
    """
    settings = Settings.from_env(terminal.environ)
    configure(settings, terminal.err)
    return Session(settings, Clock(settings.now), DataDirectory(settings.home))
