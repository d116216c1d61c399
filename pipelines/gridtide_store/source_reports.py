"""Report how the sources of a store are doing, for its snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from gridtide.model import utc
from gridtide_store.ledger import Ledger
from gridtide_store.raw_responses import raw_sizes
from gridtide_store.records import Facts, SourceReport
from gridtide_store.store import Store

# Failures further back say nothing of how a source is doing.
LOOK_BACK = timedelta(days=30)


def report_sources(
    store: Store,
    ledger: Ledger,
    facts: Mapping[str, Facts],
    known: Mapping[str, SourceReport],
    now: datetime,
) -> dict[str, SourceReport]:
    """Return the report of each source, by name.

    Args:
        facts: the sources that gave something.
        known: what can be requested, whether it gave something or not.
    """
    outcomes, failures = ledger.outcomes(), ledger.failures(now - LOOK_BACK)
    held, raw = _held(store), raw_sizes(store.connection)
    reports = {}
    for name in sorted({*facts, *known}):
        report = known.get(name) or SourceReport(**asdict(facts[name]))
        last, mine = outcomes.get(name), held.get(name, {})
        newest = mine.get("newest_slot_end")
        reports[name] = replace(
            report,
            zones=report.zones or tuple(mine.get("zones", ())),
            last_success=last.done_at if last else None,
            newest_slot_end=utc(newest) if newest else None,
            rows=mine.get("rows", 0),
            failures=failures.get(name, 0),
            raw_bytes=raw[name].stored_bytes if name in raw else 0,
        )
    return reports


def _held(store: Store) -> dict[str, dict[str, Any]]:
    """Return zones, rows and the end of the newest slot of each source with observations.

    What is derived from a source is not its own.
    """
    ends = pl.col("zone").str.split("->").explode()
    found = (
        store.series()
        .group_by("source")
        .agg(
            ends.unique().sort().alias("zones"),
            pl.col("rows").sum(),
            pl.col("last_end").max().alias("newest_slot_end"),
        )
    )
    return {row["source"]: row for row in found.iter_rows(named=True)}
