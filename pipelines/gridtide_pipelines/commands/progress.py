"""A progress bar for a person who watches, and nothing for a log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gridtide.cli.terminal import Terminal
from gridtide_pipelines.forecast.issue import Progress


@contextmanager
def shown(terminal: Terminal) -> Iterator[Progress]:
    """A callback of what is being done, how far it is, and of how many."""
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
