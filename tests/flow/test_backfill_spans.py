"""What a backfill counts as done, and when it gives a publisher up."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from gridtide.clock import Clock
from gridtide_pipelines.backfill import Report, backfill
from gridtide_pipelines.ingest.source import Request, Response, Source
from gridtide_store.data_directory import DataDirectory
from gridtide_store.settings import Settings
from tests.flow.written import DAY, rows, source

NOW = datetime(2026, 3, 10, tzinfo=UTC)


def filled(root: Path, failing: Collection[int], days: int = 7) -> Report:
    """Fill one day after the other; those numbered, newest first, are garbage."""

    def fetch(publisher: Source, request: Request) -> Response:
        start = datetime.fromisoformat(request.path.split("/")[2]).replace(tzinfo=UTC)
        if (NOW - start) // DAY in failing:
            return Response(b"<html>")
        return Response(json.dumps(rows("DE", start, 24)).encode())

    return backfill(
        DataDirectory(root),
        Settings(root, now=NOW, base_urls={"written": "http://127.0.0.1:9"}),
        Clock(NOW),
        sources=[source(zones=frozenset({"DE"}), max_span=DAY)],
        zones=("DE",),
        since=NOW - days * DAY,
        fetch=fetch,
        show=lambda *_: None,
    )


def test_failures_that_are_not_in_a_row_do_not_give_a_publisher_up(tmp_path: Path) -> None:
    report = filled(tmp_path, {1, 2, 4, 5, 7})
    assert (report.left, len(report.failed)) == (0, 5)
    # Only what was answered is done.
    assert report.spans == {"written": 2}
    assert report.rows == {"written": 2 * 24}
    assert report.exit_code == 3


def test_three_failures_in_a_row_leave_the_rest(tmp_path: Path) -> None:
    report = filled(tmp_path, {2, 3, 4})
    assert (report.left, len(report.failed)) == (3, 3)
    assert report.spans == {"written": 1}
