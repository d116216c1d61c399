"""A progress bar for a person who watches, and nothing for a log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from gridtide.cli.terminal import Terminal
from gridtide_pipelines.forecast.issue import Progress


@contextmanager
def shown(terminal: Terminal) -> Iterator[Progress]:
    """A callback of what is being done, how far it is, and of how many."""
    if not terminal.interactive:
        yield _silent
        return
    with tqdm(file=terminal.err, leave=False, dynamic_ncols=True, unit="") as bar:

        def show(what: str, done: int, of: int) -> None:
            bar.set_description_str(what, refresh=False)
            bar.total, bar.n = of, done
            bar.refresh()

        yield show


def _silent(what: str, done: int, of: int) -> None:
    """Show nothing."""
