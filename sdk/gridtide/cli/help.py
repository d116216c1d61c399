"""Help texts: coloured and framed on a terminal, elsewhere one plain line for each option."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup

FOR_EVERY = "For every command"
ANSWERS = "The answer"
# The last sections of every help text, in this order.
LAST = ("Options", ANSWERS, FOR_EVERY)


def write_help(command: TyperCommand | TyperGroup, ctx: Any) -> bool:  # noqa: ANN401  # as in Typer
    """Write the help of `command` plainly, unless standard output is a terminal.

    Returns:
        Whether it is written. Rich decides what a terminal is: FORCE_COLOR makes one of a pipe.
    """
    from rich.console import Console

    if (option := command.get_help_option(ctx)) is not None:
        option.help = "show this help and exit"
    if Console(file=sys.stdout).is_terminal:
        _drop_types(command.get_params(ctx))
        return False
    sys.stdout.write(_plain(command, ctx))
    return True


def _drop_types(params: Iterable[Any]) -> None:
    """Leave out the types that Typer shows of flags and arguments, such as ``<list[str]>``."""
    for param in params:
        if getattr(param, "is_flag", False) or isinstance(param, TyperArgument):
            param.display_type_rich = _no_type


def _no_type(ctx: Any) -> None:  # noqa: ANN401  # as in Typer
    """Return no type, in place of what Typer shows of a parameter."""


def _plain(command: TyperCommand | TyperGroup, ctx: Any) -> str:  # noqa: ANN401
    pieces = [each.strip("{}") for each in command.collect_usage_pieces(ctx)]
    usage = " ".join([ctx.command_path, *pieces])
    text = [f"Usage: {usage}", "", inspect.cleandoc(command.help or "")]
    sections = _options(command, ctx) | _commands(command, ctx)
    for title in sorted(sections, key=lambda title: LAST.index(title) if title in LAST else -1):
        text += ["", f"{title}:", *_lines(sections[title])]
    if command.epilog:
        text += ["", command.epilog]
    return "\n".join(text)


Rows = list[tuple[str, str]]


def _options(command: TyperCommand | TyperGroup, ctx: Any) -> dict[str, Rows]:  # noqa: ANN401
    sections: dict[str, Rows] = {}
    for param in command.get_params(ctx):
        if (row := param.get_help_record(ctx)) is None:
            continue
        name, text = row
        if isinstance(param, TyperArgument):
            name = param.display_name_raw
        default = "Arguments" if isinstance(param, TyperArgument) else "Options"
        panel = getattr(param, "rich_help_panel", None) or default
        sections.setdefault(panel, []).append((name, text))
    return sections


def _commands(command: object, ctx: Any) -> dict[str, Rows]:  # noqa: ANN401
    sections: dict[str, Rows] = {}
    if isinstance(command, TyperGroup):
        for name in command.list_commands(ctx):
            one: Any = command.get_command(ctx, name)
            sections.setdefault(one.rich_help_panel, []).append((name, one.short_help))
    return sections


def _lines(rows: Iterable[tuple[str, str]]) -> list[str]:
    listed = [(name.strip(), text.strip()) for name, text in rows]
    width = max((len(name) for name, _ in listed), default=0)
    return [f"  {name.ljust(width)}  {text}".rstrip() for name, text in listed]
