"""Every forecast that came to be known over a stretch of time, for looking back at all of them.

`Store.forecasts` answers for one moment; called for each issue of a year it would take minutes.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from gridtide_store.database import columns, frame
from gridtide_store.store import Store
from gridtide_store.vocabulary import FORECAST


def issued(
    store: Store, zone: str, signal: str, start: datetime, end: datetime
) -> pl.DataFrame:
    """All runs whose `known_at` is in ``[start, end)``, whole.

    Columns `FORECAST`, sorted by known_at, model, issued_at and slot.
    """
    found = frame(
        columns(
            store.connection,
            """
            SELECT zone, signal, model, issued_at, slot_start, slot_end, p10, p50, p90,
                known_at, source, simulated
            FROM step JOIN run ON run.id = step.run
            WHERE zone = ? AND signal = ? AND known_at >= ? AND known_at < ?
            """,
            [zone, signal, start, end],
        )
    )
    return (
        found.select(FORECAST.names())
        .cast(FORECAST)
        .sort("known_at", "model", "issued_at", "slot_start")
    )
