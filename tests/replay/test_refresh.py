"""A refresh of every zone from the replay server: what fails, what heals, how much it asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gridtide_pipelines.ingest.merges import merges
from gridtide_pipelines.ingest.source import Kind
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.ingest.sources.entsoe_areas import areas
from gridtide_store.data_directory import DataDirectory
from gridtide_store.ledger import Ledger
from gridtide_store.store import Store
from tests.replay.serving import Replaying, replaying, run

# Real processes, and every zone of three publishers.
pytestmark = pytest.mark.slow

NOW, LATER = "2026-01-07T02:07Z", "2026-01-07T03:07Z"
DAY = date(2026, 1, 6)
EIA, ENTSOE, UK = (sources()[name] for name in ("eia", "entsoe", "uk_carbon_intensity"))
SOURCES = (EIA.name, ENTSOE.name, UK.name)
NO_DATA, REFUSED, PAGE, SILENT = "CY", "PT", "MD", "ES"
FAULTS = [
    f"entsoe:{NO_DATA}=no-data",
    f"entsoe:{REFUSED}=503:60",
    f"entsoe:{PAGE}=html",
    f"entsoe:{SILENT}=hang",
]
OF_ZONES = (Kind.GENERATION, Kind.LOAD, Kind.PRICE)
MOST_PAGES = 15


@dataclass
class Refreshed:
    """A data directory after a refresh during which some zones failed."""

    server: Replaying
    home: DataDirectory
    exit_code: int
    report: dict[str, Any]

    def refresh(self, now: str, zones: frozenset[str]) -> int:
        """Refresh some zones of it again, and return the exit code."""
        return refresh(self.home.root, self.server, now, "--zone", ",".join(sorted(zones)))[0]

    def zones(self, source: str) -> set[str]:
        """The zones with rows of a source, those of flows among them."""
        with Store.open(self.home) as store:
            found = store.series()
        names = found.filter(found["source"] == source)["zone"]
        return {end for name in names for end in name.split("->")}


def refresh(home: Path, server: Replaying, now: str, *more: str) -> tuple[int, dict[str, Any]]:
    settings = {
        **server.leading_to(*SOURCES),
        "GRIDTIDE_NOW": now,
        "GRIDTIDE_REQUEST_SECONDS": "3",
    }
    words = ["refresh", "--since", "2026-01-06T00:00Z", "--model", "naive", "--json"]
    done = run([*words, *more, "--home", str(home)], **settings, GRIDTIDE_WORKERS="1")
    assert done.returncode in (0, 3), done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Refreshed]:
    home = tmp_path_factory.mktemp("replayed") / "home"
    words = [word for fault in FAULTS for word in ("--fault", fault)]
    with replaying("--simulate", *words, now=NOW) as server:
        code, report = refresh(home, server, NOW)
        yield Refreshed(server, DataDirectory(home), code, report)


def test_the_zones_that_do_not_fail_are_stored(refreshed: Refreshed) -> None:
    assert refreshed.exit_code == 3
    failed = {NO_DATA, REFUSED, PAGE, SILENT}
    merged = {each.part for each in merges(EIA.name)}  # their values go into other zones
    assert refreshed.zones(EIA.name) >= EIA.zones - merged
    assert refreshed.zones(UK.name) == UK.zones
    assert refreshed.zones(ENTSOE.name) >= ENTSOE.zones - failed
    assert not refreshed.zones(ENTSOE.name) & failed
    assert refreshed.report["sources"][EIA.name]["status"] == "done"
    assert refreshed.report["sources"][UK.name]["status"] == "done"


def test_the_ledger_says_what_failed_and_why(refreshed: Refreshed) -> None:
    ledger = Ledger(refreshed.home.ledger)
    stages = [each for each in ledger.stages(1) if each.source == ENTSOE.name]
    # Where it is a fallback its zones have a request of their own, which may succeed.
    assert {each.status for each in stages} <= {"partly_failed", "done"}
    failed = [each for each in stages if each.status == "partly_failed"]
    assert {each.kind for each in failed} == ENTSOE.kinds
    for each in failed:
        if each.kind in OF_ZONES:
            assert "HTTP 503" in each.message
            assert "no answer" in each.message
            assert "unexpected body" in each.message
            assert f"[{REFUSED}]" in each.message
            assert f"[{SILENT}]" in each.message
    others = [each for each in ledger.stages(1) if each.source in (EIA.name, UK.name)]
    assert {each.status for each in others} == {"done"}


def test_what_was_not_answered_is_not_settled(refreshed: Refreshed) -> None:
    ledger = Ledger(refreshed.home.ledger)
    for kind in OF_ZONES:
        answers = ledger.answers(ENTSOE.name, kind)
        settled = {zone for zone, days in answers.items() if DAY in days}
        assert not settled & {REFUSED, PAGE, SILENT}
        published = {area.zone for area in areas() if area.item == kind and not area.until}
        assert settled >= published & ENTSOE.zones - {REFUSED, PAGE, SILENT}
        assert len(settled) > 40
    # A border is of both its ends: neither is settled where it failed.
    flows = ledger.answers(ENTSOE.name, Kind.FLOW)
    assert not {zone for zone, days in flows.items() if DAY in days} & {"FR", SILENT, REFUSED}


def test_the_next_run_heals(refreshed: Refreshed) -> None:
    refreshed.server.set_faults()
    refreshed.server.set_now(LATER)
    failed = frozenset({NO_DATA, REFUSED, PAGE, SILENT})
    assert refreshed.refresh(LATER, failed) == 0
    assert refreshed.zones(ENTSOE.name) >= ENTSOE.zones
    ledger = Ledger(refreshed.home.ledger)
    for kind in (Kind.GENERATION, Kind.LOAD):
        assert {
            zone for zone, days in ledger.answers(ENTSOE.name, kind).items() if DAY in days
        } >= ENTSOE.zones


def test_a_steady_hourly_refresh_of_eia_has_few_pages(tmp_path: Path) -> None:
    home = DataDirectory(tmp_path)
    now = datetime(2026, 3, 2, 12, 7, tzinfo=UTC)
    days = [now.date() - timedelta(days=age) for age in range(1, 70)]
    with Store.open(home):
        pass
    ledger = Ledger(home.ledger)
    for kind in EIA.kinds - {Kind.FORECAST}:
        ledger.record_answers(
            EIA.name,
            kind,
            complete=[(zone, day) for zone in EIA.zones for day in days],
            silent={},
            now=now - timedelta(hours=1),
        )
    words = ["refresh", "--zone", ",".join(sorted(EIA.zones)), "--model", "naive"]
    words += ["--home", str(tmp_path)]
    with replaying("--simulate", now=f"{now:%Y-%m-%dT%H:%MZ}") as server:
        for hour in range(1):
            stamp = f"{now + timedelta(hours=hour):%Y-%m-%dT%H:%MZ}"
            server.set_now(stamp)
            server.forget()
            done = run(words, **{**server.leading_to(EIA.name), "GRIDTIDE_NOW": stamp})
            assert done.returncode == 0, done.stderr
            pages = {kind: count["requests"] for kind, count in server.counts()["eia"].items()}
            assert set(pages) == set(map(str, EIA.kinds))
            assert all(0 < count <= MOST_PAGES for count in pages.values()), pages
