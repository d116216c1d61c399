"""What is special about REE: lettered hours, islands, wrapped bodies."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.errors import NothingYet, SourceChanged
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources.ree import parse, requests

DATA = Path(__file__).with_name("data") / "ree"
KNOWN_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def read(content: bytes, zone: str = "ES", address: str = "/written") -> pl.DataFrame:
    zones = (zone,) if zone else ()
    return parse([Body(Request("GET", address, zones=zones), content, KNOWN_AT, 7)])


def day(*rows: dict[str, object]) -> bytes:
    return b"null(" + json.dumps({"valoresHorariosGeneracion": rows}).encode() + b");"


def values(frame: pl.DataFrame) -> dict[str, float]:
    return dict(frame.filter(pl.col("signal") != "flow").select("signal", "value").rows())


def test_storage_is_net_and_sums_do_not_count_beside_their_parts() -> None:
    frame = read((DATA / "mainland.txt").read_bytes())
    first = frame.filter(pl.col("start") == datetime(2026, 2, 28, 23, tzinfo=UTC))
    said = values(first)
    # By hand: turb 800 + conb -300, bat 5 + consBat -2, termRenov 480 + cogenResto 1500.
    assert said["generation_hydro_storage"] == 500.0
    assert said["generation_hydro"] == 3500.0
    assert said["generation_battery_storage"] == 3.0
    assert said["generation_solar"] == 55.0
    assert said["generation_unknown"] == 1980.0
    assert said["load"] == 25000.0
    flows = dict(first.filter(pl.col("signal") == "flow").select("zone", "value").rows())
    assert flows == {"FR->ES": 800.0, "PT->ES": 200.0, "ES-IB-MA->ES": -150.0}
    assert set(first["end"] - first["start"]) == {5 * MINUTE}


def test_the_hour_that_is_there_twice_has_letters() -> None:
    frame = read((DATA / "autumn.txt").read_bytes()).filter(pl.col("signal") == "load")
    first = datetime(2026, 10, 24, 23, 55, tzinfo=UTC)
    assert frame["start"].to_list() == [
        first,
        first + 5 * MINUTE,
        first + 10 * MINUTE,
        first + 65 * MINUTE,
        first + 125 * MINUTE,
    ]


def test_on_the_canaries_it_is_the_hour_before() -> None:
    rows = [{"ts": f"2026-10-25 1{letter}:00", "eol": 100.0} for letter in "AB"]
    starts = read(day(*rows), "ES-CN-TE")["start"].to_list()
    assert starts == [datetime(2026, 10, 25, hour, tzinfo=UTC) for hour in (0, 1)]


def test_in_spring_an_hour_is_missing_and_a_time_in_it_is_refused() -> None:
    rows = [{"ts": f"2026-03-29 {label}", "nuc": 6000} for label in ("01:55", "03:00")]
    starts = read(day(*rows))["start"].to_list()
    assert starts[1] - starts[0] == 5 * MINUTE
    with pytest.raises(SourceChanged, match="does not name an instant"):
        read(day({"ts": "2026-03-29 02:30", "nuc": 6000}))


@pytest.mark.parametrize(
    ("zone", "wanted"),
    [
        ("ES-CN-TE", {"generation_oil": 60.0, "generation_hydro": 5.0}),
        ("ES-CN-HI", {"generation_oil": 60.0, "generation_hydro_storage": 5.0}),
        ("ES-IB-IZ", {"generation_gas": 60.0, "generation_hydro": 5.0}),
        ("ES-IB-ME", {"generation_oil": 30.0, "generation_gas": 30.0, "generation_hydro": 5.0}),
        ("ES-CE", {"generation_oil": 10.0, "generation_gas": 50.0, "generation_hydro": 5.0}),
    ],
)
def test_what_burns_depends_on_the_island(zone: str, wanted: dict[str, float]) -> None:
    row = {"ts": "2026-03-01 00:00", "die": 10, "gas": 20, "cc": 30, "gnhd": 5}
    assert values(read(day(row), zone)) == wanted


def test_two_islands_of_one_system_have_its_mix_as_an_estimate_and_no_load() -> None:
    frame = read(day({"ts": "2026-03-01 00:00", "die": 10, "dem": 12}), "ES-CN-LZ")
    assert frame.select("zone", "signal", "quality").rows() == [
        ("ES-CN-LZ", "generation_oil", "estimated")
    ]


def test_a_body_is_of_the_zone_that_was_requested_or_that_its_address_names() -> None:
    row = day({"ts": "2026-03-01 00:00", "die": 10})
    address = "https://demanda.ree.es/x?curva=MALLORCA5M&fecha=2026-03-01"
    assert set(read(row, "", address)["zone"]) == {"ES-IB-MA"}
    with pytest.raises(SourceChanged, match="without its name"):
        read(row, "")


def test_a_new_column_is_unknown_and_no_rows_are_nothing_yet() -> None:
    frame = read(day({"ts": "2026-03-01 00:00", "nuc": 6000, "fus": 7}))
    assert frame["flag"].drop_nulls().to_list() == ["unmapped_code:fus"]
    with pytest.raises(NothingYet):
        read(day())


def test_each_local_day_of_each_zone_is_one_request() -> None:
    start = datetime(2026, 7, 1, tzinfo=UTC)
    query = Query(Kind.GENERATION, ("ES", "ES-CN-TE"), start, start + timedelta(days=1), start)
    groups = requests(query)
    assert [dict(group[0].params) for group in groups] == [
        {"curva": "DEMANDAQH", "fecha": "2026-07-01"},
        {"curva": "DEMANDAQH", "fecha": "2026-07-02"},
        {"curva": "TENERIFE5M", "fecha": "2026-07-01"},
        {"curva": "TENERIFE5M", "fecha": "2026-07-02"},
    ]
    assert "Canarias" in groups[-1][0].path
