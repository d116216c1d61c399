"""``gridtide replay``: recorded or simulated publishers on this machine."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn

from gridtide.cli.command import command
from gridtide.cli.terminal import Table, Terminal
from gridtide.errors import BadInput
from gridtide.model import format_time
from gridtide_pipelines.commands.session import Session, begin
from gridtide_pipelines.ingest.access import setting_of
from gridtide_pipelines.ingest.source import Source
from gridtide_pipelines.ingest.sources import sources as known_sources
from gridtide_pipelines.replay.faults import KINDS, read_fault
from gridtide_pipelines.replay.recording import read_recording, write_recording
from gridtide_pipelines.replay.server import ReplayServer
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.store import Store

LOOPBACK = "127.0.0.1"
MOST_PORT = 65_535
GRACE_SECONDS = 1
KEY = "replay"  # any key will do: it is not looked at
MOST_TIMES = 5  # times of refreshes that are printed


@command(
    "replay",
    examples=[
        "replay recorded --port 8400",
        "replay --simulate --fault entsoe:DE=hang --fault eia=429:30",
        "replay recorded --from-archive /var/lib/gridtide",
    ],
)
def replay(
    terminal: Terminal,
    *,
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="FOLDER", help="folder with requests.csv and recorded bodies"),
    ] = None,
    port: Annotated[int, typer.Option(metavar="PORT", help="0 picks a free one")] = 0,
    simulate: Annotated[
        bool,
        typer.Option(
            "--simulate",
            help="answer what is not recorded with simulated values in the publisher's format",
        ),
    ] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE:ZONE=KIND",
            help=f"spoil responses; KIND is {', '.join(KINDS)} or a status; may be repeated, "
            "and :ZONE left out",
        ),
    ] = None,
    from_archive: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="write the raw responses of this data directory into FOLDER, and end",
        ),
    ] = None,
) -> int:
    """Answer in place of the publishers, with recorded or simulated responses.

    Prints the settings that point gridtide at it, serves on loopback until interrupted, then
    prints how often each source was requested.
    """
    session, sources = begin(terminal), _played()
    if from_archive:
        if folder is None or simulate or fault:
            raise BadInput("--from-archive: name a new FOLDER, without --simulate and --fault")
        return _write(session, terminal, from_archive, folder, sources)
    if folder is None and not simulate:
        raise BadInput("replay needs a FOLDER with recorded responses, or --simulate")
    if not 0 <= port <= MOST_PORT:
        raise BadInput(f"--port: must be 0 to {MOST_PORT}, not {port}")
    server = ReplayServer(
        None if folder is None else read_recording(folder, sources),
        sources,
        simulate=simulate,
        faults=[read_fault(text, sources) for text in fault or ()],
        clock=session.clock,
        say=terminal.say,
    )
    _serve(server, sources, port, terminal)
    if terminal.json:
        _print_line(terminal, server.counts())
    else:
        terminal.result(_table(server.counts()))
    return 0


def _played() -> Mapping[str, Source]:
    """Return the sources that are requested over the network."""
    return {name: each for name, each in known_sources().items() if each.answer is None}


def _write(
    session: Session,
    terminal: Terminal,
    archive: Path,
    folder: Path,
    sources: Mapping[str, Source],
) -> int:
    home = DataDirectory(archive)
    if not home.live.exists():
        raise BadInput(f"--from-archive {archive}: this folder holds no store")
    with writer_lock(home, "gridtide replay", session.clock()), Store.open(home) as store:
        written = write_recording(store, Ledger(home.ledger), folder, sources)
    times = [format_time(each) for each in written.refreshes]
    if terminal.json:
        terminal.document(
            {
                "requests": written.requests,
                "expired": written.expired,
                "refreshes": times,
            }
        )
        return 0
    if written.expired:
        terminal.say(f"{written.expired} responses are left out: their bodies were deleted")
    terminal.result(f"wrote {written.requests} responses into {folder}")
    terminal.result(*(f"export GRIDTIDE_NOW={each}" for each in times[-MOST_TIMES:]))
    return 0


def _serve(
    server: ReplayServer, sources: Mapping[str, Source], port: int, terminal: Terminal
) -> None:
    """Serve until SIGTERM or SIGINT, after printing where.

    Raises:
        BadInput: the port is in use.
    """
    try:
        listening = socket.create_server((LOOPBACK, port), backlog=128)
    except OSError as error:
        raise BadInput(
            f"--port {port} cannot be used: {error.strerror}; 0 picks a free one"
        ) from error
    config = uvicorn.Config(
        server.application(),
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    running = uvicorn.Server(config)

    def stop(_number: int, _frame: object) -> None:
        running.should_exit = True

    # uvicorn raises the signal again at the end: the counts are still to be printed then.
    before = {each: signal.signal(each, stop) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        with listening:
            _announce(listening.getsockname()[1], sources, terminal)
            running.run(sockets=[listening])
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _announce(port: int, sources: Mapping[str, Source], terminal: Terminal) -> None:
    """Print the address and the settings that lead there."""
    url = f"http://{LOOPBACK}:{port}"
    environ = _environ(url, sources, terminal.environ)
    if terminal.json:
        _print_line(terminal, {"url": url, "environ": environ})
    else:
        terminal.result(*(f"export {name}={value}" for name, value in environ.items()))
        terminal.out.flush()
    terminal.say(f"gridtide replays at {url}")


def _environ(
    url: str, sources: Mapping[str, Source], own: Mapping[str, str]
) -> Mapping[str, str]:
    """Return settings for every host of every source, and a key where none is set."""
    found = {}
    for name, source in sources.items():
        for host in ("", *source.hosts):
            found[setting_of(source, host)] = (
                f"{url}/{name}.{host}" if host else f"{url}/{name}"
            )
        variables = source.credentials.variables if source.credentials else ()
        found |= {variable: KEY for variable in variables if not own.get(variable)}
    if now := own.get("GRIDTIDE_NOW"):
        found["GRIDTIDE_NOW"] = now
    return found


def _print_line(terminal: Terminal, document: object) -> None:
    """Print a JSON document in one line, so that a program can read it while this one runs."""
    terminal.out.write(json.dumps(document) + "\n")
    terminal.out.flush()


def _table(counts: Mapping[str, Any]) -> Table:
    rows = [
        (source, kind, str(count["requests"]), str(count["bytes"]), str(len(count["zones"])))
        for source, kinds in counts["sources"].items()
        for kind, count in kinds.items()
    ]
    return Table(("source", "kind", "requests", "bytes", "zones"), rows)
