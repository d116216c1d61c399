"""The Australian NEM: units by region, rooftops once, links by border, listings."""

from __future__ import annotations

import importlib.util
import io
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gridtide_pipelines.errors import SourceChanged
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources import aemo_values
from gridtide_pipelines.ingest.sources.aemo import SOURCE
from gridtide_pipelines.ingest.sources.aemo_values import units
from gridtide_pipelines.ingest.table import table

DATA = Path(__file__).with_name("data") / "aemo"
ROOT = Path(__file__).parents[2]
DAY = timedelta(days=1)
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # 22:00 in market time


def content(name: str) -> bytes:
    return (DATA / name).read_bytes()


def bodies(*contents: bytes) -> list[Body]:
    return [Body(Request("GET", "/"), each, NOW, n) for n, each in enumerate(contents)]


def read(zone: str, *contents: bytes) -> list[tuple[str, str, float]]:
    """Time of day, fuel and value of each row."""
    rows = table(SOURCE.parse(bodies(*contents)), SOURCE, zone, None)
    return [(time[11:16], fuel, value) for _, time, fuel, value in rows.iter_rows()]


def test_units_are_added_by_region_and_fuel_and_loads_count_negative() -> None:
    scada = content("generation_scada.csv")
    assert read("AU-NSW", scada) == [
        ("00:30", "coal", 1210.5),
        ("00:30", "hydro", 300.0),
        ("00:30", "hydro_storage", -250.0),
        ("00:30", "solar", 80.25),
    ]
    assert read("SA1", scada) == [
        ("00:30", "battery_storage", -2.5),
        ("00:30", "gas", -0.4),
        ("00:30", "wind", 98.3),
    ]
    frame = SOURCE.parse(bodies(scada))
    odd = frame.filter(frame["flag"].is_not_null()).select("zone", "signal", "flag")
    assert odd.rows() == [
        ("NEWUNIT1", "generation_unknown", "unmapped_code:NEWUNIT1"),
        ("AU-NSW", "generation_solar", "partial"),  # the rooftops are missing
    ]


def test_rooftops_are_added_once_to_each_five_minutes_of_their_half_hour() -> None:
    scada, roofs = content("generation_scada.csv"), content("generation_rooftop.csv")
    solar = [row for row in read("AU-NSW", scada, roofs) if row[1] == "solar"]
    assert solar == [("00:30", "solar", 80.25 + 2100.5)]  # the measured ones, not all three
    flags = SOURCE.parse(bodies(scada, roofs))["flag"].drop_nulls().to_list()
    assert flags == ["unmapped_code:NEWUNIT1"]
    assert read("AU-NSW", roofs) == [("00:30", "solar", 2100.5)]
    assert read("AU-VIC", content("generation_rooftop_later_columns.csv")) == [
        ("00:30", "solar", 1200.0)
    ]


def test_a_sum_that_lacks_a_unit_is_partial_and_without_any_a_gap() -> None:
    whole = content("generation_scada.csv")
    later = whole.replace(b"10:35:00", b"10:40:00")
    last = whole.replace(b"10:35:00", b"10:45:00")
    lines = later.splitlines(keepends=True)
    lacking = b"".join(
        each for each in lines if b",BW02," not in each and b",HDWF2" not in each
    )

    def mix(*reports: bytes) -> dict[tuple[str, str, str], tuple[Any, Any]]:
        frame = SOURCE.parse(bodies(*reports))
        rows = frame.select("zone", "signal", "start", "value", "flag").rows()
        return {
            (zone, signal[11:], f"{at:%H:%M}"): (value, flag)
            for zone, signal, at, value, flag in rows
        }

    for reports in ((whole, lacking, last), (whole, lacking), (lacking, last)):
        found = mix(*reports)
        assert found["AU-NSW", "coal", "00:35"] == (600.5, "partial")
        assert found["AU-SA", "wind", "00:35"] == (None, None)
        assert found["AU-NSW", "hydro", "00:35"] == (300.0, None)
    assert found["AU-NSW", "coal", "00:40"] == (1210.5, None)
    # Hours later it may have been shut down.
    far = lacking.replace(b"10:40:00", b"12:40:00")
    assert mix(whole, far)["AU-NSW", "coal", "02:35"] == (600.5, None)


def test_a_region_without_solar_plants_has_the_rooftops_alone() -> None:
    scada = content("generation_scada.csv").replace(b"HDWF2", b"MUSSELR1")
    roofs = content("generation_rooftop.csv").replace(b"QLD1", b"TAS1")
    assert read("AU-TAS", scada, roofs) == [
        ("00:30", "solar", 1500.0),
        ("00:30", "wind", 98.3),
    ]
    frame = SOURCE.parse(bodies(scada))
    solar = frame.filter(frame["zone"] == "AU-TAS", frame["signal"] == "generation_solar")
    assert solar.select("value", "flag").rows() == [(None, None)]


def test_flows_and_demand_are_those_of_an_intervention_and_prices_are_not() -> None:
    report = content("load_price_flow.csv")
    assert read("AU-NSW", report) == [("00:30", "load", 7116.32), ("00:30", "price_aud", -12.5)]
    assert read("AU-NSW->AU-QLD", report) == [("00:30", "net_flow", -422.0)]
    assert read("AU-NSW->AU-VIC", report) == [("00:30", "net_flow", -731.5)]
    assert read("AU-SA->AU-VIC", report) == [("00:30", "net_flow", 50.0)]
    assert read("AU-TAS->AU-VIC", report) == [("00:30", "net_flow", 416.25)]
    flags = SOURCE.parse(bodies(report))["flag"].drop_nulls().to_list()
    assert flags == ["unmapped_code:N-S-NEW"]


def test_trading_intervals_were_half_hours_until_october_2021() -> None:
    frame = SOURCE.parse(bodies(content("price_of_trading.csv")))
    lengths = [end - start for start, end in frame.select("start", "end").iter_rows()]
    assert lengths == [timedelta(minutes=30), timedelta(minutes=5)]


def test_a_forecast_is_issued_when_it_was_made() -> None:
    frame = SOURCE.parse(bodies(content("forecast_load.csv")))
    assert frame["issued_at"].unique().to_list() == [
        datetime(2026, 3, 2, 11, 27, 41, tzinfo=UTC)
    ]
    assert read("AU-NSW", content("forecast_load.csv")) == [("11:30", "forecast_load", 8407.0)]


@pytest.mark.parametrize("day", ["2026/04/05", "2026/10/04"])
def test_days_of_a_change_of_clocks_in_sydney_have_24_hours_of_market_time(day: str) -> None:
    lines = content("generation_rooftop_later_columns.csv").decode().splitlines()
    ends = [f"{hour:02}:{minute:02}:00" for hour in range(24) for minute in (0, 30)][1:]
    rows = [lines[2].replace("2026/03/02 11:00:00", f"{day} {end}") for end in ends]
    report = "\n".join([*lines[:2], *rows, lines[-1]]).encode()
    found = [time for time, _, _ in read("AU-VIC", report)]
    first = datetime(2026, 1, 1, 14, 0, tzinfo=UTC)
    assert found == [f"{first + n * timedelta(minutes=30):%H:%M}" for n in range(47)]


def packed(*files: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in files:
            archive.writestr(name, each)
    return out.getvalue()


def test_the_archive_of_a_day_is_a_zip_of_zips() -> None:
    scada = content("generation_scada.csv")
    later = scada.replace(b"10:35:00", b"10:40:00")
    day = packed(("1.zip", packed(("a.CSV", scada))), ("2.zip", packed(("b.CSV", later))))
    assert [row[0] for row in read("AU-NSW", day) if row[1] == "coal"] == ["00:30", "00:35"]
    with pytest.raises(SourceChanged, match="ZIP in a ZIP in a ZIP"):
        read("AU-NSW", packed(("3.zip", day)))


@pytest.mark.parametrize(
    "broken",
    [b'C,"END OF REPORT",13', b"I,DISPATCH,UNIT_SCADA", b",TUMUT3,300,"],
    ids=["no end", "no columns", "a field less"],
)
def test_a_report_that_is_cut_short_is_refused(broken: bytes) -> None:
    whole = content("generation_scada.csv")
    assert broken in whole
    with pytest.raises(SourceChanged):
        read("AU-NSW", whole.replace(broken, b",TUMUT3," if b"TUMUT" in broken else b""))


def test_the_day_under_way_is_read_from_its_newest_files_and_others_from_the_archive() -> None:
    query = Query(Kind.GENERATION, ("AU-NSW",), NOW - timedelta(days=1), NOW, NOW)
    groups = SOURCE.requests(query)
    assert [[request.path for request in group] for group in groups] == [
        ["/Reports/Archive/Dispatch_SCADA/", "/Reports/Current/ROOFTOP_PV/ACTUAL/"],
        ["/Reports/Current/Dispatch_SCADA/", "/Reports/Current/ROOFTOP_PV/ACTUAL/"],
    ]
    now = Body(groups[1][0], content("nothing_but_a_listing.html"), NOW, 1)
    found = [request.path.split("_")[-2] for request in SOURCE.following([now])]
    assert found == ["202603022155", "202603022200"]
    past = Body(groups[0][0], content("nothing_but_a_listing_of_archives.html"), NOW, 1)
    names = [request.path.rpartition("/")[2] for request in SOURCE.following([past])]
    assert names == [
        "PUBLIC_DISPATCHSCADA_20260301.zip",
        "PUBLIC_TRADINGIS_20260301_20260307.zip",
    ]
    assert SOURCE.following(bodies(content("generation_scada.csv"))) == ()


def listing(name: str, *stamps: str) -> bytes:
    link = '<A HREF="/Reports/Current/{0}/PUBLIC_{0}_{1}_0000000348260618.zip">x</A>'
    head = f"<html><head><title>nemweb.com.au - /Reports/Current/{name}/</title></head>"
    links = "".join(link.format(name, stamp) for stamp in stamps)
    return f"{head}<body>{links}</body></html>".encode()


def test_of_a_day_that_is_over_no_file_of_the_next_is_fetched() -> None:
    midnight = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
    stamps = ("202603022315", "202603030000", "202603030005", "202603030010")
    for minutes, mine in ((10, ["202603022315", "202603030000"]), (170, [])):
        now = midnight + timedelta(minutes=minutes)
        query = Query(Kind.GENERATION, ("AU-NSW",), midnight - timedelta(hours=9), now, now)
        over, under_way = SOURCE.requests(query)
        found = [
            [
                request.path.split("_")[-2]
                for request in SOURCE.following([Body(group[0], content, now, 1)])
            ]
            for group in (over, under_way)
            for content in [listing("DISPATCHSCADA", *stamps)]
        ]
        assert found == [mine, list(stamps[2:]) if minutes == 10 else []]
    # A file of rooftops has the half hour that ended half an hour before its stamp.
    roofs = listing("ROOFTOP_PV_ACTUAL_MEASUREMENT", "20260303003000", "20260303010000")
    now = midnight + timedelta(minutes=70)
    query = Query(Kind.GENERATION, ("AU-NSW",), midnight - timedelta(hours=9), now, now)
    over, _ = SOURCE.requests(query)
    (request,) = SOURCE.following([Body(over[1], roofs, now, 1)])
    assert "20260303003000" in request.path


def test_the_units_of_an_archived_day_come_with_the_rooftops_of_all_of_it() -> None:
    # The query begins at midnight UTC, ten hours into the day of the market.
    start = datetime(2026, 3, 1, tzinfo=UTC)
    # A file of rooftops has the half hour that ended half an hour before its stamp.
    inside = ("20260301010000", "20260302003000")
    stamps = ("20260301003000", *inside, "20260302010000")
    roofs = listing("ROOFTOP_PV_ACTUAL_MEASUREMENT", *stamps)
    query = Query(Kind.GENERATION, ("AU-NSW",), start, NOW, NOW)
    first, *_ = SOURCE.requests(query)
    assert "/Archive/" in first[0].path
    found = SOURCE.following([Body(first[1], roofs, NOW, 1)])
    assert [each.path.split("_")[-2] for each in found] == list(inside)


def test_a_day_is_looked_for_in_the_archive_once_it_is_over() -> None:
    query = Query(Kind.GENERATION, ("AU-NSW",), NOW - DAY, NOW - timedelta(hours=11), NOW)
    assert "/Current/" in SOURCE.requests(query)[-1][0].path


def test_the_newest_forecast_alone_is_requested() -> None:
    ((listing,),) = SOURCE.requests(Query(Kind.FORECAST, ("AU-NSW",), NOW, NOW, NOW))
    body = Body(listing, content("nothing_but_a_listing.html"), NOW, 1)
    (request,) = SOURCE.following([body])
    assert "202603022200" in request.path


def test_the_script_reads_units_from_a_registration_list(tmp_path: Path) -> None:
    path = ROOT / "infra/make_aemo_units.py"
    spec = importlib.util.spec_from_file_location("make_aemo_units", path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    head = {
        "DUID": "SNOWYP",
        "Region": "NSW1",
        "Dispatch Type": "Load",
        "Fuel Source - Primary": "Hydro",
        "Fuel Source - Descriptor": "Water",
        "Technology Type - Descriptor": "Hydro - Gravity",
    }
    assert script.unit_of(head) == ("SNOWYP", "NSW1", "hydro_storage", "1")
    changed = head | {"DUID": "X1", "Dispatch Type": "Generating Unit"}
    assert script.unit_of(changed) == ("X1", "NSW1", "hydro", "0")
    diesel = {
        "Fuel Source - Primary": "Fossil",
        "Fuel Source - Descriptor": "Natrual Gas/ Diesel",
    }
    assert script.unit_of(changed | diesel) == ("X1", "NSW1", "gas", "0")
    assert script.unit_of(head | {"DUID": "-"}) is None
    table = {row[0]: tuple(row[1:]) for row in script.read_table()}
    assert table["SNOWYP"] == ("NSW1", "hydro_storage", "1")
    assert set(table) == set(units())


def test_an_answer_of_too_many_records_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aemo_values, "MOST_RECORDS", 9)
    with pytest.raises(SourceChanged, match="more than 9 records"):
        read("AU-NSW", content("generation_scada.csv"))


def test_a_report_that_contradicts_itself_is_unknown_and_a_newer_one_counts() -> None:
    scada = content("generation_scada.csv")
    line = next(each for each in scada.splitlines(keepends=True) if b",NEWUNIT1," in each)
    other = line.replace(b",7,", b",1.5,")
    both = SOURCE.parse(bodies(scada.replace(line, line + other)))
    unit = both.filter(zone="NEWUNIT1").select("value", "flag").rows()
    assert unit == [(None, "conflict;unmapped_code:NEWUNIT1")]
    newer = SOURCE.parse(bodies(scada, scada.replace(line, other))).filter(zone="NEWUNIT1")
    assert newer["value"].to_list() == [1.5]
