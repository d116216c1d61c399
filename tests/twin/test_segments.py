"""Pieces in numpy: equal to the SDK's programmes, and worth what they say."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import BadInput
from gridtide.planning.solvers import price_search, segment_programme
from gridtide.planning.solvers.time_grid import Limits, Units
from gridtide_pipelines.reproduce.planners.segments import cheapest

LEVELS = st.sampled_from([0.0, 1.0, 2.0, 7.0])  # few, so that ties are common


@st.composite
def questions(draw: st.DrawFn) -> Units:
    count = draw(st.integers(1, 10))
    each = st.lists(LEVELS, min_size=count, max_size=count)
    breaks = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    costs, pause, restart = draw(each), draw(each), draw(each)
    return Units(costs, [True, *breaks[1:]], pause, restart, draw(each))


def worth(units: Units, spans: list[tuple[int, int]]) -> float:
    """What the pieces cost, added up by the book."""
    total = units.first[spans[0][0]]
    for i, (start, end) in enumerate(spans):
        total += sum(units.costs[start:end])
        total += units.restart[start] if i else 0.0
        total += units.pause[end] if i + 1 < len(spans) else 0.0
    return total


@given(questions(), st.integers(1, 11))
def test_any_number_of_pieces_costs_what_the_sdk_says(units: Units, work: int) -> None:
    total, spans = cheapest(units, work)
    expected, taken = price_search.cheapest(units, work)
    assert total == expected
    if taken:
        assert worth(units, spans) == total
        assert sum(end - start for start, end in spans) == work
        assert spans[-1][1] - 1 == taken[-1]


@given(questions(), st.integers(1, 11), st.none() | st.integers(1, 4), st.integers(1, 4))
def test_few_and_long_pieces_cost_what_the_sdk_says(
    units: Units, work: int, most: int | None, shortest: int
) -> None:
    total, spans = cheapest(units, work, most=most, shortest=shortest)
    requested = Limits(shortest, 0, most, None, 0, 0, 0, ())
    expected, pieces = (
        segment_programme.cheapest(units, work, requested) if shortest <= work else (inf, [])
    )
    assert total == expected
    assert bool(spans) == bool(pieces)
    if spans:
        assert worth(units, spans) == total
        assert sum(end - start for start, end in spans) == work
        assert len(spans) <= (most or work)
        for start, end in spans:
            assert end - start >= shortest
            assert not any(units.breaks[start + 1 : end])


def test_a_pause_pays_only_where_it_saves_more_than_it_costs() -> None:
    costs, touching = [1.0, 1.0, 5.0, 5.0, 1.0, 1.0], [True, *[False] * 5]
    free = [0.0] * 6
    for cost, total, spans in (
        (7.0, 11.0, [(0, 2), (4, 6)]),  # 4 and a restart of 7, under 12 straight on
        (9.0, 12.0, [(0, 4)]),  # of three runs of equal cost the one that ends first
    ):
        units = Units(costs, touching, free, [cost] * 6, free)
        assert cheapest(units, 4) == (total, spans)


@pytest.mark.parametrize(
    ("work", "limit"),
    [(0, {}), (1, {"most": 0}), (1, {"shortest": 0}), (1, {"most": -1})],
)
def test_less_than_one_is_refused(work: int, limit: dict[str, int]) -> None:
    units = Units([1.0], [True], [0.0], [0.0], [0.0])
    with pytest.raises(BadInput, match="give 1 or more"):
        cheapest(units, work, **limit)


def test_a_job_that_runs_already_is_left_to_the_sdk() -> None:
    units = Units([1.0], [True], [0.0], [0.0], [0.0], running=True)
    with pytest.raises(BadInput, match="runs already"):
        cheapest(units, 1)
