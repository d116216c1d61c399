"""What is special about the EIA source."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtide_pipelines.errors import NothingYet, SourceChanged
from gridtide_pipelines.ingest.schedule import forecast_span
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources.eia import FUELS, SOURCE, following, parse, requests
from gridtide_store.vocabulary import FUELS as OURS

DATA = Path(__file__).with_name("data") / "eia"
KNOWN_AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def body(name: str, *, offset: int = 0) -> Body:
    request = Request("GET", "/written", (("start", "x"), ("offset", str(offset))))
    return Body(request, (DATA / f"{name}.json").read_bytes(), KNOWN_AT, 7)


def said(*names: str) -> dict[tuple[Any, ...], Any]:
    frame = parse([body(name) for name in names])
    return {
        (row["zone"], row["signal"], row["start"].hour): row["value"]
        for row in frame.iter_rows(named=True)
    }


def test_the_label_is_the_end_of_the_hour() -> None:
    frame = parse([body("generation")]).filter(pl.col("signal") == "generation_nuclear")
    assert frame.select("zone", "start", "end", "value").row(0) == (
        "US-CAL-CISO",
        datetime(2026, 3, 1, 0, tzinfo=UTC),
        datetime(2026, 3, 1, 1, tzinfo=UTC),
        2250.0,
    )


def test_storage_is_positive_when_it_discharges_and_pumping_stays_as_reported() -> None:
    values = said("generation")
    assert values["US-CAL-CISO", "generation_battery_storage", 0] == -512.0
    assert values["US-CAL-CISO", "generation_hydro_storage", 0] == 75.0
    assert values["US-CAL-CISO", "generation_hydro", 0] == -340.0


def test_a_region_that_is_no_zone_of_ours_keeps_its_code() -> None:
    assert said("generation")["CAL", "generation_gas", 0] == 9000.0


def test_a_value_may_be_text() -> None:
    assert said("generation_values_as_text") == {
        ("US-NW-BPAT", "generation_hydro", 0): 8123.0,
        ("US-NW-BPAT", "generation_wind", 0): 1044.5,
    }


def test_null_is_a_gap_and_nothing_else_is_nothing_yet() -> None:
    assert said("generation_nulls") == {
        ("US-FLA-HST", "generation_gas", 0): None,
        ("US-FLA-HST", "generation_gas", 1): 31.0,
    }
    for name in ("generation_only_nulls", "generation_nothing_yet"):
        with pytest.raises(NothingYet):
            parse([body(name)])


def test_codes_of_one_fuel_are_summed_and_a_null_among_them_is_a_gap() -> None:
    values = said("generation_summed_codes")
    assert values == {
        ("US-TEX-ERCO", "generation_solar", 0): 1000.0,  # 900 SUN + 100 SNB
        ("US-TEX-ERCO", "generation_solar", 1): None,  # SUN is null
        ("US-TEX-ERCO", "generation_gas", 1): 30000.0,
    }


@pytest.mark.parametrize(
    ("codes", "fuel", "value"),
    [
        ({"OTH": 100, "UES": -80}, "unknown", 100.0),
        ({"UES": -80, "OTH": 100, "UNK": 5}, "unknown", 105.0),
        ({"SUN": 900, "SNB": -50}, "solar", 900.0),
        ({"WNB": -7, "WND": 300}, "wind", 300.0),
        ({"BAT": -50, "OES": 30}, "battery_storage", 30.0),
        ({"BAT": -50, "OES": -20}, "battery_storage", -70.0),
        ({"OTH": 0, "UES": -80}, "unknown", -80.0),
        ({"OTH": 100, "UES": None}, "unknown", None),
        ({"OTH": 100, "NEW": -80}, "unknown", 100.0),
        ({"PS": -80, "WAT": 100}, "hydro", 100.0),
    ],
)
def test_a_code_that_charges_takes_nothing_from_one_that_generates(
    codes: dict[str, float | None], fuel: str, value: float | None
) -> None:
    label = {"period": "2026-03-01T01", "respondent": "CISO"}
    rows = [label | {"fueltype": code, "value": mw} for code, mw in codes.items()]
    rows.append(label | {"fueltype": "NG", "value": 1})
    content = json.dumps({"response": {"total": len(rows), "data": rows}}).encode()
    frame = parse([Body(Request("GET", "/written"), content, KNOWN_AT, 7)])
    found = frame.filter(pl.col("signal") == f"generation_{fuel}")
    assert found["value"].to_list() == [value]


def test_a_new_code_is_added_to_unknown_and_flagged() -> None:
    frame = parse([body("generation_new_code")])
    new = frame.filter(pl.col("signal") == "generation_unknown")
    assert new.select("value", "flag").rows() == [(42.0, "unmapped_code:H2C")]
    assert frame.filter(pl.col("signal") == "generation_gas")["flag"].to_list() == [None]


def test_new_codes_are_flagged_in_order() -> None:
    label = {"period": "2026-03-01T01", "respondent": "CISO", "value": 1}
    rows = [label | {"fueltype": code} for code in ("ZZZ", "AAA")]
    content = json.dumps({"response": {"total": 2, "data": rows}}).encode()
    frame = parse([Body(Request("GET", "/written"), content, KNOWN_AT, 7)])
    assert frame["flag"].to_list() == ["unmapped_code:AAA;unmapped_code:ZZZ"]


def test_a_row_on_two_pages_counts_once_and_the_later_page_stands() -> None:
    values = said("generation_page_of_more", "generation_next_page_overlaps")
    assert values == {
        ("US-TEN-TVA", "generation_nuclear", 0): 8000.0,
        ("US-TEN-TVA", "generation_coal", 0): 2150.0,
        ("US-TEN-TVA", "generation_gas", 0): 7000.0,
    }


def test_a_value_given_twice_and_differently_in_one_body_is_unknown() -> None:
    frame = parse([body("generation_contradicts_itself")])
    coal = frame.filter(pl.col("signal") == "generation_coal")
    assert coal.select("value", "flag").rows() == [(None, "conflict")]
    assert frame.filter(pl.col("signal") == "generation_gas")["value"].to_list() == [7000.0]


def test_load_is_demand_and_its_forecast_a_run_known_when_it_was_received() -> None:
    frame = parse([body("load")]).sort("zone", "issued_at")
    assert frame.select("zone", "signal", "value", "issued_at", "quality").rows() == [
        ("US-NW-BPAT", "load", 6100.0, None, "measured"),
        ("US-NW-BPAT", "load", 6000.0, KNOWN_AT, "forecast"),
        ("US48", "load", 480000.0, None, "measured"),
    ]


def test_a_run_of_several_pages_is_issued_with_the_last() -> None:
    later = replace(body("load"), known_at=KNOWN_AT + HOUR)
    frame = parse([body("load"), later])
    assert set(frame["issued_at"].drop_nulls()) == {KNOWN_AT + HOUR}


def test_a_forecast_is_requested_for_three_days() -> None:
    span = forecast_span(SOURCE, START)
    ((request,),) = requests(query(Kind.FORECAST, ["US-TEN-TVA"], span.start, span.end))
    params = dict(request.params)
    assert (params["start"], params["end"]) == ("2026-03-01T01", "2026-03-04T00")
    assert ("facets[type][]", "DF") in request.params


def test_a_flow_keeps_the_publisher_s_direction() -> None:
    assert said("flow") == {
        ("US-CAL-CISO->US-NW-BPAT", "flow", 0): -1200.0,
        ("US-NW-BPAT->US-CAL-CISO", "flow", 0): 1190.0,
        ("US-CAL-CISO->CEN", "flow", 0): -35.0,
    }


def test_the_next_page_begins_where_this_one_ended_until_all_rows_are_there() -> None:
    (second,) = following([body("generation_page_of_more")])
    assert second.params == (("start", "x"), ("offset", "2"))
    (third,) = following([body("generation_next_page_overlaps", offset=2)])
    assert dict(third.params)["offset"] == "4"
    assert not following([body("generation_next_page_overlaps", offset=3)])
    assert not following([body("generation_values_as_text")])
    assert not following([body("generation_nothing_yet", offset=4)])


def query(kind: Kind, zones: list[str], start: datetime, end: datetime) -> Query:
    return Query(kind, tuple(zones), start, end, end)


def labels(kind: Kind, zones: list[str], start: datetime, end: datetime) -> list[str]:
    """Every label the requests ask for, both ends of each included."""
    spans = []
    for (request,) in requests(query(kind, zones, start, end)):
        params = dict(request.params)
        label = datetime.fromisoformat(params["start"] + ":00+00:00")
        while label <= datetime.fromisoformat(params["end"] + ":00+00:00"):
            spans.append(f"{label:%Y-%m-%dT%H}")
            label += HOUR
    return spans


def test_the_labels_of_a_day_run_from_its_first_hour_s_end_to_midnight() -> None:
    spans = labels(Kind.GENERATION, ["US-CAL-CISO"], START, START + 24 * HOUR)
    assert (spans[0], spans[-1], len(spans)) == ("2026-03-01T01", "2026-03-02T00", 24)


@settings(deadline=None)
@given(
    kind=st.sampled_from(sorted(SOURCE.kinds)),
    zones=st.lists(st.sampled_from(sorted(SOURCE.zones)), min_size=1, unique=True),
    late=st.integers(0, 200),
    length=st.integers(1, 60 * 24 * 90),
)
def test_each_slot_that_starts_in_the_span_is_requested_once(
    kind: Kind, zones: list[str], late: int, length: int
) -> None:
    start = START + timedelta(minutes=late)
    end = start + timedelta(minutes=length)
    slots = [START + n * HOUR for n in range(-2, length // 60 + 8)]
    expected = [f"{slot + HOUR:%Y-%m-%dT%H}" for slot in slots if start <= slot < end]
    assert labels(kind, zones, start, end) == expected


def test_one_request_serves_all_zones_and_names_them_by_their_codes() -> None:
    zones = ["US-CAL-CISO", "US-TEN-TVA"]
    ((request,),) = requests(query(Kind.LOAD, zones, START, START + 24 * HOUR))
    codes = [value for name, value in request.params if name == "facets[respondent][]"]
    assert codes == ["CISO", "TVA"]
    assert ("facets[type][]", "D") in request.params
    assert request.path == "/v2/electricity/rto/region-data/data/"
    assert "facets%5Brespondent%5D%5B%5D=CISO" in request.address


def test_all_zones_at_once_are_requested_a_day_at_a_time() -> None:
    zones = sorted(SOURCE.zones)
    groups = requests(query(Kind.GENERATION, zones, START, START + 72 * HOUR))
    assert len(groups) == 3


def test_every_code_means_a_fuel_of_ours() -> None:
    assert set(FUELS.values()) <= set(OURS)


def test_an_error_in_an_answer_to_a_key_is_not_repeated() -> None:
    answer = replace(body("generation"), content=b'{"error": "the key YEK-tercs is bad"}')
    with pytest.raises(SourceChanged, match=r"an error.*raw body is kept") as found:
        parse([answer])
    assert "tercs" not in str(found.value)
