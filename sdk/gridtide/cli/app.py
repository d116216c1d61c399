"""The group of all subcommands, each imported only when it is run or shows its help."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.main import get_command as built

from gridtide.cli.command import Context, Everywhere, Home, Json, Now, Url
from gridtide.cli.help import write_help
from gridtide.cli.reading import read_without_pydantic, usage_error
from gridtide.errors import BadInput, NoService
from gridtide.extras import how_to_install
from gridtide.plugins import COMMANDS, SUMMARIES, found, own_version

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Own(NamedTuple):
    """A subcommand of the SDK: ``module:attribute`` and its one line."""

    target: str
    summary: str


OWN = {
    "zones": Own(
        "gridtide.cli.queries:zones", "List the zones with their signals and data age."
    ),
    "now": Own("gridtide.cli.queries:now", "Show how clean the grid is now."),
    "history": Own("gridtide.cli.queries:history", "List the known values of a region."),
    "forecast": Own("gridtide.cli.queries:forecast", "Print the newest forecast of a region."),
    "price": Own(
        "gridtide.cli.queries:price", "Print the published price of a region, now or ahead."
    ),
    "best-window": Own(
        "gridtide.cli.queries:best_window", "Find the cleanest time to run a job."
    ),
    "best-region": Own(
        "gridtide.cli.queries:best_region", "Find the cleanest region and time to run a job."
    ),
    "plan": Own("gridtide.cli.plan:plan", "Plan when and where to run a job, and say why."),
    "replan": Own("gridtide.cli.plan:replan", "Plan the rest of a job again."),
    "schedule": Own("gridtide.cli.plan:schedule", "Plan many jobs together under limits."),
    "batch": Own("gridtide.cli.plan:batch", "Answer many requests in one call."),
    "footprint": Own(
        "gridtide.cli.footprint:footprint", "Compute the energy and emissions of a past job."
    ),
}


INSTALL = how_to_install("service")
# The commands of the service, so that the SDK alone can say what is missing.
OF_THE_SERVICE = (
    *(
        "refresh",
        "backfill",
        "import",
        "issue",
        "publish",
        "serve",
        "status",
        "check",
        "backup",
    ),
    *("restore", "sources", "parse", "export", "demo", "backtest", "simulate", "reproduce"),
)
COMPLETION = {
    "install_completion": "install completion for the shell in use (bash, zsh, fish)",
    "show_completion": "print the completion script of the shell in use",
}
QUESTIONS = "Ask"
DATA = "Service and data"


class Listed(TyperCommand):
    """The name and summary of a subcommand; its module is loaded when it is run."""

    def __init__(
        self, name: str, summary: str, panel: str, load: Callable[[], TyperCommand]
    ) -> None:
        super().__init__(name, short_help=summary, help=summary, rich_help_panel=panel)
        self._load = load

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: Context | None = None,
        **extra: Any,  # noqa: ANN401  # as in Typer
    ) -> Context:
        """Return the context of the command itself, which then runs in place of this."""
        return self._load().make_context(info_name, args, parent, **extra)


class Commands(TyperGroup):
    """The SDK's own subcommands and those of other distributions."""

    @cached_property
    def _found(self) -> dict[str, EntryPoint]:
        return found(COMMANDS)

    @cached_property
    def _summaries(self) -> dict[str, str]:
        summaries: dict[str, str] = {}
        for point in found(SUMMARIES).values():
            # Help is wanted most where something is broken.
            with suppress(ImportError, AttributeError):
                summaries |= point.load()
        return summaries

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Read the options before the name of a subcommand."""
        read_without_pydantic(self.get_params(ctx))
        try:
            return super().parse_args(ctx, args)
        except typer.TyperException as error:
            raise usage_error(error, ctx.command_path) from error

    def format_help(self, ctx: Context, formatter: Any) -> None:  # noqa: ANN401  # as in Typer
        """Write the help."""
        if not write_help(self, ctx):
            super().format_help(ctx, formatter)

    def list_commands(self, ctx: Context) -> list[str]:
        """Return all names, those of the SDK first."""
        return [*OWN, *sorted(set(self._found) - set(OWN))]

    def get_command(self, ctx: Context, cmd_name: str) -> TyperCommand | None:
        """Return the named subcommand, not loaded yet."""
        if own := OWN.get(cmd_name):
            return Listed(cmd_name, own.summary, QUESTIONS, lambda: _own(own.target))
        if point := self._found.get(cmd_name):
            summary = self._summaries.get(cmd_name, "")
            return Listed(cmd_name, summary, DATA, point.load)
        return None

    def resolve_command(
        self, ctx: Context, args: list[str]
    ) -> tuple[str | None, Any, list[str]]:
        """Return the subcommand that the first word names, and the words after it.

        Raises:
            NoService: it comes with the service, which is not installed.
            BadInput: the command is unknown.
        """
        name = args[0]
        made = self.get_command(ctx, name)
        if made is None and not ctx.resilient_parsing:
            raise _unknown(name, self.list_commands(ctx))
        return name, made, args[1:]


def run(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one subcommand and return its exit code."""
    group = make_app()
    try:
        with group.make_context("gridtide", list(words), obj=Everywhere(environ)) as ctx:
            return int(group.invoke(ctx) or 0)
    except typer.Exit as end:
        return end.exit_code


def complete(environ: Mapping[str, str]) -> int:
    """Print the completions that a shell requests in its variables; return the exit code."""
    try:
        make_app().main(args=[], prog_name="gridtide", obj=Everywhere(environ))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def make_app() -> TyperGroup:
    """Return the command ``gridtide`` with its options and its subcommands."""
    app = typer.Typer(
        cls=Commands, subcommand_metavar="COMMAND ...", invoke_without_command=True
    )
    app.callback(epilog=_epilog())(gridtide)
    made = built(app)
    assert isinstance(made, TyperGroup)  # noqa: S101  # what a callback makes
    for param in made.params:
        if isinstance(param, TyperOption) and param.name in COMPLETION:
            param.help = COMPLETION[param.name]
    return made


def gridtide(
    ctx: typer.Context,
    *,
    home: Home = None,
    now: Now = None,
    url: Url = None,
    json: Json = False,
    version: Annotated[
        bool, typer.Option("--version", help="print the version and exit")
    ] = False,
) -> None:
    """When and where is the grid cleanest?"""
    if version:
        sys.stdout.write(f"gridtide {own_version()}\n")
        raise typer.Exit
    ctx.obj = ctx.obj.then(home=home, now=now, url=url, json=json)
    if ctx.invoked_subcommand is None:
        raise BadInput("name a command; gridtide --help lists them")


def _epilog() -> str:
    lines = [
        "Examples:",
        "  gridtide now GB",
        "  gridtide best-window DE --hours 4",
        "  gridtide best-window --help",
    ]
    if not found(COMMANDS):
        lines += [f"With the service ({INSTALL}):", f"  {', '.join(OF_THE_SERVICE)}"]
    return "\n".join(lines)


def _own(target: str) -> TyperCommand:
    module, _, name = target.partition(":")
    made: TyperCommand = getattr(import_module(module), name)
    return made


def _unknown(name: str, known: list[str]) -> BadInput | NoService:
    if name in OF_THE_SERVICE:
        return NoService(
            f"'gridtide {name}' comes with the service, which is not installed ({INSTALL})"
        )
    near = difflib.get_close_matches(name, {*known, *OF_THE_SERVICE}, n=1)
    hint = f"did you mean {near[0]}?" if near else "gridtide --help lists them"
    return BadInput(f"unknown command {name!r}; {hint}")
