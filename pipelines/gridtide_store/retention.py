"""Letting go of what has been kept long enough; the store itself forgets nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gridtide.model import utc
from gridtide_store.database import columns, transaction
from gridtide_store.store import Store


@dataclass(frozen=True, slots=True)
class Pruned:
    """Raw bodies deleted, and the room that made."""

    bodies: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Thinned:
    """Forecast runs and steps deleted."""

    runs: int
    steps: int


def prune_raw(store: Store, before: datetime, now: datetime) -> Pruned:
    """Delete the raw bodies of retrievals before `before`; the retrievals stay, marked.

    A body that a later retrieval brought again stays too. Bodies that no retrieval names,
    left by a process that died between the two, go as well.
    """
    with transaction(store.connection):
        store.connection.execute(
            "UPDATE retrieval SET expired_at = ? WHERE expired_at IS NULL AND known_at < ?",
            [utc(now), utc(before)],
        )
    # Rows first: a body without a row is swept the next time, a row without its body is
    # damage.
    kept = columns(
        store.connection, "SELECT DISTINCT body_sha256 FROM retrieval WHERE expired_at IS NULL"
    )
    named = set(kept["body_sha256"].tolist())
    bodies = size = 0
    for path in sorted(store.home.raw.glob("??/*.gz")):
        if path.parent.name + path.name.removesuffix(".gz") not in named:
            bodies, size = bodies + 1, size + path.stat().st_size
            path.unlink()
    return Pruned(bodies, size)


# Six hours are how often weather models run, and with them what publishers forecast; a model
# that runs more rarely keeps all its runs.
THIN = """
    SELECT id FROM run WHERE issued_at < ? QUALIFY
        row_number() OVER (PARTITION BY zone, signal, model,
            time_bucket(INTERVAL '6 hours', issued_at) ORDER BY issued_at) > 1
"""
NEWEST = """
    SELECT id FROM run QUALIFY row_number() OVER (
        PARTITION BY zone, signal, model ORDER BY issued_at DESC) = 1
"""


def thin_runs(store: Store, before: datetime) -> Thinned:
    """Of the runs issued before `before` keep the first in each quarter of a UTC day.

    The newest run of each zone, signal and model stays in any case.
    """
    connection = store.connection
    with transaction(connection):
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE thinned AS {THIN} EXCEPT {NEWEST}",
            [utc(before)],
        )
        steps = connection.execute(
            "DELETE FROM step WHERE run IN (SELECT id FROM thinned)"
        ).fetchone()
        runs = connection.execute(
            "DELETE FROM run WHERE id IN (SELECT id FROM thinned)"
        ).fetchone()
    return Thinned(runs=int(runs[0]) if runs else 0, steps=int(steps[0]) if steps else 0)
