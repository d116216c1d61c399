"""Gaps made explicit, against a count minute by minute."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gridtide_store.gaps import missing_slots, usual_length


def test_the_usual_length_is_the_most_common_and_of_equals_the_shortest() -> None:
    assert usual_length([(0, 60), (60, 90), (90, 120)]) == 30
    assert usual_length([(0, 60), (60, 90)]) == 30
    assert usual_length([(0, 60), (60, 120), (120, 135)]) == 60


def test_a_gap_in_the_middle_is_filled_with_slots_of_that_length() -> None:
    assert list(missing_slots([(0, 60), (180, 240)], 0, 240, until=240)) == [
        (60, 120),
        (120, 180),
    ]


def test_a_gap_that_is_not_a_multiple_of_it_ends_with_a_shorter_slot() -> None:
    known = [(0, 60), (150, 210), (210, 270)]
    assert list(missing_slots(known, 0, 270, until=270)) == [(60, 120), (120, 150)]


def test_before_the_first_slot_the_clock_of_the_series_goes_on() -> None:
    # The range begins at 10; slots start at 30 past: the first that starts in it is 30.
    assert list(missing_slots([(150, 210)], 10, 210, until=210)) == [(30, 90), (90, 150)]


def test_what_has_not_ended_is_not_missing() -> None:
    assert list(missing_slots([(0, 60)], 0, 600, until=150)) == [(60, 120)]
    assert list(missing_slots([(0, 60)], 0, 600, until=60)) == []


def test_the_range_bounds_the_starts() -> None:
    assert list(missing_slots([(60, 120)], 60, 180, until=600)) == [(120, 180)]


slots = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from([15, 15, 15, 30, 60])), min_size=1, max_size=8
)


@given(slots, st.integers(0, 120), st.integers(1, 300), st.integers(0, 500))
def test_known_and_missing_cover_the_range_once(
    made: list[tuple[int, int]], before: int, after: int, until: int
) -> None:
    known, clock = [], 120
    for gap, length in made:
        clock += gap * 15
        known.append((clock, clock + length))
        clock += length
    start, end = known[0][0] - before, known[-1][0] + after
    filled = list(missing_slots(known, start, end, until=until))
    step = usual_length(known)
    assert all(start <= left < end and 0 < right - left <= step for left, right in filled)
    everything = sorted(known + filled)
    minutes = [minute for left, right in everything for minute in range(left, right)]
    # No minute twice and none left out, from the first slot to the last.
    assert minutes == list(range(everything[0][0], everything[-1][1]))
    # One more slot at the front would start before the range ...
    assert everything[0][0] - step < start
    # ... and one more at the back after it, or not have ended.
    assert everything[-1][1] >= end or everything[-1][1] + step > until
