"""How much an export reads to choose the default signal of a zone, and to write it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from gridtide_pipelines.exporting import Reads
from gridtide_store.export import Pair, Range
from gridtide_store.snapshot import Observed

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
THERE = [("DE", "ci_lifecycle_consumed", "a"), ("DE", "ci_lifecycle_produced", "a")]


@pytest.mark.parametrize(
    ("age", "chosen", "starts"),
    [
        (1, "ci_lifecycle_consumed", [NOW - 7 * DAY, None]),
        (100, "ci_lifecycle_consumed", [NOW - 7 * DAY, None, None]),
        (None, "ci_lifecycle_produced", [NOW - 7 * DAY, None, None]),
    ],
    ids=["a value of this week", "an old value", "no value"],
)
def test_the_whole_history_is_read_once_where_there_are_values_of_this_week(
    age: int | None, chosen: str, starts: list[datetime | None]
) -> None:
    read_from: list[datetime | None] = []

    def read(pairs: Sequence[Pair], wanted: Range) -> Iterator[Observed]:
        for zone, signal in pairs:
            read_from.append(wanted.start)
            there = age is not None and (
                wanted.start is None or NOW - age * DAY >= wanted.start
            )
            value = np.array([5.0 if there else np.nan])
            times = np.zeros(1, np.int64)
            text = np.array(["a"], np.object_)
            yield Observed(zone, signal, times, times, value, text, times, text)

    reads = Reads()
    reads.add(THERE, (), (), Range(None, NOW + 30 * DAY, NOW), read)
    (found,) = (each for slots in reads.slots for each in slots)
    assert found.signal == chosen
    assert read_from == starts
