"""The bitemporal store: what was believed when, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import polars as pl
import pytest

from gridtide.errors import BadInput
from gridtide_store import reading
from gridtide_store.store import Store
from gridtide_store.vocabulary import FUELS, generation, share
from tests.store.recording import Recording

SIGNAL = "ci_lifecycle_produced"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

Frame = Callable[..., pl.DataFrame]


def values(store: Store, now: datetime, as_of: datetime, **how: object) -> list[float | None]:
    found = store.history("DE", SIGNAL, now - DAY, now + DAY, as_of=as_of, **how)  # type: ignore[arg-type]  # sources only
    return found["value"].to_list()


def rows(store: Store) -> int:
    return int(store.series()["rows"].sum())


def test_a_revision_is_a_new_row_and_the_old_belief_stays(
    store: Store, slots: Frame, now: datetime
) -> None:
    assert store.append(slots([100.0, 200.0], now)) == 2
    assert store.append(slots([100.0, 250.0], now + HOUR)) == 1
    assert values(store, now, now) == [100.0, 200.0]
    assert values(store, now, now + HOUR) == [100.0, 250.0]
    assert rows(store) == 3


def test_nothing_is_known_before_it_was_known(
    store: Store, slots: Frame, now: datetime
) -> None:
    store.append(slots([100.0], now))
    assert values(store, now, now - timedelta(microseconds=1)) == []
    assert values(store, now, now) == [100.0]


def test_appending_the_same_again_adds_nothing(
    store: Store, slots: Frame, now: datetime
) -> None:
    frame = slots([1.0, None, 3.0], now)
    assert store.append(frame) == 3
    assert store.append(frame) == 0
    assert store.append(frame.with_columns(pl.col("known_at") + HOUR)) == 0
    assert rows(store) == 3


def test_a_withdrawal_is_a_row_and_hides_the_value_from_then_on(
    store: Store, slots: Frame, now: datetime
) -> None:
    store.append(slots([100.0], now))
    assert store.append(slots([None], now + HOUR)) == 1
    assert values(store, now, now) == [100.0]
    assert values(store, now, now + HOUR) == [None]
    assert store.append(slots([100.0], now + 2 * HOUR)) == 1
    assert values(store, now, now + 2 * HOUR) == [100.0]


def test_a_changed_quality_or_slot_end_is_a_revision_too(
    store: Store, slots: Frame, now: datetime
) -> None:
    store.append(slots([100.0], now, quality="estimated"))
    assert store.append(slots([100.0], now + HOUR)) == 1
    assert store.append(slots([100.0], now + 2 * HOUR, step=HOUR / 2)) == 1
    found = store.history("DE", SIGNAL, now, now + DAY, as_of=now + DAY)
    assert found.rows() == [(now, now + HOUR / 2, 100.0, "measured", "a", now + 2 * HOUR)]


def test_a_differing_value_not_known_later_is_refused_and_names_the_remedy(
    store: Store, slots: Frame, now: datetime
) -> None:
    store.append(slots([100.0, 200.0], now))
    for known_at in (now, now - HOUR):
        with pytest.raises(BadInput, match=r"a \[DE\].*201\.0.*200\.0.*--known-at now"):
            store.append(slots([100.0, 201.0, 300.0], known_at))
    assert values(store, now, now + DAY) == [100.0, 200.0]


def test_an_older_known_at_is_welcome_where_nothing_is_stored(
    store: Store, slots: Frame, now: datetime
) -> None:
    store.append(slots([100.0], now))
    assert store.append(slots([100.0, 200.0], now - HOUR)) == 1
    assert values(store, now, now - HOUR) == [200.0]


def test_two_rows_for_one_slot_are_refused_and_nothing_is_stored(
    store: Store, slots: Frame, now: datetime
) -> None:
    frame = pl.concat([slots([1.0, 2.0], now), slots([2.0], now, start=now + HOUR)])
    with pytest.raises(BadInput, match=r"comes twice.*remove the duplicates"):
        store.append(frame)
    assert rows(store) == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (pl.col("value").fill_null(float("nan")), "is not a number"),
        (pl.col("value").fill_null(float("inf")), "is not a number"),
        (pl.lit("forecast").alias("quality"), "quality forecast is not one of measured"),
        (pl.lit(None, pl.String).alias("zone"), "zone None is missing"),
        (pl.col("slot_start").alias("slot_end"), "slot_end .* is not after slot_start"),
        (pl.col("slot_start") + timedelta(milliseconds=5), "not on a whole second"),
        (pl.col("known_at").dt.replace_time_zone(None), "column known_at is .*give the times"),
        (pl.lit(1).alias("surplus"), r"not wanted: \['surplus'\]"),
    ],
)
def test_a_malformed_frame_is_refused_whole(
    store: Store, slots: Frame, now: datetime, change: pl.Expr, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        store.append(slots([1.0, None], now).with_columns(change))
    assert rows(store) == 0


def test_a_missing_column_is_refused_by_name(store: Store, slots: Frame, now: datetime) -> None:
    with pytest.raises(BadInput, match=r"columns missing: \['quality'\]"):
        store.append(slots([1.0], now).drop("quality"))


def test_the_order_of_rows_and_columns_does_not_matter(
    store: Store, slots: Frame, now: datetime
) -> None:
    frame = pl.concat([slots([1.0, 2.0, 3.0], now), slots([4.0], now, zone="AT")])
    assert store.append(frame.reverse().select(reversed(frame.columns))) == 4
    assert values(store, now, now) == [1.0, 2.0, 3.0]
    assert store.append(frame) == 0


def test_series_that_lie_apart_are_not_mixed_with_those_between(
    store: Store, slots: Frame, now: datetime
) -> None:
    for zone in ("A", "B", "C"):
        store.append(slots([1.0], now, zone=zone))
    both = pl.concat([slots([2.0], now + HOUR, zone=zone) for zone in ("A", "C")])
    assert store.append(both) == 2
    found = {
        zone: store.history(zone, SIGNAL, now, now + DAY, as_of=now + DAY)["value"].item()
        for zone in ("A", "B", "C")
    }
    assert found == {"A": 2.0, "B": 1.0, "C": 2.0}


def test_history_takes_slots_that_start_in_the_half_open_range(
    store: Store, slots: Frame, now: datetime
) -> None:
    store.append(slots([1.0, 2.0, 3.0, 4.0], now))
    found = store.history("DE", SIGNAL, now + HOUR, now + 3 * HOUR, as_of=now)
    assert found["value"].to_list() == [2.0, 3.0]
    assert found["start"].to_list() == [now + HOUR, now + 2 * HOUR]


def test_history_of_a_zone_without_observations_is_empty_with_the_same_columns(
    store: Store, slots: Frame, now: datetime
) -> None:
    store.append(slots([1.0], now))
    some = store.history("DE", SIGNAL, now, now + DAY, as_of=now)
    none = store.history("XX", SIGNAL, now, now + DAY, as_of=now)
    assert none.is_empty()
    assert none.schema == some.schema


def test_history_merges_sources_by_the_trust_given(
    store: Store, slots: Frame, now: datetime
) -> None:
    store.append(slots([1.0, 2.0], now, source="a"))
    store.append(slots([10.0, 20.0, 30.0], now, source="b"))
    assert values(store, now, now, sources=["b", "a"]) == [10.0, 20.0, 30.0]
    assert values(store, now, now, sources=["a", "b"]) == [1.0, 2.0, 30.0]


def test_what_a_range_shows_does_not_depend_on_where_it_begins(
    store: Store, slots: Frame, now: datetime
) -> None:
    # The trusted hour from 12:00 covers the half hour from 12:30, requested from 12:30 on too.
    store.append(slots([1.0], now, source="a"))
    store.append(slots([9.0, 8.0, 7.0], now, source="b", step=HOUR / 2))
    found = store.history(
        "DE", SIGNAL, now + HOUR / 2, now + DAY, as_of=now, sources=["a", "b"]
    )
    assert found["value"].to_list() == [7.0]


def test_inputs_are_the_newest_generation_and_shares_of_one_source(
    store: Store, slots: Frame, now: datetime
) -> None:
    wind = slots([1.0, 2.0], now, signal=generation("wind"), retrieval_id=7)
    store.append(
        pl.concat(
            [
                wind,
                slots([0.5], now, signal=share("solar")),
                slots([9.0], now, signal="load"),
                slots([9.0], now, signal=generation("gas"), source="b"),
            ]
        )
    )
    store.append(slots([3.0], now + HOUR, signal=generation("wind"), retrieval_id=8))
    found = store.inputs("DE", "a", now, now + DAY)
    assert found.select("signal", "value", "retrieval_id").rows() == [
        ("generation_wind", 3.0, 8),
        ("generation_wind", 2.0, 7),
        ("share_solar", 0.5, 1),
    ]
    before = store.inputs("DE", "a", now, now + DAY, as_of=now)
    assert before.filter(pl.col("signal") == generation("wind")).equals(wind)
    assert len({generation(fuel) for fuel in FUELS}) == 12


def test_what_is_not_derived_yet_is_named_until_it_is_marked(
    store: Store, slots: Frame, now: datetime
) -> None:
    assert store.underived("x@1").spans == ()
    store.append(slots([1.0], now, source="derived@x@1/a"))
    store.append(slots([1.0, 2.0], now, signal=generation("wind")))
    pending = store.underived("x@1")
    assert [(s.zone, s.source, s.start, s.end) for s in pending.spans] == [
        ("DE", "a", now, now + 2 * HOUR)
    ]
    store.mark_derived("x@1", pending.cut)
    assert store.underived("x@1").spans == ()
    assert len(store.underived("y@1").spans) == 1
    # What an import brings late has an old known_at, and is still to be derived.
    store.append(slots([5.0], now - DAY, start=now - DAY, signal=generation("gas")))
    assert [s.start for s in store.underived("x@1").spans] == [now - DAY]


def test_old_history_is_derived_without_all_that_lies_between(
    store: Store, slots: Frame, now: datetime
) -> None:
    wind, long_ago = generation("wind"), now - 2000 * DAY
    store.append(slots([1.0, 2.0], now, signal=wind))
    store.append(slots([1.0], now, start=long_ago, signal=wind))
    store.append(slots([1.0], now, start=long_ago - 3 * DAY, signal=wind))
    assert [(s.start, s.end) for s in store.underived("x@1").spans] == [
        (long_ago - 3 * DAY, long_ago + HOUR),
        (now, now + 2 * HOUR),
    ]


def test_series_end_with_the_last_slot_that_has_a_value(
    store: Store, slots: Frame, now: datetime
) -> None:
    store.append(slots([None, 2.0, 3.0], now))
    store.append(slots([None], now, zone="AT"))
    store.append(slots([None], now + HOUR, start=now + 2 * HOUR))
    found = store.series()
    assert found.rows() == [
        ("AT", SIGNAL, "a", None, None, 1, now),
        ("DE", SIGNAL, "a", now + HOUR, now + 2 * HOUR, 4, now + HOUR),
    ]


def test_what_was_appended_is_there_after_reopening(
    store: Store, slots: Frame, now: datetime
) -> None:
    store.append(slots([1.0, 2.0], now))
    store.mark_derived("x@1", store.cut)
    store.close()
    with Store.open(store.home) as again:
        assert values(again, now, now) == [1.0, 2.0]
        assert again.cut == 1
        assert again.append(slots([1.0, 2.0], now)) == 0


def test_scratch_left_by_a_dead_writer_is_removed(store: Store) -> None:
    (store.scratch / "left").write_text("x")
    store.close()
    with Store.open(store.home) as again:
        assert list(again.scratch.iterdir()) == []


def test_covered_time_is_of_newest_values_by_zone_and_day_and_a_flow_is_of_both_ends(
    store: Store, slots: Callable[..., pl.DataFrame], now: datetime
) -> None:
    midnight = now.replace(hour=0)
    start, later = midnight - 2 * HOUR, now + HOUR
    store.append(slots([1.0, 2.0, None, 4.0], now, start=start, signal="load"))
    store.append(slots([1.0], now, start=start, signal="generation_wind"))
    store.append(slots([5.0], now, start=midnight, zone="DE->FR", signal="flow"))
    store.append(slots([9.0], now, start=midnight, source="b"))
    # A revision counts once, and one that withdraws its value not at all.
    store.append(slots([7.0, None], later, start=start, signal="load"))
    days = (midnight - HOUR).date(), midnight.date()
    assert store.covered("a", start, midnight + 24 * HOUR) == {
        ("DE", days[0]): 2 * HOUR,
        ("DE", days[1]): 2 * HOUR,
        ("FR", days[1]): HOUR,
    }
    assert store.covered("a", midnight, midnight + HOUR) == {
        ("DE", days[1]): HOUR,
        ("FR", days[1]): HOUR,
    }
    assert store.covered("unknown", start, later) == {}


def test_a_day_is_one_of_most_covered_wherever_its_months_are_read_apart(
    store: Store, slots: Callable[..., pl.DataFrame], now: datetime
) -> None:
    start = now.replace(hour=6)  # so that 31 days later lies within a day
    store.append(slots([1.0] * 24 * 70, now, start=start, signal="load"))
    days = store.most_covered("a", "load", start, start + 70 * 24 * HOUR)
    assert sorted(days.values()) == [6 * HOUR, 18 * HOUR, *[24 * HOUR] * 69]


def test_covered_time_is_added_up_in_the_database(
    store: Store, slots: Callable[..., pl.DataFrame], now: datetime
) -> None:
    """What leaves it is a row for each series and day, not one for each slot."""
    values = [float(n) for n in range(500)]
    store.append(slots(values, now, step=HOUR / 12, signal="load"))
    recording = Recording(store.connection)
    days = reading.covered(recording, "a", now, now + 99 * HOUR)  # type: ignore[arg-type]  # all it needs
    assert sum(days.values(), timedelta(0)) == 500 * HOUR / 12
    sizes = [
        len(store.connection.execute(query, values).fetchnumpy()["series"])
        for query, values in recording.executed
    ]
    assert sizes == [1, len(days)]
