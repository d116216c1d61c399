"""Which spans are requested."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gridtide_pipelines.ingest.schedule import EPOCH, split_span

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


@settings(deadline=None)
@given(
    st.integers(0, 10_000), st.integers(1, 10_000), st.integers(1, 3_000), st.integers(0, 500)
)
def test_the_cells_cover_the_span_without_gap_and_keep_their_names(
    after: int, length: int, cell: int, later: int
) -> None:
    start = EPOCH + timedelta(hours=after)
    end = start + timedelta(hours=length)
    size = timedelta(hours=cell)
    spans = split_span(start, end, size)
    assert spans[0].start <= start < spans[0].start + size
    assert spans[-1].end == end
    assert all(one.end == two.start for one, two in pairwise(spans))
    # A refresh some hours later names the same cells the same.
    again = {span.start for span in split_span(start, end + timedelta(hours=later), size)}
    assert {span.start for span in spans} <= again


def test_an_empty_span_has_no_cells() -> None:
    assert split_span(START, START, DAY) == []
