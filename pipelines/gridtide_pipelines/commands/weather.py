"""``gridtide weather``: past runs of weather forecasts in one file, to be shared."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput
from gridtide.values import read_moment
from gridtide_pipelines.commands.session import NewStore, Session, Zones, begin, zone_keys
from gridtide_pipelines.ingest.command_log import record_command
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.row_files import new_file
from gridtide_pipelines.weather_packs import Unpacked, pack_weather, unpack_weather
from gridtide_store.data_directory import writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.opening import refuse_without_store
from gridtide_store.store import Store

DEFAULT = "gfs"


class Action(StrEnum):
    """What to do with the file."""

    PACK = "pack"
    UNPACK = "unpack"


@command(
    "weather",
    examples=[
        "weather pack gfs-2025.parquet --from 2025-01-01 --to 2026-01-01",
        "weather unpack gfs-2025.parquet",
    ],
)
def weather(
    terminal: Terminal,
    *,
    action: Annotated[
        Action,
        typer.Argument(
            metavar="ACTION", help="pack writes the file, unpack stores what it has"
        ),
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a .parquet file")],
    source: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help=f"whose runs are packed; default: {DEFAULT}"),
    ] = None,
    zone: Zones = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="first time of issue; default: all"),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", help="last one, exclusive; default: now"),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="replace the file if it exists")
    ] = False,
    new_store: NewStore = False,
) -> int:
    """Pack past weather runs into a file to share, or store those of such a file.

    A pack says where its runs are from, since when each was known, and under which licence.
    Runs that are stored already stay as they are, and a backfill does not request the days of a
    pack.
    """
    session = begin(terminal)
    if action is Action.UNPACK:
        if any((source, zone, start, end, force)):
            raise BadInput("weather unpack stores all of a pack; name only the file")
        done = _unpack(session, file, new_store=new_store)
        if terminal.json:
            left_out = sorted(done.left_out)
            terminal.document(
                {
                    "source": done.source,
                    "runs": done.runs,
                    "values_added": done.values,
                    "zones_left_out": left_out,
                }
            )
            return 0
        if done.left_out:
            terminal.say(f"left out, unknown here: {', '.join(sorted(done.left_out))}")
        terminal.result(f"{done.source}: {done.runs} runs of zones, {done.values} values added")
        return 0
    known = {name: each for name, each in sources().items() if each.weather}
    name = source or DEFAULT
    if name not in known:
        raise BadInput(f"{name!r} has no weather; must be one of {', '.join(known)}")
    if new_store:
        raise BadInput("--new-store is for unpack; leave it out")
    first = None if start is None else read_moment(start, "--from", day=True)
    last = session.clock() if end is None else read_moment(end, "--to", day=True)
    if file.suffix != ".parquet":
        raise BadInput(f"{file}: a pack is a Parquet file; name it .parquet")
    refuse_without_store(session.home)
    with (
        new_file(file, force=force) as target,
        writer_lock(session.home, "weather", session.clock()),
        Store.open(session.home) as store,
    ):
        values = pack_weather(
            store, known[name], target, start=first, end=last, zones=zone_keys(zone)
        )
    if terminal.json:
        terminal.document({"file": str(file), "source": name, "values": values})
    else:
        terminal.result(f"{values} values of {name} packed, {known[name].licence}")
    return 0


def _unpack(session: Session, file: Path, *, new_store: bool) -> Unpacked:
    ledger = Ledger(session.home.ledger)
    with (
        writer_lock(session.home, "weather", session.clock()),
        record_command(ledger, "weather", ["unpack", file.name], session.clock) as note,
        Store.open(session.home, new=new_store) as store,
    ):
        done = unpack_weather(store, ledger, file, now=session.clock())
        note.done({"source": done.source, "runs": done.runs, "values_added": done.values})
    return done
