"""Options that every subcommand takes, before its name and after it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer

from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput
from gridtide.model import parse_time

FOR_EVERY = "For every command"
ANSWERS = "The answer"

Home = Annotated[
    str | None,
    typer.Option(
        metavar="PATH", rich_help_panel=FOR_EVERY, help="data directory (GRIDTIDE_HOME)"
    ),
]
Now = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", rich_help_panel=FOR_EVERY, help="run at another time (GRIDTIDE_NOW)"
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        rich_help_panel=FOR_EVERY,
        help="address of the service that answers (GRIDTIDE_URL)",
    ),
]
HiddenUrl = Annotated[str | None, typer.Option("--url", hidden=True)]
Json = Annotated[
    bool, typer.Option("--json", rich_help_panel=FOR_EVERY, help="print one JSON document")
]
Print = Annotated[
    str | None,
    typer.Option(
        "--print",
        metavar="FIELD",
        rich_help_panel=ANSWERS,
        help="print one field of the JSON document as text, e.g. start or slots.0.start",
    ),
]
Local = Annotated[
    bool,
    typer.Option(
        "--local", rich_help_panel=ANSWERS, help="show times in the time zone of this machine"
    ),
]


@dataclass(frozen=True)
class Everywhere:
    """What the options for every command say, the later one of two of the same name.

    Attributes:
        environ: the environment of the process.
        home: ``--home``, the data directory.
        now: ``--now``, the time to run at.
        url: ``--url``, the address of the service.
        json: whether the answer is one JSON document.
        print_: ``--print``, the one field to print.
        local: whether times are shown in the time zone of this machine.
    """

    environ: Mapping[str, str]
    home: str | None = None
    now: str | None = None
    url: str | None = None
    json: bool = False
    print_: str | None = None
    local: bool = False

    def then(self, **said: Any) -> Everywhere:  # noqa: ANN401  # a text or a flag
        """The same with what is said later on the command line written over it."""
        return replace(self, **{name: value for name, value in said.items() if value})

    def terminal(self) -> Terminal:
        """Standard streams and the form of the answer.

        Raises:
            BadInput: ``--now`` is no time, or two options contradict each other.
        """
        if self.json and (self.print_ is not None or self.local):
            other = "--local" if self.local else "--print"
            raise BadInput(
                f"{other} changes text, not the document of --json; give one of them"
            )
        environ = dict(self.environ)
        if self.home:
            environ["GRIDTIDE_HOME"] = self.home
            if not self.url:
                # A data directory named on the command line comes before a service elsewhere.
                environ.pop("GRIDTIDE_URL", None)
        if self.now:
            parse_time(self.now, name="--now")
            environ["GRIDTIDE_NOW"] = self.now
        if self.url:
            environ["GRIDTIDE_URL"] = self.url
        return Terminal(
            out=sys.stdout,
            err=sys.stderr,
            environ=environ,
            json=self.json,
            field=self.print_,
            local=self.local,
        )


def _parameter(name: str, annotation: Any, default: object) -> inspect.Parameter:  # noqa: ANN401
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
    )


def shared(*, answers: bool) -> tuple[inspect.Parameter, ...]:
    """The parameters that a command has beside its own.

    Args:
        answers: whether it prints an answer of the service. Where it does not, ``--url`` has no
            meaning: it is read, as before the name of a command, and not listed.
    """
    every = (
        _parameter("home", Home, None),
        _parameter("now", Now, None),
        _parameter("url", Url if answers else HiddenUrl, None),
        _parameter("json", Json, default=False),
    )
    if not answers:
        return every
    return (
        _parameter("print_", Print, None),
        _parameter("local", Local, default=False),
        *every,
    )
