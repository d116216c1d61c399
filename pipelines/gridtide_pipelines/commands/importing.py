"""``gridtide import``: files of generation into the home, derived at once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from gridtide.cli.command import Command, Terminal
from gridtide.errors import BadInput
from gridtide.model import format_time
from gridtide_pipelines.commands.progress import shown
from gridtide_pipelines.commands.session import Session, add_new_store, begin
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
from gridtide_pipelines.ingest.flow import derive_pending, refuse_mixing
from gridtide_pipelines.ingest.run_log import noted
from gridtide_pipelines.ingest.sources import sources
from gridtide_store.home import writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.records import Facts
from gridtide_store.regions import How, resolve
from gridtide_store.store import Store

UNSAID = "as supplied by the operator"


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="Parquet or CSV: ts_utc, gen_<fuel>_mwh; or zone, start, fuel, mw",
    )
    parser.add_argument(
        "--zone",
        required=True,
        action="append",
        help="the zone they are of, e.g. US-CAL-CISO; of long files, each that is wanted: "
        "may be repeated, and takes commas",
    )
    parser.add_argument(
        "--label",
        required=True,
        choices=[str(label) for label in Label],
        help="what the times name: the start or the end of the slot",
    )
    parser.add_argument(
        "--resolution",
        metavar="PT1H",
        help="length of every slot; default: the spacing of the times, stretch by stretch",
    )
    parser.add_argument(
        "--source", default="import", help="name to store them under; default: import"
    )
    parser.add_argument("--licence", help=f"terms of the data; default: {UNSAID}")
    parser.add_argument(
        "--known-at",
        default=str(KnownAt.AS_LABELLED),
        choices=[str(known_at) for known_at in KnownAt],
        help="count rows as known when their slot ended (default), or from now on",
    )
    add_new_store(parser)


def _run(args: argparse.Namespace, terminal: Terminal) -> int:
    session = begin(terminal)
    refuse_source_name(args.source, list(sources()))
    zones = _zones(args.zone)
    plans = [
        Plan(
            zone=zone,
            label=Label(args.label),
            source=args.source,
            known_at=KnownAt(args.known_at),
            resolution=parse_resolution(args.resolution) if args.resolution else None,
            others=tuple(other for other in zones if other != zone),
        )
        for zone in zones
    ]
    with shown(terminal) as progress:
        receipts, derived = _import(session, args, plans, progress)
    if ignored := sorted({column for r in receipts for column in r.ignored_columns}):
        terminal.say(f"ignored columns: {', '.join(ignored)}")
    for receipt in receipts:
        if receipt.empty:
            terminal.say(
                f"{receipt.file}: no row has a value of {', '.join(receipt.empty)}, so what "
                f"depends on it is unknown; if {receipt.zone} has no such fuel, remove it"
            )
    if args.json:
        files = [receipt.document() for receipt in receipts]
        terminal.document({"files": files, "derived_rows": derived})
        return 0
    for receipt in receipts:
        terminal.result(_line(receipt))
    terminal.result(f"{derived} rows of intensity and carbon-free share derived")
    terminal.say("`gridtide forecast` and `gridtide publish` make it visible")
    return 0


def _import(
    session: Session,
    args: argparse.Namespace,
    plans: Sequence[Plan],
    progress: Progress,
) -> tuple[list[Receipt], int]:
    """Read all files, then store them; the receipts and the number of rows derived.

    The plans differ in their zone only.
    """
    paths: Sequence[Path] = args.files
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
        noted(ledger, "import", names, session.clock) as note,
        Store.open(session.home, new=args.new_store) as store,
    ):
        refuse_mixing(ledger, store, simulated=False)
        # Every zone is checked before any is stored.
        checked = [
            (files, check_files(store, files, plan, now))
            for files, plan in zip(read, plans, strict=True)
        ]
        known = ledger.sources().get(source)
        ledger.set_source(_facts(source, args.licence or (known.licence if known else UNSAID)))
        progress("store", len(paths), len(paths))
        receipts = [
            receipt
            for files, rows in checked
            for receipt in store_files(store, files, rows, now)
        ]
        progress("derive", len(paths), len(paths))
        derived = derive_pending(store, factor_set())
        added = sum(receipt.rows_added for receipt in receipts)
        zones = ", ".join(plan.zone for plan in plans)
        note.done({"zone": zones, "rows_added": added, "derived_rows": derived})
    return receipts, derived


def _zones(given: Sequence[str]) -> tuple[str, ...]:
    """The keys of the zones named, in the order given, each once."""
    names = [name.strip() for text in given for name in text.split(",") if name.strip()]
    return tuple(dict.fromkeys(map(_zone, names))) or (_zone(given[0]),)


def _zone(name: str) -> str:
    """The key of the zone `name` means.

    Raises:
        UnknownRegion: none, with the nearest names.
        BadInput: a cloud region or a place, which is not what a file is of.
    """
    found = resolve(name)
    if found.how not in (How.ZONE_KEY, How.ALIAS):
        raise BadInput(f"{name} is a {found.how}; name its zone: --zone {found.zone}")
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


COMMAND = Command(
    name="import",
    summary="import generation from Parquet or CSV files",
    arguments=_arguments,
    run=_run,
)
