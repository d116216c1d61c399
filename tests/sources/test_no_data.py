"""How every publisher may say that it has nothing yet, and what is unreadable instead."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gridtide_pipelines.errors import NothingYet, SourceChanged
from gridtide_pipelines.ingest.source import Body, Request, Source
from gridtide_pipelines.ingest.sources import sources

KNOWN_AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DATA = Path(__file__).with_name("data")
# Those whose every answer is JSON; what the others say has tests of its own.
NETWORK = [
    source
    for source in sources().values()
    if source.answer is None
    and {path.suffix for path in (DATA / source.name).glob("*.*")} == {".json"}
]

NOTHING = (
    "{}",
    "null",
    "[]",
    '{"data": []}',
    '{"data": null}',
    '{"data": {}}',
    '{"data": {"data": []}}',
    '{"data": [], "error": null}',
    '{"data": {"error": "no data"}}',
    '{"data": "no data"}',
    '{"results": [], "count": 0}',
    '{"records": null}',
    '{"response": {}}',
    '{"response": null}',
    '{"response": []}',
    '{"response": {"total": 0}}',
    '{"response": {"total": "0"}}',
    '{"response": {"total": "0", "data": []}}',
    '{"response": {"total": 0, "data": null}}',
    '{"response": {"data": {}}}',
    '{"response": {"total": "0", "data": [], "warnings": [{"warning": "odd"}]}}',
    '{"response": {"error": "no data"}}',
    '{"total": 0}',
    '{"error": null}',
    '{"error": {}}',
    '{"error": "no data"}',
    '{"error": {"code": 404, "message": "No data found"}}',
    '{"data": [], "error": {"message": "There is no data for the time requested"}}',
    '{"errors": [{"message": "no data available"}]}',
    '{"message": "No data available for this period"}',
    '{"status": 404, "detail": "not yet published"}',
)
UNREADABLE = (
    "",
    " ",
    "\n\t",
    "<html>maintenance</html>",
    '"no data"',
    '""',
    "3",
    "0",
    "true",
    "false",
    "[[]]",
    "[1]",
    "[{}]",
    '{"x": 1}',
    '{"data": ""}',
    '{"data": 0}',
    '{"data": false}',
    '{"data": [null]}',
    '{"data": [{}]}',
    '{"data": "maintenance"}',
    '{"response": "x"}',
    '{"response": {"total": 5}}',
    '{"response": {"total": false}}',
    '{"total": 0.5}',
    '{"error": "internal"}',
    '{"error": "no data: the key has expired"}',
    '{"errors": ["no data", "quota exceeded"]}',
    '{"data": [], "error": "internal"}',
)


def read(source: Source, text: str) -> None:
    """Read one answer as a refresh does: the page that follows it, then its values."""
    body = Body(Request("GET", "/x"), text.encode(), KNOWN_AT, 1)
    if source.following:
        assert not source.following([body])
    source.parse([body])


@pytest.mark.parametrize("source", NETWORK, ids=lambda source: source.name)
@pytest.mark.parametrize("text", NOTHING)
def test_it_is_nothing_yet(source: Source, text: str) -> None:
    with pytest.raises(NothingYet):
        read(source, text)


@pytest.mark.parametrize("source", NETWORK, ids=lambda source: source.name)
@pytest.mark.parametrize("text", UNREADABLE)
def test_it_is_unreadable(source: Source, text: str) -> None:
    with pytest.raises(SourceChanged):
        read(source, text)
