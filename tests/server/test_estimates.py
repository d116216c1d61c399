"""Zones whose mix is estimated: marked, with its uncertainty, in every answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import polars as pl
import pytest

from gridtide.cli.show import best_region, now
from gridtide.client import Client
from gridtide.errors import NoData
from gridtide.local import Host, LocalTransport
from gridtide.model import Signal
from gridtide.schema.summaries import summarize
from gridtide_pipelines.derive.factors import factor_set
from gridtide_pipelines.forecast.issue import forecast_zones
from gridtide_pipelines.ingest.flow import derive_pending
from gridtide_pipelines.refresh import publish_home
from gridtide_server.answers.estimates import estimates_of
from gridtide_store.estimates import estimated_zones
from tests.server.published import HOUR, NOW, Asker, FixedClock, Publisher, observed

DAYS = 8
START = NOW - timedelta(days=DAYS)
MANITOBA = estimated_zones()["CA-MB"]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    """Manitoba's flows and the mix of one neighbour; a mix of Ontario's own."""
    home = Publisher(tmp_path_factory.mktemp("home"))
    hours = DAYS * 24

    def series(zone: str, signal: str, base: float, swing: float, source: str) -> pl.DataFrame:
        values = [base + swing * ((hour % 24) - 12) for hour in range(hours)]
        return observed(zone, values, start=START, signal=signal, source=source)

    home.add(
        series("CA-MB->CA-ON", "flow", 200.0, 10.0, "ieso"),
        series("CA-MB->US-MIDW-MISO", "flow", 0.0, 60.0, "eia"),
        series("US-MIDW-MISO", "generation_coal", 300.0, 5.0, "eia"),
        series("US-MIDW-MISO", "generation_wind", 300.0, -5.0, "eia"),
        series("CA-ON", "generation_nuclear", 300.0, 0.0, "ieso"),
        series("CA-ON", "generation_gas", 100.0, 3.0, "ieso"),
    )
    derive_pending(home.store, factor_set())
    forecast_zones(home.store, home.home, NOW, zones=["CA-MB", "CA-ON"], model="naive")
    publish_home(home.store, home.ledger, home.home, FixedClock(NOW))
    yield home
    home.close()


@pytest.fixture
def ask(published: Publisher) -> Iterator[Asker]:
    with Asker(published.home, FixedClock(NOW)) as asker:
        yield asker


@pytest.fixture
def client(ask: Asker) -> Client:
    return Client("http://test", transport=LocalTransport(Host(ask.app)))


SPAN = f"start={START:%Y-%m-%dT%H:%MZ}&end={START + HOUR:%Y-%m-%dT%H:%MZ}"
PLAN = {"region": "CA-MB", "job": {"hours": 2}}
USE = {"region": "CA-MB", "start": START.isoformat(), "hours": 1, "power_kw": 1}


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("/v1/zones/CA-MB/intensity?max_age=99", None),
        (f"/v1/zones/CA-MB/intensity?{SPAN}&signal=ci_lifecycle_produced", None),
        (f"/v1/zones/CA/intensity?{SPAN}", None),
        ("/v1/zones/CA-MB/forecast", None),
        ("/v1/best-window?region=CA-MB&hours=2", None),
        ("/v1/best-region?region=CA-MB&hours=2", None),
        ("/v1/plan", PLAN),
        ("/v1/footprint", USE),
    ],
)
def test_every_answer_names_what_is_estimated(
    ask: Asker, address: str, body: dict[str, object] | None
) -> None:
    """With how far it may be off, and from what it was made."""
    said = ask.json(address) if body is None else ask.post(address, body)
    (estimate,) = said["estimates"]
    assert estimate["zone"] == "CA-MB"
    assert estimate["uncertainty"] >= MANITOBA.least["lifecycle"]
    assert estimate["basis"].startswith(
        "estimated from the mix of a year (Government of Canada"
    )
    assert "flows with CA-ON and US-MIDW-MISO" in estimate["basis"]
    assert "derived@ipcc_ar5/estimate" in said["source"]
    assert "IESO terms of use" in said["licence"]
    qualities = {slot.get("quality", "estimated") for slot in said.get("slots", ())}
    assert qualities <= {"estimated"}


def test_consumption_is_the_default_and_follows_the_hour(ask: Asker) -> None:
    said = ask.json("/v1/zones/CA-MB/intensity?start=2026-03-01T00:00Z&end=2026-03-02T00:00Z")
    assert said["signal"] == "ci_lifecycle_consumed"
    values = [slot["value"] for slot in said["slots"]]
    assert len(set(values)) > 12
    # Half of the largest value: as uncertain as the most uncertain of them.
    assert said["estimates"][0]["uncertainty"] == pytest.approx(max(values) / 2, abs=1e-3)


def test_only_estimated_values_are_uncertain() -> None:
    """A value beside them that was measured says nothing of them; other zones are not read."""
    signal = Signal.CI_LIFECYCLE_PRODUCED
    values = [
        (500.0, "own"),
        (100.0, "own, estimate"),
        (None, None),
        (float("nan"), "estimate"),
    ]
    (found,) = estimates_of("CA-MB", signal, values)
    assert found.uncertainty == 50.0
    assert estimates_of("CA-MB", signal, values[:1]) == ()
    unread = iter(values)
    assert estimates_of("CA-ON", signal, unread) == ()
    assert len(list(unread)) == len(values)


def test_zones_that_are_not_estimated_say_nothing_of_it(ask: Asker) -> None:
    assert ask.json("/v1/best-window?region=CA-ON&hours=2")["estimates"] == []
    assert ask.json("/v1/zones/CA-ON/intensity?max_age=99")["estimates"] == []


def test_the_sdk_and_the_command_line_mark_it(client: Client) -> None:
    latest = client.intensity("CA-MB", max_age=99)
    assert latest.estimates[0].zone == "CA-MB"
    assert latest.slots[0].quality == "estimated"
    assert "  quality  estimated" in now(latest)
    assert "  ESTIMATED: CA-MB, +/- " in now(latest)
    found = client.best_region(["CA-MB", "CA-ON"], hours=2)
    assert found.signal == "ci_lifecycle_produced"
    assert [(each.zone, bool(each.estimates)) for each in found.ranking] == [
        ("CA-MB", True),
        ("CA-ON", False),
    ]
    assert summarize(found).count("(estimated)") == 1
    shown = "\n".join(str(line) for line in best_region(found))
    assert shown.count("(estimated)") == 1


def test_the_country_counts_it_as_known(ask: Asker) -> None:
    said = ask.json(f"/v1/zones/CA/intensity?{SPAN}&signal=ci_lifecycle_produced")
    zones = {each["zone"]: each for each in said["aggregate"]["zones"]}
    assert {key for key, each in zones.items() if each["known_slots"]} == {"CA-MB", "CA-ON"}
    known = zones["CA-MB"]["load_share"] + zones["CA-ON"]["load_share"]
    assert said["aggregate"]["known_share"] == [pytest.approx(known, abs=1e-3)]
    assert said["slots"][0]["quality"] == "estimated"


def test_without_its_flows_it_says_what_is_lacking(ask: Asker, client: Client) -> None:
    with pytest.raises(NoData, match="estimated from its flows with CA-AB and US-NW-BPAT"):
        client.intensity("CA-BC")
    assert ask("/v1/best-window?region=CA-NL&hours=1").status_code == 404
