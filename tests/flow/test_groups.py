"""A source with one request a zone: each zone is stored, recorded and repeated by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import polars as pl
import pytest

from gridtide.clock import Clock
from gridtide.errors import NoData
from gridtide_pipelines.ingest.fetch import Fetcher
from gridtide_pipelines.ingest.source import Kind, Source
from gridtide_pipelines.ingest.sources import entsoe
from gridtide_pipelines.refresh import Report, refresh
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.settings import Settings
from gridtide_store.store import Store
from tests.final_days import final_days

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DATA = Path(__file__).parents[1] / "sources/data/entsoe"
CODES = {
    "10YAT-APG------L": "AT",
    "10YCH-SWISSGRIDZ": "CH",
    "10YFR-RTE------C": "FR",
    "10Y1001A1001A83F": "DE",
    "10YBE----------2": "BE",
    "10YNL----------L": "NL",
}
HTML = b"<html><body>Service unavailable</body></html>"


def document(code: str, params: httpx.QueryParams) -> bytes:
    """A day of wind and gas for each document type that is asked."""
    start = datetime.strptime(params["periodStart"], "%Y%m%d%H%M").replace(tzinfo=UTC)
    end = datetime.strptime(params["periodEnd"], "%Y%m%d%H%M").replace(tzinfo=UTC)
    end = min(end, NOW)
    hours = (end - start) // timedelta(hours=1)
    points = "".join(
        f"<Point><position>{i + 1}</position><quantity>{100 + i % 24}</quantity></Point>"
        for i in range(hours)
    )
    period = (
        f"<Period><timeInterval><start>{start:%Y-%m-%dT%H:%MZ}</start>"
        f"<end>{start + hours * timedelta(hours=1):%Y-%m-%dT%H:%MZ}</end></timeInterval>"
        f"<resolution>PT60M</resolution>{points}</Period>"
    )
    series = "".join(
        f"<TimeSeries><inBiddingZone_Domain.mRID>{code}</inBiddingZone_Domain.mRID>"
        f"<curveType>A01</curveType><MktPSRType><psrType>{psr}</psrType></MktPSRType>"
        f"{period}</TimeSeries>"
        for psr in ("B04", "B19")
    )
    return (
        f"<GL_MarketDocument><type>{params['documentType']}</type>"
        f"<process.processType>A16</process.processType>{series}</GL_MarketDocument>"
    ).encode()


class Publisher:
    """ENTSO-E as it answers each zone, and what it was asked."""

    def __init__(self, behaviour: dict[str, str]) -> None:
        self.behaviour, self.asked, self.now = behaviour, Counter[str](), NOW

    def __call__(self, request: httpx.Request) -> httpx.Response:
        params = request.url.params
        code = params["in_Domain"]
        zone = CODES[code]
        self.asked[zone] += 1
        headers = {"Date": format_datetime(self.now, usegmt=True)}
        match self.behaviour.get(zone):
            case "no data":
                ack = (DATA / "nothing_acknowledged.xml").read_bytes()
                return httpx.Response(400, content=ack, headers=headers)
            case "503":
                return httpx.Response(503, headers=headers)
            case "html":
                return httpx.Response(200, content=HTML, headers=headers)
            case "never":
                raise httpx.ReadTimeout("no byte", request=request)
        return httpx.Response(200, content=document(code, params), headers=headers)


def only_generation(source: Source) -> Source:
    """The source for its generation alone, one request at a time, so that it can be counted."""
    return replace(source, kinds=frozenset({Kind.GENERATION}), concurrency=1)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Report]:
    def refreshed(publisher: Publisher, now: datetime = NOW) -> Report:
        publisher.now = now
        settings = Settings.from_env({"ENTSOE_API_TOKEN": "a-secret-token"})
        home = DataDirectory(tmp_path / "home")
        clock = [0.0]

        def sleep(seconds: float) -> None:
            clock[0] += seconds

        fetch = Fetcher(
            settings,
            transport=httpx.MockTransport(publisher),
            sleep=sleep,
            monotonic=lambda: clock[0],
            now=lambda: now,
        )
        with fetch, writer_lock(home, "test", now):
            return refresh(
                home,
                settings,
                Clock(now),
                sources=[only_generation(entsoe.SOURCE)],
                zones=sorted(CODES.values()),
                since=now - timedelta(days=100),
                model="naive",
                fetch=fetch,
                progress=lambda *_: None,
            )

    return refreshed


def stored(home: Path) -> set[str]:
    with Store.open(DataDirectory(home)) as store:
        return set(store.series().get_column("zone").to_list())


def test_zones_that_fail_leave_the_others_and_the_next_run_heals(
    run: Callable[..., Report], tmp_path: Path
) -> None:
    publisher = Publisher({"BE": "no data", "CH": "503", "DE": "html", "FR": "never"})
    report = run(publisher)
    assert report.exit_code == 3
    assert {step.status for step in report.failed} == {"partly_failed"}
    message = report.failed[0].message
    assert "groups failed" in message
    assert "HTTP 503" in message
    assert "source_changed" not in message
    assert "entsoe [DE]: unexpected body" in message
    assert "a-secret-token" not in message
    assert stored(tmp_path / "home") == {"AT", "NL"}
    settled = final_days(
        Ledger(DataDirectory(tmp_path / "home").ledger), "entsoe", "generation"
    )
    assert set(settled) <= {"AT", "BE", "NL"}
    assert settled["AT"]

    healthy = Publisher({})
    assert run(healthy).exit_code == 0
    assert stored(tmp_path / "home") == set(CODES.values())
    # What was settled is not asked again: Austria only for the days that are still revised.
    assert healthy.asked["AT"] < healthy.asked["CH"]


def test_a_zone_that_failed_on_two_days_is_not_settled(
    run: Callable[..., Report], tmp_path: Path
) -> None:
    # An answer without data settles a day when it comes again on another day; a failure never.
    publisher = Publisher({"BE": "no data", "CH": "html"})
    for day in range(2):
        assert run(publisher, NOW + timedelta(days=day)).exit_code == 3
    settled = final_days(
        Ledger(DataDirectory(tmp_path / "home").ledger), "entsoe", "generation"
    )
    assert settled["BE"]
    assert "CH" not in settled


def test_a_source_that_fails_three_zones_in_a_row_is_left_for_this_run(
    run: Callable[..., Report],
) -> None:
    publisher = Publisher(dict.fromkeys(CODES.values(), "html"))
    with pytest.raises(NoData, match="unexpected body"):
        run(publisher)
    assert publisher.asked["FR"] == 0


def test_a_wrong_token_is_asked_once(run: Callable[..., Report]) -> None:
    class Refusing(Publisher):
        def __call__(self, request: httpx.Request) -> httpx.Response:
            self.asked["all"] += 1
            return httpx.Response(401, headers={"Date": "Mon, 02 Mar 2026 12:00:00 GMT"})

    publisher = Refusing({})
    with pytest.raises(NoData, match="ENTSOE_API_TOKEN"):
        run(publisher)
    assert publisher.asked == {"all": 1}


def test_the_mix_of_a_zone_becomes_its_intensity(
    run: Callable[..., Report], tmp_path: Path
) -> None:
    run(Publisher({}))
    with Store.open(DataDirectory(tmp_path / "home")) as store:
        series = store.series().filter(pl.col("zone") == "DE")
    assert {"ci_lifecycle_produced", "cfe_produced"} <= set(series["signal"])
