"""The SDK's subcommand ``footprint``: energy and grams of what has run."""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from gridtide.cli.command import command
from gridtide.cli.options import Json, Options, Written, describe_field
from gridtide.cli.regions import OneRegion
from gridtide.cli.terminal import Terminal
from gridtide.durations import number_or_text
from gridtide.errors import BadInput
from gridtide.schema.decode import decode_request
from gridtide.schema.footprints import FootprintRequest
from gridtide.values import read_moment

COLUMNS = ("start", "end", "kwh")
RAN, HOW, SCORE = "What ran", "Factors", "For the SCI and comparisons"
# Fields of the request by heading; all others are among the factors.
ENERGY = ("hours", "power_kw", "processors", "start", "requests", "kwh_per_request")
BEFORE = "e.g. hours=10,power_kw=3,g_per_kwh=500"
SCORES = ("embodied_g", "per", "before")


def _factors(text: str, option: str) -> object:
    """Return the factors that ``name=value,name=value`` says."""
    pairs = (each.partition("=") for each in text.split(","))
    return {name.strip(): number_or_text(value) for name, _, value in pairs}


def _rows_file(name: str, panel: str) -> Any:  # noqa: ANN401  # as typer.Option
    about = describe_field(FootprintRequest, name)
    text = f"{about}; CSV with start,end,kwh, - is standard input"
    return typer.Option(metavar="FILE", help=text, rich_help_panel=panel)


RowsFile = Annotated[str | None, _rows_file("rows", RAN)]
CleanFile = Annotated[str | None, _rows_file("clean", SCORE)]


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
    region: Annotated[
        str | None,
        OneRegion("footprint", describe_field(FootprintRequest, "region"), optional=True),
    ],
    rows: RowsFile = None,
    energy: Annotated[Json, Options(FootprintRequest, RAN, only=ENERGY)],
    factors: Annotated[
        Json,
        Options(
            FootprintRequest,
            HOW,
            without=("rows", "region", "clean", *ENERGY, *SCORES),
            hidden=("offset_g",),
        ),
    ],
    score: Annotated[
        Json,
        Options(
            FootprintRequest,
            SCORE,
            only=SCORES,
            written={"before": Written("LIST", BEFORE, _factors)},
        ),
    ],
    clean: CleanFile = None,
) -> int:
    """Compute the energy and emissions of a past job."""
    from gridtide.cli import show_plan
    from gridtide.client import Client

    given = energy | factors | score
    if region is not None:
        given["region"] = region
    for name, file in (("rows", rows), ("clean", clean)):
        if file is not None:
            given[name] = rows_from(file)
    request = decode_request(FootprintRequest, given)
    decoded = {each.name: getattr(request, each.name) for each in fields(request)}
    with Client(environ=terminal.environ) as client:
        answer = client.footprint(**decoded)
    terminal.answer(answer.to_json(), lambda: [show_plan.footprint(answer)])
    return 0


def rows_from(name: str) -> list[Json]:
    """Return the rows of a CSV file with the columns start, end and kwh, as JSON.

    Raises:
        BadInput: the file cannot be read or lacks a column, or a row has no times or no number.
    """
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        raise BadInput(f"{name} cannot be read: {error}") from error
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    try:
        lacking = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if lacking:
            raise BadInput(
                f"{name} has no column {', '.join(lacking)}; its first line must be "
                "start,end,kwh"
            )
        return [_row(name, reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise BadInput(
            f"{name}, line {reader.line_num}: not CSV ({error}); look for a quote that is not "
            "closed"
        ) from error


def _row(name: str, line: int, row: dict[str, str | None]) -> Json:
    start, end, kwh = (row[column] or "" for column in COLUMNS)
    try:
        energy = float(kwh)
    except ValueError as error:
        raise BadInput(f"{name}, line {line}: kwh is {kwh!r}; give a number") from error
    where = f"{name}, line {line}:"
    read_moment(start, f"{where} start", day=True)
    read_moment(end, f"{where} end", day=True)
    return {"start": start, "end": end, "kwh": energy}
