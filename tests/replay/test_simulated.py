"""Simulated bodies are read by the parsers of the real ones, and hold the simulated values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from gridtide_pipelines.errors import NothingYet, SourceChanged
from gridtide_pipelines.ingest.normalize import Normalized, normalize
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request, Source
from gridtide_pipelines.ingest.spans import span_of, within
from gridtide_pipelines.replay.publisher import plain_publisher
from gridtide_pipelines.replay.values import grid_of, mix
from gridtide_pipelines.simulation.zones import GRIDS
from gridtide_store import catalogue
from gridtide_store.vocabulary import generation
from tests.replay.playing import PUBLISHERS, SIMULATED, SOURCES, bodies_of

NOW = datetime(2026, 3, 2, 12, 7, tzinfo=UTC)
START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
# Files of six months are read at their beginning, by test_every_publisher.py.
PLAYED = [
    (name, kind)
    for name in SIMULATED
    if not SOURCES[name].bulk
    for kind in sorted(SOURCES[name].kinds)
]
# Beside their values some repeat what they had forecast; EIA files some hours under another
# label, and authorities that are not zones belong to zones; Statnett has one table of all
# countries, NEMWEB one of all regions; rooftops are missing in the WEM, and late in the NEM.
FLAGS = {
    **{each: {"hindsight"} for each in ("caiso", "eirgrid", "isone", "miso", "nyiso", "rte")},
    "uk_carbon_intensity": {"hindsight"},
    "eia": {"corrected", "outside"},
    "aemo": {"outside", "partial"},
    "statnett": {"outside"},
    "aemo_wem": {"partial"},
}


def retrieve(
    source: Source,
    kind: Kind,
    zones: tuple[str, ...],
    start: datetime = START,
    without: tuple[str, ...] = (),
) -> list[list[Body]]:
    """The bodies of each group that the source requests."""
    return list(bodies_of(source, Query(kind, zones, start, NOW, NOW), without))


def read(source: Source, kind: Kind, zones: tuple[str, ...]) -> list[Normalized]:
    ahead = kind is Kind.FORECAST
    start = NOW if ahead else START - max(timedelta(0), source.lag - HOUR * 24)
    query = Query(kind, zones, start, NOW + source.ahead if ahead else NOW, NOW)
    span = span_of(source, query)
    return [
        normalize(within(source, source.parse(bodies), span), source, bodies, span=span)
        for bodies in bodies_of(source, query)
    ]


@pytest.mark.parametrize(("name", "kind"), PLAYED)
def test_every_kind_is_read_without_an_anomaly(name: str, kind: Kind) -> None:
    source = SOURCES[name]
    zones = tuple(sorted(source.zones))[:3]
    groups = read(source, kind, zones)
    assert groups
    for found in groups:
        rows = found.forecasts if kind is Kind.FORECAST else found.observations
        assert rows.height
        assert not found.refused
        odd = {each.partition(":")[0] for each in found.flags}
        assert odd <= FLAGS.get(name, set())


@pytest.mark.parametrize(
    ("name", "zone", "length"),
    [
        ("eia", "US-CAL-CISO", HOUR),
        ("eia", "US-TEX-ERCO", HOUR),
        ("eia", "US-MIDA-PJM", HOUR),
        ("entsoe", "FR", HOUR),
        ("entsoe", "DE", HOUR / 4),
        ("entsoe", "FI", HOUR),
    ],
)
def test_a_mix_is_that_of_the_simulated_grid(name: str, zone: str, length: timedelta) -> None:
    (found,) = read(SOURCES[name], Kind.GENERATION, (zone,))
    rows = found.observations.filter(pl.col("slot_start") >= START)
    truth = mix(zone, START, NOW, length)
    fuels = [each for each in truth.columns if each not in ("start", "end")]
    assert set(rows["signal"]) == {
        # EIA has no code for biomass.
        generation("unknown" if (name, fuel) == ("eia", "biomass") else fuel)
        for fuel in fuels
    }
    for fuel in set(fuels) - {"biomass"}:
        values = rows.filter(pl.col("signal") == generation(fuel)).sort("slot_start")
        # The first slot of an authority that files it early is in the request before.
        true = truth.filter(pl.col("start") >= values["slot_start"].min())
        assert true.height >= truth.height - 1
        assert values["slot_start"].to_list() == true["start"].to_list()
        assert values["value"].to_list() == pytest.approx(true[fuel].to_list(), abs=0.5)


def test_a_zone_without_a_grid_of_its_own_has_the_nearest_one_with_its_own_weather() -> None:
    own = {grid.zone: grid for grid in GRIDS}
    assert grid_of("DE") is own["DE"]
    found = grid_of("NL")
    assert (found.zone, found.timezone) == ("NL", "Europe/Amsterdam")
    assert found.capacity_mw.keys() == own["DE"].capacity_mw.keys()
    assert found.demand_mw < own["DE"].demand_mw
    both = [mix(zone, START, NOW, HOUR)["wind"].to_list() for zone in ("DE", "NL")]
    assert both[0] != both[1]


def test_a_flow_is_reported_alike_from_both_ends() -> None:
    source = SOURCES["entsoe"]
    groups = retrieve(source, Kind.FLOW, ("DE", "FR"))
    (bodies,) = (
        each for each in groups if {"DE", "FR"} == {z for b in each for z in b.request.zones}
    )
    assert len(bodies) == 2
    values = source.parse(bodies)["value"].to_list()
    assert any(values)
    assert all(abs(value) < 5000 for value in values)


def test_a_value_that_repeats_is_left_out_of_a_curve() -> None:
    ((body,),) = retrieve(SOURCES["entsoe"], Kind.GENERATION, ("FR",))
    text = body.content.decode()
    assert "<curveType>A03</curveType>" in text
    assert "<curveType>A01</curveType>" not in text
    night = text.partition("<psrType>B16</psrType>")[2].partition("</Period>")[0]
    # The sun is down at first: after the first position comes the one of sunrise.
    assert "<position>1</position>" in night
    assert "<position>2</position>" not in night
    assert "<quantity>0</quantity>" in night


def test_pages_of_a_long_answer_have_every_row_once() -> None:
    source = SOURCES["eia"]
    zones = tuple(sorted(source.zones))
    groups = retrieve(source, Kind.GENERATION, zones, NOW - timedelta(days=2))
    assert max(map(len, groups)) > 1
    rows = pl.concat([source.parse(bodies) for bodies in groups])
    assert not rows.select("zone", "signal", "start").is_duplicated().any()
    assert set(rows["zone"]) >= set(zones)
    assert not rows["flag"].drop_nulls().len()


def test_a_zone_that_is_left_out_has_no_rows() -> None:
    source = SOURCES["eia"]
    zones = ("US-CAL-CISO", "US-MIDA-PJM")
    ((body,),) = retrieve(source, Kind.LOAD, zones, without=zones[:1])
    assert set(source.parse([body])["zone"]) == {"US-MIDA-PJM"}


@pytest.mark.parametrize("name", SIMULATED)
def test_no_data_and_refusals_are_read_as_what_they_are(name: str) -> None:
    source, publisher = SOURCES[name], PUBLISHERS[name]
    request = Request("GET", "/", zones=tuple(sorted(source.zones))[:1])
    if publisher.no_data.status not in source.not_published:
        with pytest.raises(NothingYet):
            source.parse([Body(request, publisher.no_data.content, NOW, 0)])
    with pytest.raises(SourceChanged):
        source.parse([Body(request, publisher.refusal.content, NOW, 0)])


def test_a_source_without_a_module_finds_zones_by_their_codes() -> None:
    publisher = plain_publisher(SOURCES["eia"])
    request = Request("GET", "/v1/PJM", (("ba", "CISO"), ("day", "2026-03-02")))
    assert publisher.describe(request) == (None, ["US-MIDA-PJM", "US-CAL-CISO"])
    assert publisher.simulate(request, (), NOW) is None
    alone = plain_publisher(SOURCES["uk_carbon_intensity"])
    assert alone.describe(Request("GET", "/x")) == (None, ["GB"])


def test_every_zone_that_has_a_source_has_one_that_is_simulated() -> None:
    simulated = set(SIMULATED)
    zones = catalogue.load().zones.values()
    left = [each.key for each in zones if each.sources and simulated.isdisjoint(each.sources)]
    assert left == []
