"""ENTSO-E: a slot of one series that comes twice, in one document or in two bodies."""

from __future__ import annotations

import re

import pytest

from gridtide_pipelines.errors import SourceChanged
from gridtide_pipelines.ingest.sources import entsoe
from tests.sources.test_entsoe import AT as CODE
from tests.sources.test_entsoe import CH, DATA, body, said


def twice(name: str, change: tuple[str, str] = ("", "")) -> bytes:
    """A document whose first series comes again, with one text in place of another."""
    text = (DATA / f"{name}.xml").read_text()
    series = re.findall(r"  <TimeSeries>.*?</TimeSeries>\n", text, re.DOTALL)[0]
    again = series.replace(*change, 1) if change[0] else series
    assert again != series or not change[0]
    return text.replace(series, series + again, 1).encode()


@pytest.mark.parametrize(
    ("name", "zones", "signal"),
    [
        ("flow_from_AT_to_CH", ("AT", "CH"), "flow"),
        ("generation", ("AT",), "generation_coal"),
        ("generation_forecast", ("AT",), "generation_total"),
        ("load", ("AT",), "load"),
        ("load_forecast", ("AT",), "load"),
    ],
)
def test_a_series_that_comes_twice_counts_once(
    name: str, zones: tuple[str, ...], signal: str
) -> None:
    once = entsoe.parse([body(name, *zones)])
    again = entsoe.parse([body(twice(name), *zones)])
    assert said(again, signal) == said(once, signal)
    assert again["flag"].to_list() == once["flag"].to_list()


def test_slots_that_come_with_two_values_are_unknown_and_the_others_stand() -> None:
    found = entsoe.parse([body(twice("generation", (">120<", ">121<")), "AT")])
    # Of hours 2 and 3 lignite says 120 and 121 MW; of hours 0 and 1 the same.
    assert [value for _, _, value in said(found, "generation_coal")] == [
        150.5,
        160.5,
        None,
        None,
    ]
    load = entsoe.parse([body(twice("load", (">7200.25<", ">1<")), "AT")])
    assert [value for _, _, value in said(load, "load")] == [7000.0, 7000.0, None, None]


def test_a_slot_without_a_value_that_comes_again_with_one_is_unknown() -> None:
    missing = twice("generation", ("<quantity>120</quantity>", ""))
    found = entsoe.parse([body(missing, "AT")])
    assert [value for _, _, value in said(found, "generation_coal")][2:] == [None, None]


def test_a_pump_beside_what_generates_is_another_series() -> None:
    """B10 comes once as generation and once as consumption of the same slots."""
    found = entsoe.parse([body("generation", "AT")])
    assert said(found, "generation_hydro_storage")[0] == (0, 1, 40.0)
    assert said(found, "generation_hydro_storage")[1] == (1, 1, -70.0)


@pytest.mark.parametrize("zones", [(), ("AT",)], ids=["for no zone", "for a zone"])
@pytest.mark.parametrize(
    ("name", "changed", "signal"),
    [
        ("generation", (">50<", ">51<"), "generation_coal"),
        ("generation_forecast", (">5000<", ">5001<"), "generation_total"),
        ("load", (">7000<", ">7001<"), "load"),
        ("price_two_auctions", (">55.5<", ">56.5<"), "price_eur"),
    ],
)
def test_of_two_bodies_about_one_area_the_newest_counts(
    name: str, changed: tuple[str, str], signal: str, zones: tuple[str, ...]
) -> None:
    text = (DATA / f"{name}.xml").read_text()
    newer = text.replace(*changed, 1)
    assert newer != text
    for second in (text, newer):
        alone = entsoe.parse([body(second.encode(), *zones)]).drop("body")
        both = entsoe.parse([body(text.encode(), *zones), body(second.encode(), *zones)])
        assert both.drop("body").equals(alone)


def test_forecasts_of_one_slot_are_revisions_whatever_their_order() -> None:
    ahead = (DATA / "wind_solar_forecast.xml").read_text()
    current = ahead.replace("processType>A01<", "processType>A18<").replace(">300<", ">290<")
    for texts in ((ahead, current), (current, ahead)):
        found = entsoe.parse([body(each.encode(), "AT") for each in texts])
        assert said(found, "generation_wind") == [(hour, 1, 290.0) for hour in (48, 49, 50)]


def test_the_codes_of_a_fuel_may_come_in_bodies_of_their_own() -> None:
    text = (DATA / "generation.xml").read_text()
    series = re.findall(r"  <TimeSeries>.*?</TimeSeries>\n", text, re.DOTALL)
    coal = [each for each in series if ">B02<" in each or ">B05<" in each]
    assert len(coal) == 2
    bodies = [body(text.replace(each, "").encode(), "AT") for each in coal]
    found, whole = entsoe.parse(bodies), entsoe.parse([body("generation", "AT")])
    assert said(found, "generation_coal") == said(whole, "generation_coal")


def test_two_days_of_one_area_are_whole_and_prices_of_two_areas_are_not_added() -> None:
    text = (DATA / "load.xml").read_text()
    later = text.replace("2026-03-01T", "2026-03-02T")
    found = entsoe.parse([body(text.encode(), "AT"), body(later.encode(), "AT")])
    assert found.height == 8
    assert found["flag"].null_count() == 8
    price = (DATA / "price_two_auctions.xml").read_text()
    other = price.replace(CODE, CH)
    both = entsoe.parse([body(price.encode(), "AT"), body(other.encode(), "AT")])
    assert said(both, "price_eur") == [(0, 1, 55.5), (1, 1, -3.25)]


def test_a_flow_whose_contracts_come_in_two_bodies_is_the_total_one() -> None:
    text = (DATA / "scheduled_two_contracts.xml").read_text()
    series = re.findall(r"  <TimeSeries>.*?</TimeSeries>\n", text, re.DOTALL)
    bodies = [body(text.replace(each, "").encode(), "AT", "CH") for each in series]
    assert [value for _, _, value in said(entsoe.parse(bodies), "flow")] == [90.0, 91.0]


def test_contradictions_are_flagged() -> None:
    found = entsoe.parse([body(twice("load", (">7200.25<", ">1<")), "AT")])
    assert found["flag"].to_list() == [None, None, "conflict", "conflict"]


def test_codes_without_end_are_refused() -> None:
    text = (DATA / "generation.xml").read_text()
    series = re.findall(r"  <TimeSeries>.*?</TimeSeries>\n", text, re.DOTALL)[0]
    many = "".join(series.replace("B02", f"N{n}") for n in range(201))
    with pytest.raises(SourceChanged, match="201 codes of one value; at most 200 are read"):
        entsoe.parse([body(text.replace(series, many, 1).encode(), "AT")])
