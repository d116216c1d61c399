"""Regions of Australia: sums that lack a part, storage by direction, flows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gridtide_pipelines.errors import SourceChanged
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources.openelectricity import SOURCE
from gridtide_pipelines.ingest.table import table

DATA = Path(__file__).with_name("data") / "openelectricity"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def bodies(name: str) -> list[Body]:
    return [Body(Request("GET", "/"), (DATA / name).read_bytes(), NOW, 1)]


def read(name: str, zone: str) -> list[tuple[str, str, float]]:
    """Minute, fuel and value of each row."""
    frame = table(SOURCE.parse(bodies(name)), SOURCE, zone, None)
    return [(time[11:16], fuel, round(value, 6)) for _, time, fuel, value in frame.iter_rows()]


def test_series_of_one_fuel_are_added_and_what_consumes_counts_negative() -> None:
    assert read("generation.json", "AU-NSW") == [
        ("00:00", "battery_storage", 5.0),
        ("00:00", "coal", 7002.5),
        ("00:00", "hydro", 26.0),
        ("00:00", "hydro_storage", -40.0),
        ("00:00", "solar", 1400.0),
        ("00:05", "battery_storage", -20.0),
        ("00:05", "coal", 7004.5),
        ("00:05", "hydro", -0.9),
        ("00:05", "hydro_storage", 0.0),
        ("00:05", "solar", 501.0),
    ]
    assert read("generation.json", "NSW1")[0] == ("00:00", "battery_storage", 5.0)


def test_solar_without_the_rooftops_is_printed_and_flagged_as_partial() -> None:
    frame = SOURCE.parse(bodies("generation.json"))
    flagged = frame.drop_nulls("flag")
    assert flagged.select("signal", "value", "flag").rows() == [
        ("generation_solar", 501.0, "partial")
    ]


def test_in_the_west_batteries_are_net_only_where_not_both_directions_are_there() -> None:
    rows = read("generation_of_the_wem.json", "AU-WA")
    assert [row for row in rows if row[1] == "battery_storage"] == [
        ("00:00", "battery_storage", 184.0),
        ("00:05", "battery_storage", -68.2),
    ]
    frame = SOURCE.parse(bodies("generation_of_the_wem.json"))
    assert set(frame["flag"].drop_nulls()) == {"unmapped_code:WAVE"}
    assert [value for _, fuel, value in rows if fuel == "unknown"] == [2.0, 3.0]


def test_demand_and_price_are_read_by_region() -> None:
    assert read("demand.json", "AU-VIC") == [
        ("00:00", "load", 5001.0),
        ("00:00", "price_aud", -12.5),
        ("00:05", "load", 5002.0),
        ("00:05", "price_aud", 80.25),
    ]


def test_the_file_of_a_region_has_its_mix_demand_price_and_flow() -> None:
    assert read("file_of_seven_days.json", "AU-QLD") == [
        ("00:00", "battery_storage", -4.5),
        ("00:00", "coal", 5757.0),
        ("00:00", "load", 7183.1),
        ("00:00", "price_aud", 81.5),
        ("00:05", "battery_storage", -0.5),
        ("00:05", "coal", 5707.0),
        ("00:05", "load", 7130.5),
        ("00:05", "price_aud", -75.8),
        ("00:05", "solar", 1700.0),
    ]
    assert read("file_of_seven_days.json", "AU-NSW->AU-QLD") == [
        ("00:00", "net_flow", -534.5),
        ("00:05", "net_flow", 7.0),
    ]


@pytest.mark.parametrize(
    ("zone", "path"),
    [
        ("AU-TAS", "/v4/stats/au/NEM/TAS1/power/7d.json"),
        ("AU-WA", "/v4/stats/au/WEM/power/7d.json"),
    ],
)
def test_each_region_has_a_file(zone: str, path: str) -> None:
    ((request,),) = SOURCE.requests(Query(Kind.GENERATION, (zone,), NOW, NOW, NOW))
    assert request.path == path


def test_a_series_of_too_many_values_is_refused() -> None:
    values = ",".join(["1"] * 9001)
    history = f'{{"start": "2026-03-01T00:00:00+10:00", "interval": "5m", "data": [{values}]}}'
    entry = f'{{"id": "x", "type": "power", "region": "NSW1", "history": {history}}}'
    with pytest.raises(SourceChanged, match="more than 9000 values"):
        SOURCE.parse([Body(Request("GET", "/"), f'{{"data": [{entry}]}}'.encode(), NOW, 1)])


def test_rooftops_of_half_hours_are_added_to_the_mean_of_the_plants() -> None:
    def series(code: str, interval: str, data: list[float | None]) -> dict[str, object]:
        history = {"start": "2026-03-01T10:00:00+10:00", "interval": interval, "data": data}
        return {"type": "power", "fuel_tech": code, "region": "nsw1", "history": history}

    plants = [*(10.0, 20.0, 30.0, 40.0, 50.0, 60.0), *(7.0, None, 7.0, 7.0, 7.0, 7.0), 8.0]
    entries = [
        series("solar_utility", "5m", plants),
        series("solar_rooftop", "30m", [100.0, 200.0]),
        series("wind", "5m", plants),
    ]
    content = json.dumps({"data": entries}).encode()
    frame = SOURCE.parse([Body(Request("GET", "/"), content, NOW, 1)])
    rows = frame.select("signal", "start", "end", "value", "flag").rows()
    solar = [
        (f"{start:%H:%M}", f"{end:%H:%M}", value, flag)
        for signal, start, end, value, flag in rows
        if signal == "generation_solar"
    ]
    assert solar == [
        ("00:00", "00:30", 135.0, None),
        ("00:30", "01:00", 200.0, "partial"),
        ("01:00", "01:05", 8.0, "partial"),
    ]
    assert len([signal for signal, *_ in rows if signal == "generation_wind"]) == 13
