"""What a backfill is to request: what is missing within the reach, newest first."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gridtide.clock import Clock
from gridtide_pipelines.backfill import backfill
from gridtide_pipelines.errors import NothingYet
from gridtide_pipelines.ingest.source import Kind, Request, Response, Source, Span
from gridtide_pipelines.ingest.sources import eia_bulk
from gridtide_pipelines.ingest.task_queue import Task
from gridtide_pipelines.ingest.tasks import plan_backfill, reachable
from gridtide_store.anomalies import Filter, count_anomalies
from gridtide_store.data_directory import DataDirectory
from gridtide_store.ledger import Ledger
from gridtide_store.settings import Settings
from gridtide_store.store import Store
from tests.flow.written import DAY, HOUR, rows, source

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TODAY = NOW.replace(hour=0)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "home" / "ledger.sqlite")


def plan(ledger: Ledger, publisher: Source, back: int, *zones: str) -> list[Task]:
    since = TODAY - back * DAY
    plans = plan_backfill([publisher], zones, ledger=ledger, since=since, now=NOW)
    return list(plans[publisher.name])


def days(tasks: list[Task]) -> list[tuple[str, str]]:
    """First and last day of each task."""
    return [(f"{task.span.start:%m-%d}", f"{task.span.end - DAY:%m-%d}") for task in tasks]


def test_whole_days_before_today_newest_first(ledger: Ledger) -> None:
    tasks = plan(ledger, source(), 16, "DE")
    assert all(task.zones == ("DE",) for task in tasks)
    found = days(tasks)
    assert found[0][1] == "03-01"
    assert found == sorted(found, reverse=True)
    covered = sum(((task.span.end - task.span.start) for task in tasks), timedelta(0))
    assert covered == 16 * DAY
    assert max(task.span.end - task.span.start for task in tasks) <= 7 * DAY


def test_days_that_were_answered_are_left_out_for_each_zone(ledger: Ledger) -> None:
    done = [("DE", date(2026, 2, 27)), ("DE", date(2026, 2, 28)), ("FR", date(2026, 2, 28))]
    ledger.record_answers("written", Kind.LOAD, complete=done, silent={}, now=NOW - HOUR)
    tasks = plan(ledger, source(), 4)
    asked = {
        (zone, f"{task.span.start + n * DAY:%m-%d}")
        for task in tasks
        for zone in task.zones
        for n in range((task.span.end - task.span.start) // DAY)
    }
    assert asked == {
        *(("DE", "02-26"), ("DE", "03-01")),
        *(("FR", "02-26"), ("FR", "02-27"), ("FR", "03-01")),
    }
    # A day with gaps is requested again, but not at once.
    gaps = {("DE", date(2026, 2, 26)): timedelta(hours=3)}
    ledger.record_answers("written", Kind.LOAD, complete=[], silent=gaps, now=NOW - HOUR)
    assert days(plan(ledger, source(), 4, "DE")) == [("03-01", "03-01")]
    since = TODAY - 4 * DAY
    later = plan_backfill([source()], ["DE"], ledger=ledger, since=since, now=NOW + DAY)
    assert days(list(later["written"])) == [("03-01", "03-02"), ("02-26", "02-26")]


def test_no_further_back_than_the_publisher_answers(ledger: Ledger) -> None:
    short = source(reach=timedelta(days=10, hours=1))
    since = TODAY - 30 * DAY
    # Ten days and an hour before noon is within the tenth day: the next one is whole.
    assert reachable(short, since, NOW) == TODAY - 9 * DAY
    assert reachable(short, TODAY - 5 * DAY, NOW) == TODAY - 5 * DAY
    assert reachable(source(), since, NOW) == since
    tasks = plan(ledger, short, 30, "DE")
    assert min(task.span.start for task in tasks) == TODAY - 9 * DAY


def test_no_forecasts_and_flows_of_all_zones_together(ledger: Ledger) -> None:
    kinds = frozenset({Kind.LOAD, Kind.FLOW, Kind.FORECAST})
    tasks = plan(ledger, source(kinds=kinds, per_zone=True, max_span=365 * DAY), 20)
    assert {(task.kind, task.zones) for task in tasks} == {
        (Kind.LOAD, ("DE",)),
        (Kind.LOAD, ("FR",)),
        (Kind.FLOW, ("DE", "FR")),
    }
    assert len(tasks) == 3  # a request each, as long as the publisher takes


def test_a_file_of_half_a_year_is_requested_once_and_the_newest_first(ledger: Ledger) -> None:
    tasks = plan(ledger, eia_bulk.SOURCE, 500, "US-CAL-CISO")
    found = [task.span.start for task in tasks if task.kind is Kind.GENERATION]
    first = TODAY - 500 * DAY
    assert found == [
        *(datetime(2026, 1, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC)),
        *(datetime(2025, 1, 1, tzinfo=UTC), first),
    ]


def test_a_file_is_requested_once_whatever_its_zones_lack(ledger: Ledger) -> None:
    zones = ("US-CAL-BANC", "US-CAL-CISO")
    days_of_february = [date(2026, 2, 1) + n * DAY for n in range(28)]
    gaps = {
        (zone, day): 20 * HOUR
        for number, zone in enumerate(zones)
        for day in days_of_february[number::5]
    }
    done = [(zone, day) for zone in zones for day in days_of_february]
    done = [each for each in done if each not in gaps]
    then = NOW - 3 * DAY
    ledger.record_answers("eia_bulk", Kind.GENERATION, complete=done, silent=gaps, now=then)
    tasks = plan(ledger, eia_bulk.SOURCE, 29, *zones)
    found = [(task.zones, task.span) for task in tasks if task.kind is Kind.GENERATION]
    assert found == [(zones, Span(TODAY - 29 * DAY, TODAY))]


def test_silence_before_the_usual_lag_does_not_make_a_day_final(ledger: Ledger) -> None:
    zone, day = "US-CAL-CISO", date(2026, 2, 27)  # EIA's files usually lag two days
    for hours in (12, 36):
        ledger.record_answers(
            "eia_bulk",
            Kind.GENERATION,
            complete=[],
            silent={(zone, day): timedelta(0)},
            now=datetime(2026, 2, 28, tzinfo=UTC) + hours * HOUR,
        )
    plans = plan_backfill(
        [eia_bulk.SOURCE],
        [zone],
        ledger=ledger,
        since=datetime(2026, 2, 27, tzinfo=UTC),
        now=NOW + 2 * DAY,
    )
    starts = [t.span.start for t in plans["eia_bulk"] if t.kind is Kind.GENERATION]
    assert starts == [datetime(2026, 2, 27, tzinfo=UTC)]


def test_hours_at_the_border_of_two_files_are_stored(tmp_path: Path) -> None:
    """A file has its days in local time: the first hours of a UTC year are in the older one."""
    now = datetime(2024, 1, 3, 12, tzinfo=UTC)
    border = datetime(2024, 1, 1, 8, tzinfo=UTC)  # midnight in California

    def fetch(publisher: Source, request: Request) -> Response:
        if "INTERCHANGE" in request.path:
            raise NothingYet(publisher.name, "no flows in this test")
        older = "2023_Jul" in request.path
        first, last = (border - 20 * DAY, border) if older else (border + HOUR, now)
        lines = ["Balancing Authority,UTC Time at End of Hour,Demand (MW)"]
        while first <= last:
            lines.append(f"BANC,{first:%m/%d/%Y %I:%M:%S %p},{1000 + first.hour}")
            first += HOUR
        return Response("\n".join(lines).encode())

    home = DataDirectory(tmp_path / "home")
    report = backfill(
        home,
        Settings(home.root, now=now, base_urls={"eia_bulk": "http://127.0.0.1:9"}),
        Clock(now),
        sources=[eia_bulk.SOURCE],
        zones=("US-CAL-BANC",),
        since=datetime(2023, 12, 25, tzinfo=UTC),
        fetch=fetch,
        show=lambda *_: None,
    )
    assert not report.failed
    with Store.open(home) as store:
        covered = store.covered("eia_bulk", datetime(2023, 12, 25, tzinfo=UTC), now)
        assert covered["US-CAL-BANC", date(2024, 1, 1)] == DAY
        # What else the file holds is neither stored nor an anomaly.
        assert count_anomalies(store.connection, Filter()) == []
    assert report.rows["eia_bulk"] == (now - datetime(2023, 12, 24, tzinfo=UTC)) // HOUR + 1


def test_what_lies_beyond_is_reported_and_the_time_left_is_shown(tmp_path: Path) -> None:
    def fetch(publisher: Source, request: Request) -> Response:
        _, zone, day = request.path.split("/")
        start = datetime.fromisoformat(day).replace(tzinfo=UTC)
        return Response(json.dumps(rows(zone, start, 24)).encode())

    seconds = iter(range(1000))
    shown: list[tuple[int, int, float | None]] = []
    home = DataDirectory(tmp_path / "home")
    report = backfill(
        home,
        Settings(home.root, now=NOW, base_urls={"written": "http://127.0.0.1:9"}),
        Clock(NOW),
        sources=[source(reach=timedelta(days=20))],
        zones=("DE",),
        since=TODAY - 30 * DAY,
        fetch=fetch,
        show=lambda _, done, of, left: shown.append((done, of, left)),
        monotonic=lambda: float(next(seconds)),
    )
    assert report.beyond == {"written": TODAY - 19 * DAY}
    assert report.rows == {"written": 19 * 24}
    # A second for each span, by that clock.
    done = [each for each, _, _ in shown]
    assert (done[-1], {of for _, of, _ in shown}) == (19, {19})
    for number, (days_done, of, left) in enumerate(shown, start=1):
        assert left == pytest.approx(number * (of - days_done) / days_done)
