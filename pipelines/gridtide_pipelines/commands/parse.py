"""``gridtide parse``: what a publisher's raw response says, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput
from gridtide_pipelines.commands.session import begin
from gridtide_pipelines.errors import NothingYet, SourceChanged
from gridtide_pipelines.ingest.source import Body, Kind, Request, Source
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.ingest.table import ANY, COLUMNS, table, zones_of

LISTED = 10  # zones named in a remark


@command(
    "parse",
    examples=["parse eia generation.json --zone BANC", "parse entsoe day.xml --zone DE"],
)
def parse(
    terminal: Terminal,
    *,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="name of the source")],
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="bodies of one answer, in order"),
    ],
    zone: Annotated[
        str,
        typer.Option(
            metavar="ZONE",
            help="zone key, the publisher's code, a pair A->B, or * for all in the body",
        ),
    ],
    kind: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="only values of this kind; default: all"),
    ] = None,
    request_url: Annotated[
        str | None,
        typer.Option(
            "--url", metavar="URL", help="the request, where the body lacks what it says"
        ),
    ] = None,
) -> int:
    """Print what raw responses of a source say, as CSV.

    The columns are zone, timestamp_utc (the start of the slot), fuel and mw. Nothing is merged,
    corrected, clipped or excluded. Storage is positive when it discharges.
    """
    publisher = _source(source)
    only = _kind(kind)
    known_at = begin(terminal).clock()
    zones = zones_of(publisher, zone)
    request = Request("GET", request_url or "/", kind=only or Kind.GENERATION, zones=zones)
    flags: Counter[str] = Counter()
    rows: list[dict[str, object]] = []
    printed, others = 0, set[str]()
    header = [",".join(COLUMNS)]
    try:
        for found in _parsed(publisher, paths, request, known_at):
            every = found["flag"].drop_nulls().str.split(";").explode().value_counts()
            flags.update(dict(every.iter_rows()))
            part = table(found, publisher, zone, only)
            printed += part.height
            if not printed:
                others |= set(table(found, publisher, ANY, None)["zone"])
            if terminal.json:
                rows += part.to_dicts()
            else:
                terminal.result(*header, *part.write_csv(include_header=False).splitlines())
                header = []
    except NothingYet as error:
        terminal.say(str(error))
    if not terminal.json:
        terminal.result(*header)
    for flag, count in flags.most_common():
        terminal.say(f"{flag} ({count} values)")
    if not printed and others:
        terminal.say(_nothing_of(zone, only, sorted(others)))
    if terminal.json:
        terminal.document({"rows": rows})
    return 0


def _nothing_of(zone: str, only: Kind | None, zones: Sequence[str]) -> str:
    """Return what the bodies hold in place of the requested values."""
    more = f" and {len(zones) - LISTED} more" if len(zones) > LISTED else ""
    what = f"value of kind {only}" if only else "value"
    return (
        f"no {what} for zone {zone!r}; there are values for {', '.join(zones[:LISTED])}{more}"
    )


def _parsed(
    publisher: Source, paths: Sequence[Path], request: Request, known_at: datetime
) -> Iterator[pl.DataFrame]:
    """Yield the readings of files that are one answer; of large files part by part."""
    if publisher.parts is None:
        contents = [_content(path, publisher) for path in paths]
        yield publisher.parse(
            [Body(request, content, known_at, index) for index, content in enumerate(contents)]
        )
        return
    for path in paths:
        try:
            with path.open("rb") as stream:
                for content in publisher.parts(stream):
                    with suppress(NothingYet):  # of some days of it
                        yield publisher.parse([Body(request, content, known_at, 0)])
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error.strerror}") from error


def _source(name: str) -> Source:
    known = {each.name: each for each in sources().values() if each.answer is None}
    if name not in known:
        raise BadInput(f"unknown source {name!r}; must be one of {', '.join(known)}")
    return known[name]


def _kind(name: str | None) -> Kind | None:
    if name is None:
        return None
    try:
        return Kind(name)
    except ValueError:
        raise BadInput(f"unknown kind {name!r}; must be one of {', '.join(Kind)}") from None


def _content(path: Path, source: Source) -> bytes:
    """Return the bytes of a file.

    Raises:
        BadInput: it cannot be read.
        SourceChanged: it is larger than any answer of the source.
    """
    try:
        size = path.stat().st_size
        if size > source.largest_body:
            raise SourceChanged(
                source.name,
                f"{path} has {size} bytes; an answer has at most {source.largest_body}",
            )
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
