"""The script ``gridtide``: finds the subcommand, hands it its words, turns errors into exits.

The service adds its subcommands by entry points of the group ``gridtide.commands``; only the
one that was chosen is imported.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

from gridtide.cli.command import Command, Terminal, terminal
from gridtide.cli.commands import OWN
from gridtide.cli.plain_text import tolerate
from gridtide.cli.standard_output import give_up_unwritten, keep_for_results
from gridtide.errors import BadInput, GridtideError, NoService, SystemFault
from gridtide.extras import how_to_install
from gridtide.model import parse_time
from gridtide.plugins import COMMANDS, found, own_version

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

# What the service brings, so that a bare SDK can say what is missing.
OF_THE_SERVICE = (
    "refresh",
    "import",
    "forecast",
    "backtest",
    "publish",
    "serve",
    "check",
    "backup",
    "restore",
    "sources",
    "demo",
    "reproduce",
    "simulate",
)
INSTALL = how_to_install("service")
GLOBALS = {"home": None, "now": None, "url": None, "json": False}
# What argparse says, as a word on each of the options it lists.
SHORT = {
    "the following arguments are required": "missing",
    "unrecognized arguments": "no such option or one argument too many",
}
SOUTH_OR_WEST = re.compile(r"-\d+(\.\d*)?,.*")


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run one subcommand; the exit code.

    0 done, 1 failed, 2 bad input, 3 done but some sources failed, 4 another refresh runs,
    5 the latest value is older than accepted.
    What went wrong is one line on standard error; with ``--json`` an object with the members
    of a REST problem: `code`, `detail`, and what the kind has besides, such as `nearest` or
    `errors`. Without `argv` the words, and the standard output, are those of the process.
    """
    if argv is None:
        keep_for_results()
    words = sys.argv[1:] if argv is None else argv
    known = os.environ if environ is None else environ
    for stream in (sys.stdout, sys.stderr):
        tolerate(stream)
    try:
        code = _run(words, known)
        sys.stdout.flush()
    except GridtideError as error:
        return _report(error, words)
    except _WrongWords as wrong:
        if "--json" in words:
            return _report(wrong.as_bad_input(), words)
        wrong.parser.print_usage(sys.stderr)
        sys.stderr.write(f"{wrong.parser.prog}: error: {wrong}\n")
        return BadInput.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        give_up_unwritten()  # whoever read the output has what it wanted
        return 1
    except OSError as error:
        # The machine's own word, no bug of ours: a full disk, a folder that is not to be read.
        fault = SystemFault(f"{error}; look at the disk, the folder and its owner")
        give_up_unwritten()
        return _report(fault, words)
    return code


def _report(error: GridtideError, words: Sequence[str]) -> int:
    """Write an error to standard error, as JSON where the words want it; its exit code."""
    if "--json" in words:
        sys.stderr.write(json.dumps(error.to_json(), default=str) + "\n")
    else:
        sys.stderr.write(f"gridtide: {error}\n")
    return error.exit_code


def _run(words: Sequence[str], environ: Mapping[str, str]) -> int:
    front = _Front()
    try:
        first = front.parse_args(words)
        if first.version:
            sys.stdout.write(f"gridtide {own_version()}\n")
            return 0
        if first.command is None:
            if "--json" in words:
                raise BadInput("there is no command; gridtide --help lists them")
            front.print_help(sys.stderr)
            return 2
        command = _command(first.command)
        args = _parser(command).parse_args(_protected(first.words), _defaults(first))
    except SystemExit as stop:  # argparse has printed the help
        return int(stop.code or 0)
    streams = _terminal(args, environ)
    if command.name in OWN and args.now and (url := streams.environ.get("GRIDTIDE_URL")):
        streams.say(
            f"gridtide: --now does not move the clock of {url}; --as-of asks it of then"
        )
    return command.run(args, streams)


class _WrongWords(Exception):
    """Words that a parser cannot take, and why."""

    def __init__(self, parser: argparse.ArgumentParser, why: str) -> None:
        super().__init__(why)
        self.parser = parser

    def as_bad_input(self) -> BadInput:
        """The same as an error, with the options by name as REST names parameters."""
        why = str(self)
        named, colon, rest = why.partition(": ")
        if named.startswith("argument ") and colon:
            names, message = [named.removeprefix("argument ")], rest
        else:
            names, message = re.split(r",? ", rest), SHORT.get(named, named)
        errors = [
            {"parameter": name.rpartition("/")[2].lstrip("-"), "message": message}
            for name in names
            if name
        ]
        return BadInput(f"{why}; {self.parser.prog} --help says what there is", errors=errors)


class _Parser(argparse.ArgumentParser):
    """Raises what is wrong, so that it can be told in JSON, too."""

    def error(self, message: str) -> NoReturn:
        """Raise `_WrongWords`."""
        raise _WrongWords(self, message)


class _Front(_Parser):
    """Options of every subcommand, then the subcommand, then its own words untouched."""

    def __init__(self) -> None:
        super().__init__(
            prog="gridtide",
            usage="gridtide [options] COMMAND ...",
            description="When and where is the grid cleanest?",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        _globals(self)
        self.add_argument("--version", action="store_true", help="print the version and exit")
        self.add_argument("command", nargs="?", help=argparse.SUPPRESS)
        self.add_argument("words", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)

    def format_help(self) -> str:
        """The usual help and every command there is; only this loads those of the service."""
        return f"{super().format_help()}\ncommands:\n{_listing()}\n"


def _globals(parser: argparse.ArgumentParser) -> None:
    """Options that every subcommand takes, before its name or after."""
    # Without defaults, so that the subcommand's parser does not undo what came before it.
    group = parser.add_argument_group("for every command", argument_default=argparse.SUPPRESS)
    group.add_argument("--home", metavar="PATH", help="data directory (GRIDTIDE_HOME)")
    group.add_argument("--now", metavar="TIME", help="run at another time (GRIDTIDE_NOW)")
    group.add_argument("--url", help="address of the service to ask (GRIDTIDE_URL)")
    group.add_argument("--json", action="store_true", help="print one JSON document")


def _defaults(first: argparse.Namespace) -> argparse.Namespace:
    given = {name: value for name, value in vars(first).items() if name in GLOBALS}
    return argparse.Namespace(**(GLOBALS | given))


def _parser(command: Command) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=f"gridtide {command.name}", description=command.summary, allow_abbrev=False
    )
    command.arguments(parser)
    _globals(parser)
    return parser


def _protected(words: Sequence[str]) -> list[str]:
    """`words` in which a place south or west of zero is not taken for an option.

    argparse never takes a word with a space in it for an option.
    """
    return [f" {word}" if SOUTH_OR_WEST.fullmatch(word) else word for word in words]


def _command(name: str) -> Command:
    if name in OWN:
        return OWN[name]
    points = found(COMMANDS)
    if name in points:
        return _loaded(points[name])
    if name in OF_THE_SERVICE:
        raise NoService(
            f"'gridtide {name}' comes with the service, which is not installed ({INSTALL})"
        )
    import difflib

    near = difflib.get_close_matches(name, {*OWN, *points, *OF_THE_SERVICE}, n=1)
    hint = f"did you mean {near[0]}?" if near else "gridtide --help lists them"
    raise BadInput(f"there is no command {name!r}; {hint}")


def _loaded(point: EntryPoint) -> Command:
    command: Command = point.load()
    return command


def _listing() -> str:
    points = found(COMMANDS)
    summaries = {name: _summary(point) for name, point in points.items()}
    summaries |= {name: command.summary for name, command in OWN.items()}
    lines = [f"  {name:<14}{summaries[name]}" for name in sorted(summaries)]
    if not points:
        lines.append(f"  with the service ({INSTALL}):\n    {', '.join(OF_THE_SERVICE)}")
    return "\n".join(lines)


def _summary(point: EntryPoint) -> str:
    try:
        return _loaded(point).summary
    except (ImportError, AttributeError) as error:
        return f"(cannot be loaded: {error})"  # help is wanted most where something is broken


def _terminal(args: argparse.Namespace, environ: Mapping[str, str]) -> Terminal:
    """Standard streams, and the environment with what the options say written over it."""
    told = dict(environ)
    if args.home:
        told["GRIDTIDE_HOME"] = args.home
        if not args.url:
            # Named on the command line, this machine's data comes before a service elsewhere.
            told.pop("GRIDTIDE_URL", None)
    if args.now:
        parse_time(args.now, name="--now")
        told["GRIDTIDE_NOW"] = args.now
    if args.url:
        told["GRIDTIDE_URL"] = args.url
    return terminal(told)
