"""How a subcommand of ``gridtide`` is declared: a function with annotated options.

The first parameter is the `Terminal`, every other one an option or an argument of Typer. The
docstring is the help text; its first line is the summary that ``gridtide --help`` lists. The
function returns the exit code: 0 done, 1 failed, 2 bad input, 3 done but some sources failed,
4 locked, 5 data too old. It may raise errors of `gridtide.errors`; the script turns them into
a message and their exit code.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer
from typer.core import TyperCommand
from typer.main import get_command
from typer.models import OptionInfo

from gridtide.cli.help import ANSWERS, FOR_EVERY, write_help
from gridtide.cli.options import expand
from gridtide.cli.reading import read_without_pydantic, usage_error
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput
from gridtide.model import parse_time

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
Json = Annotated[
    bool, typer.Option("--json", rich_help_panel=FOR_EVERY, help="print one JSON document")
]
# Read only to be refused with a reason.
HiddenUrl = Annotated[str | None, typer.Option("--url", hidden=True)]
HiddenJson = Annotated[bool, typer.Option("--json", hidden=True)]
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
        """Return these options, those that come later on the command line written over them."""
        return replace(
            self, **{name: value for name, value in said.items() if value not in (None, False)}
        )

    def terminal(self) -> Terminal:
        """Return the standard streams and the form of the answer.

        Raises:
            BadInput: ``--now`` is not a time, an option is empty, or two options contradict
                each other.
        """
        for name, value in (("--home", self.home), ("--url", self.url)):
            if value is not None and not value.strip():
                raise BadInput(f"{name}: must not be empty; give a value, or leave it out")
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
        if self.now is not None:
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


def _is_url(option: inspect.Parameter) -> bool:
    """Return whether a command's own option is ``--url``, whose name Typer keeps as default."""
    return any(
        "--url" in (info.default, *(info.param_decls or ()))
        for info in getattr(option.annotation, "__metadata__", ())
        if isinstance(info, OptionInfo)
    )


def _parameter(name: str, annotation: Any, default: object) -> inspect.Parameter:  # noqa: ANN401
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
    )


def shared(
    *, answers: bool, document: bool = True, url: bool = True
) -> tuple[inspect.Parameter, ...]:
    """Return the parameters that a command has beside its own.

    Args:
        answers: whether it prints an answer of the service. Where it does not, ``--url`` has no
            meaning: it is read to be refused, and not listed.
        document: the same of ``--json``, whether the command has a document.
        url: whether ``--url`` is one of these, not an option of the command's own.
    """
    every = (
        _parameter("home", Home, None),
        _parameter("now", Now, None),
        *([_parameter("url", Url if answers else HiddenUrl, None)] if url else []),
        _parameter("json", Json if document else HiddenJson, default=False),
    )
    if not answers:
        return every
    return (
        _parameter("print_", Print, None),
        _parameter("local", Local, default=False),
        *every,
    )


# What Typer's own methods take has no public name.
Context = Any
# Coordinates south or west of zero begin as an option does.
SOUTH_OR_WEST = re.compile(r"-\d+(\.\d*)?,.*")


class OneCommand(TyperCommand):
    """A subcommand; its words are read without pydantic, its usage errors have names.

    Attributes:
        renamed: earlier names of options, which are still read.
    """

    renamed: Mapping[str, str] = {}

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Read the words of one call.

        Raises:
            BadInput: there are more arguments than the command takes.
        """
        read_without_pydantic(self.get_params(ctx))
        try:
            rest = super().parse_args(ctx, [self._word(each) for each in args])
        except typer.TyperException as error:
            raise usage_error(error, ctx.command_path) from error
        if rest and not ctx.resilient_parsing:
            named = [{"parameter": each, "message": "one argument too many"} for each in rest]
            raise BadInput(
                f"unexpected argument {' '.join(rest)}; {ctx.command_path} --help lists what "
                "it takes",
                errors=named,
            )
        return rest

    def _word(self, word: str) -> str:
        """Return a word with the earlier name of an option replaced by the present one."""
        if SOUTH_OR_WEST.fullmatch(word):
            return f" {word}"  # never read as an option
        name, equals, value = word.partition("=")
        return f"{self.renamed.get(name, name)}{equals}{value}"

    def format_help(self, ctx: Context, formatter: Any) -> None:  # noqa: ANN401  # as in Typer
        """Write the help."""
        if not write_help(self, ctx):
            super().format_help(ctx, formatter)


def command(
    name: str,
    *,
    examples: Sequence[str],
    answers: bool = False,
    document: bool = True,
    renamed: Mapping[str, str] | None = None,
    unlisted: Collection[str] = (),
) -> Callable[[Callable[..., int]], TyperCommand]:
    """Make a function a subcommand.

    Args:
        name: what users type.
        examples: calls for the help text, without ``gridtide``.
        answers: whether it prints an answer of the service, so that ``--url``, ``--print``
            and ``--local`` mean something.
        document: whether ``--json`` does.
        renamed: earlier names of options, which are still read.
        unlisted: parameters whose options are read and not listed in the help text.

    A parameter with `Options` stands for the fields of their definition, and one whose type is
    a dataclass for its fields, each an option of its own.
    """

    def decorate(function: Callable[..., int]) -> TyperCommand:
        signature = inspect.signature(function, eval_str=True)
        _, *own = signature.parameters.values()
        groups = {each.name: expand(each, hidden=each.name in unlisted) for each in own}
        options = [option for expanded, _ in groups.values() for option in expanded]
        own_url = any(map(_is_url, options))
        everywhere = shared(answers=answers, document=document, url=not own_url)
        context = inspect.Parameter(
            "ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
        )

        def run(ctx: typer.Context, **given: Any) -> int:  # noqa: ANN401  # any option
            said = {each.name: given.pop(each.name) for each in everywhere}
            options: Everywhere = ctx.obj.then(**said)
            if options.url is not None and not answers:
                raise BadInput(
                    f"--url: {name} works in the data directory of this machine; leave it out, "
                    "or name the directory with --home"
                )
            if options.json and not document:
                raise BadInput(f"--json: {name} prints text only; leave it out")
            terminal = options.terminal()
            if answers and options.now and (url := terminal.environ.get("GRIDTIDE_URL")):
                from gridtide.http.proxies import without_secrets

                terminal.say(
                    f"gridtide: --now does not move the clock of {without_secrets(url)}; "
                    "--as-of asks it of then"
                )
            return function(
                terminal, **{name: read(given) for name, (_, read) in groups.items()}
            )

        run.__signature__ = signature.replace(parameters=[context, *options, *everywhere])  # type: ignore[attr-defined]  # what Typer reads
        run.__doc__ = function.__doc__
        app = typer.Typer(add_completion=False)
        app.command(
            name,
            cls=OneCommand,
            epilog="\n".join(["Examples:", *(f"  gridtide {each}" for each in examples)]),
            context_settings={"allow_extra_args": True},
        )(run)
        made = get_command(app)
        assert isinstance(made, OneCommand)  # noqa: S101  # the class given above
        made.renamed = renamed or {}
        return made

    return decorate
