"""What a subcommand of ``gridtide`` is; other distributions add theirs by entry point.

The group is ``gridtide.commands``; each entry names a `Command`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TextIO


@dataclass(frozen=True)
class Terminal:
    """Where a command writes: results to `out`, messages and progress to `err`."""

    out: TextIO
    err: TextIO
    environ: Mapping[str, str]

    @property
    def interactive(self) -> bool:
        """Whether a person watches `err`, so that a progress bar is of use."""
        return self.err.isatty()

    def result(self, text: str) -> None:
        """Write one result on standard output."""
        self.out.write(text + "\n")

    def document(self, value: Any) -> None:  # noqa: ANN401  # any JSON value
        """Write the one JSON document of ``--json`` on standard output."""
        text = json.dumps(value, indent=2, ensure_ascii=False)
        try:
            text.encode(getattr(self.out, "encoding", None) or "utf-8")
        except UnicodeEncodeError:
            # The same document for a terminal of few characters.
            text = json.dumps(value, indent=2)
        self.result(text)

    def say(self, text: str) -> None:
        """Write one message for a person on standard error."""
        self.err.write(text + "\n")
        self.err.flush()


@dataclass(frozen=True)
class Command:
    """One subcommand: its words, its arguments, and what it does.

    `run` returns the exit code: 0 done, 1 failed, 2 bad input, 3 done but some sources
    failed, 4 locked, 5 data too old. Errors of `gridtide.errors` may be raised; the script
    turns them into a message and their exit code.
    """

    name: str
    summary: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Terminal], int]


def terminal(environ: Mapping[str, str]) -> Terminal:
    """The process's own standard streams."""
    return Terminal(out=sys.stdout, err=sys.stderr, environ=environ)
