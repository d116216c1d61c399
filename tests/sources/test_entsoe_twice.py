"""ENTSO-E: a document that states a slot of one series twice."""

from __future__ import annotations

import re

import pytest

from gridtide_pipelines.ingest.sources import entsoe
from tests.sources.test_entsoe import DATA, body, said


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
