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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_type_hints

import typer
from typer.core import TyperCommand
from typer.main import get_command

from gridtide.cli.everywhere import Everywhere, shared
from gridtide.cli.help import write_help
from gridtide.cli.reading import read_without_pydantic, usage_error
from gridtide.errors import BadInput

# What Typer's own methods take has no public name.
Context = Any
# Coordinates south or west of zero are no option.
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
        """A word with an earlier name of an option replaced by the present one."""
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
    renamed: Mapping[str, str] | None = None,
) -> Callable[[Callable[..., int]], TyperCommand]:
    """Make a function a subcommand.

    Args:
        name: what users type.
        examples: calls for the help text, without ``gridtide``.
        answers: whether it prints an answer of the service, so that ``--print`` and
            ``--local`` mean something.
        renamed: earlier names of options, which are still read.

    A parameter whose type is a dataclass stands for its fields, each an option of its own.
    """

    def decorate(function: Callable[..., int]) -> TyperCommand:
        signature = inspect.signature(function, eval_str=True)
        _, *own = signature.parameters.values()
        groups: dict[str, Any] = {
            each.name: each.annotation for each in own if is_dataclass(each.annotation)
        }
        everywhere = shared(answers=answers)
        context = inspect.Parameter(
            "ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
        )

        def run(ctx: typer.Context, **given: Any) -> int:  # noqa: ANN401  # any option
            said = {each.name: given.pop(each.name) for each in everywhere}
            options: Everywhere = ctx.obj.then(**said)
            terminal = options.terminal()
            if answers and options.now and (url := terminal.environ.get("GRIDTIDE_URL")):
                terminal.say(
                    f"gridtide: --now does not move the clock of {url}; --as-of asks it of then"
                )
            for name, group in groups.items():
                given[name] = group(
                    **{each.name: given.pop(each.name) for each in fields(group)}
                )
            return function(terminal, **given)

        options = [option for each in own for option in _options(each)]
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


def _options(parameter: inspect.Parameter) -> list[inspect.Parameter]:
    """The options that a parameter of a command stands for."""
    kind = inspect.Parameter.KEYWORD_ONLY
    group = parameter.annotation
    if not is_dataclass(group):
        return [parameter.replace(kind=kind)]
    types = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            each.name,
            kind,
            annotation=types[each.name],
            default=inspect.Parameter.empty if each.default is MISSING else each.default,
        )
        for each in fields(group)
    ]
