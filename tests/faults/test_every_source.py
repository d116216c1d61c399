"""Every source fails in each of eight ways while others answer, and heals in its next turn.

Each is played by a written body of its real shape, else by a simulated one, over the transport
of the real client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby, pairwise
from pathlib import Path
from typing import Final

import httpx
import polars as pl
import pytest

from gridtide.clock import Clock
from gridtide_pipelines.errors import (
    ClockAhead,
    NothingYet,
    SourceChanged,
    SourceRefused,
    SourceUnavailable,
)
from gridtide_pipelines.ingest.access import base_name
from gridtide_pipelines.ingest.fetch import Fetcher
from gridtide_pipelines.ingest.gather import DONE, NOTHING_YET, Round, gather
from gridtide_pipelines.ingest.limits import Limits
from gridtide_pipelines.ingest.schedule import DAY, start_of
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request, Source, Span
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.ingest.task_queue import Task
from gridtide_pipelines.refresh import Report
from gridtide_pipelines.replay.faults import PAGE
from gridtide_store.data_directory import DataDirectory
from gridtide_store.ledger import Ledger
from gridtide_store.records import Stage
from gridtide_store.settings import Settings
from gridtide_store.store import Store
from tests.faults.publisher import http_date
from tests.replay.playing import SIMULATED, bodies_of

DATA = Path(__file__).parents[1] / "sources/data"
# After every written body. Publishers that only say what is now are requested at that time.
NOW: Final = datetime(2026, 11, 1, 12, 10, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
LIMITS: Final = Limits(body=64 * 1024)
# They forecast weather.
WITHOUT_VALUES: Final = {"gfs", "met_norway", "open_meteo"}
Answer = Callable[[httpx.Request, "Played"], httpx.Response]


@dataclass(frozen=True)
class Played:
    """A source with the body that answers all requests for one day of a zone, at a time."""

    source: Source
    task: Task
    now: datetime
    content: bytes

    @property
    def whole(self) -> bool:
        """Whether a whole day is requested, which can be settled."""
        return self.task.span.end - self.task.span.start == DAY

    def reply(self, content: bytes | httpx.SyncByteStream, status: int = 200) -> httpx.Response:
        headers = {"Date": http_date(self.now)}
        if isinstance(content, bytes):
            return httpx.Response(status, headers=headers, content=content)
        return httpx.Response(status, headers=headers, stream=content)


class Cut(httpx.SyncByteStream):
    """Half of a body, then what the client raises when the connection ends there."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self._content[: len(self._content) // 2]
        raise httpx.RemoteProtocolError("peer closed connection without the whole body")


class Endless(httpx.SyncByteStream):
    """A body that never ends."""

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield b" " * 4096


def no_answer(request: httpx.Request, _: Played) -> httpx.Response:
    raise httpx.ConnectError("connection refused", request=request)


def late_clock(_: httpx.Request, played: Played) -> httpx.Response:
    answer = played.reply(played.content)
    answer.headers["Date"] = http_date(played.now - timedelta(days=3))
    return answer


@dataclass(frozen=True)
class Way:
    """A way to fail: what is answered, and the statuses with which the task may end."""

    name: str
    answer: Answer
    ends: Sequence[str]


WAYS: Final = (
    Way("no answer", no_answer, [SourceUnavailable.code]),
    Way("500", lambda _, played: played.reply(b"oops", 500), [SourceUnavailable.code]),
    Way("403", lambda _, played: played.reply(b"no", 403), [SourceRefused.code]),
    # Of some publishers it says that a file is not there yet.
    Way("404", lambda _, played: played.reply(b"", 404), [SourceChanged.code, NOTHING_YET]),
    Way("HTML", lambda _, played: played.reply(PAGE), [SourceChanged.code]),
    Way("cut", lambda _, played: played.reply(Cut(played.content)), [SourceUnavailable.code]),
    Way("endless", lambda _, played: played.reply(Endless()), [SourceChanged.code]),
    Way("a clock", late_clock, [ClockAhead.code]),
)
GOOD: Final = Way("good", lambda _, played: played.reply(played.content), [DONE])


def play(source: Source) -> Played | None:
    """A body by which all requests for a day of one zone are answered with values."""
    return next(filter(_has_values, chain(_written(source), _simulated(source))), None)


def _written(source: Source) -> Iterator[Played]:
    kinds = sorted(source.kinds - {Kind.FORECAST}, key=lambda kind: kind is not Kind.GENERATION)
    for path in sorted((DATA / source.name).glob("*.*")):
        content = path.read_bytes()
        try:
            rows = _observed(source.parse([Body(Request("GET", "/written"), content, NOW, 0)]))
        except (SourceChanged, NothingYet):
            continue
        if rows.is_empty():
            continue
        for now in (NOW, _after(rows)):
            span = _day_of(rows, now)
            named = [zone for zone in rows["zone"] if zone in source.zones]
            zone = (named or sorted(source.zones))[0]
            for kind in kinds:
                yield Played(source, Task(source, kind, (zone,), span), now, content)


def _simulated(source: Source) -> Iterator[Played]:
    """Of publishers whose bodies do not say of which day they are: the request does."""
    if source.name in SIMULATED:
        today, zone = start_of(NOW.date()), min(source.zones)
        for kind in sorted(source.kinds - {Kind.FORECAST}):
            task = Task(source, kind, (zone,), Span(today - DAY, today))
            query = Query(kind, task.zones, task.span.start, task.span.end, NOW)
            for bodies in bodies_of(source, query):
                yield Played(source, task, NOW, bodies[0].content)


def _observed(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("value").is_not_null(), pl.col("issued_at").is_null())


def _after(rows: pl.DataFrame) -> datetime:
    newest: datetime = rows["end"].max()  # type: ignore[assignment]  # not empty
    return newest.astimezone(UTC).replace(second=0, microsecond=0) + MINUTE


def _day_of(rows: pl.DataFrame, now: datetime) -> Span:
    oldest: datetime = rows["start"].min()  # type: ignore[assignment]  # not empty
    start = start_of(oldest.astimezone(UTC).date())
    return Span(start, min(start + DAY, now))


def _has_values(played: Played) -> bool:
    """Say whether the body answers for what is requested, if it answers every request."""
    task, now = played.task, played.now
    query = Query(task.kind, task.zones, task.span.start, task.span.end, now)
    for group in played.source.requests(query):
        bodies = [Body(each, played.content, now, 0) for each in group]
        try:
            rows = _observed(played.source.parse(bodies))
        except (SourceChanged, NothingYet):
            return False
        if task.zones[0] in rows["zone"]:
            return True
    return False


class Rounds:
    """One data directory, and rounds in which each source is requested in its own way."""

    def __init__(self, home: DataDirectory, played: Sequence[Played]) -> None:
        self.store, self.ledger = Store.open(home), Ledger(home.ledger)
        self.played = {each.source.name: each for each in played}
        # So that the transport knows the source by the host of a request.
        hosts = {
            base_name(each.source, host): f"https://{each.source.name}.test"
            for each in played
            for host in ("", *each.source.hosts)
        }
        keys = [each.source.credentials.variables for each in played if each.source.credentials]
        self.settings = Settings(
            home=home.root,
            base_urls=hosts,
            secrets={name: "key" for names in keys for name in names},
            workers=1,
            allow_restricted=True,
        )

    def run(self, ways: Mapping[str, Way]) -> Turn:
        """Gather from each source in its way, those of one time at the same time."""
        before = {name for name in ways if self.settled(name)}
        number = self.ledger.start_command("refresh", [], NOW)
        report = Report()
        order = sorted((self.played[name] for name in ways), key=lambda each: each.now)
        for now, together in groupby(order, key=lambda each: each.now):
            report.steps += self._gather([each.task for each in together], ways, now, number)
        return Turn(ways, report, self.ledger.stages(number), before)

    def settled(self, name: str) -> bool:
        """Say whether a day of a source counts as answered."""
        kind = self.played[name].task.kind
        return any(self.ledger.answers(name, kind).values())

    def _gather(
        self, tasks: Sequence[Task], ways: Mapping[str, Way], now: datetime, number: int
    ) -> list[Stage]:
        def answer(request: httpx.Request) -> httpx.Response:
            name = request.url.host.removesuffix(".test")
            return ways[name].answer(request, self.played[name])

        clock, transport = Clock(now), httpx.MockTransport(answer)
        with Fetcher(
            self.settings, transport=transport, limits=LIMITS, sleep=lambda _: None, now=clock
        ) as fetch:
            around = Round(self.store, self.ledger, fetch, self.settings, clock, number, LIMITS)
            return list(gather(tasks, around))


@dataclass(frozen=True)
class Turn:
    """A round: how each source was to answer, its report, what the ledger says of it.

    Attributes:
        before: the sources with a settled day before it.
    """

    ways: Mapping[str, Way]
    report: Report
    stages: Sequence[Stage]
    before: set[str]

    def ended(self, *ways: Way) -> dict[str, Stage]:
        """Return the stages of the sources that answered in some ways."""
        return {
            each.source: each for each in self.report.steps if self.ways[each.source] in ways
        }


def network() -> list[Source]:
    return [
        replace(source, min_interval=timedelta(0), host_intervals={})
        for _, source in sorted(sources().items())
        if source.answer is None
    ]


@pytest.fixture(scope="module")
def played() -> Sequence[Played]:
    found = [play(source) for source in network() if source.name not in WITHOUT_VALUES]
    return [each for each in found if each]


@pytest.fixture(scope="module")
def turns(
    played: Sequence[Played], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sequence[Turn]]:
    """Rounds in which all sources but every ninth fail, each in another way than its neighbour.

    In the last one those answer that had their good turn before they had failed.
    """
    rounds = Rounds(DataDirectory(tmp_path_factory.mktemp("every") / "home"), played)
    cycle, names = (*WAYS, GOOD), [each.source.name for each in played]
    found = [
        rounds.run({name: cycle[(i + turn) % len(cycle)] for i, name in enumerate(names)})
        for turn in range(len(cycle))
    ]
    early = names[len(cycle) - 1 :: len(cycle)]
    yield [*found, rounds.run(dict.fromkeys(early, GOOD))]
    rounds.store.close()


def test_every_source_is_played(played: Sequence[Played]) -> None:
    names = {source.name for source in network()}
    assert {each.source.name for each in played} == names - WITHOUT_VALUES, (
        "write a body that answers every request for a day of one zone"
    )


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_each_source_that_fails_says_so_in_report_exit_code_and_ledger(
    way: Way, turns: Sequence[Turn], played: Sequence[Played]
) -> None:
    seen = set()
    for turn in turns[:-1]:
        assert turn.report.exit_code == 3
        kept = {each.source: each for each in turn.stages}
        for name, stage in turn.ended(way).items():
            assert stage.status in way.ends, stage.message
            assert stage.message.startswith(name)
            assert stage.rows == 0
            assert (kept[name].status, kept[name].message) == (stage.status, stage.message)
            seen.add(name)
    assert seen == {each.source.name for each in played}


def test_the_others_complete_whatever_fails_beside_them(
    turns: Sequence[Turn], played: Sequence[Played]
) -> None:
    seen = set()
    for turn in turns[:-1]:
        assert len(turn.report.steps) == len(turn.stages) == len(played)
        for name, stage in turn.ended(GOOD).items():
            assert stage.status == DONE, stage.message
            assert stage.rows > 0
            seen.add(name)
    assert seen == {each.source.name for each in played}


def test_a_failure_settles_no_day_so_that_the_next_run_heals(
    turns: Sequence[Turn], played: Sequence[Played]
) -> None:
    whole = {each.source.name for each in played if each.whole}
    for turn, after in pairwise(turns):
        failed = {
            name for name, each in turn.ended(*WAYS).items() if each.status != NOTHING_YET
        }
        settled = after.before - turn.before
        assert settled.isdisjoint(failed)
        assert settled | turn.before >= turn.ended(GOOD).keys() & whole & after.ways.keys()
    last = turns[-1]
    assert len(last.ways) > 3
    assert last.report.exit_code == 0
    assert {stage.status for stage in last.stages} == {DONE}
