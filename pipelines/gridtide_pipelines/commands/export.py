"""``gridtide export``: observations as a Parquet or CSV file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput, NoData
from gridtide.model import format_time, parse_time
from gridtide.values import read_moment
from gridtide_pipelines.commands.session import (
    Session,
    Zones,
    begin,
    show_progress,
    split_names,
    zone_keys,
)
from gridtide_pipelines.exporting import Reads, frames_of, open_reads
from gridtide_pipelines.row_files import Format, format_of, new_file, write_pipe, write_rows
from gridtide_store.export import Range, check_signals
from gridtide_store.pointer import current_snapshot
from gridtide_store.regions import resolve, split_regions
from gridtide_store.snapshot import Snapshot
from gridtide_store.views import views_of

PIPE = "-"
NAMED = 5  # pairs without a value that a message names


@command(
    "export",
    examples=[
        "export year.parquet --from 2025-01-01 --to 2026-01-01",
        "export mix.csv --zone DE,FR --signal generation,load,flow --from 2026-11-01",
        "export - --region aws:eu-central-1 --as-of 2026-11-01T06:00Z",
        "export views.sql --sql",
    ],
)
def export(
    terminal: Terminal,
    *,
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="a new .parquet or .csv file; - is the output"),
    ] = PIPE,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REGION",
            help="only the zone of this region; may be repeated, and takes commas",
        ),
    ] = None,
    zone: Zones = None,
    signal: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SIGNAL",
            help="an intensity signal, generation (the mix by fuel), share, load, flow or "
            "price; may be repeated, and takes commas; default: the default intensity",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="start of the range; default: all"),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="end, exclusive; default: now")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="values as known at this moment; default: now"),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE", help="only values of this source; default: by order of trust"
        ),
    ] = None,
    format_name: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="FORMAT", help="parquet or csv; default: by the file's ending"
        ),
    ] = None,
    sql: Annotated[
        bool,
        typer.Option("--sql", help="write views of the published snapshot for DuckDB instead"),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="replace the file if it exists")
    ] = False,
) -> int:
    """Write observations to a Parquet or CSV file.

    The rows are those that the service answers, one for each slot; where nothing is known the
    value is empty. Intensities come from the published snapshot. The mix, load, flows and
    prices come from the store, which no other command may write meanwhile.
    """
    session = begin(terminal)
    if file == PIPE and terminal.json:
        raise BadInput("--json and - both write to standard output; name a file")
    path = None if file == PIPE else Path(file)
    if sql:
        if any((region, zone, signal, start, end, as_of, source, format_name)):
            raise BadInput("--sql makes views of all that is published; name only a file")
        return _write_views(session, terminal, path, force=force)
    kind = format_of(path, format_name)
    if path is None and kind is Format.PARQUET and terminal.out.isatty():
        raise BadInput("Parquet cannot be shown on a terminal; name a file, or use a pipe")
    wanted = _range(start, end, as_of, source, session)
    zones = _zones(region, zone)
    signals = check_signals(split_names(signal, "--signal", "generation,load"))
    with ExitStack() as opened:
        target = path and opened.enter_context(new_file(path, force=force))
        progress = opened.enter_context(show_progress(terminal))
        reads = open_reads(session.home, zones, signals, wanted, opened, now=session.clock())
        frames = frames_of(reads, wanted, progress)
        if target is None:
            rows = write_pipe(frames, terminal.out.buffer, kind)
        else:
            rows = write_rows(frames, target, kind)
        if not rows:
            raise NoData(_nothing(reads, zones, session))
    for line in _without_values(reads, zones):
        terminal.say(line)
    done = {
        "file": file,
        "format": str(kind),
        "rows": rows,
        "snapshot": reads.snapshot,
        "without_values": [{"zone": zone, "signal": signal} for zone, signal in reads.empty],
    }
    if terminal.json:
        terminal.document(done)
    else:
        where = f"snapshot {reads.snapshot}" if reads.snapshot else "the store"
        write = terminal.say if path is None else terminal.result
        write(f"{rows} rows written from {where}")
    return 0


def _write_views(
    session: Session, terminal: Terminal, path: Path | None, *, force: bool
) -> int:
    """Write the views of the published snapshot and return the exit code.

    Raises:
        NoData: nothing is published.
    """
    folder = current_snapshot(session.home)
    if folder is None:
        raise NoData(
            f"{session.home.root} has nothing published; run `gridtide refresh`, or "
            "`gridtide publish` after an import"
        )
    with Snapshot.open(folder, session.home.resources) as snapshot:
        script = views_of(snapshot, folder)
    if path is None:
        terminal.result(script.rstrip())
        return 0
    with new_file(path, force=force) as target:
        target.write_text(script, encoding="utf-8")
    if terminal.json:
        terminal.document({"file": str(path), "snapshot": folder.name})
    else:
        terminal.result(f"views of snapshot {folder.name} written; duckdb -init {path}")
    return 0


def _range(
    start: str | None, end: str | None, as_of: str | None, source: str | None, session: Session
) -> Range:
    """Return the range of the options.

    Raises:
        BadInput: a time cannot be read or has not come yet, or the range ends before it starts.
    """
    now = session.clock()
    known = parse_time(as_of, name="--as-of") if as_of is not None else now
    if known > now:
        raise BadInput(
            f"--as-of {format_time(known)} is later than now ({format_time(now)}); leave it "
            "out to export what is known now"
        )
    first = None if start is None else read_moment(start, "--from", day=True)
    last = known if end is None else read_moment(end, "--to", day=True)
    if first is not None and last <= first:
        raise BadInput(f"--to {format_time(last)} is not after --from {format_time(first)}")
    return Range(first, last, known, source)


def _zones(regions: Sequence[str] | None, zones: Sequence[str] | None) -> tuple[str, ...]:
    """Return the keys of the zones named by ``--region`` and ``--zone``, each once."""
    found = [resolve(each).zone for each in split_regions(regions or ())]
    return tuple(dict.fromkeys([*found, *zone_keys(zones)]))


def _without_values(reads: Reads, zones: Sequence[str]) -> Iterator[str]:
    """Yield a line for what was named and has nothing in the range."""
    there = {end for zone, _ in reads.pairs for end in (zone, *zone.split("->"))}
    for zone in zones:
        if zone not in there:
            yield f"{zone}: no such values here"
    named = [f"{zone} {signal}" for zone, signal in reads.empty]
    if named:
        more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
        yield f"no values in the range: {', '.join(named[:NAMED])}{more}"


def _nothing(reads: Reads, zones: Sequence[str], session: Session) -> str:
    """Return the error that there is nothing to write, with the remedy."""
    why = "; ".join(_without_values(reads, zones)) or "no zone has such values"
    return (
        f"nothing to export from {session.home.root}: {why}. See `gridtide zones` and "
        "`gridtide sources` for what is there, or widen --from, --to, --zone and --signal"
    )
