"""What is special about the sources of ISO New England."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.errors import SourceChanged
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources import isone_api
from gridtide_pipelines.ingest.sources.isone import parse, requests

DATA = Path(__file__).with_name("data") / "isone"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
START = datetime(2026, 3, 1, 5, 3, 17, tzinfo=UTC)
DAY = timedelta(days=1)


def said(*contents: bytes, path: str = "/") -> pl.DataFrame:
    return parse([Body(Request("GET", path), each, NOW, n) for n, each in enumerate(contents)])


def written(name: str) -> pl.DataFrame:
    return said((DATA / name).read_bytes())


def report(*times: str) -> bytes:
    rows = [f'"D","11/01/2026","{time}","Wind","{n}"' for n, time in enumerate(times)]
    lines = ['"C","x"', '"H","Date","Time","Fuel Category","Gen Mw"', *rows, '"T","x lines"']
    return "\n".join(lines).encode()


def test_each_instant_holds_until_the_next_at_most_an_hour_and_the_newest_for_5_min() -> None:
    gas = written("genfuelmix.csv").filter(signal="generation_gas")
    assert gas["start"][0] == START
    assert (gas["end"] - gas["start"]).to_list() == [
        timedelta(minutes=5, seconds=43),
        timedelta(hours=1),
        timedelta(minutes=5),
    ]


def test_wood_refuse_and_landfill_gas_are_biomass_and_the_sum_is_passed_over() -> None:
    first = dict(written("genfuelmix.csv").filter(start=START)["signal", "value"].rows())
    assert first["generation_biomass"] == 400 + 500 + 600
    assert first["generation_unknown"] == 1000
    new = written("genfuelmix_new_code.csv")
    assert new["signal", "value", "flag"].rows() == [
        ("generation_battery_storage", 100, None),
        ("generation_coal", 300, None),
        ("generation_unknown", 200, "unmapped_code:Fusion"),
    ]
    for name in ("genfuelmix.json", "genfuelmix_chart.json"):
        first = dict(written(name).filter(start=START)["signal", "value"].rows())
        assert first["generation_gas"] == 5000
        assert "generation_unknown" not in first


def test_a_step_back_is_the_double_hour_and_without_one_it_is_unknown() -> None:
    frame = said(report("00:50:00", "01:10:00", "01:50:00", "01:05:00", "01:59:00", "02:10:00"))
    assert [f"{start:%H:%M}" for start in frame["start"]] == [
        *("04:50", "05:10", "05:50", "06:05", "06:59", "07:10")
    ]
    frame = said(report("00:50:00", "01:10:00", "02:10:00"))
    assert frame["value", "flag"].rows() == [
        (0, None),
        (None, "ambiguous_time"),
        (None, "ambiguous_time"),
        (2, None),
    ]


def test_forecasts_are_labelled_by_the_hour_ending_and_say_when_they_were_made() -> None:
    frame = written("forecast_wind.csv").sort("start")
    first = frame.row(0, named=True)
    assert (first["signal"], first["value"]) == ("generation_wind", 80)
    assert first["start"] == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert first["issued_at"] == datetime(2026, 3, 2, 11, 8, 14, tzinfo=UTC)
    assert set(written("forecast_solar.csv")["signal"]) == {"generation_solar"}
    text = (DATA / "forecast_wind.csv").read_text()
    autumn = text.replace("03/03/2026", "11/01/2026").replace('"D",,03,30', '"D",,02X,30')
    frame = said(autumn.encode()).filter(pl.col("start") > NOW + 9 * DAY).sort("start")
    assert frame["start"].diff().drop_nulls()[:2].to_list() == [timedelta(hours=1)] * 2


def test_load_is_without_pumping_and_its_forecast_has_its_own_time() -> None:
    frame = written("systemload.json")
    assert frame["value"].to_list() == [10050.5, 10050.5, 11000, 11001]
    assert frame["issued_at"].to_list()[1:3] == [None, datetime(2026, 3, 2, 10, 30, tzinfo=UTC)]


def test_ties_are_added_up_by_neighbour_positive_away() -> None:
    frame = written("externalflow.json")
    assert frame["zone", "value", "flag"].rows() == [
        ("US-NE-ISNE->4999", 7, "unmapped_code:4999"),
        ("US-NE-ISNE->CA-NB", -112.5, None),
        ("US-NE-ISNE->CA-NB", -110, None),
        ("US-NE-ISNE->CA-QC", -1600, None),
    ]


def test_a_report_without_its_last_line_was_cut_and_the_page_before_it_says_nothing() -> None:
    whole = report("00:50:00")
    with pytest.raises(SourceChanged, match="cut short"):
        said(whole.rpartition(b"\n")[0])
    query = Query(Kind.GENERATION, ("US-NE-ISNE",), NOW - 10 * DAY, NOW, NOW)
    first, second = requests(query)
    page, file = first
    assert file.address == "/transform/csv/genfuelmix?start=20260220&end=20260226"
    assert second[1].address == "/transform/csv/genfuelmix?start=20260226&end=20260302"
    bodies = [Body(page, b"<html>", NOW, 1), Body(file, whole, NOW, 2)]
    assert parse(bodies)["body"].to_list() == [1]


def test_forms_name_the_local_day() -> None:
    query = Query(Kind.FLOW, ("US-NE-ISNE",), NOW - DAY, NOW, NOW)
    paths = [request.address for (request,) in requests(query)]
    assert paths[0] == (
        "POST /ws/wsclient _nstmp_startDate=03%2F01%2F2026&_nstmp_endDate=03%2F01%2F2026"
        "&_nstmp_twodays=false&_nstmp_requestType=externalflow&_nstmp_zone0=4010"
        "&_nstmp_zone1=4011&_nstmp_zone2=4012&_nstmp_zone3=4013&_nstmp_zone4=4014"
        "&_nstmp_zone5=4017"
    )
    assert len(paths) == 2
    ahead = Query(Kind.FORECAST, ("US-NE-ISNE",), NOW, NOW + DAY, NOW)
    load, wind, solar = requests(ahead)
    assert "_nstmp_endDate=03%2F03%2F2026" in load[0].address
    assert wind[1].address == "/transform/csv/wphf?start=20260301"  # it is before 11 there
    assert solar[0].path.endswith("seven-day-solar-power-forecast")


def test_the_web_service_has_a_file_a_day() -> None:
    query = Query(Kind.GENERATION, ("US-NE-ISNE",), NOW - DAY, NOW, NOW)
    assert [request.path[-13:] for (request,) in isone_api.requests(query)] == [
        "20260301.json",
        "20260302.json",
    ]


def test_a_fuel_in_the_spelling_of_the_chart_is_the_one_of_the_file() -> None:
    chart, file = (
        (DATA / name).read_bytes() for name in ("genfuelmix_chart.json", "genfuelmix.csv")
    )
    for contents, value in (((chart, file), 100), ((file, chart), 5000)):
        first = said(*contents).filter(start=START, signal="generation_gas")
        assert first["value"].to_list() == [value]
