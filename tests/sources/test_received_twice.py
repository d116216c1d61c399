"""A body that is received twice is one, of every source: nothing is added to itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.errors import NothingYet, SourceChanged
from gridtide_pipelines.ingest.source import Body, Request, Source
from gridtide_pipelines.ingest.sources import sources

DATA = Path(__file__).with_name("data")
KNOWN_AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CASES = [
    (source, path)
    for source in sources().values()
    if source.answer is None and source.parts is None
    for path in sorted((DATA / source.name).glob("*.*"))
]


def rows(source: Source, content: bytes, times: int) -> set[tuple[object, ...]] | None:
    body = Body(Request("GET", "/written"), content, KNOWN_AT, 7)
    try:
        frame = source.parse([body] * times)
    except (SourceChanged, NothingYet):
        return None
    return set(frame.filter(pl.col("value").is_not_null()).drop("body").iter_rows())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].name}-{case[1].stem}")
def test_a_body_received_twice_is_one(case: tuple[Source, Path]) -> None:
    source, path = case
    content = path.read_bytes()
    assert rows(source, content, 2) == rows(source, content, 1)
