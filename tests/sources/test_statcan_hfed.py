"""Canada's provinces as Statistics Canada has them: lengths of slots, flows, days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources.statcan_hfed import SOURCE
from gridtide_pipelines.ingest.table import table

DATA = Path(__file__).with_name("data") / "statcan_hfed"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def body(name: str) -> Body:
    return Body(Request("GET", "/"), (DATA / name).read_bytes(), NOW, 1)


def read(name: str, zone: str) -> list[tuple[str, str, float]]:
    return table(SOURCE.parse([body(name)]), SOURCE, zone, None).drop("zone").rows()


def test_rows_in_no_order_are_slots_as_long_as_the_time_between_them() -> None:
    name = "load_and_flows_of_new_brunswick.csv"
    assert read(name, "CA-NB") == [
        ("2026-03-01T12:00:00Z", "load", 1500.5),
        ("2026-03-01T12:05:00Z", "load", 1501.0),
    ]
    frame = SOURCE.parse([body(name)]).filter(signal="load")
    assert {end - start for start, end in frame.select("start", "end").iter_rows()} == {
        timedelta(minutes=5)
    }


def test_flows_leave_the_province_and_ties_of_one_zone_are_added() -> None:
    name = "load_and_flows_of_new_brunswick.csv"
    at = "2026-03-01T12:00:00Z"
    assert read(name, "CA-NB->US-NE-ISNE") == [(at, "net_flow", 492.0)]
    assert read(name, "CA-QC->CA-NB") == [(at, "net_flow", 700.0)]
    flags = SOURCE.parse([body(name)])["flag"].drop_nulls().to_list()
    assert flags == ["unmapped_code:XX"]


def test_cables_come_into_the_island_and_a_blank_is_a_gap() -> None:
    name = "generation_of_an_island.csv"
    assert read(name, "CA-PE") == [
        ("2026-03-01T12:00:00Z", "load", 150.0),
        ("2026-03-01T12:00:00Z", "wind", 44.5),
        ("2026-03-01T12:15:00Z", "wind", 45.0),
    ]
    assert read(name, "CA-NB->CA-PE") == [("2026-03-01T12:00:00Z", "net_flow", 104.0)]


def test_means_of_days_stay_days_and_a_new_variable_is_unknown() -> None:
    frame = SOURCE.parse([body("generation_by_day.csv")])
    assert {end - start for start, end in frame.select("start", "end").iter_rows()} == {
        timedelta(days=1)
    }
    unknown = frame.filter(signal="generation_unknown")
    assert unknown["value"].to_list() == [31.0, 31.0]
    assert set(unknown["flag"]) == {"unmapped_code:TIDAL"}


def test_each_province_has_a_request_and_quebec_one_for_each_frequency() -> None:
    query = Query(Kind.GENERATION, ("CA-BC", "CA-QC"), NOW - timedelta(days=1), NOW, NOW)
    groups = SOURCE.requests(query)
    assert [[request.path.partition("CCEI,")[2] for request in group] for group in groups] == [
        ["DF_HFED_BC,1.0/N...LOAD+NSI"],
        ["DF_HFED_QC,1.0/N...DEMAND", "DF_HFED_QC,1.0/H...HYDRO+WIND+SOLAR+THERMAL+OTHER"],
    ]


def one(*lines: str) -> Body:
    header = "REF_AREA,COUNTERPART_AREA,ENERGY_FLOWS,TIME_PERIOD,OBS_VALUE\n"
    content = header + "".join(f"{line}\n" for line in lines)
    return Body(Request("GET", "/"), content.encode(), NOW, 1)


def test_one_mean_of_a_day_is_that_day_and_not_an_hour_of_it() -> None:
    frame = SOURCE.parse([one("CA_SK,_Z,COAL,2026-03-01T06:00:00,900")])
    assert (frame["end"] - frame["start"]).to_list() == [timedelta(days=1)]
    gap = SOURCE.parse([one(*(f"CA_SK,_Z,COAL,2026-03-0{day}T06:00:00,900" for day in (1, 4)))])
    assert (gap["end"] - gap["start"]).to_list() == [timedelta(days=1)] * 2
    (hour,) = SOURCE.parse([one("CA_BC,_Z,LOAD,2026-03-01T06:00:00,6000")]).rows(named=True)
    assert hour["end"] - hour["start"] == timedelta(hours=1)


def test_hours_of_one_day_stay_hours_beside_quarters_of_the_next() -> None:
    labels = ("01T22:00", "01T23:00", "02T00:00", "02T00:15", "02T00:30")
    frame = SOURCE.parse(
        [one(*(f"CA_AB,_Z,INTERNAL_LOAD,2026-03-{at}:00,9000" for at in labels))]
    )
    lengths = (frame["end"] - frame["start"]).to_list()
    assert [each // timedelta(minutes=15) for each in lengths] == [4, 4, 1, 1, 1]


def test_the_first_slot_of_a_day_is_as_long_as_those_before_it() -> None:
    labels = ("2026-03-01T23:50:00", "2026-03-01T23:55:00", "2026-03-02T00:00:00")
    frame = SOURCE.parse([one(*(f"CA_NB,_Z,LOAD,{label},1500" for label in labels))])
    assert (frame["end"] - frame["start"]).to_list() == [timedelta(minutes=5)] * 3
    last = SOURCE.parse([one(*(f"CA_NB,_Z,LOAD,{label},1500" for label in labels[1:]))])
    assert (last["end"] - last["start"]).to_list() == [timedelta(minutes=5)] * 2
    far = ("2026-03-01T12:00:00", "2026-03-02T00:00:00")
    alone = SOURCE.parse([one(*(f"CA_NB,_Z,LOAD,{label},1500" for label in far))])
    assert (alone["end"] - alone["start"]).to_list() == [timedelta(hours=1)] * 2


def test_a_later_body_counts_and_totals_are_not_generation() -> None:
    first = one("CA_QC,_Z,HYDRO,2026-03-01T06:00:00,100")
    again = one(
        "CA_QC,_Z,HYDRO,2026-03-01T06:00:00,110",
        "CA_QC,_Z,TOTAL_PRODUCTION,2026-03-01T06:00:00,120",
    )
    frame = SOURCE.parse([first, again])
    assert frame.select("signal", "value", "body").rows() == [("generation_hydro", 110.0, 1)]
    differ = one(*(f"CA_QC,_Z,HYDRO,2026-03-01T06:00:00,{value}" for value in (100, 110)))
    (row,) = SOURCE.parse([differ]).rows(named=True)
    assert (row["value"], row["flag"]) == (None, "conflict")


def test_the_link_to_newfoundland_is_among_nova_scotias_flows() -> None:
    lines = (f"CA_NS,{end},NSI,2026-03-01T06:00:00,-300" for end in ("CA_NL", "CA_NB"))
    frame = SOURCE.parse([one(*lines)])
    assert set(frame["zone"]) == {"CA-NS->CA-NL", "CA-NS->CA-NB"}
    assert frame["flag"].null_count() == 2


def test_wind_alone_is_no_mix_of_nova_scotia() -> None:
    lines = (f"CA_NS,_Z,{name},2026-03-01T06:00:00,100" for name in ("LOAD", "WIND"))
    assert SOURCE.parse([one(*lines)])["signal"].to_list() == ["load"]
