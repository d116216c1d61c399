"""Where a command writes its answer: as text, as one JSON document, or as one field of it.

On a terminal, text has colours and tables have rules (Rich). Elsewhere both are plain, one
line for each line, so that other programs can read them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

from gridtide.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console

UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z")


@dataclass(frozen=True)
class Table:
    """Rows of text under a header."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __str__(self) -> str:
        """Return the columns side by side, each as wide as its widest cell."""
        lines = [self.header, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


@dataclass(frozen=True)
class Terminal:
    """Standard streams and environment of a command, and the form its answer takes.

    Attributes:
        out: where results go.
        err: where messages and progress go.
        environ: the environment, with what the options for every command say written over it.
        json: whether the answer is printed as one JSON document.
        field: the one field of that document to print; None prints the answer.
        local: whether text shows times in the time zone of this machine.
    """

    out: TextIO
    err: TextIO
    environ: Mapping[str, str]
    json: bool = False
    field: str | None = None
    local: bool = False

    @property
    def interactive(self) -> bool:
        """Return whether `err` is a terminal, so that a progress bar is of use."""
        return self.err.isatty()

    @property
    def shows_text(self) -> bool:
        """Return whether answers are printed as text for a person."""
        return self.field is None and not self.json

    def answer(self, document: Any, text: Callable[[], Iterable[str | Table]]) -> None:  # noqa: ANN401  # any JSON value
        """Print an answer: `document` with ``--json``, one field with ``--print``, or `text`.

        Raises:
            BadInput: the document lacks the field; the message lists those it has.
        """
        if self.field is not None:
            self.result(field(document, self.field))
        elif self.json:
            self.document(document)
        else:
            self.result(*text())

    def result(self, *parts: str | Table) -> None:
        """Write lines and tables on standard output."""
        if not self.out.isatty():
            for part in parts:
                self.out.write(f"{self._localized(str(part))}\n")
            return
        console = _console(self.out, self.environ)
        for part in parts:
            if isinstance(part, Table):
                console.print(_ruled(part, self._localized))
            else:
                console.print(self._localized(part), markup=False, soft_wrap=True)

    def document(self, value: Any) -> None:  # noqa: ANN401  # any JSON value
        """Write one JSON document on standard output."""
        text = json.dumps(value, indent=2, ensure_ascii=False)
        try:
            text.encode(getattr(self.out, "encoding", None) or "utf-8")
        except UnicodeEncodeError:
            # The same document for a terminal whose encoding lacks some characters.
            text = json.dumps(value, indent=2)
        self.out.write(text + "\n")

    def say(self, text: str) -> None:
        """Write one message for a person on standard error."""
        self.err.write(text + "\n")
        self.err.flush()

    def _localized(self, text: str) -> str:
        return UTC_TIME.sub(_local_time, text) if self.local else text


def field(document: Any, path: str) -> str:  # noqa: ANN401  # any JSON value
    """Return the text of one field of a JSON document, for a shell.

    Args:
        document: any JSON value.
        path: names and positions with dots between, such as ``slots.0.start``.

    Raises:
        BadInput: the document lacks the field; the message lists those it has.
    """
    found = document
    for name in path.split("."):
        if isinstance(found, Mapping) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            raise BadInput(
                f"--print {path}: no field {name!r} in the answer; it has {_names(found)}"
            )
    if isinstance(found, str):
        return found
    if found is None:
        return ""
    return json.dumps(found, ensure_ascii=False)


def _names(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(map(str, value))
    if isinstance(value, list) and value:
        return f"a list with positions 0 to {len(value) - 1}"
    return "no fields there"


def _local_time(found: re.Match[str]) -> str:
    text = found[0]
    local = datetime.fromisoformat(text).astimezone()
    return local.isoformat(timespec="seconds" if text.count(":") > 1 else "minutes")


def _console(stream: TextIO, environ: Mapping[str, str]) -> Console:
    from rich.console import Console

    return Console(file=stream, _environ=environ)


def _ruled(table: Table, show: Callable[[str], str]) -> object:
    from rich import box
    from rich.table import Table as Ruled
    from rich.text import Text

    ruled = Ruled(box=box.SIMPLE_HEAD, header_style="bold cyan")
    for name in table.header:
        ruled.add_column(name, overflow="fold")  # on a narrow screen, too, nothing is left out
    for row in table.rows:
        ruled.add_row(*(Text(show(cell)) for cell in row))
    return ruled
