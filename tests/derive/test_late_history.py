"""What is derived does not depend on the order in which the mix arrives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.derive.factors import factor_set
from gridtide_pipelines.ingest.flow import derive_pending
from gridtide_store.data_directory import DataDirectory
from gridtide_store.store import Store
from gridtide_store.vocabulary import OBSERVATION, generation

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2026, 6, 8, tzinfo=UTC)
KNOWN_AT = MONDAY + 2 * DAY


def mix(start: datetime, hours: int, **fuels: float) -> pl.DataFrame:
    """Mean power by fuel of so many hours, all known at once."""
    rows = [
        ("DE", generation(fuel), "eia", at, at + HOUR, power, "measured", KNOWN_AT, 1)
        for at in (start + HOUR * i for i in range(hours))
        for fuel, power in fuels.items()
    ]
    return pl.DataFrame(rows, schema=OBSERVATION, orient="row")


# Coal burns until Sunday; on Monday it is not reported yet, so that the intensity is unknown.
SUNDAY = mix(MONDAY - DAY, 24, coal=100.0, wind=50.0)
NO_COAL = mix(MONDAY, 6, wind=50.0)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["as it came to be", "late"])
def test_history_that_comes_late_is_context_of_what_is_there(
    order: tuple[int, int], tmp_path: Path
) -> None:
    with Store.open(DataDirectory(tmp_path)) as store:
        for part in order:
            store.append((SUNDAY, NO_COAL)[part], received=True)
            derive_pending(store, factor_set())
        found = store.history(
            "DE", "ci_lifecycle_produced", MONDAY, MONDAY + DAY, as_of=KNOWN_AT + HOUR
        )
    assert found["value"].to_list() == [None] * 6
