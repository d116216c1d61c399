"""``gridtide import``: files of generation into the store, derived at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput
from gridtide.model import format_time
from gridtide_pipelines.commands.session import (
    NewStore,
    Session,
    begin,
    show_progress,
    zone_names,
)
from gridtide_pipelines.derive.factors import factor_set
from gridtide_pipelines.forecast.issue import Progress
from gridtide_pipelines.importing.files import (
    File,
    KnownAt,
    Plan,
    Receipt,
    check_files,
    read_file,
    refuse_source_name,
    store_files,
)
from gridtide_pipelines.importing.slots import Label, parse_resolution
from gridtide_pipelines.ingest.command_log import record_command
from gridtide_pipelines.ingest.flow import derive_pending
from gridtide_pipelines.ingest.mixing import row_kind
from gridtide_pipelines.ingest.sources import sources
from gridtide_store.data_directory import writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.names import Certainty
from gridtide_store.records import Facts
from gridtide_store.regions import resolve
from gridtide_store.store import Store

UNSAID = "as supplied by the operator"


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What is imported, and how its rows are to be read."""

    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            help="Parquet or CSV: ts_utc, gen_<fuel>_mwh; or zone, start, fuel, mw",
        ),
    ]
    zone: Annotated[
        list[str],
        typer.Option(
            metavar="ZONE",
            help="the zone they are of, e.g. US-CAL-CISO; of long files, each that is wanted: "
            "may be repeated, and takes commas",
        ),
    ]
    label: Annotated[
        Label,
        typer.Option(help="what the times name: the start or the end of the slot"),
    ]
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
    new_store: NewStore = False


@command(
    "import",
    examples=[
        "import de.parquet --zone DE --label start",
        "import long.csv --zone DE,FR --label end --resolution PT1H --source entsoe_files",
    ],
)
def import_files(terminal: Terminal, options: ImportOptions) -> int:
    """Import generation from Parquet or CSV files.

    Intensity is derived at once; 'gridtide issue' and 'gridtide publish' make it visible.
    """
    session = begin(terminal)
    refuse_source_name(options.source, list(sources()))
    zones = _zones(options.zone)
    plans = [
        Plan(
            zone=zone,
            label=options.label,
            source=options.source,
            known_at=options.known_at,
            resolution=parse_resolution(options.resolution) if options.resolution else None,
            others=tuple(other for other in zones if other != zone),
        )
        for zone in zones
    ]
    with show_progress(terminal) as progress:
        receipts, derived = _import(session, options, plans, progress)
    if ignored := sorted({column for r in receipts for column in r.ignored_columns}):
        terminal.say(f"ignored columns: {', '.join(ignored)}")
    for receipt in receipts:
        if receipt.empty:
            terminal.say(
                f"{receipt.file}: no row has a value of {', '.join(receipt.empty)}, so what "
                f"depends on it is unknown; if {receipt.zone} has no such fuel, remove it"
            )
    if terminal.json:
        files = [receipt.document() for receipt in receipts]
        terminal.document({"files": files, "derived_rows": derived})
        return 0
    for receipt in receipts:
        terminal.result(_line(receipt))
    terminal.result(f"{derived} rows of intensity and carbon-free share derived")
    terminal.say("`gridtide issue` and `gridtide publish` make it visible")
    return 0


def _import(
    session: Session,
    options: ImportOptions,
    plans: Sequence[Plan],
    progress: Progress,
) -> tuple[list[Receipt], int]:
    """Read all files, then store them; the receipts and the number of rows derived.

    The plans differ in their zone only.
    """
    paths: Sequence[Path] = options.files
    read: list[list[File]] = [[] for _ in plans]
    for number, path in enumerate(paths):
        progress(f"read {path.name}", number, len(paths))
        for files, plan in zip(read, plans, strict=True):
            files.append(read_file(path, plan, session.clock))
    source = plans[0].source
    now = session.clock()
    ledger = Ledger(session.home.ledger)
    names = [path.name for path in paths]
    with (
        writer_lock(session.home, "import", now),
        record_command(ledger, "import", names, session.clock) as note,
        Store.open(session.home, new=options.new_store) as store,
    ):
        row_kind(ledger, store).refuse(simulated=False)
        # Every zone is checked before any is stored.
        checked = [
            (files, check_files(store, files, plan, now), plan)
            for files, plan in zip(read, plans, strict=True)
        ]
        known = ledger.sources().get(source)
        ledger.set_source(
            _facts(source, options.licence or (known.licence if known else UNSAID))
        )
        progress("store", len(paths), len(paths))
        receipts = [
            receipt
            for files, rows, plan in checked
            for receipt in store_files(store, files, rows, plan, now)
        ]
        progress("derive", len(paths), len(paths))
        derived = derive_pending(store, factor_set())
        added = sum(receipt.rows_added for receipt in receipts)
        zones = ", ".join(plan.zone for plan in plans)
        note.done({"zone": zones, "rows_added": added, "derived_rows": derived})
    return receipts, derived


def _zones(given: Sequence[str]) -> tuple[str, ...]:
    """Return the keys of the zones named, in the order given, each once."""
    return tuple(dict.fromkeys(map(_zone, zone_names(given))))


def _zone(name: str) -> str:
    """Return the key of the zone that `name` means.

    Raises:
        UnknownRegion: none, with the nearest names.
        BadInput: a cloud region or a place, which is not what a file is of.
    """
    found = resolve(name)
    if found.certainty is not Certainty.EXACT:
        what = found.meaning or found.how
        raise BadInput(
            f"{name} is {what}, in zone {found.zone}; name its zone: --zone {found.zone}"
        )
    return found.zone


def _facts(source: str, licence: str) -> Facts:
    return Facts(
        name=source,
        title=f"Files imported as {source}",
        url="",
        licence=licence,
    )


def _line(receipt: Receipt) -> str:
    unknown = ""
    if receipt.negative:
        unknown += f", {receipt.negative} slots unknown (negative total generation)"
    if receipt.implausible:
        unknown += f", {receipt.implausible} values unknown (more than any grid has)"
    return (
        f"{receipt.file}: {receipt.slots} slots of {receipt.zone}, "
        f"{format_time(receipt.start)} to {format_time(receipt.end)}, "
        f"{receipt.rows_added} rows added{unknown}"
    )
