"""Anomalies: kept once, within limits, out of the series until somebody accepts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import polars as pl
import pytest

from gridtide.errors import BadInput
from gridtide_store.accepting import accept
from gridtide_store.anomalies import (
    ANOMALY,
    MOST_A_DAY,
    Filter,
    count_anomalies,
    read_anomalies,
    record_anomalies,
)
from gridtide_store.check import check
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.database import transaction
from gridtide_store.receiving import LATE_AFTER, receive, recent_values
from gridtide_store.store import Store
from gridtide_store.vocabulary import OBSERVATION

SIGNAL = "load"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NONE = pl.DataFrame(schema=OBSERVATION)
ALL = Filter()

Frame = Callable[..., pl.DataFrame]


def odd(rows: pl.DataFrame, flag: str = "implausible") -> pl.DataFrame:
    """Observations as anomalies."""
    return rows.with_columns(
        flag=pl.lit(flag), issued_at=pl.lit(None, ANOMALY["issued_at"])
    ).select(ANOMALY.names())


@pytest.fixture
def loads(slots: Frame) -> Frame:
    def build(
        values: Sequence[float | None], known_at: datetime, **more: object
    ) -> pl.DataFrame:
        return slots(values, known_at, signal=SIGNAL, **more)

    return build


def listed(store: Store, which: Filter = ALL) -> pl.DataFrame:
    return read_anomalies(store.connection, which, limit=1000)


def values(store: Store, start: datetime, as_of: datetime) -> list[float | None]:
    found = store.history("DE", SIGNAL, start, start + 3 * DAY, as_of=as_of)
    return found["value"].to_list()


def test_an_anomaly_is_kept_once_however_often_it_comes(
    store: Store, loads: Frame, now: datetime
) -> None:
    garbage = odd(loads([9e9, 8e9], now, start=now - 2 * HOUR))
    receive(store, NONE, garbage, lag=HOUR)
    cut = store.cut
    again = garbage.with_columns(known_at=pl.lit(now + HOUR).cast(ANOMALY["known_at"]))
    receive(store, NONE, pl.concat([again, again]), lag=HOUR)
    found = listed(store)
    assert sorted(found["value"].to_list()) == [8e9, 9e9]
    assert found["known_at"].to_list() == [now, now]
    assert store.cut == cut


def test_another_value_of_the_slot_is_another_anomaly_and_null_is_a_value(
    store: Store, loads: Frame, now: datetime
) -> None:
    for value in (9e9, 8e9, 9e9, None, None):
        receive(store, NONE, odd(loads([value], now)), lag=HOUR)
    assert listed(store)["value"].to_list() == [None, 8e9, 9e9]


def test_observations_and_anomalies_are_stored_together_or_not_at_all(
    store: Store, loads: Frame, now: datetime
) -> None:
    twice = pl.concat([loads([1.0], now), loads([2.0], now)])
    with pytest.raises(BadInput, match="comes twice"):
        receive(store, twice, odd(loads([9e9], now)), lag=HOUR)
    assert listed(store).is_empty()
    assert store.cut == 0


def test_a_day_of_a_source_is_limited_and_what_is_left_out_is_counted(
    store: Store, loads: Frame, now: datetime
) -> None:
    start = now - DAY

    def record(rows: pl.DataFrame) -> int:
        with transaction(store.connection):
            return record_anomalies(
                store.connection, rows, batch=1, scratch=store.scratch, most=5
            )

    remarks = odd(loads([1.0, 2.0, 3.0], now, start=start), "unmapped_code:X")
    assert record(remarks) == 1
    # Remarks take no room from values that are in no series; the newest slots come first.
    excluded = odd(loads([4e9, 5e9, 6e9, 7e9, 8e9, 9e9], now, start=start))
    assert record(excluded) == 5
    assert sorted(listed(store)["value"].to_list()) == [3.0, 5e9, 6e9, 7e9, 8e9, 9e9]
    assert record(odd(loads([5e9], now, source="b", start=start))) == 1
    assert record(odd(loads([6.5e9], now, start=start))) == 0
    left_out = store.connection.execute(
        "SELECT source, day::TEXT, count FROM anomaly_left_out"
    ).fetchall()
    assert left_out == [("a", f"{now:%Y-%m-%d}", 4)]
    assert record(odd(loads([6.5e9], now + DAY, start=start))) == 1


def test_garbage_for_ever_fills_no_more_than_its_limit(
    store: Store, loads: Frame, now: datetime
) -> None:
    for hour in range(3):
        garbage = odd(
            loads([1e9 * hour + n for n in range(MOST_A_DAY)], now, start=now - 300 * DAY)
        )
        receive(store, NONE, garbage, lag=HOUR)
    rows = store.connection.execute("SELECT count(*) FROM anomaly").fetchone()
    assert rows == (MOST_A_DAY,)


def test_anomalies_are_found_by_zone_source_flag_and_time(
    store: Store, loads: Frame, now: datetime
) -> None:
    receive(store, NONE, odd(loads([1.0], now)), lag=HOUR)
    receive(store, NONE, odd(loads([2.0], now, zone="FR", start=now + DAY)), lag=HOUR)
    receive(store, NONE, odd(loads([3.0], now, source="b"), "unmapped_code:WIN"), lag=HOUR)
    assert listed(store)["value"].to_list() == [3.0, 2.0, 1.0]
    for which, wanted in (
        (Filter(zones=["FR"]), [2.0]),
        (Filter(sources=["b"]), [3.0]),
        (Filter(flags=["unmapped_code"]), [3.0]),
        (Filter(flags=["unmapped_code:WIN", "implausible"]), [3.0, 2.0, 1.0]),
        (Filter(start=now + HOUR), [2.0]),
        (Filter(end=now + HOUR), [3.0, 1.0]),
        (Filter(ids=[1, 3]), [3.0, 1.0]),
    ):
        assert listed(store, which)["value"].to_list() == wanted, which
    assert count_anomalies(store.connection, ALL) == [
        ("a", "implausible", 2, 0),
        ("b", "unmapped_code:WIN", 1, 0),
    ]


def test_a_value_whose_knowledge_time_is_moved_is_noted(
    store: Store, loads: Frame, now: datetime
) -> None:
    receive(store, loads([1.0], now + HOUR), odd(NONE), lag=HOUR)
    received = receive(store, loads([2.0], now), odd(NONE), lag=HOUR)
    assert received.flags == {"clock_behind": 1}
    (found,) = listed(store).rows(named=True)
    assert (found["flag"], found["value"], found["known_at"]) == ("clock_behind", 2.0, now)


@pytest.mark.parametrize(
    ("age", "flags"),
    [
        (HOUR + LATE_AFTER, {}),
        (HOUR + LATE_AFTER + timedelta(seconds=1), {"late": 1}),
        (timedelta(days=14), {"late": 1}),
        (timedelta(days=14, seconds=1), {}),
    ],
)
def test_a_value_that_fills_a_gap_long_after_the_usual_lag_is_late(
    store: Store, loads: Frame, now: datetime, age: timedelta, flags: dict[str, int]
) -> None:
    receive(store, loads([1.0, None, 3.0], now), odd(NONE), lag=HOUR)
    known_at = now + 2 * HOUR + age
    refilled = receive(store, loads([1.0, 2.0, 3.0], known_at), odd(NONE), lag=HOUR)
    assert refilled.flags == flags
    # It is in its series all the same.
    assert values(store, now, known_at) == [1.0, 2.0, 3.0]


def test_history_before_and_values_after_what_is_stored_are_not_late(
    store: Store, loads: Frame, now: datetime
) -> None:
    receive(store, loads([1.0], now), odd(NONE), lag=HOUR)
    around = loads([5.0, 1.0, 6.0], now + 5 * DAY, start=now - HOUR)
    assert receive(store, around, odd(NONE), lag=HOUR).flags == {}
    # Nor is a revision of a value.
    again = loads([7.0, 2.0, 8.0], now + 6 * DAY, start=now - HOUR)
    assert receive(store, again, odd(NONE), lag=HOUR).flags == {}


def test_what_was_said_before_includes_what_was_left_out_as_frozen(
    store: Store, loads: Frame, now: datetime
) -> None:
    receive(store, loads([1.0, 2.0], now), odd(NONE), lag=HOUR)
    receive(store, loads([3.0], now + HOUR), odd(NONE), lag=HOUR)
    frozen = odd(loads([9.0], now, start=now + 2 * HOUR), "frozen")
    other = odd(loads([8.0], now, start=now + 2 * HOUR))
    receive(store, NONE, pl.concat([frozen, other]), lag=HOUR)
    coming = loads([4.0], now, start=now + 3 * HOUR)
    found = recent_values(store.connection, coming, (SIGNAL,), 2 * HOUR)
    assert sorted(found["value"].to_list()) == [2.0, 9.0]
    assert recent_values(store.connection, coming, ("x",), HOUR).is_empty()


def accepted(store: Store, now: datetime, **which: object) -> int:
    found = listed(store, Filter(**which))  # type: ignore[arg-type]  # names of the fields
    return accept(
        store,
        Filter(**which),  # type: ignore[arg-type]  # as above
        now,
        note="ops: checked by telephone",
        count=len(found),
    ).rows


def test_an_accepted_value_is_known_from_then_on_with_its_quality(
    store: Store, slots: Frame, now: datetime
) -> None:
    receive(store, slots([100.0], now, signal=SIGNAL), odd(NONE), lag=HOUR)
    start = now + HOUR
    garbage = odd(
        slots([9e9], start, start=start, signal=SIGNAL, quality="estimated", retrieval_id=7)
    )
    receive(store, NONE, garbage, lag=HOUR)
    later = now + DAY
    assert accepted(store, later, ids=[1]) == 1
    assert values(store, now, later - timedelta(seconds=1)) == [100.0]
    assert values(store, now, later) == [100.0, 9e9]
    (row,) = store.connection.execute(
        "SELECT quality::TEXT, epoch(known_at), retrieval_id FROM observation WHERE value = 9e9"
    ).fetchall()
    assert row == ("estimated", later.timestamp(), 7)
    (found,) = listed(store).rows(named=True)
    assert (found["accepted_at"], found["note"]) == (later, "ops: checked by telephone")
    assert count_anomalies(store.connection, ALL) == [("a", "implausible", 1, 1)]


def test_an_accepted_value_stays_while_its_publisher_repeats_it(
    store: Store, slots: Frame, now: datetime
) -> None:
    fuel = "generation_wind"
    # What normalize makes of it: the fuel was named, its value is unknown.
    unknown = slots([None], now, signal=fuel)
    garbage = odd(slots([9e9], now, signal=fuel))
    receive(store, unknown, garbage, lag=HOUR)
    accepted(store, now + DAY, ids=[1])
    for hours in (25, 26):
        known_at = pl.lit(now + hours * HOUR).cast(OBSERVATION["known_at"])
        again = receive(
            store,
            unknown.with_columns(known_at=known_at),
            garbage.with_columns(known_at=known_at),
            lag=HOUR,
        )
        assert again.rows == 0
    found = store.history("DE", fuel, now, now + DAY, as_of=now + 30 * HOUR)
    assert found["value"].to_list() == [9e9]
    assert listed(store).height == 1
    # What it sends instead is a revision.
    receive(store, slots([5.0], now + 40 * HOUR, signal=fuel), odd(NONE), lag=HOUR)
    found = store.history("DE", fuel, now, now + DAY, as_of=now + 41 * HOUR)
    assert found["value"].to_list() == [5.0]


def test_a_filter_is_accepted_only_with_the_number_that_matches(
    store: Store, loads: Frame, now: datetime
) -> None:
    receive(store, NONE, odd(loads([7e9, 8e9], now - DAY, start=now - 2 * DAY)), lag=HOUR)
    which = Filter(flags=["implausible"])
    for count in (None, 1, 3):
        with pytest.raises(BadInput, match=r"2 match.*--count 2"):
            accept(store, which, now, note="x", count=count)
    assert accept(store, which, now, note="x", count=2).rows == 2
    with pytest.raises(BadInput, match="no anomaly matches"):
        accept(store, which, now, note="x", count=2)


def test_what_cannot_be_accepted_is_refused_with_the_reason_and_nothing_is_changed(
    store: Store, loads: Frame, now: datetime
) -> None:
    start = now - 5 * HOUR
    ahead = odd(loads([1.0], now, start=now), "future")
    rows = [
        (ahead, "its slot ends at .*still to come"),
        (odd(loads([None], now, start=start)), "it has no value"),
        (odd(loads([4.0], now, start=start), "unmapped_code:X"), "is in its series already"),
        (
            odd(loads([5.0], now, start=start)).with_columns(
                issued_at=pl.lit(now).cast(ANOMALY["issued_at"])
            ),
            "is of a publisher's forecast",
        ),
        (odd(loads([6.0], now, start=start + HOUR)), "has sent 60.0 for it since"),
        (odd(loads([70.0], now, start=start + 2 * HOUR)), "has this value already"),
    ]
    for anomaly, _ in rows:
        receive(store, NONE, anomaly, lag=HOUR)
    stored = loads([60.0, 70.0], now + HOUR, start=start + HOUR)
    receive(store, stored, odd(NONE), lag=HOUR)
    good = odd(loads([9.0], now, start=start + 4 * HOUR))
    receive(store, NONE, good, lag=HOUR)
    for number, (_, said) in enumerate(rows, start=1):
        with pytest.raises(BadInput, match=rf"cannot accept {number} .*{said}.*nothing was"):
            accept(store, Filter(ids=[number, 7]), now + timedelta(minutes=30), note="x")
    with pytest.raises(BadInput, match="unknown anomaly 99"):
        accept(store, Filter(ids=[7, 99]), now, note="x")
    assert listed(store)["accepted_at"].null_count() == 7
    accept(store, Filter(ids=[7]), now, note="x")
    with pytest.raises(BadInput, match="was accepted before"):
        accept(store, Filter(ids=[7]), now, note="x")


def test_of_a_conflict_one_value_is_chosen_and_may_be_corrected(
    store: Store, loads: Frame, now: datetime
) -> None:
    both = pl.concat([odd(loads([value], now), "conflict") for value in (10.0, 11.0)])
    receive(store, loads([None], now), both, lag=HOUR)
    later = now + DAY
    with pytest.raises(BadInput, match="of the same slot; choose one by its number"):
        accepted(store, later, flags=["conflict"])
    first, second = sorted(listed(store).select("value", "id").rows())
    accepted(store, later, ids=[first[1]])
    assert values(store, now, later) == [10.0]
    accepted(store, later + HOUR, ids=[second[1]])
    assert values(store, now, later + HOUR) == [11.0]
    # The last word stays when the conflict comes again.
    again = pl.lit(later + 2 * HOUR).cast(OBSERVATION["known_at"])
    receive(
        store,
        loads([None], later + 2 * HOUR),
        both.with_columns(known_at=again),
        lag=HOUR,
    )
    assert values(store, now, later + 3 * HOUR) == [11.0]


def test_the_check_finds_an_accepted_value_that_is_in_no_series(
    home: DataDirectory, slots: Frame, now: datetime
) -> None:
    with writer_lock(home, "test", now), Store.open(home) as store:
        receive(store, NONE, odd(slots([9e9], now, start=now - DAY, signal=SIGNAL)), lag=HOUR)
        accept(store, Filter(ids=[1]), now, note="x")
    assert check(home, now + HOUR) == []
    with writer_lock(home, "test", now), Store.open(home) as store:
        store.connection.execute("UPDATE anomaly SET value = 8e9")
    (finding,) = check(home, now + HOUR)
    assert finding.problem == "anomaly: accepted, but its value was never in its series (1)"
