"""The days of each zone of which the ledger expects nothing more."""

from __future__ import annotations

from datetime import date

from gridtide_store.ledger import Ledger


def final_days(ledger: Ledger, source: str, kind: str) -> dict[str, set[date]]:
    """Return the days by zone; a zone without one is left out."""
    found = {
        zone: {day for day, answered in days.items() if answered.final}
        for zone, days in ledger.answers(source, kind).items()
    }
    return {zone: days for zone, days in found.items() if days}
