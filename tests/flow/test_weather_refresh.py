"""Weather in a refresh: after publication, for a bounded time, stand-ins last."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import pytest

import gridtide_pipelines.refresh
from gridtide.clock import Clock
from gridtide_pipelines.errors import ClockAhead, SourceChanged, SourceError, SourceUnavailable
from gridtide_pipelines.ingest.source import Body, Group, Kind, Query, Request, Response, Source
from gridtide_pipelines.ingest.weather import weather_readings
from gridtide_pipelines.ingest.weather_points import locations
from gridtide_pipelines.refresh import Report, refresh, summary
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.pointer import current_snapshot
from gridtide_store.settings import Settings
from gridtide_store.store import Store
from gridtide_store.weather import newest_weather
from tests.flow.written import HOUR, rows, source

NOW: Final = datetime(2026, 3, 4, 12, tzinfo=UTC)
LOAD: Final = source("load")


def one_run(query: Query) -> Sequence[Group]:
    path = f"/{query.start:%Y-%m-%dT%H}"
    return [[Request("GET", path, (), query.kind, (zone,)) for zone in query.zones]]


def weather_source(name: str, *, per_zone: bool = False) -> Source:
    def parse(bodies: Sequence[Body]) -> pl.DataFrame:
        run = datetime.fromisoformat(f"{bodies[0].request.path[1:]}:00Z")
        same = np.full(len(locations().lat), 280.0)
        wanted = [zone for body in bodies for zone in body.request.zones]
        return weather_readings(name, run, {(3, "temp_k"): same}, wanted)

    return replace(
        source(name, per_zone=per_zone),
        kinds=frozenset({Kind.WEATHER}),
        requests=one_run,
        parse=parse,
        step=6 * HOUR,
        lag=5 * HOUR,
        weather=f"{name}@points",
    )


# The stand-in's name comes before that of the first choice, which is requested first.
STAND_IN: Final = weather_source("a_stand_in", per_zone=True)
FIRST: Final = weather_source("first")


class World:
    """What is requested of whom, and whether something was published then."""

    def __init__(self, home: DataDirectory) -> None:
        self.home, self.now = home, NOW
        self.requested: list[tuple[str, bool]] = []
        self.fail: dict[str, Callable[[], SourceError]] = {}
        self.seconds = 0.0

    def __call__(self, source: Source, request: Request) -> Response:
        published = current_snapshot(self.home) is not None
        self.requested.append((source.name, published))
        if source.name in self.fail:
            raise self.fail[source.name]()
        if source is not LOAD:
            return Response(b"{}")
        zone, day = request.path.split("/")[-2:]
        start = datetime.fromisoformat(f"{day}T00:00Z")
        hours = min(24, (self.now - start) // HOUR)
        return Response(json.dumps(rows(zone, start, hours)).encode())

    def refresh(self, *sources: Source, weather: bool = True) -> Report:
        self.requested.clear()
        with writer_lock(self.home, "test", self.now):
            return refresh(
                self.home,
                Settings(home=self.home.root, workers=1, weather=weather),
                Clock(self.now),
                sources=sources,
                zones=("DE",),
                since=NOW - 6 * HOUR,
                model="naive",
                fetch=self,
                progress=lambda *_: None,
            )

    def newest(self) -> dict[tuple[str, str], datetime]:
        with Store.open(self.home) as store:
            return newest_weather(store.connection)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(DataDirectory(tmp_path / "home"))


def test_weather_that_fails_comes_after_publication_and_keeps_the_exit_code(
    world: World,
) -> None:
    errors: tuple[type[SourceError], ...] = (SourceUnavailable, SourceChanged, ClockAhead)
    failing = [weather_source(f"weather_{error.code}") for error in errors]
    for source_, error in zip(failing, errors, strict=True):
        world.fail[source_.name] = partial(error, source_.name, "as a test wants it")
    report = world.refresh(*failing, FIRST, LOAD)
    assert world.requested[0] == ("load", False)
    assert world.requested[-1] == ("first", True)
    assert all(published for name, published in world.requested if name != "load")
    assert report.exit_code == 0
    assert report.snapshot
    assert world.newest() == {("first", "DE"): NOW - 6 * HOUR}
    # It is known all the same.
    about = summary(report)["sources"]
    ledger = Ledger(world.home.ledger)
    for source_, error in zip(failing, errors, strict=True):
        assert isinstance(about, dict)
        assert about[source_.name]["status"] == error.code
        assert ledger.outcomes()[source_.name].status == error.code
    # A source that answers are made of is another matter.
    world.fail = {"load": partial(SourceUnavailable, "load", "no answer")}
    world.now += HOUR
    assert world.refresh(LOAD).exit_code == 3


def test_weather_has_a_time_of_its_own_and_can_be_turned_off(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.refresh(FIRST, LOAD, weather=False).exit_code == 0
    assert {name for name, _ in world.requested} == {"load"}
    monkeypatch.setattr(gridtide_pipelines.refresh, "WEATHER_SECONDS", -1.0)
    report = world.refresh(FIRST, LOAD)
    (stage,) = [step for step in report.steps if step.source == "first"]
    assert stage.status == SourceUnavailable.code
    assert "no whole answer in -1 s" in stage.message
    assert report.exit_code == 0


def test_a_stand_in_is_requested_only_where_the_first_choice_is_late(world: World) -> None:
    def names() -> list[str]:
        return [name for name, _ in world.requested if name != "load"]

    world.refresh(STAND_IN, FIRST, LOAD)
    assert names() == ["first"]
    world.fail["first"] = lambda: SourceUnavailable("first", "no answer")
    # Its run of 06 UTC is 12 hours old when that of 18 UTC must be public.
    world.now = NOW.replace(hour=23)
    world.refresh(STAND_IN, FIRST, LOAD)
    assert names() == ["first"]
    world.now = NOW.replace(hour=6) + timedelta(days=1, hours=-1)
    world.refresh(STAND_IN, FIRST, LOAD)
    assert names() == ["first", "a_stand_in"]
    assert world.newest()["a_stand_in", "DE"] == NOW.replace(hour=0) + timedelta(days=1)
    # Not again for the same run.
    world.refresh(STAND_IN, LOAD)
    assert names() == []
