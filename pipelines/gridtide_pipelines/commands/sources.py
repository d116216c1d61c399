"""``gridtide sources``: the publishers, whether each is on, and what was anomalous."""

from __future__ import annotations

from typing import Any

from gridtide.cli.command import command
from gridtide.cli.terminal import Terminal
from gridtide.model import format_time
from gridtide_pipelines.commands.session import begin
from gridtide_pipelines.ingest.fetch import reason_to_skip
from gridtide_pipelines.ingest.source import Source
from gridtide_pipelines.ingest.sources import sources as known_sources
from gridtide_store.ledger import Ledger
from gridtide_store.records import Flag, Latest
from gridtide_store.settings import Settings


@command("sources", examples=["sources", "sources --json"])
def sources(terminal: Terminal) -> int:
    """List the sources, whether each is on, and why not.

    Shows the last outcome of each source and what was anomalous in its data.
    """
    session = begin(terminal)
    ledger = Ledger(session.home.ledger)
    flags, outcomes = ledger.flags(), ledger.outcomes()
    listed = [
        _about(source, session.settings, flags, outcomes.get(source.name))
        for source in known_sources().values()
    ]
    if terminal.json:
        terminal.document({"sources": listed})
        return 0
    for source in listed:
        state = "on" if source["on"] else f"off: {source['reason']}"
        terminal.result(f"{source['source']}: {source['title']}, {source['licence']}; {state}")
        if last := source["last"]:
            done = last["done_at"] or "never"
            terminal.result(f"    fetched {last['at']}: {last['status']}; last done {done}")
            if last["message"]:
                terminal.result(f"    {last['message']}")
        for flag in source["flags"]:
            terminal.result(f"    {flag['flag']} x {flag['count']}, last {flag['last_seen']}")
    return 0


def _about(
    source: Source, settings: Settings, flags: list[Flag], last: Latest | None
) -> dict[str, Any]:
    reason = reason_to_skip(source, settings)
    if source.simulated:
        reason = "simulated: only --simulate and `gridtide demo` use it"
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
