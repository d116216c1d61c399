"""``gridtide sources``: the publishers, their terms, and how each is doing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

import typer

from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal
from gridtide.errors import BadInput, GridtideError
from gridtide.model import format_time
from gridtide_pipelines.commands.session import Session, begin, limits_of, open_fetcher
from gridtide_pipelines.commands.status import format_bytes
from gridtide_pipelines.commands.zone_sources import show_zones
from gridtide_pipelines.ingest.access import reason_to_skip
from gridtide_pipelines.ingest.source import Kind, Source
from gridtide_pipelines.ingest.sources import report_of
from gridtide_pipelines.ingest.sources import sources as known_sources
from gridtide_pipelines.ingest.trial import DONE, Trial, try_source
from gridtide_store import manifest as manifests
from gridtide_store.data_directory import DataDirectory
from gridtide_store.ledger import Ledger
from gridtide_store.pointer import current_snapshot
from gridtide_store.records import Flag, Latest, SourceReport
from gridtide_store.settings import Settings
from gridtide_store.source_reports import LOOK_BACK

HOUR = timedelta(hours=1)
LONGEST = 60.0  # seconds for a request: a person waits for a check
# Publishers of larger responses are checked only by name.
LARGE = 64 * 2**20


@command(
    "sources",
    examples=["sources", "sources --json", "sources --check", "sources --zone CA-MB"],
)
def sources(
    terminal: Terminal,
    *,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SOURCE...]", help="only these; default: all"),
    ] = None,
    zone: Annotated[
        list[str] | None,
        typer.Option("--zone", metavar="ZONE", help="what these zones need and have instead"),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="request one small span of each publisher, and print what would be stored",
        ),
    ] = False,
) -> int:
    """List the sources, their terms, and how each is doing.

    Shows whether each is on and why not, its last outcome, and what was anomalous in its data.
    Newest slot, rows and disk space are those of the published snapshot. With --check nothing
    is stored, and the exit code is 1 if a publisher failed.
    """
    if zone:
        return show_zones(terminal, zone)
    session = begin(terminal)
    chosen = _choose(names)
    if check:
        return _check(session, terminal, chosen, named=bool(names))
    flags: list[Flag] = []
    outcomes: dict[str, Latest] = {}
    failures: dict[str, int] = {}
    if session.home.ledger.exists():  # one that is missing is not made
        ledger = Ledger(session.home.ledger)
        flags, outcomes = ledger.flags(), ledger.outcomes()
        failures = ledger.failures(session.clock() - LOOK_BACK)
    published = _published(session.home)
    listed = []
    for name, source in chosen.items():
        report = published.get(name) or report_of(source)
        report = replace(report, failures=failures.get(name, 0))
        listed.append(_about(source, session.settings, flags, outcomes.get(name), report))
    if terminal.json:
        terminal.document({"sources": listed})
    else:
        for each in listed:
            terminal.result(*_lines(each))
    return 0


def _choose(names: Sequence[str] | None) -> Mapping[str, Source]:
    """Return the sources named, or all.

    Raises:
        BadInput: one is unknown.
    """
    known = known_sources()
    for name in names or ():
        if name not in known:
            raise BadInput(f"unknown source {name!r}; must be one of {', '.join(known)}")
    return {name: known[name] for name in names or known}


def _check(
    session: Session, terminal: Terminal, chosen: Mapping[str, Source], *, named: bool
) -> int:
    """Request a small span of each source, and print what it would store.

    Args:
        named: whether the sources were named, so that large responses are requested too.
    """
    checked: list[dict[str, Any]] = []
    failed = 0
    limits = limits_of(session.settings)
    limits = replace(limits, seconds=min(limits.seconds, LONGEST))
    with open_fetcher(session, terminal, limits=limits) as fetch:
        for name, source in chosen.items():
            if source.answer is not None:
                continue  # built in: it needs no publisher
            if reason := _reason_not_to_check(source, session.settings, named=named):
                checked.append({"source": name, "skipped": reason, "kinds": []})
                if not terminal.json:
                    terminal.result(f"{name}: skipped: {reason}")
                continue
            trials = []
            for trial in try_source(
                source,
                fetch,
                now=session.clock,
                limits=limits,
                corrected=session.settings.corrections,
            ):
                trials.append(trial)
                if not terminal.json:
                    terminal.result(*_trial_lines(trial))
            checked.append(
                {"source": name, "skipped": None, "kinds": [_trial_json(t) for t in trials]}
            )
            failed += sum(trial.failed for trial in trials)
    if terminal.json:
        terminal.document({"sources": checked})
    return 1 if failed else 0


def _reason_not_to_check(source: Source, settings: Settings, *, named: bool) -> str | None:
    if reason := reason_to_skip(source, settings):
        return reason
    if Kind.WEATHER in source.kinds and not named:
        return f"a run takes megabytes; name it to check it: --check {source.name}"
    if source.largest_body > LARGE and not named:
        size = format_bytes(source.largest_body)
        return f"one response may have {size}; name it to check it: --check {source.name}"
    return None


def _trial_json(trial: Trial) -> dict[str, Any]:
    newest = trial.newest_slot_end
    return {
        "kind": trial.kind,
        "zone": trial.zone,
        "start": format_time(trial.start),
        "end": format_time(trial.end),
        "status": trial.status,
        "message": trial.message,
        "rows": trial.rows,
        "newest_slot_end": format_time(newest) if newest else None,
        "values": [
            {"signal": signal, "start": format_time(start), "value": value, "unit": unit}
            for signal, start, value, unit in trial.values
        ],
        "flags": dict(trial.flags),
        "bytes": trial.bytes,
        "seconds": round(trial.seconds, 3),
    }


def _trial_lines(trial: Trial) -> Iterator[str]:
    what = f"{trial.source} {trial.kind} of {trial.zone}"
    took = f"{format_bytes(trial.bytes)} in {trial.seconds:.1f} s"
    if trial.status != DONE:
        yield f"{what}: {trial.status} ({took}): {trial.message}"
        return
    newest = (
        format_time(trial.newest_slot_end) if trial.newest_slot_end else "none with a value"
    )
    yield f"{what}: {trial.rows} rows, newest slot ended {newest} ({took})"
    for signal, start, value, unit in trial.values:
        yield f"    {signal} {value:g} {unit} at {format_time(start)}"
    for flag, count in trial.flags.items():
        yield f"    {flag} x {count}"


def _published(home: DataDirectory) -> Mapping[str, SourceReport]:
    """Return the reports of the published snapshot; none where it cannot be read."""
    try:
        folder = current_snapshot(home)
        return manifests.read(folder).reports if folder else {}
    except GridtideError:
        return {}  # the other commands say what is wrong with it


def _about(
    source: Source,
    settings: Settings,
    flags: Sequence[Flag],
    last: Latest | None,
    report: SourceReport,
) -> dict[str, Any]:
    reason = reason_to_skip(source, settings)
    if source.simulated:
        reason = "simulated: only --simulate and `gridtide demo` use it"
    newest = report.newest_slot_end
    return {
        "source": source.name,
        "title": source.title,
        "on": reason is None,
        "reason": reason,
        "zones": sorted(source.zones),
        "kinds": sorted(source.kinds),
        "licence": source.licence,
        "licence_url": source.licence_url,
        "attribution": source.attribution,
        "simulated": source.simulated,
        "restricted": source.restricted,
        "key": _key(source, settings),
        "lag_seconds": report.lag_seconds,
        "newest_slot_end": format_time(newest) if newest else None,
        "rows": report.rows,
        "failures": report.failures,
        "raw_bytes": report.raw_bytes,
        "last_seen": report.last_seen or None,
        "recorded": report.recorded,
        "last": last
        and {
            "at": format_time(last.at),
            "done_at": format_time(last.done_at) if last.done_at else None,
            "status": last.status,
            "message": last.message,
        },
        "flags": [
            {
                "flag": flag.flag,
                "count": flag.count,
                "last_seen": format_time(flag.last_seen),
            }
            for flag in flags
            if flag.source == source.name
        ],
    }


def _key(source: Source, settings: Settings) -> dict[str, Any] | None:
    """Return where the key of a source is read from and whether it is there, never the key."""
    credentials = source.credentials
    if credentials is None:
        return None
    return {
        "variables": list(credentials.variables),
        "present": all(each in settings.secrets for each in credentials.variables),
        "obtain": credentials.obtain,
    }


def _lines(source: Mapping[str, Any]) -> Iterator[str]:
    state = "on" if source["on"] else f"off: {source['reason']}"
    yield f"{source['source']}: {source['title']}, {source['licence']}; {state}"
    kinds, zones = ", ".join(source["kinds"]), source["zones"]
    named = ", ".join(zones) if len(zones) <= 3 else f"{len(zones)} zones"
    yield f"    {kinds} of {named}"
    if key := source["key"]:
        there = "set" if key["present"] else "not set"
        yield f"    key {', '.join(key['variables'])}: {there}"
    if last := source["last"]:
        done = last["done_at"] or "never"
        yield f"    fetched {last['at']}: {last['status']}; last done {done}"
        if last["message"]:
            yield f"    {last['message']}"
    if source["rows"]:
        newest, size = source["newest_slot_end"] or "never", source["raw_bytes"]
        yield f"    {source['rows']} rows, newest slot ended {newest}, raw {format_bytes(size)}"
    if source["failures"]:
        yield f"    {source['failures']} failures in 30 days"
    lag = source["lag_seconds"]
    usual = f"usual lag {timedelta(seconds=lag) / HOUR:g} h; " if lag is not None else ""
    if seen := source["last_seen"]:
        how = "recorded" if source["recorded"] else "written from a description"
        yield f"    {usual}shape last seen {seen}, {how}"
    for flag in source["flags"]:
        yield f"    {flag['flag']} x {flag['count']}, last {flag['last_seen']}"
