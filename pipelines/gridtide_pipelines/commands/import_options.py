"""The options of ``gridtide import``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from gridtide.errors import BadInput
from gridtide_pipelines.commands.session import NewStore
from gridtide_pipelines.importing.files import KnownAt
from gridtide_pipelines.importing.layouts import Hints, Label
from gridtide_pipelines.importing.numbers import Mark

UNSAID = "as supplied by the operator"


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What is imported, and how its rows are to be read."""

    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            help="Parquet or CSV, also .gz: ts_utc, gen_<fuel>_mwh; or zone, start, fuel, mw; "
            "Electricity Maps' or EIA's files; others with --time-column and --map",
        ),
    ]
    zone: Annotated[
        list[str],
        typer.Option(
            metavar="ZONE",
            help="the zone they are of, e.g. US-CAL-CISO, or one of your own: x-mygrid; of "
            "files of many, each that is wanted: may be repeated, and takes commas",
        ),
    ]
    label: Annotated[
        Label | None,
        typer.Option(
            help="what the times name: the start or the end of the slot; needed where the file "
            "does not tell"
        ),
    ] = None
    time_column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="column of the times")
    ] = None
    clock_column: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="column of the time of day, where days stand apart from it"
        ),
    ] = None
    time_format: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="how times are written, e.g. '%d/%m/%Y %H:%M'"),
    ] = None
    timezone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            help="time zone of times without an offset: Europe/Berlin, UTC, or +01:00 all year",
        ),
    ] = None
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FUEL=COLUMN",
            help="what a column is: a fuel, load or a signal; with --fuel-column, what a name "
            "there is; may be repeated, and columns of one fuel are added up",
        ),
    ] = None
    ignore: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="leave a column out; '*' all not mapped"),
    ] = None
    signal: Annotated[
        str | None,
        typer.Option(metavar="SIGNAL", help="signal of the only column of values"),
    ] = None
    value_column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="column of the values")
    ] = None
    fuel_column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="column of the fuel of each row")
    ] = None
    zone_column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="column of the zone of each row")
    ] = None
    unit: Annotated[
        str | None,
        typer.Option(
            metavar="UNIT",
            help="unit of columns whose names have none: MW, MWh, kWh, g/kWh, %, ...",
        ),
    ] = None
    decimal: Annotated[
        Mark | None, typer.Option(help="the sign before decimals, where numbers do not tell")
    ] = None
    separator: Annotated[
        str | None,
        typer.Option(metavar="SIGN", help="the sign between the cells of a CSV file"),
    ] = None
    encoding: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="of a CSV file neither UTF-8 nor UTF-16: cp1252"),
    ] = None
    resolution: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="length of every slot; default: the spacing of the times, stretch by stretch",
        ),
    ] = None
    source: Annotated[str, typer.Option(metavar="NAME", help="name to store them under")] = (
        "import"
    )
    licence: Annotated[
        str | None, typer.Option(metavar="NAME", help=f"terms of the data; default: {UNSAID}")
    ] = None
    known_at: Annotated[
        KnownAt,
        typer.Option(help="count rows as known when their slot ended, or from now on"),
    ] = KnownAt.AS_LABELLED
    dry_run: Annotated[
        bool, typer.Option(help="say how the files are understood, and store nothing")
    ] = False
    new_store: NewStore = False

    def hints(self) -> Hints:
        """Return what is said of the columns of the files.

        Raises:
            BadInput: a ``--map`` without an equals sign, or a separator of several signs.
        """
        return Hints(
            time_column=_name(self.time_column),
            clock_column=_name(self.clock_column),
            zone_column=_name(self.zone_column),
            fuel_column=_name(self.fuel_column),
            value_column=_name(self.value_column),
            mapping=tuple(map(_pair, self.mapping or ())),
            signal=self.signal,
            unit=self.unit,
            timezone=self.timezone,
            time_format=self.time_format,
            decimal=self.decimal,
            separator=_separator(self.separator),
            encoding=self.encoding,
            ignore=tuple(filter(None, map(_name, self.ignore or ()))),
        )


def _pair(text: str) -> tuple[str, str]:
    target, sign, column = text.partition("=")
    if not sign or not target.strip() or not column.strip():
        raise BadInput(f"--map {text!r}: write FUEL=COLUMN, such as coal=Kohle")
    return target, " ".join(column.split())


def _name(column: str | None) -> str | None:
    """Return the name of a column with single blanks, as headers are read."""
    return None if column is None else " ".join(column.split())


def _separator(text: str | None) -> str | None:
    names = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}
    sign = names.get(text.lower(), text) if text is not None else None
    if sign is not None and len(sign.encode()) != 1:
        raise BadInput(f"--separator {text!r}: must be one sign such as ; or tab")
    return sign
