"""Which source is believed, slot by slot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide_store.trust import merge, newest, order_by_trust

NAN = float("nan")

# Start, end, value, known_at, rank.
Slot = tuple[int, int, float, int, int]


def kept(slots: list[Slot]) -> list[Slot]:
    start, end, value, known_at, rank = (
        np.array([slot[place] for slot in slots], dtype=kind)
        for place, kind in enumerate((np.int64, np.int64, np.float64, np.int64, np.int64))
    )
    return [slots[position] for position in merge(start, end, value, known_at, rank).tolist()]


def test_sources_go_as_listed_then_by_name() -> None:
    assert order_by_trust(["z", "a", "c", "b"], ["c", "b"]) == ["c", "b", "a", "z"]


def test_a_derived_source_follows_its_publisher_unless_it_is_listed() -> None:
    there = ["other", "derived@ipcc_ar5/eia", "eia", "derived@carboncast/eia"]
    assert order_by_trust(there, ["eia"]) == [
        "eia",
        "derived@carboncast/eia",
        "derived@ipcc_ar5/eia",
        "other",
    ]
    assert order_by_trust(there, ["derived@ipcc_ar5/eia", "eia"])[:2] == [
        "derived@ipcc_ar5/eia",
        "eia",
    ]


def test_a_less_trusted_slot_counts_only_where_it_overlaps_none_of_the_more_trusted() -> None:
    hours = [(0, 60, 1.0, 0, 0), (120, 180, 2.0, 0, 0)]
    halves = [(start, start + 30, 9.0, 5, 1) for start in range(0, 240, 30)]
    assert kept(halves + hours) == [
        hours[0],
        halves[2],
        halves[3],
        hours[1],
        halves[6],
        halves[7],
    ]


def test_slots_that_only_touch_do_not_overlap() -> None:
    slots = [(0, 60, 1.0, 0, 0), (60, 120, 2.0, 0, 1)]
    assert kept(slots) == slots


def test_a_slot_half_covered_by_a_more_trusted_one_is_left_out() -> None:
    assert kept([(0, 60, 1.0, 0, 0), (30, 90, 2.0, 9, 1)]) == [(0, 60, 1.0, 0, 0)]


def test_an_unknown_value_lets_the_next_source_speak_but_stays_where_none_does() -> None:
    unknown, later = (0, 60, NAN, 0, 0), (60, 120, NAN, 0, 0)
    assert kept([unknown, later, (0, 60, 5.0, 0, 1)]) == [(0, 60, 5.0, 0, 1), later]


def test_within_a_source_the_slot_known_later_wins_even_if_it_is_unknown() -> None:
    halves = [(0, 30, 1.0, 0, 0), (30, 60, 2.0, 0, 0), (60, 90, 3.0, 0, 0)]
    assert kept([*halves, (0, 60, NAN, 1, 0)])[1:] == [halves[2]]
    assert kept([*halves, (0, 60, 7.0, 1, 0)]) == [(0, 60, 7.0, 1, 0), halves[2]]


def test_nothing_merges_to_nothing() -> None:
    assert kept([]) == []


@pytest.mark.parametrize("shift", [0, 1])
def test_the_newest_of_several_beliefs_is_taken_whatever_order_they_come_in(shift: int) -> None:
    series = np.roll([1, 1, 1, 0], shift)
    start = np.roll([10, 10, 5, 10], shift)
    known_at = np.roll([1, 3, 2, 9], shift)
    found = newest(series, start, known_at)
    assert list(zip(series[found], start[found], known_at[found], strict=True)) == [
        (0, 10, 9),
        (1, 5, 2),
        (1, 10, 3),
    ]


source_slots = st.lists(
    st.tuples(st.integers(0, 24), st.integers(1, 6), st.sampled_from([NAN, 1.0])), max_size=8
)


@given(st.lists(source_slots, max_size=3))
def test_every_minute_has_the_value_of_the_most_trusted_source_that_covers_it(
    drawn: list[list[tuple[int, int, float]]],
) -> None:
    # Within a source the later drawn is known later, as publishers revise.
    slots = [
        (start, start + length, value, known_at, rank)
        for rank, mine in enumerate(drawn)
        for known_at, (start, length, value) in enumerate(mine)
    ]
    assert kept(slots) == sorted(believed(slots))


def believed(slots: list[Slot]) -> list[Slot]:
    """The rule as it is written down, minute by minute."""
    settled: list[Slot] = []
    for rank in {slot[4] for slot in slots}:
        mine: list[Slot] = []
        for slot in sorted((s for s in slots if s[4] == rank), key=lambda s: -s[3]):
            if not any(minutes(slot) & minutes(other) for other in mine):
                mine.append(slot)
        settled += mine
    taken: list[Slot] = []
    for slot in sorted(settled, key=lambda s: (s[2] != s[2], s[4])):
        if not any(minutes(slot) & minutes(other) for other in taken):
            taken.append(slot)
    return taken


def minutes(slot: Slot) -> set[int]:
    return set(range(slot[0], slot[1]))
