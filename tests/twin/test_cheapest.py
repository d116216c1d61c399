"""The cheapest slots in numpy: equal to the SDK's pausing planner, and to sorting by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import BadInput
from gridtide.planning.solvers.costs import Intervals
from gridtide.planning.solvers.interruptible import pick
from gridtide_pipelines.reproduce.planners import cheapest
from gridtide_pipelines.reproduce.planners.cheapest import cheapest_slots, cheapest_totals
from gridtide_pipelines.reproduce.planners.whole_steps import Whole

LEVELS = st.sampled_from([0.0, 0.25, 1.0, 7.5, 40.0])
SERIES = st.lists(LEVELS, min_size=1, max_size=14)


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[float], int, list[tuple[int, int, int]]]:
    """A series, parts to a slot, and jobs (start, need, span) in parts."""
    values, parts = draw(SERIES), draw(st.integers(1, 5))
    end = len(values) * parts
    jobs = []
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, end - 1))
        span = draw(st.integers(1, end - start))
        jobs.append((start, draw(st.integers(1, span)), span))
    return values, parts, jobs


def columns(jobs: list[tuple[int, int, int]]) -> list[Whole]:
    return [np.array(column) for column in zip(*jobs, strict=True)]


@given(questions())
def test_totals_are_those_of_the_sdk(
    question: tuple[list[float], int, list[tuple[int, int, int]]],
) -> None:
    values, parts, jobs = question
    totals = cheapest_totals(np.array(values), *columns(jobs), parts=parts)
    for (start, need, span), total in zip(jobs, totals, strict=True):
        cuts = sorted(
            {start, start + span, *range(-(-start // parts) * parts, start + span, parts)}
        )
        cells = Intervals(
            cuts[:-1], cuts[1:], [round(values[cut // parts] * 10**9) for cut in cuts[:-1]]
        )
        picked = pick(cells, need)
        assert picked is not None
        assert total == pytest.approx(picked.total / 10**9)


@given(questions())
def test_a_choice_by_forecast_is_paid_at_the_truth_of_the_earliest_of_equals(
    question: tuple[list[float], int, list[tuple[int, int, int]]],
) -> None:
    values, parts, jobs = question
    truth = np.arange(1.0, len(values) + 1)
    totals = cheapest_totals(np.array(values), *columns(jobs), parts=parts, counted=truth)
    for (start, need, span), total in zip(jobs, totals, strict=True):
        each = sorted(
            range(start, start + span), key=lambda part: (values[part // parts], part)
        )
        assert total == pytest.approx(sum(truth[part // parts] for part in each[:need]))


@given(questions())
def test_ranks_too_many_for_16_bits_change_nothing(
    question: tuple[list[float], int, list[tuple[int, int, int]]],
) -> None:
    values, parts, jobs = question
    usual = cheapest_totals(np.array(values), *columns(jobs), parts=parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cheapest, "SMALL", 0)
        assert cheapest_totals(np.array(values), *columns(jobs), parts=parts) == pytest.approx(
            usual
        )


@given(st.lists(st.lists(LEVELS, min_size=6, max_size=6), min_size=1, max_size=4), st.data())
def test_slots_of_many_zones_are_the_least_and_of_equals_the_earliest(
    rows: list[list[float]], data: st.DataObject
) -> None:
    need = data.draw(st.integers(1, 6))
    found = cheapest_slots(np.array(rows), need)
    for row, slots in zip(rows, found.tolist(), strict=True):
        assert slots == sorted(sorted(range(6), key=lambda slot: (row[slot], slot))[:need])


def test_an_unknown_slot_is_never_among_the_cheapest() -> None:
    assert cheapest_slots(np.array([[np.nan, 5.0, 3.0]]), 2).tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: cheapest_slots(np.array([[1.0]]), 2), "2 of 1 slots"),
        (lambda: cheapest_slots(np.array([[1.0]]), 0), "0 of 1 slots"),
        (lambda: cheapest_slots(np.array([[1.0, np.nan]]), 2), "fewer than 2 known"),
        (lambda: cheapest_totals(np.array([np.nan]), *columns([(0, 1, 1)])), "unknown"),
        (lambda: cheapest_totals(np.array([1.0]), *columns([(0, 1, 2)])), "leaves the series"),
        (lambda: cheapest_totals(np.array([1.0]), *columns([(-1, 1, 1)])), "leaves the series"),
        (lambda: cheapest_totals(np.array([1.0, 1.0]), *columns([(0, 2, 1)])), "whole span"),
        (lambda: cheapest_totals(np.array([1.0]), *columns([(0, 0, 1)])), "at least one"),
    ],
)
def test_what_cannot_be_answered_is_refused(ask: Callable[[], object], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        ask()
