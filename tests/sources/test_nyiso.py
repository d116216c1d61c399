"""What is special about the source of the New York ISO."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources.nyiso import parse, requests

DATA = Path(__file__).with_name("data") / "nyiso"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
FLOW_HEADER = (
    "Timestamp,Interface Name,Point ID,Flow (MWH),Positive Limit (MWH),Negative Limit (MWH)"
)
HEADER = "Time Stamp,Time Zone,Fuel Category,Gen MW"


def said(*contents: bytes) -> pl.DataFrame:
    return parse([Body(Request("GET", "/"), each, NOW, n) for n, each in enumerate(contents)])


def written(name: str) -> pl.DataFrame:
    return said((DATA / name).read_bytes())


def mix(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows]).encode()


def test_a_slot_of_generation_begins_where_the_one_before_ended() -> None:
    hydro = written("rtfuelmix.csv").filter(signal="generation_hydro")
    midnight = datetime(2026, 3, 1, 5, tzinfo=UTC)
    spans = [(end - start, start - midnight) for start, end in hydro["start", "end"].rows()]
    assert [(str(length), str(after)) for length, after in spans] == [
        ("0:05:00", "0:00:00"),
        ("0:02:34", "0:05:00"),
        ("0:02:26", "0:07:34"),
        ("0:05:00", "0:15:00"),  # the one before is missing
    ]


def test_prices_are_those_of_new_york_city_and_of_the_day_ahead() -> None:
    frame = written("damlbmp_zone.csv")
    assert frame.select("signal", "start", "value").rows() == [
        ("price_usd", datetime(2026, 3, 3, hour, tzinfo=UTC) + later, value)
        for hour, later, value in (
            (5, timedelta(0), 45.19),
            (6, timedelta(0), -1.25),
            (4, DAY, 51.0),
        )
    ]
    assert frame["issued_at"].null_count() == 3
    query = Query(Kind.PRICE, ("US-NY-NYIS",), NOW - 40 * DAY, NOW + DAY, NOW)
    paths = [request.path for group in requests(query) for request in group]
    assert paths[0] == "/public/csv/damlbmp/20260101damlbmp_zone_csv.zip"
    assert paths[-1] == "/public/csv/damlbmp/20260303damlbmp_zone.csv"


def test_gas_has_two_codes_and_is_unknown_without_one() -> None:
    frame = written("rtfuelmix.csv")
    assert frame.filter(signal="generation_gas")["value"].to_list() == [
        3000,
        3002,
        3004,
        3006,
    ]
    rows = [f"03/01/2026 00:05:00,EST,{fuel},900.0" for fuel in ("Nuclear", "Dual Fuel")]
    assert said(mix(*rows)).select("signal", "value", "flag").rows() == [
        ("generation_gas", None, "partial"),
        ("generation_nuclear", 900, None),
    ]


def test_a_last_row_without_line_end_counts_if_its_number_is_whole() -> None:
    rows = ("03/01/2026 00:05:00,EST,Wind,900.0", "03/01/2026 00:05:00,EST,Hydro,3447")
    assert set(said(mix(*rows))["signal"]) == {"generation_wind"}
    assert set(said(mix(*rows) + b".0")["signal"]) == {"generation_wind", "generation_hydro"}


def test_the_marks_est_and_edt_decide_in_the_double_hour() -> None:
    rows = [f"11/01/2026 01:05:00,{mark},Wind,{n}.0" for n, mark in enumerate(("EDT", "EST"))]
    assert said(mix(*rows))["start"].to_list() == [
        datetime(2026, 11, 1, 5, 0, tzinfo=UTC),
        datetime(2026, 11, 1, 6, 0, tzinfo=UTC),
    ]


def test_other_fossil_fuels_had_coal_in_them_until_the_end_of_march_2020() -> None:
    rows = [
        f"{day} 00:00:00,EDT,Other Fossil Fuels,5.0\n{day} 00:00:00,EDT,Other Renewables,7.0"
        for day in ("04/01/2020", "04/02/2020")
    ]
    frame = said(mix(*rows)).sort("start", "signal")
    assert frame.select("signal", "value").rows() == [
        ("generation_unknown", 12),
        ("generation_oil", 5),
        ("generation_unknown", 7),
    ]


def test_a_new_code_is_unknown_and_flagged() -> None:
    frame = said(mix("03/01/2026 00:05:00,EST,Energy Storage,-5.0"))
    assert frame.select("signal", "value", "flag").rows() == [
        ("generation_unknown", -5, "unmapped_code:Energy Storage")
    ]


def test_load_is_the_sum_of_eleven_zones() -> None:
    frame = written("pal.csv")
    assert frame["value"].to_list() == [11060.5, 11071.5, 11082.5]
    assert frame["start"][2] == datetime(2026, 3, 1, 5, 7, 34, tzinfo=UTC)
    assert frame["end"][1] == frame["start"][2]
    lacking = (
        (DATA / "pal.csv")
        .read_bytes()
        .replace(b'"03/01/2026 00:05:00","EST","WEST"', b'"03/01/2026 00:05:00","EST","NORTH"')
    )
    assert said(lacking)["value"].to_list() == [11060.5, None, 11082.5]


def test_ties_are_added_up_by_neighbour_positive_into_new_york() -> None:
    frame = written("flows.csv")
    first = frame.filter(start=datetime(2026, 3, 1, 5, tzinfo=UTC))
    assert dict(first.select("zone", "value").rows()) == {
        "CA-ON->US-NY-NYIS": 200.25,
        "CA-QC->US-NY-NYIS": -400.25 - 300.25,
        "US-MIDA-PJM->US-NY-NYIS": 300.25 + 400.25 + 500.25 + 600.25,
        "US-NE-ISNE->US-NY-NYIS": -100.25 + 0.25 + 100.25,
    }
    text = (DATA / "flows.csv").read_text()
    new = said(text.replace("SCH - OH - NY", "SCH - NEW").encode())
    assert new.filter(zone="SCH - NEW->US-NY-NYIS")["flag"][0] == "unmapped_code:SCH - NEW"


def test_a_new_tie_counts_from_the_day_on_that_has_it() -> None:
    def day(label: str, *names: str) -> bytes:
        rows = "".join(f"{label} 00:00,SCH - {name},1,100.25,2000,-9999\n" for name in names)
        return f"{FLOW_HEADER}\n{rows}".encode()

    old = day("03/01/2026", "HQ - NY", "HQ_CEDARS")
    new = day("03/02/2026", "HQ - NY", "HQ_CEDARS", "HQ_CHPE")
    assert said(old, new)["value"].to_list() == [200.5, 300.75]
    again = day("03/01/2026", "HQ - NY", "HQ_CEDARS").replace(b"100.25", b"90.25")
    assert said(old, again)["value"].to_list() == [180.5]  # not a mean with the body before


def test_a_flow_in_the_double_hour_that_is_there_once_says_why_it_is_unknown() -> None:
    rows = "".join(
        f"{at},SCH - OH - NY,1,{value},2000,-9999\n"
        for at, value in (("11/01/2026 00:55", "1.25"), ("11/01/2026 01:00", "2.25"))
    )
    frame = said(f"{FLOW_HEADER}\n{rows}".encode())
    assert frame.select("value", "flag").rows() == [
        (1.25, None),
        (None, "ambiguous_time"),
        (None, "ambiguous_time"),
    ]


def test_columns_that_were_renamed_between_two_files_are_both_read() -> None:
    rows = [f"{fuel},900.0" for fuel in ("Nuclear", "Wind")]
    old = mix(*(f"03/01/2026 00:05:00,EST,{row}" for row in rows)).replace(b"MW", b"MWh")
    new = mix(*(f"03/02/2026 00:05:00,EST,{row}" for row in rows))
    assert said(old, new)["value"].to_list() == [900.0] * 4


def test_the_forecast_is_that_of_the_whole_state_by_start() -> None:
    frame = written("isolf.csv")
    assert frame["value"].to_list() == [11023, 11000, 11001]
    assert frame["start"][0] == datetime(2026, 3, 3, 4, tzinfo=UTC)
    assert set(frame["issued_at"]) == {NOW}


def test_a_zip_of_a_month_is_read_as_its_days() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("20260228.csv", mix("03/01/2026 00:00:00,EST,Wind,1.0"))
        archive.writestr("20260301.csv", mix("03/01/2026 00:02:00,EST,Wind,2.0"))
    frame = said(packed.getvalue())
    assert frame["value"].to_list() == [1, 2]
    assert frame["end"][0] == frame["start"][1]


@pytest.mark.parametrize(("kind", "name"), [(Kind.GENERATION, "rtfuelmix"), (Kind.LOAD, "pal")])
def test_days_of_the_last_week_have_a_file_each_and_older_ones_one_a_month(
    kind: Kind, name: str
) -> None:
    query = Query(kind, ("US-NY-NYIS",), NOW - 40 * DAY, NOW, NOW)
    paths = [request.path.rpartition("/")[2] for (request,) in requests(query)]
    assert paths[:2] == [f"20260101{name}_csv.zip", f"20260201{name}_csv.zip"]
    assert (paths[2], paths[-1]) == (f"20260223{name}.csv", f"20260302{name}.csv")
    ahead = Query(Kind.FORECAST, ("US-NY-NYIS",), NOW, NOW + 40 * DAY, NOW)
    assert [request.path for (request,) in requests(ahead)] == [
        "/public/csv/isolf/20260302isolf.csv"
    ]
