"""What is special about the source of ERCOT."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.errors import NothingYet
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources.ercot import following, parse, requests

DATA = Path(__file__).with_name("data") / "ercot"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
SLOT, HOUR = timedelta(minutes=5), timedelta(hours=1)


def written(*names: str) -> pl.DataFrame:
    contents = [(DATA / name).read_bytes() for name in names]
    return parse([Body(Request("GET", "/"), each, NOW, n) for n, each in enumerate(contents)])


def storage(frame: pl.DataFrame) -> list[float | None]:
    return frame.filter(signal="generation_battery_storage")["value"].to_list()


def test_labels_that_drift_are_cut_to_5_min_and_two_of_one_slot_count_half_each() -> None:
    coal = written("fuel_mix.json").filter(signal="generation_coal")
    assert coal["start", "value"].rows() == [(MIDNIGHT, 100.5), (MIDNIGHT + SLOT, 102)]


def test_a_later_body_counts_and_storage_without_a_mix_is_none() -> None:
    first = (DATA / "fuel_mix.json").read_bytes()
    again = first.replace(b"100.5", b"90.5")
    bodies = [Body(Request("GET", "/"), each, NOW, 1) for each in (first, again)]
    assert parse(bodies).filter(signal="generation_coal")["value"].to_list() == [90.5, 102]
    beside = (DATA / "storage.json").read_bytes().replace(b"00:05:00", b"03:05:00")
    frame = parse([bodies[0], Body(Request("GET", "/"), beside, NOW, 1)])
    assert frame["start"].unique().to_list() == [MIDNIGHT, MIDNIGHT + SLOT]


def test_net_output_of_storage_stands_in_place_of_its_discharge() -> None:
    assert storage(written("fuel_mix.json")) == [502.5, 504]
    for names in (("fuel_mix.json", "storage.json"), ("storage.json", "fuel_mix.json")):
        # Of the second slot it is listed without a value.
        assert storage(written(*names)) == [-310.5, None]
    alone = written("storage.json")
    assert alone["start", "value", "flag"].rows() == [(MIDNIGHT + SLOT, -310.5, "partial")]


def test_two_values_of_one_label_are_not_averaged() -> None:
    document = json.loads((DATA / "storage.json").read_bytes())
    rows = document["currentDay"]["data"]
    for other, value in ((rows[0], -310.5), ({**rows[0], "netOutput": 100}, None)):
        rows[1:] = [other]
        body = Body(Request("GET", "/"), json.dumps(document).encode(), NOW, 1)
        if value is None:
            with pytest.raises(NothingYet):
                parse([body])
        else:
            assert storage(parse([body])) == [value]


def test_a_new_code_is_unknown_and_flagged() -> None:
    assert written("fuel_mix_new_code.json")["signal", "value", "flag"].rows() == [
        ("generation_unknown", 55, "unmapped_code:Fusion")
    ]


def test_demand_that_is_still_to_come_is_not_load() -> None:
    assert written("supply_demand.json")["value"].to_list() == [45000, 44900]


def test_reports_are_labelled_by_the_hour_ending_with_a_mark_in_the_double_hour() -> None:
    frame = written("wind.zip")
    autumn = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
    assert frame["start", "value"].rows() == [
        (MIDNIGHT + 4 * HOUR, 9100.5),
        (MIDNIGHT + 23 * HOUR, 9200.5),
        (autumn, 9300),
        (autumn + HOUR, 9400),
    ]
    assert set(frame["issued_at"]) == {datetime(2026, 3, 2, 11, 55, 8, tzinfo=UTC)}
    load = written("load_forecast.zip")
    assert load["start", "value"].rows() == [
        (MIDNIGHT, 45000),
        (MIDNIGHT + 23 * HOUR, 45100),
    ]
    price = written("price.zip")
    assert price["signal", "value"].rows() == [("price_usd", 22.25), ("price_usd", 45.25)]
    assert price["issued_at"].null_count() == 2


def test_of_a_listing_the_newest_forecast_is_requested_and_all_prices() -> None:
    content = (DATA / "nothing_but_a_listing.json").read_bytes()
    for kind, reports, files in (
        (Kind.FORECAST, ["13028", "13483", "12312"], ["102"]),
        (Kind.PRICE, ["12331"], ["102", "101"]),
    ):
        query = Query(kind, ("US-TEX-ERCO",), NOW, NOW + HOUR, NOW)
        groups = requests(query)
        assert [dict(request.params)["reportTypeId"] for (request,) in groups] == reports
        listing = Body(groups[0][0], content, NOW, 1)
        found = following([listing])
        assert [dict(request.params)["doclookupId"] for request in found] == files
        assert following([listing, listing]) == ()
