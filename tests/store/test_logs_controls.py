"""No text of others forges a line of the log or moves the cursor."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from gridtide_server.http.middleware import _redact
from gridtide_store.logs import OneLine, OneObject, escape_controls

EVIL = "a\nERROR forged\r\x1b[2J\x00\x7f\x85\u2028\x9b31m\U000e0001é"


@pytest.mark.parametrize("kind", [OneLine, OneObject])
def test_an_event_is_one_printable_line(kind: type[logging.Formatter]) -> None:
    record = logging.makeLogRecord({"msg": EVIL, "levelname": "INFO", "path": EVIL})
    line = kind().format(record)
    assert line.isprintable()
    if kind is OneObject:
        assert json.loads(line)["path"] == EVIL


def test_a_traceback_begins_no_line_in_the_first_column() -> None:
    try:
        raise ValueError(EVIL)  # noqa: TRY301
    except ValueError:
        record = logging.makeLogRecord({"msg": "failed", "exc_info": sys.exc_info()})
    first, *rest = OneLine().format(record).split("\n")
    assert "failed" in first
    assert rest
    assert all(line.startswith("    ") and line.isprintable() for line in rest)


def test_what_is_printable_stays() -> None:
    assert escape_controls("Zürich \u2013 5 gCO₂") == "Zürich \u2013 5 gCO₂"


@pytest.mark.parametrize(
    "query",
    ["api_key=s3cret", "a=1&auth-token=s3cret&b=2", "API_KEY=s3cret", "api%5Fkey=s3cret"],
)
def test_keys_in_a_query_are_not_logged(query: str) -> None:
    assert "s3cret" not in _redact(query.encode())
    assert _redact(b"region=DE&hours=2") == "region=DE&hours=2"
