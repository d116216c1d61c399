"""Several sources, and several hosts of one, at a time: what fails or hangs holds nobody up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import polars as pl
import pytest

from gridtide.errors import GridtideError
from gridtide_pipelines.ingest.fetch import Fetcher
from gridtide_pipelines.ingest.gather import Round, gather
from gridtide_pipelines.ingest.source import Body, Group, Kind, Query, Request, Source
from gridtide_pipelines.ingest.tasks import plan
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.records import Stage
from gridtide_store.settings import Settings
from gridtide_store.store import Store
from tests.final_days import final_days
from tests.flow.written import DAY, day_files, rows, source

NOW = datetime(2026, 3, 4, 0, 0, tzinfo=UTC)
START = NOW - 2 * DAY
LONG = 20.0  # seconds that a test waits at most
Answer = Callable[[httpx.Request], httpx.Response]


def day_file(request: httpx.Request) -> httpx.Response:
    """Return the hours of the zone and day that the path names."""
    zone, day = request.url.path.split("/")[-2:]
    return httpx.Response(200, json=rows(zone, datetime.fromisoformat(f"{day}T00:00Z"), 24))


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., list[Stage]]:
    """Gather two days of sources from an answer to any request."""

    def ran(
        answer: Answer, *sources: Source, now: datetime = NOW, zones: Sequence[str] = ()
    ) -> list[Stage]:
        home, settings = DataDirectory(tmp_path / "home"), Settings(home=tmp_path / "home")
        with (
            writer_lock(home, "test", now),
            Store.open(home) as store,
            Fetcher(
                settings,
                transport=httpx.MockTransport(answer),
                sleep=lambda _: None,
                now=lambda: now,
            ) as fetch,
        ):
            ledger = Ledger(home.ledger)
            number = ledger.start_command("refresh", [], now)
            around = Round(store, ledger, fetch, settings, lambda: now, number)
            since = now - 2 * DAY
            tasks = plan(sources, zones, ledger=ledger, now=now, since=since)
            return list(gather(tasks, around))

    return ran


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(DataDirectory(tmp_path / "home").ledger)


def test_a_source_that_hangs_does_not_hold_up_another(run: Callable[..., list[Stage]]) -> None:
    fast_is_done = threading.Event()
    files = iter(range(9))

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host.startswith("a-slow"):
            # Waits for the other one, which comes after it.
            assert fast_is_done.wait(LONG)
        elif next(files) == 2:
            fast_is_done.set()
        return day_file(request)

    one = frozenset({"DE"})
    stages = run(
        answer,
        source("a_slow", zones=one),
        source("fast", zones=frozenset({"FR", "DE"})),
    )
    assert {stage.source: stage.status for stage in stages} == {
        "a_slow": "done",
        "fast": "done",
    }


def test_one_thread_parses_and_stores(run: Callable[..., list[Stage]]) -> None:
    parsing, requesting = set[int](), set[int]()
    inner = source().parse

    def parse(bodies: Sequence[Body]) -> pl.DataFrame:
        parsing.add(threading.get_ident())
        return inner(bodies)

    def answer(request: httpx.Request) -> httpx.Response:
        requesting.add(threading.get_ident())
        return day_file(request)

    run(answer, source("one", parse=parse), source("two", parse=parse))
    assert parsing == {threading.get_ident()}
    assert len(requesting) == 2
    assert threading.get_ident() not in requesting


def test_a_file_of_a_month_is_stored_as_far_as_it_is_beside_what_was_requested(
    run: Callable[..., list[Stage]],
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=rows("DE", START - 5 * DAY, 7 * 24))

    def first_day(query: Query) -> list[Group]:
        return day_files(replace(query, zones=("DE",)))[:1]

    whole = {"whole_files": True, "zones": frozenset({"DE"}), "requests": first_day}
    (stage,) = run(answer, source("files", **whole))
    assert (stage.status, stage.rows) == ("done", 3 * 24 + 1)  # the day before, and its border
    (stage,) = run(answer, source("answers", **(whole | {"whole_files": False})))
    assert (stage.status, stage.rows) == ("done", 2 * 24 + 1)


def test_requests_to_one_host_are_as_many_at_a_time_as_it_takes(
    run: Callable[..., list[Stage]],
) -> None:
    under_way, most, lock = [0], [0], threading.Lock()
    meeting = threading.Barrier(3)

    def answer(request: httpx.Request) -> httpx.Response:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        meeting.wait(LONG)
        with lock:
            under_way[0] -= 1
        return day_file(request)

    zones = frozenset({"DE", "FR", "AT"})
    (stage,) = run(answer, source(zones=zones, concurrency=3))
    assert (stage.status, stage.rows) == ("done", 3 * 48)
    assert most == [3]


def test_of_two_hosts_the_dead_one_is_given_up_and_the_other_goes_on(
    run: Callable[..., list[Stage]], ledger: Ledger
) -> None:
    zones = frozenset({"AT", "BE", "CH", "DE", "FR"})

    def by_host(query: Query) -> list[Group]:
        """DE and FR are at the first host, the others at the second."""
        return [
            [replace(request, host="" if request.zones[0] in ("DE", "FR") else "east")]
            for (request,) in day_files(query)
        ]

    requested: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requested.append(request.url.host)
        if request.url.host == "east.example.org":
            raise httpx.ReadError("reset", request=request)
        return day_file(request)

    two = source(zones=zones, requests=by_host, hosts={"east": "https://east.example.org"})
    (stage,) = run(answer, two)
    assert stage.status == "partly_failed"
    assert "3 of 10 groups failed" in stage.message
    assert "3 of 10 groups not requested any more" in stage.message
    assert stage.rows == 2 * 48
    assert requested.count("east.example.org") == 3 * 5  # five tries each
    assert set(final_days(ledger, "written", "load")) == {"DE", "FR"}
    (stage,) = run(day_file, two)
    assert (stage.status, stage.rows) == ("done", 3 * 48)


def test_a_dead_source_is_given_up_after_three_groups(run: Callable[..., list[Stage]]) -> None:
    requested: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requested.append(request.url.path)
        raise httpx.ReadError("reset", request=request)

    zones = frozenset({"AT", "BE", "CH", "DE", "FR"})
    kinds = frozenset({Kind.LOAD, Kind.GENERATION})
    stages = run(
        answer, source(zones=zones, kinds=kinds), source("alive", requests=lambda _: [])
    )
    assert [stage.status for stage in stages] == ["source_unavailable"]
    assert "7 of 10 groups not requested any more" in stages[0].message
    assert len(set(requested)) == 3


def test_a_host_that_nothing_connects_to_is_given_up_after_its_first_group(
    run: Callable[..., list[Stage]],
) -> None:
    requested: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requested.append(request.url.path)
        raise httpx.ConnectError("name not known", request=request)

    kinds = frozenset({Kind.LOAD, Kind.GENERATION})
    (stage,) = run(answer, source(zones=frozenset({"AT", "BE"}), kinds=kinds))
    assert stage.status == "source_unavailable"
    assert "gave up after 3 tries" in stage.message
    assert "3 of 4 groups not requested any more" in stage.message
    assert len(requested) == 3


def zone_files(query: Query) -> list[Group]:
    """Return a group for each zone, at whose file all of the query is."""
    return [[Request("GET", f"/{zone}", (), query.kind, (zone,))] for zone in query.zones]


@pytest.mark.parametrize("zones", [("DE",), ("DE", "FR")])
def test_a_dead_host_of_few_groups_is_given_up_after_all_of_them(
    run: Callable[..., list[Stage]], zones: tuple[str, ...]
) -> None:
    requested: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requested.append(request.url.path)
        raise httpx.ReadError("reset", request=request)

    kinds = frozenset({Kind.LOAD, Kind.GENERATION, Kind.PRICE})
    (stage,) = run(
        answer, source(zones=frozenset(zones), kinds=kinds, requests=zone_files, per_zone=True)
    )
    assert stage.status == "source_unavailable"
    assert "not requested any more" not in stage.message
    assert len(requested) == len(zones) * 5  # five tries each


def test_a_host_that_answers_one_group_is_not_given_up(
    run: Callable[..., list[Stage]],
) -> None:
    """Failures count in a row: two before and two after an answer are not four."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/CH":
            return httpx.Response(200, json=rows("CH", START, 48))
        return httpx.Response(200, text="<html>")

    zones = frozenset({"AT", "BE", "CH", "DE", "FR"})
    (stage,) = run(answer, source(zones=zones, requests=zone_files))
    assert stage.status == "partly_failed"
    assert "4 of 5 groups failed" in stage.message
    assert "not requested any more" not in stage.message


def test_a_clock_that_is_ahead_is_one_failed_group_of_one(
    run: Callable[..., list[Stage]],
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        date = format_datetime(NOW - 5 * DAY, usegmt=True)
        return httpx.Response(200, json=[], headers={"Date": date})

    (stage,) = run(answer, source(zones=frozenset({"DE"}), requests=zone_files))
    assert stage.status == "clock_ahead"
    assert "not requested any more" not in stage.message


def test_a_zone_that_comes_with_a_later_release_is_filled(
    run: Callable[..., list[Stage]], ledger: Ledger
) -> None:
    requested: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requested.append(request.url.path)
        return day_file(request)

    old = source(zones=frozenset({"DE"}), refetch=())
    run(answer, old)
    requested.clear()
    run(answer, replace(old, zones=frozenset({"DE", "FR"})))
    assert requested == ["/FR/2026-03-02", "/FR/2026-03-03"]
    assert set(final_days(ledger, "written", "load")) == {"DE", "FR"}


def test_a_bug_in_a_thread_ends_the_run_with_its_traceback(
    run: Callable[..., list[Stage]],
) -> None:
    def broken(bodies: Sequence[Body]) -> Sequence[Request]:
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):
        run(day_file, source(following=broken), source("other"))


def test_an_error_of_the_store_ends_the_run_and_no_thread_waits(
    run: Callable[..., list[Stage]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> int:
        raise GridtideError("the disk is full")

    monkeypatch.setattr(Store, "keep", full)
    with pytest.raises(GridtideError, match="the disk is full"):
        run(day_file, source("one"), source("two"), source("three", concurrency=2))
    # By name: a server's thread that another test left behind never ends.
    ours = [thread for thread in threading.enumerate() if "_run" in thread.name]
    for thread in ours:
        thread.join(LONG)
    assert not any(thread.is_alive() for thread in ours)


def test_a_source_that_answers_only_some_days_back_is_asked_no_further(
    run: Callable[..., list[Stage]],
) -> None:
    requested: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requested.append(request.url.path)
        return day_file(request)

    run(answer, source(zones=frozenset({"DE"}), reach=timedelta(hours=20)))
    assert requested == ["/DE/2026-03-03"]
