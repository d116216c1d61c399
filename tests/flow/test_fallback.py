"""A source that needs requests for each zone is a fallback where another comes before it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import polars as pl
import pytest

import gridtide_pipelines.refresh
from gridtide.clock import Clock
from gridtide_pipelines.ingest.fetch import Fetcher
from gridtide_pipelines.ingest.source import Source
from gridtide_pipelines.refresh import Report, refresh
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.settings import Settings
from gridtide_store.store import Store
from tests.flow.written import DAY, HOUR, rows, source

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
FIRST = source("first", lag=2 * HOUR)
SECOND = source("second", per_zone=True)


class World:
    """Both publishers: which hours the first one lacks, and what the second was asked."""

    def __init__(self) -> None:
        self.now = NOW
        self.lost: Callable[[str, datetime], bool] = lambda zone, slot: False
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        zone, day = request.url.path.split("/")[-2:]
        start = datetime.fromisoformat(f"{day}T00:00Z")
        hours = min(24, (self.now - start) // HOUR)
        if request.url.host.startswith("second"):
            self.asked.append(request.url.path)
            return httpx.Response(200, json=rows(zone, start, hours, value=2.0))
        hours = min(24, (self.now - HOUR - start) // HOUR)  # an hour late
        found = rows(zone, start, hours, value=1.0)
        return httpx.Response(
            200,
            json=[
                row
                for number, row in enumerate(found)
                if not self.lost(zone, start + number * HOUR)
            ],
        )


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def run(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Report]:
    monkeypatch.setattr(gridtide_pipelines.refresh, "trusted", lambda _: ("first", "second"))

    def ran(*sources: Source) -> Report:
        home = DataDirectory(tmp_path / "home")
        settings = Settings(home=home.root, workers=1)
        clock = Clock(world.now)
        with (
            writer_lock(home, "test", world.now),
            Fetcher(
                settings,
                transport=httpx.MockTransport(world),
                sleep=lambda _: None,
                now=clock,
            ) as fetch,
        ):
            return refresh(
                home,
                settings,
                clock,
                sources=sources or (FIRST, SECOND),
                zones=(),
                since=NOW - 2 * DAY - 12 * HOUR,
                model="naive",
                fetch=fetch,
                progress=lambda *_: None,
            )

    return ran


def history(home: Path, zone: str) -> pl.DataFrame:
    with Store.open(DataDirectory(home)) as store:
        return store.history(
            zone, "load", NOW - 3 * DAY, NOW + DAY, as_of=NOW + DAY, sources=("first", "second")
        )


def test_a_fallback_is_asked_only_for_the_zone_and_day_with_a_gap(
    run: Callable[..., Report], world: World, tmp_path: Path
) -> None:
    assert run(FIRST).exit_code == 0
    run()
    assert world.asked == []
    world.now = NOW + 6 * HOUR
    world.lost = lambda zone, slot: zone == "DE" and slot >= NOW - HOUR
    run()  # the first choice is asked for these hours only now
    assert world.asked == []
    world.now = NOW + 7 * HOUR
    run()
    assert world.asked == ["/DE/2026-03-04"]
    merged = history(tmp_path / "home", "DE")
    last = merged.filter(pl.col("start") >= NOW - 3 * HOUR)
    assert last["source"].to_list()[:4] == ["first", "first", "second", "second"]
    assert last["value"].to_list()[:4] == [1.0, 1.0, 2.0, 2.0]
    # When the first choice is whole again it counts, and the fallback is left alone.
    world.asked.clear()
    world.lost = lambda zone, slot: False
    world.now = NOW + 8 * HOUR
    run()
    world.asked.clear()
    world.now = NOW + 9 * HOUR
    run()
    assert world.asked == []
    assert set(history(tmp_path / "home", "DE")["source"].to_list()[:-1]) == {"first"}


def test_without_the_first_choice_the_fallback_is_asked_for_everything(
    run: Callable[..., Report], world: World
) -> None:
    run(SECOND)
    assert len(world.asked) == 6


def test_a_source_that_answers_for_all_zones_is_always_asked(
    run: Callable[..., Report], world: World
) -> None:
    run(FIRST)
    run(FIRST, source("second"))
    assert len(world.asked) == 6
