"""From bodies of publishers to the best window: by command line, REST and SDK alike."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gridtide.cli.script import main
from gridtide.client import Client
from gridtide.clock import Clock
from gridtide.model import parse_time
from gridtide_pipelines.ingest.source import Query, Source
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.ingest.tasks import plan
from gridtide_pipelines.replay.recording import url_of
from gridtide_store.data_directory import DataDirectory
from gridtide_store.ledger import Ledger
from tests.replay.serving import Replaying, replaying
from tests.server.published import Asker

pytestmark = pytest.mark.slow

HOURS = 4
# Ten cloud regions of three providers, in ten zones.
REGIONS = {
    "aws:us-east-1": "US-MIDA-PJM",
    "aws:us-west-1": "US-CAL-CISO",
    "aws:us-west-2": "US-NW-PACW",
    "azure:southcentralus": "US-TEX-ERCO",
    "azure:westus2": "US-NW-GCPD",
    "azure:westus3": "US-SW-AZPS",
    "gcp:us-central1": "US-MIDW-MISO",
    "gcp:us-east1": "US-CAR-SCEG",
    "gcp:us-west1": "US-NW-BPAT",
    "gcp:us-west4": "US-NW-NEVP",
}


@dataclass(frozen=True)
class Case:
    """Bodies of a publisher, recorded on one day, for zones of one part of the world.

    Attributes:
        files: the recorded body that answers requests whose address has these parts.
    """

    source: str
    zones: Sequence[str]
    since: str
    now: str
    files: Mapping[tuple[str, ...], str]

    def __str__(self) -> str:
        return self.source


CASES = (
    Case(
        "entsoe",
        ("DE", "FR"),
        "2021-01-01T00:00Z",
        "2021-01-02T00:07Z",
        {
            ("A75", "10Y1001A1001A83F"): "DE_A75_20210101_recorded20251129.xml",
            ("A75", "10YFR-RTE------C"): "FR_A75_20210101_recorded20251129.xml",
        },
    ),
    Case(
        "nyiso",
        ("US-NY-NYIS",),
        "2017-11-22T05:00Z",
        "2017-11-23T05:07Z",
        {("/20171122rtfuelmix.csv",): "20171122rtfuelmix.csv"},
    ),
    Case(
        "ieso",
        ("CA-ON",),
        "2023-09-01T05:00Z",
        "2023-09-02T05:07Z",
        {("PUB_GenOutputCapability_20230901",): "GenOutputCapability_20230901.xml"},
    ),
    Case(
        "openelectricity",
        ("AU-NSW",),
        "2025-07-10T11:15Z",
        "2025-07-11T11:16Z",
        {("/NSW1/power/",): "OPENNEM_AU-NSW.v4.json"},
    ),
)


def requested(source: Source, case: Case, ledger: Ledger) -> Iterator[str]:
    """The URLs that a refresh of an empty data directory requests."""
    since, now = parse_time(case.since), parse_time(case.now)
    for task in plan([source], case.zones, ledger=ledger, now=now, since=since):
        query = Query(task.kind, task.zones, task.span.start, task.span.end, now)
        for request in (each for group in source.requests(query) for each in group):
            bare = request.address.removeprefix(f"//{request.host}" if request.host else "")
            yield url_of(source, request.host).rstrip("/") + bare


@pytest.fixture(scope="module")
def played(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replaying]:
    """A replay of all cases; what is not recorded for them is not published."""
    folder = tmp_path_factory.mktemp("bodies")
    (folder / "none.txt").write_text("no data")
    lines = ["method,url,file,status"]
    for case in CASES:
        for file in case.files.values():
            shutil.copy(recorded / "fixtures" / case.source / file, folder)
        for url in requested(sources()[case.source], case, Ledger(folder / "ledger.sqlite")):
            found = [case.files[key] for key in case.files if all(part in url for part in key)]
            lines.append(
                f'GET,"{url}",{found[0]},200' if found else f'GET,"{url}",none.txt,404'
            )
    (folder / "requests.csv").write_text("\n".join(lines))
    with replaying(folder, now=CASES[0].now) as server:
        yield server


def refresh(home: Path, server: Replaying, case: Case) -> dict[str, str]:
    """Refresh a data directory from the replay; the settings with which it is used."""
    settings = {
        **server.leading_to(case.source),
        "GRIDTIDE_HOME": str(home),
        "GRIDTIDE_NOW": case.now,
        "GRIDTIDE_WORKERS": "1",
        "GRIDTIDE_ALLOW_RESTRICTED": "1",
    }
    server.set_now(case.now)
    words = ["refresh", "--zone", ",".join(case.zones), "--since", case.since]
    assert main([*words, "--model", "naive"], settings) == 0
    return settings


def command(
    words: Sequence[str], settings: Mapping[str, str], capsys: pytest.CaptureFixture[str]
) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*words, "--json"], dict(settings)) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def clock(case: Case) -> Clock:
    now: datetime = parse_time(case.now)
    return Clock(now)


@pytest.mark.recorded
@pytest.mark.parametrize("case", CASES, ids=str)
def test_recorded_bodies_lead_to_the_same_window_in_three_ways(
    case: Case, played: Replaying, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = refresh(tmp_path, played, case)
    assert not played.missing()
    with Asker(DataDirectory(tmp_path), clock(case)) as ask, Client(environ=settings) as sdk:
        for zone in case.zones:
            words = ["best-window", zone, "--hours", str(HOURS)]
            window = command(words, settings, capsys)
            assert window["zone"] == zone
            assert window["signal"] == "ci_lifecycle_produced"
            assert window["simulated"] is False
            assert 0 < window["mean"] < 800
            answer = ask(f"/v1/best-window?region={zone}&hours={HOURS}")
            assert answer.json() == window
            assert sdk.best_window(zone, hours=HOURS).to_json() == window


def test_simulated_bodies_lead_to_the_best_of_ten_cloud_regions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zones = sorted(REGIONS.values())
    case = Case("eia", zones, "2026-01-14T00:00Z", "2026-01-15T06:07Z", {})
    with replaying("--simulate", now=case.now) as server:
        settings = refresh(tmp_path, server, case)
    best = command(["best-region", *REGIONS, "--hours", str(HOURS)], settings, capsys)
    ranking = best["ranking"]
    assert {each["region"]: each["zone"] for each in ranking} == REGIONS
    assert best["region"] == ranking[0]["region"]
    means = [each["mean"] for each in ranking]
    assert means == sorted(means)
    assert all(each["simulated"] is True for each in ranking)
    with Client(environ=settings) as sdk:
        assert sdk.best_region(list(REGIONS), hours=HOURS).to_json() == best


def test_simulated_prices_lead_to_the_cheapest_window_ahead(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = Case("entsoe", ("DE", "FR"), "2026-01-14T00:00Z", "2026-01-15T13:07Z", {})
    with replaying("--simulate", now=case.now) as server:
        settings = refresh(tmp_path, server, case)
    words = ["best-region", *case.zones, "--hours", "2", "--objective", "cost"]
    best = command(words, settings, capsys)
    price = best["price"]
    assert (price["signal"], price["source"]) == ("price_eur", "entsoe")
    # Until midnight of tomorrow, UTC or in Berlin.
    assert price["until"] >= "2026-01-16T23:00:00Z"
    assert best["start"] < best["end"] <= price["until"]
    assert best["simulated"] is True
    with Client(environ=settings) as sdk:
        found = sdk.best_region(case.zones, hours=2, objective="cost")
        ahead = sdk.price("DE", start=case.now)
    assert found.to_json() == best
    assert parse_time(price["until"]) == ahead.until
