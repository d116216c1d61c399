"""What a series covers is kept by every insertion, and is what its observations say."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide_store.check import BY_SERIES
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.database import columns, frame
from gridtide_store.extents import COMPUTED, WINDOW
from gridtide_store.store import Store
from gridtide_store.vocabulary import OBSERVATION
from tests.examples import examples

START = datetime(2020, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Near each other, further than the first window of a search, and years apart.
OFFSETS = (timedelta(0), HOUR, DAY, 40 * DAY, 41 * DAY, 300 * DAY, 2000 * DAY)
LENGTHS = (HOUR / 2, HOUR, DAY)

batches = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.sampled_from(OFFSETS),
            st.sampled_from(LENGTHS),
            st.sampled_from([None, None, 0.0, 1.0]),
            st.sampled_from(["measured", "simulated"]),
        ),
        max_size=6,
        unique_by=lambda row: row[:2],
    ),
    max_size=6,
)
zone_numbers = itertools.count()

Frame = Callable[..., pl.DataFrame]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    home = DataDirectory(Path(tmp_path_factory.mktemp("extents")) / "home")
    with writer_lock(home, "test", START), Store.open(home) as store:
        yield store


@examples(60)
@given(appended=batches)
def test_any_appends_leave_the_extent_that_the_observations_have(
    shared: Store, appended: list[list[tuple[str, timedelta, timedelta, float | None, str]]]
) -> None:
    zone = f"Z{next(zone_numbers)}"
    for number, batch in enumerate(appended):
        rows = [
            (zone, "load", source, START + offset, START + offset + length, value, quality,
             START + HOUR * number, 1)
            for source, offset, length, value, quality in batch
        ]  # fmt: skip
        shared.append(pl.DataFrame(rows, schema=OBSERVATION, orient="row"))
        connection = shared.connection
        stored = frame(columns(connection, "SELECT * FROM extent ORDER BY series"))
        computed = frame(columns(connection, f"{COMPUTED} ORDER BY series", [0, 1 << 30]))
        assert stored.rows() == computed.rows()
        assert stored.columns == computed.columns


def test_a_long_slot_that_starts_before_those_searched_may_end_last(
    store: Store, slots: Frame, now: datetime
) -> None:
    later = now + WINDOW
    store.append(slots([1.0], now, start=now - 10 * WINDOW))
    store.append(slots([1.0], now, step=DAY))
    store.append(slots([1.0], now, start=now + HOUR))
    store.append(slots([1.0], now, start=later - HOUR / 2))
    store.append(slots([None], now + HOUR, start=later - HOUR / 2))
    assert store.series()["last_end"].to_list() == [now + DAY]


def test_an_extent_that_is_not_kept_is_found(store: Store, slots: Frame, now: datetime) -> None:
    store.append(slots([1.0, 2.0], now))
    rule = BY_SERIES["extent: not what the observations cover"]
    assert store.connection.execute(rule, [0, 9]).fetchone() == (0,)
    for change in ("rows = 3", "last_end = NULL", "simulated = true"):
        store.connection.execute("BEGIN")
        store.connection.execute(f"UPDATE extent SET {change}")  # noqa: S608  # our own words
        assert store.connection.execute(rule, [0, 9]).fetchone() == (1,)
        store.connection.execute("ROLLBACK")
    store.connection.execute("DELETE FROM extent")
    assert store.connection.execute(rule, [0, 9]).fetchone() == (1,)
