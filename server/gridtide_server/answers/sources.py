"""The sources of a snapshot and how they were doing. No clock, no HTTP."""

from __future__ import annotations

from dataclasses import asdict

from gridtide.schema.sources import SourceInfo, Sources
from gridtide_server.service import Moment
from gridtide_server.view import View
from gridtide_store.records import SourceReport


def build_sources(view: View, moment: Moment) -> Sources:
    """Build the response of ``/v1/sources``."""
    snapshot = view.snapshot
    # A snapshot of an older gridtide has the facts alone.
    reports = snapshot.manifest.reports or {
        name: SourceReport(**asdict(facts)) for name, facts in snapshot.sources.items()
    }
    return Sources(
        sources=tuple(_source(reports[name]) for name in sorted(reports)),
        snapshot=snapshot.id,
        published_at=snapshot.published_at,
        replay=moment.replay,
    )


def _source(report: SourceReport) -> SourceInfo:
    return SourceInfo(
        source=report.name,
        title=report.title,
        kinds=report.kinds,
        zones=report.zones,
        licence=report.licence,
        licence_url=report.licence_url,
        attribution=report.attribution,
        simulated=report.simulated,
        restricted=report.restricted,
        needs_key=report.needs_key,
        lag_seconds=report.lag_seconds,
        last_success=report.last_success,
        newest_slot_end=report.newest_slot_end,
        rows=report.rows,
        failures=report.failures,
        raw_bytes=report.raw_bytes,
        last_seen=report.last_seen or None,
        recorded=report.recorded,
    )
