"""What one publisher can take of a span, and what becomes of what the store refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.errors import (
    NothingYet,
    PartlyFailed,
    SourceChanged,
    SourceUnavailable,
)
from gridtide_pipelines.ingest.groups import Ingestion
from gridtide_pipelines.ingest.limits import DEFAULT, Limits
from gridtide_pipelines.ingest.source import Kind, Query, Request, Response, Source
from gridtide_pipelines.ingest.sources import uk_carbon_intensity
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.file_locks import WAIT
from gridtide_store.store import Store
from tests.flow.publishers import uk_document
from tests.flow.written import ingest_query

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAYS = 28  # two requests of the GB publisher
GB = uk_carbon_intensity.SOURCE


class Answers:
    """The true answers, each of which takes `seconds`."""

    def __init__(self, seconds: float = 0.0, *, empty: bool = False) -> None:
        self.at, self.requested, self.sizes = 0.0, 0, list[int]()
        self._seconds, self._empty = seconds, empty

    def __call__(self, source: Source, request: Request) -> Response:
        self.requested += 1
        self.at += self._seconds
        if self._empty:
            raise NothingYet(source.name, "HTTP 204")
        content = json.dumps(uk_document(request.path.lstrip("/"), NOW)).encode()
        self.sizes.append(len(content))
        return Response(content)


def ask(
    home: Path,
    answers: Answers,
    limits: Limits = DEFAULT,
    source: Source = GB,
) -> Ingestion:
    with (
        writer_lock(DataDirectory(home), "test", NOW),
        Store.open(DataDirectory(home)) as store,
    ):
        return ingest_query(
            source,
            Query(Kind.INTENSITY, ("GB",), NOW - timedelta(days=DAYS), NOW, NOW),
            fetch=answers,
            store=store,
            limits=limits,
            monotonic=lambda: answers.at,
        )


def test_a_span_may_take_its_bytes_and_no_more(tmp_path: Path) -> None:
    answers = Answers()
    assert ask(tmp_path / "a", answers).finish().rows > 0
    whole, one = sum(answers.sizes), max(answers.sizes)
    assert ask(tmp_path / "b", Answers(), replace(DEFAULT, span=whole)).finish().rows > 0
    with pytest.raises(SourceChanged, match=f"more than {whole - 1} bytes"):
        ask(tmp_path / "c", Answers(), replace(DEFAULT, span=whole - 1)).finish()
    # Each group has a bound of its own.
    assert ask(tmp_path / "d", Answers(), replace(DEFAULT, group=one)).finish().rows > 0
    with pytest.raises(SourceChanged, match=f"more than {one - 1} bytes"):
        ask(tmp_path / "e", Answers(), replace(DEFAULT, group=one - 1)).finish()


@pytest.mark.parametrize("empty", [False, True])
def test_a_span_may_take_its_time_and_no_more(
    empty: bool,  # noqa: FBT001
    tmp_path: Path,
) -> None:
    answers = Answers(31.0, empty=empty)
    with pytest.raises(SourceUnavailable, match="no whole answer in 30 s"):
        ask(tmp_path, answers, replace(DEFAULT, span_seconds=30.0)).finish()
    # Nothing more is requested, with an answer or without.
    assert answers.requested == 1


def test_a_command_waits_for_longer_than_a_span_may_take() -> None:
    assert DEFAULT.span_seconds < WAIT


def test_what_the_store_refuses_is_the_failure_of_its_group_alone(tmp_path: Path) -> None:
    def backwards(parse: Callable[..., pl.DataFrame]) -> Callable[..., pl.DataFrame]:
        groups = iter(range(9))

        def parsed(bodies: object) -> pl.DataFrame:
            frame = parse(bodies)
            odd = pl.col("start") if next(groups) else pl.col("end")
            return frame.with_columns(end=odd)

        return parsed

    work = ask(tmp_path, Answers(), source=replace(GB, parse=backwards(GB.parse)))
    with pytest.raises(PartlyFailed, match="1 of 2 groups failed"):
        work.finish()
    assert work.intake.rows > 0
