"""Which spans are asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gridtide_pipelines.schedule import EPOCH, Span, due, grid

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


@given(
    st.integers(0, 10_000), st.integers(1, 10_000), st.integers(1, 3_000), st.integers(0, 500)
)
def test_the_cells_cover_the_span_without_gap_and_keep_their_names(
    after: int, length: int, cell: int, later: int
) -> None:
    start = EPOCH + timedelta(hours=after)
    end = start + timedelta(hours=length)
    size = timedelta(hours=cell)
    spans = grid(start, end, size)
    assert spans[0].start <= start < spans[0].start + size
    assert spans[-1].end == end
    assert all(one.end == two.start for one, two in pairwise(spans))
    # A refresh some hours later names the same cells the same.
    again = {span.start for span in grid(start, end + timedelta(hours=later), size)}
    assert {span.start for span in spans} <= again


def test_an_empty_span_has_no_cells() -> None:
    assert grid(START, START, DAY) == []


def test_a_span_is_settled_when_its_cell_is_past_revisions_not_its_cut_end() -> None:
    (span,) = grid(START, START + timedelta(hours=6), DAY)
    assert span == Span(START, START + timedelta(hours=6), START + DAY)
    assert span.settles_at(timedelta(days=7)) == START + timedelta(days=8)


def test_settled_spans_are_not_due() -> None:
    spans = grid(START, START + 3 * DAY, DAY)
    assert due(spans, {START + DAY}) == [spans[0], spans[2]]
