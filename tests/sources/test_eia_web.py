"""What is special about EIA's web page as a source."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources.eia_web import SOURCE, parse, requests

DATA = Path(__file__).with_name("data") / "eia_web"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ZONES = ("US-NW-BPAT", "US-TEN-TVA")


def test_a_zone_is_in_the_address_and_labels_are_ends() -> None:
    query = Query(Kind.GENERATION, ZONES, NOW - timedelta(hours=3), NOW, NOW)
    groups = requests(query)
    assert groups[0][0].address == (
        "/electricity/930-api/region_data_by_fuel_type/series_data?type%5B0%5D=NG"
        "&respondent%5B0%5D=BPAT&start=03022026+10%3A00%3A00&end=03022026+12%3A00%3A00"
        "&frequency=hourly&timezone=UTC&limit=10000&offset=0"
    )
    content = (DATA / "generation.json").read_bytes()
    frame = parse([Body(group[0], content, NOW, 1) for group in groups])
    assert sorted(set(frame["zone"])) == sorted(ZONES)
    mine = frame.filter(zone="US-NW-BPAT")
    assert mine["start"].min() == datetime(2026, 3, 1, 4, tzinfo=UTC)
    gas = mine.filter(signal="generation_gas")["value"].to_list()
    assert gas == [300, None]


def test_a_series_under_two_names_is_one() -> None:
    document = json.loads((DATA / "generation.json").read_bytes())
    wind = document[0]["data"][0]
    document[0]["data"] = [
        {**wind, "FUEL_TYPE_NAME": name} for name in ("Battery", "battery storage")
    ]
    document[0].pop("totalCount")
    body = Body(Request("GET", "/x?respondent[0]=BPAT"), json.dumps(document).encode(), NOW, 1)
    assert parse([body])["signal", "value", "flag"].rows() == [
        ("generation_battery_storage", 812.0, None),
        ("generation_battery_storage", 790.0, None),
    ]


def test_it_answers_for_some_days_alone_and_zone_by_zone() -> None:
    assert SOURCE.reach == timedelta(days=3)
    assert SOURCE.per_zone
