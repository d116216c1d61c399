"""The store against a model of it that is a dictionary of lists."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import BadInput
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.store import Store
from gridtide_store.vocabulary import OBSERVATION
from tests.examples import examples

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
SLOTS, SOURCES, HOURS = 4, ("a", "b"), 6

# One row: slot, source, value, hour it was known at.
Row = tuple[int, str, float | None, int]
rows = st.tuples(
    st.integers(0, SLOTS - 1),
    st.sampled_from(SOURCES),
    st.sampled_from([None, 0.0, 1.0]),
    st.integers(0, HOURS - 1),
)
batches = st.lists(
    st.lists(rows, max_size=SLOTS * 2, unique_by=lambda row: row[:2]), max_size=6
)
# No state is shared between examples but the file: each has a zone of its own.
zone_numbers = itertools.count()


class Model:
    """Beliefs by slot and source, oldest first."""

    def __init__(self) -> None:
        self.beliefs: dict[tuple[int, str], list[tuple[int, float | None]]] = {}

    def append(self, batch: list[Row]) -> int | None:
        """Rows added; None when one is refused, and then nothing is added."""
        fresh = []
        for slot, source, value, known in batch:
            old = self.beliefs.get((slot, source))
            if old and old[-1][1] == value:
                continue
            if old and known <= old[-1][0]:
                return None
            fresh.append(((slot, source), (known, value)))
        for key, belief in fresh:
            self.beliefs.setdefault(key, []).append(belief)
        return len(fresh)

    def believed(self, slot: int, as_of: int, trusted: tuple[str, ...]) -> list[object]:
        """Source and value to believe, or nothing; an unknown value lets the next speak."""
        newest = []
        for source in trusted:
            known = [b for b in self.beliefs.get((slot, source), []) if b[0] <= as_of]
            newest += [(source, known[-1][1])] if known else []
        valued = [belief for belief in newest if belief[1] is not None]
        return [*valued, *newest][:1]


def frame(zone: str, batch: list[Row]) -> pl.DataFrame:
    rows = [
        {
            "zone": zone,
            "signal": "load",
            "source": source,
            "slot_start": START + HOUR * slot,
            "slot_end": START + HOUR * (slot + 1),
            "value": value,
            "quality": "measured",
            "known_at": START + HOUR * known,
            "retrieval_id": 1,
        }
        for slot, source, value, known in batch
    ]
    return pl.DataFrame(rows, schema=OBSERVATION)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    home = DataDirectory(Path(tmp_path_factory.mktemp("property")) / "home")
    with writer_lock(home, "test", START), Store.open(home) as store:
        yield store


@examples(40)
@given(appended=batches, trusted=st.permutations(SOURCES))
def test_any_appends_leave_the_beliefs_the_model_has_at_every_moment(
    shared: Store, appended: list[list[Row]], trusted: tuple[str, ...]
) -> None:
    zone, model = f"Z{next(zone_numbers)}", Model()
    for batch in appended:
        expected = model.append(batch)
        if expected is None:
            with pytest.raises(BadInput):
                shared.append(frame(zone, batch))
        else:
            assert shared.append(frame(zone, batch)) == expected
    for hour in range(-1, HOURS):
        found = shared.history(
            zone,
            "load",
            START,
            START + HOUR * SLOTS,
            as_of=START + HOUR * hour,
            sources=list(trusted),
        )
        assert found.select("start", "source", "value").rows() == [
            (START + HOUR * slot, *belief)
            for slot in range(SLOTS)
            for belief in model.believed(slot, hour, trusted)  # type: ignore[misc]  # a pair
        ]
