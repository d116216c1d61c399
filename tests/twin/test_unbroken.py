"""Unbroken runs in numpy: equal to the SDK's `best_window`, and to trying every start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import BadInput, NoFeasibleWindow
from gridtide.model import Series, Signal
from gridtide.windows import Window, best_window
from gridtide_pipelines.reproduce.planners import whole_steps
from gridtide_pipelines.reproduce.planners.unbroken import (
    NONE,
    best_any,
    best_starts,
    best_whole,
    totals_at,
)
from gridtide_pipelines.reproduce.planners.whole_steps import (
    Floats,
    Sums,
    in_steps,
    prepare_sums,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
MINUTE = 60_000_000
LESS, MORE = Signal.CI_LIFECYCLE_CONSUMED, Signal.CFE_CONSUMED

# Few different values, so that ties are common; thirds, so that rounding shows.
VALUES = st.one_of(
    st.none(), st.sampled_from([0.0, 1 / 3, 2 / 3, 100.0]), st.floats(0, 900, width=32)
)


@st.composite
def zones(draw: st.DrawFn) -> tuple[list[list[float | None]], Signal]:
    slots = draw(st.integers(1, 12))
    row = st.lists(VALUES, min_size=slots, max_size=slots)
    return draw(st.lists(row, min_size=1, max_size=4)), draw(st.sampled_from([LESS, MORE]))


def matrix(rows: list[list[float | None]]) -> Floats:
    return np.array([[np.nan if value is None else value for value in row] for row in rows])


def of_the_sdk(
    row: list[float | None],
    signal: Signal,
    *,
    duration: timedelta,
    earliest: datetime,
    deadline: datetime,
) -> Window | None:
    series = Series.regular("DE", signal, START, QUARTER, row)
    try:
        return best_window(series, duration, earliest=earliest, deadline=deadline)
    except NoFeasibleWindow:
        return None


@given(zones(), st.data())
def test_whole_slots_of_many_zones_as_the_sdk_finds_them(
    given_zones: tuple[list[list[float | None]], Signal], data: st.DataObject
) -> None:
    rows, signal = given_zones
    slots = len(rows[0])
    width = data.draw(st.integers(1, slots))
    first = data.draw(st.integers(0, slots - width))
    last = data.draw(st.integers(first, slots))
    sums = prepare_sums(matrix(rows), lower_is_cleaner=signal.lower_is_cleaner)
    starts, totals = best_whole(sums, width, first=first, last=last)
    for row, start, total in zip(rows, starts, totals, strict=True):
        expected = of_the_sdk(
            row,
            signal,
            duration=width * QUARTER,
            earliest=START + first * QUARTER,
            deadline=START + (last + width) * QUARTER,
        )
        if expected is None:
            assert start == NONE
        else:
            assert START + int(start) * QUARTER == expected.start
            sign = 1 if signal.lower_is_cleaner else -1
            assert sign * total / 1e9 / width == pytest.approx(expected.mean, abs=1e-8)


@given(zones(), st.data())
def test_any_minutes_of_many_zones_as_the_sdk_finds_them(
    given_zones: tuple[list[list[float | None]], Signal], data: st.DataObject
) -> None:
    rows, signal = given_zones
    end = 15 * len(rows[0])
    duration = data.draw(st.integers(1, end))
    first = data.draw(st.integers(0, end - duration))
    last = data.draw(st.integers(first, end))
    sums = prepare_sums(matrix(rows), lower_is_cleaner=signal.lower_is_cleaner)
    starts, means = best_any(
        sums, 15 * MINUTE, duration * MINUTE, first=first * MINUTE, last=last * MINUTE
    )
    for row, start, mean in zip(rows, starts, means, strict=True):
        expected = of_the_sdk(
            row,
            signal,
            duration=timedelta(minutes=duration),
            earliest=START + timedelta(minutes=first),
            deadline=START + timedelta(minutes=last + duration),
        )
        if expected is None:
            assert start == NONE
            assert np.isnan(mean)
        else:
            assert START + timedelta(microseconds=int(start)) == expected.start
            assert mean == pytest.approx(expected.mean, abs=1e-8)


@given(zones(), st.data())
def test_rows_in_blocks_of_one_are_answered_as_all_at_once(
    given_zones: tuple[list[list[float | None]], Signal], data: st.DataObject
) -> None:
    rows, signal = given_zones
    sums = prepare_sums(matrix(rows), lower_is_cleaner=signal.lower_is_cleaner)
    duration = data.draw(st.integers(1, 15 * len(rows[0]))) * MINUTE
    usual = best_any(sums, 15 * MINUTE, duration)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whole_steps, "BLOCK", 1)
        in_blocks = best_any(sums, 15 * MINUTE, duration)
    for one, other in zip(usual, in_blocks, strict=True):
        np.testing.assert_array_equal(one, other)


KNOWN = st.lists(st.sampled_from([0.0, 1 / 3, 1.0, 7.5, 40.0]), min_size=1, max_size=15)


@given(KNOWN, st.data())
def test_many_jobs_in_one_series_as_trying_every_start(
    values: list[float], data: st.DataObject
) -> None:
    jobs = data.draw(
        st.lists(
            st.integers(0, len(values) - 1).flatmap(
                lambda start: st.tuples(
                    st.just(start), st.integers(1, len(values) - start), st.integers(0, 6)
                )
            ),
            min_size=1,
            max_size=5,
        )
    )
    starts, widths, slacks = (np.array(column) for column in zip(*jobs, strict=True))
    sums = prepare_sums(np.array([values]))
    found = best_starts(sums, starts, widths, slacks)
    paid = totals_at(sums, found, widths)
    for (start, width, slack), best, total in zip(jobs, found, paid, strict=True):
        tried = range(start, min(start + slack, len(values) - width) + 1)
        expected = min(tried, key=lambda s: (round(sum(values[s : s + width]), 6), s))
        assert best == expected
        assert total == pytest.approx(sum(values[expected : expected + width]), abs=1e-6)


def test_the_cleanest_two_slots_by_hand() -> None:
    sums = prepare_sums(np.array([[300.0, 200.0, 100.0, 400.0], [5.0, 5.0, 9.0, 5.0]]))
    starts, totals = best_whole(sums, 2)
    assert starts.tolist() == [1, 0]  # 200 + 100; 5 + 5 before 9 + 5
    assert (totals / 1e9).tolist() == [300.0, 10.0]


def test_of_two_runs_around_the_same_slot_the_earlier_is_taken() -> None:
    # 20 minutes: the middle quarter hour, and five minutes of the one before or after it.
    sums = prepare_sums(np.array([[9.0, 1.0, 0.0, 1.0, 9.0], [9.0, 2.0, 0.0, 1.0, 9.0]]))
    starts, means = best_any(sums, 15 * MINUTE, 20 * MINUTE)
    assert (starts // MINUTE).tolist() == [25, 30]
    assert means.tolist() == pytest.approx([0.25, 0.25])


def test_steps_round_as_the_sdk_s_series_does() -> None:
    values = [0.1, 2.5e-9, 3.5e-9, 1 / 3, -1 / 3, 123456.1234567895, -2.5e-9]
    of_the_sdk = [
        Series.regular("DE", LESS, START, QUARTER, [value]).runs[0].scaled[0]
        for value in values
    ]
    assert in_steps(np.array(values)).tolist() == of_the_sdk


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda sums: best_whole(sums, 3), "no run of 3 slots"),
        (lambda sums: best_whole(sums, 0), "no run of 0 slots"),
        (lambda sums: best_whole(sums, 1, first=2), "slots 2 to 1"),
        (lambda sums: best_any(sums, 60 * MINUTE, 121 * MINUTE), "into 2 h of slots"),
        (lambda sums: best_any(sums, 60 * MINUTE, 0), "no run of 0 h"),
        (lambda sums: best_any(sums, 3_600_000_000, 3_600_000_001), "to the second"),
        (
            lambda sums: best_starts(sums, np.array([1]), np.array([2]), np.array([0])),
            "must fit",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused(ask: Callable[[Sums], object], words: str) -> None:
    sums = prepare_sums(np.array([[3e7, 2e7]]))
    with pytest.raises(BadInput, match=words):
        ask(sums)


def test_values_too_large_to_sum_exactly_are_refused() -> None:
    with pytest.raises(BadInput, match="check its unit"):
        prepare_sums(np.array([[1e10, 0.0]]))


def test_jobs_over_an_unknown_slot_are_refused() -> None:
    with pytest.raises(BadInput, match="known slots"):
        best_starts(
            prepare_sums(np.array([[1.0, np.nan]])), np.array([0]), np.array([1]), np.array([0])
        )
