"""Deriving what is pending, and whom a snapshot trusts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.factors import factor_set
from gridtide_pipelines.flow import derive_pending
from gridtide_pipelines.publishing import trusted
from gridtide_store.home import Home, writer_lock
from gridtide_store.store import Store
from gridtide_store.words import OBSERVATION

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def mix(hour: int, **power: float) -> pl.DataFrame:
    """One hour of DE's generation, known when it ended."""
    start = START + hour * HOUR
    rows = [
        {
            "zone": "DE",
            "signal": f"generation_{fuel}",
            "source": "import",
            "slot_start": start,
            "slot_end": start + HOUR,
            "value": megawatts,
            "quality": "measured",
            "known_at": start + HOUR,
            "retrieval_id": 1,
        }
        for fuel, megawatts in power.items()
    ]
    return pl.DataFrame(rows, schema=OBSERVATION)


def test_what_a_later_batch_lacks_is_missed_by_what_came_in_earlier_ones(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path)
    with writer_lock(home, "test", START), Store.open(home) as store:
        store.append(mix(0, gas=50.0, wind=50.0))
        assert derive_pending(store, factor_set()) == 3
        # At the live edge wind comes first: without gas the hour would read as clean.
        store.append(mix(1, wind=50.0))
        derive_pending(store, factor_set())
        values = store.history(
            "DE", "ci_lifecycle_produced", START, START + 2 * HOUR, as_of=START + 9 * HOUR
        )["value"]
        assert values.to_list() == [pytest.approx((50 * 490 + 50 * 11) / 100), None]
        assert derive_pending(store, factor_set()) == 0


def test_a_zone_trusts_the_sources_its_catalogue_entry_lists() -> None:
    assert trusted("GB") == ("uk_carbon_intensity",)
    assert trusted("US-CAL-CISO") == ("eia",)
    assert trusted("GB:13") == ()
