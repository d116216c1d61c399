"""The SDK's subcommand ``footprint``: energy and grams of what has run."""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridtide.cli.command import command
from gridtide.cli.options import AsOf, ChosenSignal, MoreRegions, number, one_region
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput
from gridtide.model import parse_time

if TYPE_CHECKING:
    from gridtide.accounting.emissions import Row

COLUMNS = ("start", "end", "kwh")
RAN, FACTORS_PANEL, SCORE = "What ran", "Factors", "For the SCI and comparisons"


def _option(metavar: str, text: str, panel: str) -> Any:  # noqa: ANN401  # as typer.Option
    return typer.Option(metavar=metavar, help=text, rich_help_panel=panel)


Text = str | None


@dataclass(frozen=True, kw_only=True)
class NumberOptions:
    """The numbers of a footprint, each the text that was given."""

    hours: Annotated[Text, _option("DURATION", "how long it ran: 4, 4h, 90min", RAN)] = None
    power_kw: Annotated[Text, _option("KW", "average of one processor, before PUE", RAN)] = None
    processors: Annotated[Text, _option("N", "default: 1", RAN)] = None
    requests: Annotated[Text, _option("N", "how many requests it answered", RAN)] = None
    kwh_per_request: Annotated[Text, _option("KWH", "energy of each, before PUE", RAN)] = None
    pue: Annotated[Text, _option("X", "default: 1", FACTORS_PANEL)] = None
    g_per_kwh: Annotated[
        Text, _option("G", "an intensity instead of a region's", FACTORS_PANEL)
    ] = None
    net_g_per_kwh: Annotated[
        Text, _option("G", "the intensity after clean purchases", FACTORS_PANEL)
    ] = None
    embodied_g: Annotated[Text, _option("G", "making the hardware, for the SCI", SCORE)] = None
    per: Annotated[Text, _option("N", "functional units, for the SCI", SCORE)] = None
    offset_g: Annotated[Text, typer.Option(hidden=True)] = None

    def given(self) -> dict[str, Any]:
        """The numbers that are given.

        Raises:
            BadInput: one is no number; the message names it.
        """
        from gridtide.schema.forms import NUMBER

        return {
            each.name: value if each.name == "hours" else NUMBER.read(value, each.name)
            for each in fields(self)
            if (value := number(getattr(self, each.name))) is not None
        }


@command(
    "footprint",
    examples=[
        "footprint DE --hours 4 --power-kw 1.5 --start 2026-11-01T00:00Z",
        "footprint GB --rows energy.csv",
        "footprint --hours 4 --power-kw 1.5 --g-per-kwh 350 --print gross_g",
    ],
    answers=True,
)
def footprint(
    terminal: Terminal,
    *,
    regions: Annotated[
        list[str] | None,
        typer.Argument(metavar="REGION", help="whose intensity at the time counts"),
    ] = None,
    region: MoreRegions = None,
    rows: Annotated[
        str | None, _option("FILE", "CSV with start,end,kwh; - is standard input", RAN)
    ] = None,
    start: Annotated[str | None, _option("TIME", "when it began", RAN)] = None,
    numbers: NumberOptions,
    clean: Annotated[
        str | None, _option("FILE", "clean energy bought in the same zone, as --rows", SCORE)
    ] = None,
    before: Annotated[
        str | None,
        _option(
            "LIST",
            "what it was before, e.g. hours=10,power_kw=3,g_per_kwh=500, for the gain",
            SCORE,
        ),
    ] = None,
    signal: ChosenSignal = None,
    as_of: AsOf = None,
) -> int:
    """Compute the energy and emissions of a past job."""
    from gridtide.cli import show_footprint
    from gridtide.client import Client
    from gridtide.schema.footprints import FACTORS

    named = one_region("footprint", regions, region) if regions or region else None
    given = numbers.given()
    energy = rows_from(rows) if rows else None
    bought = rows_from(clean) if clean else None
    earlier = None if before is None else FACTORS.read(_members(before), "before")
    with Client(environ=terminal.environ) as client:
        answer = client.footprint(
            energy,
            region=named,
            start=start,
            clean=bought,
            before=earlier,
            signal=signal,
            as_of=as_of,
            **given,
        )
    terminal.answer(answer.to_json(), lambda: [show_footprint.footprint(answer)])
    return 0


def rows_from(name: str) -> list[Row]:
    """Rows of a CSV file with the columns start, end and kwh.

    Raises:
        BadInput: it cannot be read, lacks a column, or a row is none.
    """
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        raise BadInput(f"{name} cannot be read: {error}") from error
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    lacking = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if lacking:
        raise BadInput(
            f"{name} has no column {', '.join(lacking)}; its first line must be start,end,kwh"
        )
    return [_row(name, reader.line_num, row) for row in reader]


def _members(text: str) -> dict[str, float | str | None]:
    """What ``name=value,name=value`` says."""
    pairs = (each.partition("=") for each in text.split(","))
    return {name.strip(): number(value) for name, _, value in pairs}


def _row(name: str, line: int, row: dict[str, str | None]) -> Row:
    start, end, kwh = (row[column] or "" for column in COLUMNS)
    try:
        energy = float(kwh)
    except ValueError as error:
        raise BadInput(f"{name}, line {line}: kwh is {kwh!r}; give a number") from error
    where = f"{name}, line {line}:"
    return (
        parse_time(start, name=f"{where} start"),
        parse_time(end, name=f"{where} end"),
        energy,
    )
