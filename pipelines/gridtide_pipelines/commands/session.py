"""What commands of the service share: settings, clock, data directory, zones, progress bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridtide.cli.terminal import Terminal
from gridtide.clock import Clock
from gridtide.errors import BadInput
from gridtide_store.data_directory import DataDirectory
from gridtide_store.logs import configure
from gridtide_store.regions import resolve_zone
from gridtide_store.settings import Settings

if TYPE_CHECKING:
    from gridtide_pipelines.forecast.issue import Progress
    from gridtide_pipelines.ingest.fetch import Fetcher
    from gridtide_pipelines.ingest.limits import Limits

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
    """Return the session by the environment of `terminal`; log lines go to its errors.

    Raises:
        BadInput: a setting that cannot be read.
    """
    settings = Settings.from_env(terminal.environ)
    configure(settings, terminal.err)
    return Session(
        settings, Clock(settings.now), DataDirectory(settings.home, settings.resources)
    )


Zones = Annotated[
    list[str] | None,
    typer.Option(
        "--zone", metavar="ZONE", help="only this zone; may be repeated, and takes commas"
    ),
]


def zone_names(given: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names in ``--zone`` as `split_names`."""
    return split_names(given, "--zone", "DE,FR")


def split_names(given: Sequence[str] | None, option: str, example: str) -> tuple[str, ...]:
    """Return the names in an option that may be repeated and takes commas.

    In the order given, each once; none without the option.

    Raises:
        BadInput: the option is given without a name, as with a variable that is not set.
    """
    names = [name.strip() for text in given or () for name in text.split(",") if name.strip()]
    if given and not names:
        what = option.removeprefix("--")
        raise BadInput(f"{option} names no {what}; write it as {option} {example}")
    return tuple(dict.fromkeys(names))


def zone_keys(given: Sequence[str] | None) -> tuple[str, ...]:
    """Return the keys of the zones named, in the order given, each once.

    Raises:
        BadInput: as `zone_names`.
        UnknownRegion: one denotes no zone; ``extra["nearest"]`` has candidates.
    """
    return tuple(dict.fromkeys(resolve_zone(name) for name in zone_names(given)))


def limits_of(settings: Settings) -> Limits:
    """Return the limits on what publishers may take, with the time set for a request."""
    from gridtide_pipelines.ingest.limits import DEFAULT

    return replace(DEFAULT, seconds=settings.request_time.total_seconds())


def open_fetcher(
    session: Session, terminal: Terminal, *, limits: Limits, undated_last: bool = False
) -> Fetcher:
    """Return what requests publishers by the settings; name base URLs that no source has."""
    from gridtide_pipelines.ingest.access import unknown_urls
    from gridtide_pipelines.ingest.fetch import Fetcher
    from gridtide_pipelines.ingest.sources import sources

    for remark in unknown_urls(session.settings, sources().values()):
        terminal.say(remark)
    return Fetcher(
        session.settings, environ=terminal.environ, limits=limits, undated_last=undated_last
    )


def check_out(path: Path, *suffixes: str) -> None:
    """Refuse the file of ``--out`` before the work for it begins.

    Raises:
        BadInput: the file has none of `suffixes`, or its folder is missing.
    """
    if not path.parent.is_dir() or path.is_dir():
        raise BadInput(f"--out {path}: name a file in a folder that is there")
    if path.suffix not in suffixes:
        named = " or ".join(path.with_suffix(suffix).name for suffix in suffixes)
        raise BadInput(f"--out {path}: the format goes by the ending; name it {named}")


@contextmanager
def show_progress(terminal: Terminal) -> Iterator[Progress]:
    """Show a progress bar; the block gets a callback: what is done, how far, of how much."""
    if not terminal.interactive:
        yield _silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(file=terminal.err, _environ=terminal.environ),
        transient=True,
        auto_refresh=False,  # that is a thread, and forecasts are made in forked processes
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with bar:
        task = bar.add_task("", total=None)

        def show(what: str, done: int, of: int) -> None:
            bar.update(task, description=what, completed=done, total=of, refresh=True)

        yield show


def _silent(what: str, done: int, of: int) -> None:
    """Show nothing."""
