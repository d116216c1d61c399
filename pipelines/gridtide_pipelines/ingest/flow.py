"""What surrounds ingestion: deriving what is pending, facts of a source."""

from __future__ import annotations

from gridtide.errors import BadInput
from gridtide_pipelines.derive.factors import FactorSet
from gridtide_pipelines.derive.intensity import CONTEXT, derive
from gridtide_pipelines.errors import NotStored
from gridtide_pipelines.ingest.source import Source
from gridtide_store.records import Facts
from gridtide_store.store import Store


def derive_pending(
    store: Store, factors: FactorSet, *, failed: list[NotStored] | None = None
) -> int:
    """Derive intensity and CFE of new mixes and return the number of rows added.

    What is missing in a slot is judged by the slots before it, so a span is read with them, and
    the slots after it that it is context of are derived again: history may come late.

    The newest values count. Where a slot was revised twice since the last derivation (a refresh
    that ended before it, two spans of a backfill), the first revision has no derived value.

    Args:
        failed: takes what could not be derived or stored, so that the rest is; all of it is
            pending the next time.

    Raises:
        BadInput: without `failed`, the first that could not be derived or stored.
    """
    pending = store.underived(factors.name)
    added = 0
    for span in pending.spans:
        around = span.start - CONTEXT, span.end + CONTEXT
        mix = store.inputs(span.zone, span.source, *around)
        try:
            added += store.append(derive(mix, factors, start=span.start), received=True)
        except BadInput as error:
            if failed is None:
                raise
            failed.append(NotStored(span.source, f"not derived: {error}", zone=span.zone))
    if not failed:
        store.mark_derived(factors.name, pending.cut)
    return added


def facts_of(source: Source, *, simulated: bool) -> Facts:
    """Return what the ledger and every snapshot record of a source, and of its rows."""
    return Facts(
        name=source.name,
        title=source.title,
        url=source.base_url,
        licence=source.licence,
        licence_url=source.licence_url,
        attribution=source.attribution,
        simulated=simulated,
        restricted=source.restricted,
        lag_seconds=source.lag.total_seconds(),
    )
