"""Which requests to publishers wait for one another, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gridtide_pipelines.errors import SourceUnavailable
from gridtide_pipelines.ingest.pace import Pace
from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources import uk_carbon_intensity
from gridtide_store.settings import Settings

SLOW = replace(
    uk_carbon_intensity.SOURCE,
    name="slow",
    base_url="https://api.example.org/v1",
    min_interval=timedelta(seconds=30),
)
QUICK = replace(
    SLOW,
    name="quick",
    base_url="https://quick.example.org",
    hosts={"its": "https://api.example.org/v2"},
    min_interval=timedelta(seconds=2),
)
FIRST, ITS = Request("GET", "/x"), Request("GET", "/x", host="its")


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.at, self.slept = 1000.0, list[float]()
        self.then: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds
        self.then()


@pytest.fixture
def time() -> Time:
    return Time()


def pace_of(time: Time, **base_urls: str) -> Pace:
    settings = Settings(home=Path("/nowhere"), base_urls=base_urls)
    return Pace(settings, 120, sleep=time.sleep, monotonic=lambda: time.at)


def test_sources_and_names_of_one_host_share_the_larger_interval(time: Time) -> None:
    pace = pace_of(time)
    for source, request in ((QUICK, ITS), (SLOW, FIRST), (QUICK, ITS), (QUICK, FIRST)):
        pace.wait(source, request)
    assert time.slept == [30.0, 30.0]


def test_a_host_that_wants_a_wait_gets_it_from_all(time: Time) -> None:
    pace = pace_of(time)
    pace.wait(QUICK, ITS)
    pace.hold(QUICK, "its", 50)
    pace.wait(SLOW, FIRST)
    assert time.slept == [50.0]
    pace.hold(SLOW, "", 121)
    with pytest.raises(SourceUnavailable, match="requests to wait 121 s more"):
        pace.wait(QUICK, ITS)


def test_hosts_moved_to_a_replay_share_only_what_they_shared_before(time: Time) -> None:
    replay = "http://127.0.0.1:9"
    pace = pace_of(time, slow=replay, quick=replay, quick_its=replay)
    for source, request in ((QUICK, FIRST), (SLOW, FIRST)):
        pace.wait(source, request)
    assert time.slept == []
    # Whether it is a replay is seen while others wait for its first answer.
    time.then = lambda: pace.free(SLOW, "")
    for source, request in ((QUICK, ITS), (SLOW, FIRST)):
        pace.wait(source, request)
    assert time.slept == [1.0]
