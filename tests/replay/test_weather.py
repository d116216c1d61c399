"""Weather of the replay server: simulated, and replayed from an archive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl
import pytest

from gridtide_pipelines.errors import NothingYet
from gridtide_pipelines.ingest.fetch import Fetch
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request, Response, Source
from gridtide_pipelines.ingest.sources import gfs, sources
from gridtide_pipelines.ingest.weather import LEADS
from gridtide_pipelines.replay.publishers.gfs import PUBLISHER
from gridtide_pipelines.replay.recording import Recording, read_recording, write_recording
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.store import Store
from gridtide_store.weather import read_source_weather
from tests.flow.written import ingest_query

RUN: Final = datetime(2026, 3, 2, 6, tzinfo=UTC)
NOW: Final = RUN + timedelta(hours=5, minutes=10)
ZONES: Final = ("DE", "AU-SA")


def simulate(now: datetime) -> Fetch:
    def fetch(_: Source, request: Request) -> Response:
        kind, zones = PUBLISHER.describe(request)
        reply = PUBLISHER.simulate(replace(request, zones=tuple(zones)), (), now)
        assert kind is Kind.WEATHER
        assert reply
        return Response(reply.content, reply.status)

    return fetch


def replayed(recording: Recording) -> Fetch:
    def fetch(source: Source, request: Request) -> Response:
        line = recording.find(source.name, request, NOW)
        assert line, recording.nearest(request)
        return Response(line.file.read_bytes(), line.status)

    return fetch


def fetched(home: DataDirectory, fetch: Fetch, use: Callable[[Store], object]) -> pl.DataFrame:
    query = Query(Kind.WEATHER, ZONES, RUN, RUN + timedelta(hours=6), NOW)
    with writer_lock(home, "test", NOW), Store.open(home) as store:
        ingest_query(gfs.SOURCE, query, fetch=fetch, store=store).finish()
        use(store)
        return read_source_weather(store.connection, "gfs", RUN, NOW)


def test_a_simulated_run_is_whole_and_is_replayed_from_an_archive(tmp_path: Path) -> None:
    known, folder = sources(), tmp_path / "folder"
    first, second = DataDirectory(tmp_path / "first"), DataDirectory(tmp_path / "second")

    def archive(store: Store) -> None:
        write_recording(store, Ledger(first.ledger), folder, known)

    rows = fetched(first, simulate(NOW), archive)
    assert rows.height == len(ZONES) * 7 * len(LEADS)
    # Lead time 0 has neither means nor sums.
    assert rows["value"].null_count() == len(ZONES) * 3
    values = rows.pivot("quantity", index=["zone", "lead_h"], values="value")
    mean = values.group_by("zone").mean().sort("zone")
    south, north = mean.to_dicts()
    assert south["temp_k"] > north["temp_k"]
    # In early March at six in the evening (UTC) the sun stands over neither.
    dark = values.filter(pl.col("lead_h") == 15)["dswrf_w_m2"].to_list()
    assert dark[1] < 400 < max(values["dswrf_w_m2"].drop_nulls())
    recording = read_recording(folder, known)
    assert fetched(second, replayed(recording), lambda _: None).equals(rows)
    # Another part of a file is not taken for the one that was requested.
    part = next(line for line in recording_lines(folder) if "bytes=" in line)
    path = part.split(",")[1].removeprefix(gfs.SOURCE.base_url)
    other = Request("GET", path, headers=(("Range", "bytes=1-2"),))
    assert recording.find("gfs", other, NOW) is None
    assert "differs in Range" in recording.nearest(other)


def recording_lines(folder: Path) -> list[str]:
    return (folder / "requests.csv").read_text(encoding="utf-8").splitlines()


def test_a_simulated_run_is_published_lead_time_by_lead_time() -> None:
    early = RUN + timedelta(hours=4, minutes=50)
    query = Query(Kind.WEATHER, ZONES, RUN, RUN + timedelta(hours=6), early)
    ((first,),) = gfs.requests(query)
    reply = PUBLISHER.simulate(replace(first, zones=ZONES), (), early)
    assert reply is not None
    assert reply.status == 404
    zero = replace(first, path=first.path.replace("f096", "f000"), zones=ZONES)
    there = PUBLISHER.simulate(zero, (), early)
    assert there is not None
    assert there.status == 200
    assert b":anl:" in there.content


def test_an_archived_answer_that_a_file_is_missing_says_so_without_its_status() -> None:
    ((first,),) = gfs.requests(Query(Kind.WEATHER, ZONES, RUN, RUN + timedelta(hours=6), NOW))

    content = b"<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>"
    with pytest.raises(NothingYet, match="not complete yet"):
        gfs.following([Body(first, content, NOW, 1, 200)])
