"""Groups of more than one request: a listing and its files, and pages that do not end."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from gridtide_pipelines.errors import NothingYet, SourceChanged
from gridtide_pipelines.ingest.fetch import Fetcher
from gridtide_pipelines.ingest.groups import Intake
from gridtide_pipelines.ingest.limits import DEFAULT
from gridtide_pipelines.ingest.source import Body, Group, Kind, Query, Request, Source
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.settings import Settings
from gridtide_store.store import Store
from tests.flow.written import DAY, HOUR, ingest_query, rows, source

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
START = datetime(2026, 3, 1, tzinfo=UTC)
LISTING = ["/files/a", "/files/b"]


def listing(query: Query) -> Sequence[Group]:
    return [[Request("GET", "/list", kind=query.kind, zones=query.zones)]]


def files(bodies: Sequence[Body]) -> Sequence[Request]:
    """Return the files that the listing names, from another host."""
    if len(bodies) > 1:
        return ()
    (first,) = bodies
    names = json.loads(first.content)["files"]
    return [
        Request("GET", name, kind=first.request.kind, zones=first.request.zones, host="files")
        for name in names
    ]


LISTED = source(requests=listing, following=files, hosts={"files": "https://files.example.org"})


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[Intake, list[str]]]:
    """Ingest two days of a source from answers by path; returns what was requested, too."""

    def ran(publisher: Source, answers: dict[str, object]) -> tuple[Intake, list[str]]:
        requested: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            requested.append(f"{request.url.host}{request.url.path}")
            found = answers.get(request.url.path)
            if found is None:
                return httpx.Response(404)
            return httpx.Response(200, json=found)

        home = DataDirectory(tmp_path)
        settings = Settings(home=tmp_path)
        with (
            writer_lock(home, "test", NOW),
            Store.open(home) as store,
            Fetcher(
                settings,
                transport=httpx.MockTransport(answer),
                sleep=lambda _: None,
                now=lambda: NOW,
            ) as fetch,
        ):
            query = Query(Kind.LOAD, ("DE", "FR"), START, START + 2 * DAY, NOW)
            work = ingest_query(publisher, query, fetch=fetch, store=store)
        return work.finish(), requested

    return ran


def test_a_listing_is_followed_by_its_files(
    run: Callable[..., tuple[Intake, list[str]]],
) -> None:
    intake, requested = run(
        LISTED,
        {
            "/list": {"files": LISTING},
            "/files/a": rows("DE", START, 24),
            "/files/b": rows("FR", START, 24),
        },
    )
    assert intake.rows == 48
    assert requested == [
        "written.example.org/list",
        "files.example.org/files/a",
        "files.example.org/files/b",
    ]
    # 2 March is not over.
    days = [(zone, START.date()) for zone in ("DE", "FR")]
    assert sorted(intake.answered_days.whole()) == days


def test_a_file_that_is_missing_fails_the_group_unless_it_is_not_published_yet(
    run: Callable[..., tuple[Intake, list[str]]],
) -> None:
    answers = {"/list": {"files": LISTING}, "/files/a": rows("DE", START, 24)}
    with pytest.raises(SourceChanged, match="HTTP 404"):
        run(LISTED, answers)
    late = source(
        requests=listing,
        following=files,
        hosts=LISTED.hosts,
        not_published=frozenset({404}),
    )
    with pytest.raises(NothingYet):
        run(late, answers)


def test_a_day_file_that_is_missing_is_nothing_yet_for_its_group_alone(
    run: Callable[..., tuple[Intake, list[str]]],
) -> None:
    intake, requested = run(
        source(not_published=frozenset({404})),
        {"/DE/2026-03-01": rows("DE", START, 24), "/FR/2026-03-02": rows("FR", START + DAY, 3)},
    )
    assert len(requested) == 4
    assert intake.rows == 27


def test_a_request_that_follows_itself_is_a_changed_source(
    run: Callable[..., tuple[Intake, list[str]]],
) -> None:
    def again(bodies: Sequence[Body]) -> Sequence[Request]:
        return [bodies[0].request]

    with pytest.raises(SourceChanged, match="/list follows itself"):
        run(source(requests=listing, following=again), {"/list": {"files": []}})


def test_pages_without_end_are_a_changed_source(
    run: Callable[..., tuple[Intake, list[str]]],
) -> None:
    def more(bodies: Sequence[Body]) -> Sequence[Request]:
        return [Request("GET", "/list", (("page", str(len(bodies))),))]

    # The same content at each page is found at the second, other content at the limit.
    with pytest.raises(SourceChanged, match="page 2 repeats another"):
        run(source(requests=listing, following=more), {"/list": rows("DE", START, 1)})

    def deeper(bodies: Sequence[Body]) -> Sequence[Request]:
        return [Request("GET", f"/{len(bodies)}")]

    answers = {"/list": [], **{f"/{n}": rows("DE", START + n * HOUR, 1) for n in range(60)}}
    with pytest.raises(SourceChanged, match=f"more than {DEFAULT.pages} pages"):
        run(source(requests=listing, following=deeper), answers)
