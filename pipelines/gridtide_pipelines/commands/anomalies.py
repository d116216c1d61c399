"""``gridtide anomalies``: list values that need a look, and accept them by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput
from gridtide.model import format_time
from gridtide.values import read_moment
from gridtide_pipelines.commands.session import Session, Zones, begin, zone_names
from gridtide_pipelines.derive.factors import factor_set
from gridtide_pipelines.ingest.command_log import record_command
from gridtide_pipelines.ingest.flow import derive_pending
from gridtide_store.accepting import accept
from gridtide_store.anomalies import (
    Filter,
    count_anomalies,
    is_excluded,
    left_out,
    read_anomalies,
)
from gridtide_store.data_directory import writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.opening import refuse_without_store
from gridtide_store.regions import resolve_zone
from gridtide_store.store import Store


class Action(StrEnum):
    """What is done with the anomalies."""

    LIST = "list"
    ACCEPT = "accept"


Text = list[str] | None


@dataclass(frozen=True, kw_only=True)
class AnomalyOptions:
    """Which anomalies, and what is done with them."""

    action: Annotated[
        Action, typer.Argument(metavar="ACTION", help="list, or accept: take into the series")
    ] = Action.LIST
    ids: Annotated[
        list[int] | None,
        typer.Argument(metavar="ID", help="numbers of anomalies; default: all that match"),
    ] = None
    zone: Zones = None
    source: Annotated[
        Text, typer.Option(metavar="NAME", help="only of this source; may be repeated")
    ] = None
    flag: Annotated[
        Text,
        typer.Option(
            metavar="FLAG", help="only with this flag, e.g. implausible; may be repeated"
        ),
    ] = None
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="slots from then on; a day or a time"),
    ] = None
    last: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", help="slots before then; a day or a time"),
    ] = None
    limit: Annotated[int, typer.Option(min=1, help="so many of the newest are listed")] = 50
    count: Annotated[
        int | None,
        typer.Option(min=1, help="accept without numbers: how many match; else none is taken"),
    ] = None
    note: Annotated[
        str | None, typer.Option(metavar="TEXT", help="accept: who does so, and why")
    ] = None


@command(
    "anomalies",
    examples=[
        "anomalies --zone DE --flag implausible",
        "anomalies accept 17 18 --note 'operations: confirmed by the publisher'",
        "anomalies accept --zone DE --flag frozen --count 6 --note 'operations: it was flat'",
    ],
)
def anomalies(terminal: Terminal, options: AnomalyOptions) -> int:
    """List values that need a look, or accept them into their series.

    Values that are implausible, contradictory, frozen or of another time are in no series. An
    accepted one counts as known from now on; 'gridtide publish' makes it visible.
    """
    session = begin(terminal)
    refuse_without_store(session.home)
    which = _filter(options)
    if options.action is Action.ACCEPT:
        _accept(session, which, options, terminal)
    else:
        _list(session, which, options, terminal)
    return 0


def _filter(options: AnomalyOptions) -> Filter:
    # A flow has a pair of zones, which is not a region.
    zones = tuple(
        name if "->" in name else resolve_zone(name) for name in zone_names(options.zone)
    )
    return Filter(
        ids=options.ids or (),
        zones=zones,
        sources=options.source or (),
        flags=options.flag or (),
        start=read_moment(options.first, "--from", day=True) if options.first else None,
        end=read_moment(options.last, "--to", day=True) if options.last else None,
    )


def _list(session: Session, which: Filter, options: AnomalyOptions, terminal: Terminal) -> None:
    if options.count is not None or options.note is not None:
        raise BadInput("--count and --note go with accept: `gridtide anomalies accept ...`")
    now = session.clock()
    with writer_lock(session.home, "anomalies", now), Store.open(session.home) as store:
        found = read_anomalies(store.connection, which, limit=options.limit)
        counts = count_anomalies(store.connection, which)
        dropped = left_out(store.connection)
    if terminal.json:
        terminal.document(
            {
                "counts": [
                    {"source": source, "flag": flag, "count": count, "accepted": accepted}
                    for source, flag, count, accepted in counts
                ],
                "left_out": [
                    {"source": source, "day": day, "count": count}
                    for source, day, count in dropped
                ],
                "anomalies": [_document(row) for row in found.iter_rows(named=True)],
            }
        )
        return
    for row in found.iter_rows(named=True):
        terminal.result(_line(row))
    for source, flag, count, accepted in counts:
        taken = f", {accepted} of them accepted" if accepted else ""
        terminal.result(f"{source}: {flag} x {count}{taken}")
    for source, day, count in dropped:
        terminal.result(
            f"{source}: {count} more on {day} only counted, once each time they came"
        )
    if found.is_empty():
        terminal.result("no anomaly")
    elif len(found) == options.limit:
        terminal.say(f"the newest {options.limit}; --limit shows more")


def _accept(
    session: Session, which: Filter, options: AnomalyOptions, terminal: Terminal
) -> None:
    if not options.note or not options.note.strip():
        raise BadInput("--note: required, who accepts the values and why")
    if which == Filter():
        raise BadInput("name the anomalies to accept by number, or by --zone, --flag, --from")
    now = session.clock()
    with (
        writer_lock(session.home, "anomalies", now),
        record_command(
            Ledger(session.home.ledger), "anomalies accept", [options.note], session.clock
        ) as note,
        Store.open(session.home) as store,
    ):
        done = accept(store, which, now, note=options.note.strip(), count=options.count)
        derived = derive_pending(store, factor_set())
        result = {"accepted": done.anomalies, "rows_added": done.rows, "derived_rows": derived}
        note.done(result)
    if terminal.json:
        terminal.document(result)
    else:
        terminal.result(
            f"{done.anomalies} accepted, {done.rows} rows added, {derived} rows of intensity "
            "and carbon-free share derived"
        )
        terminal.say("`gridtide publish` makes it visible")


def _document(row: dict[str, Any]) -> dict[str, Any]:
    found = {
        name: format_time(value) if isinstance(value, datetime) else value
        for name, value in row.items()
    }
    return {**found, "in_series": _in_series(row)}


def _in_series(row: dict[str, Any]) -> bool:
    return row["accepted_at"] is not None or not is_excluded(row["flag"])


def _line(row: dict[str, Any]) -> str:
    value = "no value" if row["value"] is None else f"{row['value']:g}"
    state = ""
    if row["accepted_at"] is not None:
        state = f"; accepted {format_time(row['accepted_at'])}: {row['note']}"
    elif not is_excluded(row["flag"]):
        state = "; in its series"
    return (
        f"{row['id']}  {row['source']} [{row['zone']}] {row['signal']} "
        f"{format_time(row['slot_start'])}: {value}, {row['flag']}, received "
        f"{format_time(row['known_at'])} (retrieval {row['retrieval_id']}){state}"
    )
