"""A body that is received twice is one, of every source: nothing is added to itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

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


def rows(source: Source, content: bytes, times: int) -> list[tuple[object, ...]] | None:
    """What is said, as of a body that was received so many times; none is there twice."""
    body = Body(Request("GET", "/written"), content, KNOWN_AT, 7)
    try:
        frame = source.parse([body] * times)
    except (SourceChanged, NothingYet):
        return None
    return sorted(frame.drop_nulls("value").drop("body").iter_rows(), key=str)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].name}-{case[1].stem}")
def test_a_body_received_twice_is_one(case: tuple[Source, Path]) -> None:
    source, path = case
    content = path.read_bytes()
    once = rows(source, content, 1)
    assert rows(source, content, 2) == once
    slots = [(row[0], row[1], row[2], row[3], row[6]) for row in once or ()]
    assert len(slots) == len(set(slots))
