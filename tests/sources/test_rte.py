"""What is special about RTE's eco2mix: half hours among quarters, parts of hydro, prices."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gridtide_pipelines.errors import SourceChanged
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources.rte import parse, requests

DATA = Path(__file__).with_name("data") / "rte"
KNOWN_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def read(content: bytes) -> pl.DataFrame:
    return parse([Body(Request("GET", "/written"), content, KNOWN_AT, 7)])


def written(name: str) -> pl.DataFrame:
    return read((DATA / name).read_bytes())


def values(frame: pl.DataFrame, signal: str) -> list[Any]:
    rows = frame.filter(pl.col("signal") == signal, pl.col("issued_at").is_null())
    return rows.sort("start")["value"].to_list()


def test_hydro_is_what_flows_and_storage_the_net_of_pumping() -> None:
    frame = written("quarters.json")
    assert values(frame, "generation_hydro") == [5300.0] * 3
    assert values(frame, "generation_hydro_storage") == [-600.0] * 3
    assert values(frame, "generation_battery_storage") == [-15.0] * 3
    assert values(frame, "generation_gas") == [2100.0, 2101.0, 2102.0]
    assert values(frame, "generation_solar") == [0.0, 0.0, None]
    assert values(frame, "ci_direct_produced") == [24.0] * 3
    assert set(frame["end"] - frame["start"]) == {timedelta(minutes=15)}


def test_slots_are_of_half_an_hour_where_every_second_quarter_is_empty() -> None:
    frame = written("half_hours.json").filter(pl.col("issued_at").is_null())
    assert set(frame["start"].dt.minute()) == {0, 30}
    assert set(frame["end"] - frame["start"]) == {timedelta(minutes=30)}


def test_without_its_parts_the_whole_of_hydro_counts() -> None:
    frame = written("version_1.json")
    assert values(frame, "generation_hydro") == [5600.0]
    assert values(frame, "generation_hydro_storage") == [-900.0]
    assert set(frame["start"]) == {datetime(2026, 3, 1, tzinfo=UTC)}


def test_the_forecast_of_the_day_counts_before_that_of_the_day_before() -> None:
    ahead = written("quarters.json").filter(pl.col("issued_at").is_not_null())
    assert ahead["value"].to_list() == [51800.0] * 4
    assert set(ahead["issued_at"]) == {KNOWN_AT}


def test_prices_follow_the_day_of_23_hours() -> None:
    prices = written("prices.xml").filter(pl.col("zone") == "FR").sort("start")
    assert prices["value"].to_list() == [40.0 + i for i in range(23)]
    assert prices["start"][0] == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert prices["start"][-1] == datetime(2026, 3, 29, 21, tzinfo=UTC)
    assert set(written("prices.xml")["zone"]) == {"DE", "FR"}


@pytest.mark.parametrize(("count", "minutes"), [(25, 60), (100, 15)])
def test_prices_follow_the_day_of_25_hours(count: int, minutes: int) -> None:
    one = "".join(f"<valeur periode='{i}'>{i}</valeur>" for i in range(count))
    text = f"<type v='donneesMarche' perimetre='FR'>{one}</type>"
    day = f"<liste><donneesMarche date='2026-10-25'>{text}</donneesMarche></liste>"
    prices = read(day.encode()).sort("start")
    length = timedelta(minutes=minutes)
    first = datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert prices["start"].to_list() == [first + i * length for i in range(count)]
    assert prices["value"].to_list() == [float(i) for i in range(count)]
    with pytest.raises(SourceChanged):  # a day of that length has no such number
        read(re.sub("2026-10-25", "2026-10-26", day).encode())


def test_of_older_days_the_consolidated_values_are_requested_last() -> None:
    start = KNOWN_AT - timedelta(days=40)
    query = Query(Kind.GENERATION, ("FR",), start, start + timedelta(days=1), KNOWN_AT)
    ((real_time, consolidated), *_) = requests(query)
    assert "eco2mix-national-tr" in real_time.path
    assert "eco2mix-national-cons-def" in consolidated.path
    (only,) = requests(
        Query(Kind.GENERATION, ("FR",), KNOWN_AT - timedelta(days=1), KNOWN_AT, KNOWN_AT)
    )
    assert len(only) == 1


def records(*rows: tuple[str, float | None, float | None]) -> bytes:
    """The answer of the publisher: minutes after 10:00 UTC, wind and load."""
    return json.dumps(
        [
            {
                "date_heure": f"2026-01-05T10:{minute}:00+00:00",
                "eolien": wind,
                "consommation": load,
            }
            for minute, wind, load in rows
        ]
    ).encode()


def test_a_consolidated_day_replaces_the_real_time_one_without_overlap() -> None:
    real = records(*((each, 100.0, 5.0) for each in ("00", "15", "30", "45")))
    consolidated = records(
        ("00", 90.0, 6.0), ("15", None, 7.0), ("30", 91.0, 8.0), ("45", None, 9.0)
    )
    request = Request("GET", "/x")
    bodies = [
        Body(request, content, KNOWN_AT, number)
        for number, content in enumerate((real, consolidated))
    ]
    frame = parse(bodies).sort("start")
    half, quarter = timedelta(minutes=30), timedelta(minutes=15)
    wind = frame.filter(signal="generation_wind")
    assert wind["value"].to_list() == [90.0, 91.0]
    assert (wind["end"] - wind["start"]).to_list() == [half, half]
    load = frame.filter(signal="load")  # its quarters have values
    assert load["value"].to_list() == [6.0, 7.0, 8.0, 9.0]
    assert (load["end"] - load["start"]).to_list() == [quarter] * 4


def test_a_consolidated_day_without_a_value_replaces_nothing() -> None:
    real = records(("00", 100.0, 5.0), ("15", 101.0, 5.0))
    request = Request("GET", "/x")
    bodies = [
        Body(request, content, KNOWN_AT, number)
        for number, content in enumerate((real, records(("00", None, None))))
    ]
    wind = parse(bodies).filter(signal="generation_wind").sort("start")
    assert wind["value"].to_list() == [100.0, 101.0]
    assert set(wind["end"] - wind["start"]) == {timedelta(minutes=15)}


def test_regions_are_zones_of_their_own_and_wind_may_be_of_two_parts() -> None:
    common = {"date_heure": "2026-03-01T00:00:00+00:00", "solaire": 0, "thermique": 90}
    records = [
        common | {"code_insee_region": "11", "libelle_region": "Ile-de-France", "eolien": 100},
        common | {"code_insee_region": "84", "eolien_terrestre": 40, "eolien_offshore": "0"},
    ]
    frame = read(json.dumps(records).encode())
    assert frame.select("zone", "signal", "value").rows() == [
        ("FR:11", "generation_solar", 0.0),
        ("FR:11", "generation_unknown", 90.0),
        ("FR:11", "generation_wind", 100.0),
        ("FR:84", "generation_solar", 0.0),
        ("FR:84", "generation_unknown", 90.0),
        ("FR:84", "generation_wind", 40.0),
    ]


def test_a_body_of_one_region_replaces_nothing_of_another() -> None:
    regions = (("11", 10.0, ("00", "15")), ("84", 20.0, ("00", "30")))
    bodies = [
        Body(
            Request("GET", "/x"),
            json.dumps(
                [
                    {
                        "code_insee_region": region,
                        "date_heure": f"2026-03-01T00:{minute}:00+00:00",
                        "eolien": wind,
                    }
                    for minute in minutes
                ]
            ).encode(),
            KNOWN_AT,
            number,
        )
        for number, (region, wind, minutes) in enumerate(regions)
    ]
    merged = [row for body in bodies for row in json.loads(body.content)]
    both = parse(bodies).sort("zone", "start")
    assert both["zone"].to_list() == ["FR:11", "FR:11", "FR:84", "FR:84"]
    quarter, half = timedelta(minutes=15), timedelta(minutes=30)
    assert (both["end"] - both["start"]).to_list() == [quarter, quarter, half, half]
    # One body of both says the same.
    one = read(json.dumps(merged).encode()).sort("zone", "start")
    columns = ("zone", "signal", "start", "end", "value")
    assert one.select(columns).equals(both.select(columns))


@pytest.mark.parametrize(
    ("change", "value", "flag"),
    [
        ({"eolien": None}, 6000.0, None),
        ({"eolien": "ND", "eolien_offshore": None}, 5500.0, "partial"),
        ({"eolien_offshore": None}, 6000.0, None),
        ({"eolien": None, "eolien_offshore": None, "eolien_terrestre": "-"}, None, None),
    ],
)
def test_wind_is_its_parts_where_the_whole_is_not_given(
    change: dict[str, Any], value: float | None, flag: str | None
) -> None:
    record = {**json.loads((DATA / "quarters.json").read_bytes())[0], **change}
    wind = read(json.dumps([record]).encode()).filter(pl.col("signal") == "generation_wind")
    assert wind.select("value", "flag").rows() == [(value, flag)]


def test_the_whole_of_wind_is_not_added_to_its_parts_in_another_record_or_body() -> None:
    whole, parts = json.loads((DATA / "quarters.json").read_bytes())[:2]
    whole |= {"eolien_terrestre": None, "eolien_offshore": None}
    parts["eolien"] = None
    frame = read(json.dumps([whole, parts]).encode())
    wind = frame.filter(pl.col("signal") == "generation_wind")
    assert wind.select("value", "flag").rows() == [(6000.0, None)] * 2
    parts |= {"date_heure": whole["date_heure"], "eolien_offshore": "400"}
    for records, value in (((whole, parts), 5900.0), ((parts, whole), 6000.0)):
        contents = [json.dumps([each]).encode() for each in records]
        bodies = [Body(Request("GET", "/x"), each, KNOWN_AT, 7) for each in contents]
        assert values(parse(bodies), "generation_wind") == [value]


@pytest.mark.parametrize("code", ["stockage_batterie", "destockage_batterie"])
def test_batteries_that_charge_or_discharge_alone_are_partial(code: str) -> None:
    record = json.loads((DATA / "quarters.json").read_bytes())[0]
    del record[code]
    frame = read(json.dumps([record]).encode())
    battery = frame.filter(pl.col("signal") == "generation_battery_storage")
    assert battery["flag"].to_list() == ["partial"]


def test_the_whole_of_hydro_is_not_added_to_its_parts_in_another_body() -> None:
    parts, whole = ((DATA / name).read_bytes() for name in ("quarters.json", "version_1.json"))
    for contents, hydro, storage in (
        ((parts, whole), 5600.0, -900.0),
        ((whole, parts), 5300.0, -600.0),
    ):
        bodies = [Body(Request("GET", "/x"), each, KNOWN_AT, 7) for each in contents]
        frame = parse(bodies)
        assert values(frame, "generation_hydro")[0] == hydro
        assert values(frame, "generation_hydro_storage")[0] == storage


@pytest.mark.parametrize("name", ["half_hours.json", "quarters.json", "version_1.json"])
def test_neither_the_load_nor_its_forecast_is_partial(name: str) -> None:
    flags = written(name).filter(pl.col("signal") == "load")["flag"].to_list()
    assert flags == [None] * len(flags) != []
