"""``gridtide import``: files of generation into the store, derived at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput
from gridtide.model import format_time
from gridtide_pipelines.commands.import_options import UNSAID, ImportOptions
from gridtide_pipelines.commands.session import (
    Session,
    begin,
    show_progress,
    zone_names,
)
from gridtide_pipelines.derive.factors import factor_set
from gridtide_pipelines.forecast.issue import Progress
from gridtide_pipelines.importing.description import describe, describe_lines, remarks
from gridtide_pipelines.importing.files import (
    File,
    Plan,
    Receipt,
    check_files,
    read_file,
    refuse_source_name,
    store_files,
)
from gridtide_pipelines.importing.slots import parse_resolution
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


@command(
    "import",
    examples=[
        "import de.parquet --zone DE --label start",
        "import long.csv --zone DE,FR --label end --resolution PT1H --source entsoe_files",
        "import DE_2024_hourly.csv --zone DE --source electricity_maps --dry-run",
        "import smard.csv --zone DE --time-column 'Datum von' --timezone Europe/Berlin "
        "--map coal='Braunkohle [MWh]' --map coal='Steinkohle [MWh]'",
        "import mine.csv --zone x-mygrid --time-column time --signal ci_lifecycle_consumed "
        "--unit g/kWh --timezone UTC --label start",
    ],
)
def import_files(terminal: Terminal, options: ImportOptions) -> int:
    """Import generation or intensity from Parquet or CSV files.

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
            hints=options.hints(),
        )
        for zone in zones
    ]
    if options.dry_run:
        return _preview(terminal, session, options, plans)
    with show_progress(terminal) as progress:
        receipts, derived = _import(session, options, plans, progress)
    for receipt in receipts:
        for remark in remarks(receipt.file, receipt.zone):
            terminal.say(remark)
    if terminal.json:
        files = [receipt.document() for receipt in receipts]
        terminal.document({"files": files, "derived_rows": derived})
        return 0
    for receipt in receipts:
        terminal.result(_line(receipt))
    terminal.result(f"{derived} rows of intensity and carbon-free share derived")
    terminal.say("`gridtide issue` and `gridtide publish` make it visible")
    return 0


def _preview(
    terminal: Terminal, session: Session, options: ImportOptions, plans: Sequence[Plan]
) -> int:
    """Say how each file is understood for each zone; nothing is stored."""
    found = [
        (read_file(path, plan, session.clock), plan.zone)
        for path in options.files
        for plan in plans
    ]
    if terminal.json:
        terminal.document({"files": [describe(file, zone) for file, zone in found]})
        return 0
    for file, zone in found:
        for line in describe_lines(file, zone):
            terminal.result(line)
    terminal.say("nothing was stored: --dry-run")
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
            (files, check_files(store, files, plan, now, replay=session.clock.replay), plan)
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
    file = receipt.file
    unknown = ""
    if file.negative:
        unknown += f", {file.negative} slots unknown (negative total generation)"
    if file.implausible:
        unknown += f", {file.implausible} values unknown (more than any grid has)"
    start, end = map(format_time, file.bounds)
    return (
        f"{file.name}: {receipt.slots} slots of {receipt.zone}, {start} to {end}, "
        f"{receipt.rows_added} rows added{unknown}"
    )
