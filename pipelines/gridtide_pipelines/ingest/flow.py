"""What surrounds ingestion: deriving what is pending, facts of a source."""

from __future__ import annotations

from gridtide.errors import BadInput
from gridtide_pipelines.derive.estimates import estimate, inputs_of, outputs_of, whole_hours
from gridtide_pipelines.derive.factors import FactorSet
from gridtide_pipelines.derive.intensity import CONTEXT, derive
from gridtide_pipelines.errors import NotStored
from gridtide_pipelines.ingest.source import Source
from gridtide_store import changes, opening
from gridtide_store.catalogue import trusted
from gridtide_store.estimates import ESTIMATE, estimated_zones
from gridtide_store.records import Facts
from gridtide_store.store import Store


def derive_pending(
    store: Store, factors: FactorSet, *, failed: list[NotStored] | None = None
) -> int:
    """Derive intensity and CFE of new mixes and return the number of rows added.

    What is missing in a slot is judged by the slots before it, so a span is read with them, and
    the slots after it that it is context of are derived again: history may come late. Zones
    whose mix no publisher states are estimated then, from flows and from what was derived.

    The newest values count. Where a slot was revised twice since the last derivation (a refresh
    that ended before it, two spans of a backfill), the first revision has no derived value.

    Args:
        failed: takes what could not be derived or stored, so that the rest is; all of it is
            pending the next time.

    Raises:
        BadInput: without `failed`, the first that could not be derived or stored.
    """
    added = _derive(store, factors, failed)
    if estimated := _estimate(store, factors, failed):
        added += estimated + _derive(store, factors, failed)
    return added


def _derive(store: Store, factors: FactorSet, failed: list[NotStored] | None) -> int:
    """Derive from the mixes that were added since the last time."""
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


def _estimate(store: Store, factors: FactorSet, failed: list[NotStored] | None) -> int:
    """Estimate the hours of which flows, load or intensities of neighbours were added."""
    rule = f"{ESTIMATE}/{factors.name}"
    cut, after = store.cut, opening.read_note(store.connection, f"derived:{rule}")
    inputs = {each.zone: inputs_of(each) for each in estimated_zones().values()}
    fresh = changes.added(
        store.connection, {name for names in inputs.values() for name in names}, after=after
    )
    added = 0
    for zone in estimated_zones().values():
        keys = {key for key, _ in inputs[zone.zone]}
        spans = whole_hours(span for key in keys for span in fresh.get(key, ()))
        for start, end in spans:
            names = [*inputs[zone.zone], *outputs_of(zone)]
            known = changes.newest_values(store.connection, names, start, end)
            try:
                rows = estimate(zone, known, factors, trusted)
                added += store.append(rows, received=True)
            except BadInput as error:
                if failed is None:
                    raise
                failed.append(NotStored(ESTIMATE, f"not estimated: {error}", zone=zone.zone))
    if not failed:
        store.mark_derived(rule, cut)
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
