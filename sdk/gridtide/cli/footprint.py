"""The SDK's subcommand ``footprint``: energy and grams of what has run."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridtide.cli.command import Terminal
from gridtide.cli.plan_options import number
from gridtide.errors import BadInput
from gridtide.model import parse_time

if TYPE_CHECKING:
    from gridtide.accounting.emissions import Row

COLUMNS = ("start", "end", "kwh")
NUMBERS = (
    *("hours", "power_kw", "processors", "requests", "kwh_per_request", "g_per_kwh"),
    *("net_g_per_kwh", "embodied_g", "per", "offset_g"),
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``footprint``."""
    add = parser.add_argument
    add("region", metavar="REGION", nargs="?", help="whose intensity at the time counts")
    add("--rows", metavar="FILE", help="CSV with start,end,kwh; - is standard input")
    add("--hours", type=number, help="how long it ran")
    add("--power-kw", type=number, metavar="KW", help="average of one processor, before PUE")
    add("--processors", type=number, metavar="N", help="default: 1")
    add("--start", metavar="TIME", help="when it began")
    add("--requests", type=number, metavar="N", help="how many requests it answered")
    add("--kwh-per-request", type=number, metavar="KWH", help="energy of each, before PUE")
    add("--pue", type=number, default=1.0, metavar="X", help="default: 1")
    add("--g-per-kwh", type=number, metavar="G", help="an intensity instead of a region's")
    add("--net-g-per-kwh", type=number, metavar="G", help="what clean purchases leave of it")
    add("--clean", metavar="FILE", help="clean energy bought in the same grid, as --rows")
    add("--embodied-g", type=number, metavar="G", help="making the hardware, for the SCI")
    add("--per", type=number, metavar="N", help="functional units it was for, for the SCI")
    add(
        "--before",
        metavar="LIST",
        help="what it was before, e.g. hours=10,power_kw=3,g_per_kwh=500, for the gain",
    )
    add("--offset-g", type=float, metavar="G", help=argparse.SUPPRESS)
    add("--signal", help="which intensity; default: lifecycle")
    add("--as-of", metavar="TIME", help="only what was known at this moment")


def footprint(args: argparse.Namespace, terminal: Terminal) -> int:
    """Ask for a footprint and print it."""
    from gridtide.cli import show_footprint
    from gridtide.client import Client
    from gridtide.schema.footprints import FACTORS
    from gridtide.schema.forms import NUMBER

    numbers: dict[str, Any] = {
        name: value if value is None or name == "hours" else NUMBER.read(value, name)
        for name in (*NUMBERS, "pue")
        if (value := getattr(args, name)) is not None
    }
    rows = rows_from(args.rows) if args.rows else None
    clean = rows_from(args.clean) if args.clean else None
    before = None if args.before is None else FACTORS.read(_members(args.before), "before")
    with Client(environ=terminal.environ) as client:
        answer = client.footprint(
            rows,
            region=args.region,
            start=args.start,
            clean=clean,
            before=before,
            signal=args.signal,
            as_of=args.as_of,
            **numbers,
        )
    if args.json:
        terminal.document(answer.to_json())
    else:
        terminal.result(show_footprint.footprint(answer))
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


def _members(text: str) -> dict[str, float | str]:
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
