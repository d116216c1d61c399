"""Values that publishers state code by code, added to readings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gridtide_pipelines.errors import NothingYet
from gridtide_pipelines.ingest.production_types import CODES, FUELS, fuel_named
from gridtide_pipelines.ingest.statements import (
    Statement,
    add_codes,
    fuel_signal,
    instant,
    read_answer,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
END = START + timedelta(hours=1)
GAS = Statement("GB", "generation_gas", "CCGT", START, END, 100.0)
OTHER_GAS = replace(GAS, code="OCGT", value=20.0)
WIND = replace(GAS, signal="generation_wind", code="WIND", value=None)


def sums(*statements: Statement) -> dict[str, tuple[float | None, str | None]]:
    frame = add_codes(statements, "written")
    return {
        signal: (value, flag)
        for signal, value, flag in frame.select("signal", "value", "flag").rows()
    }


def test_codes_of_one_signal_are_added_with_their_flags() -> None:
    odd = replace(OTHER_GAS, flag="unmapped_code:OCGT")
    assert sums(GAS, odd) == {"generation_gas": (120.0, "unmapped_code:OCGT")}


def test_a_sum_without_one_of_its_parts_is_partial() -> None:
    assert sums(GAS, replace(OTHER_GAS, value=None)) == {"generation_gas": (100.0, "partial")}


def test_a_code_that_a_body_leaves_out_of_one_slot_makes_its_sum_partial() -> None:
    late = {"start": END, "end": END + timedelta(hours=1)}

    def said(*statements: Statement) -> list[tuple[float | None, str | None]]:
        return add_codes(statements, "written").sort("start")["value", "flag"].rows()

    both = replace(GAS, **late)
    assert said(GAS, OTHER_GAS, both) == [(120.0, None), (100.0, "partial")]
    # Another body states it, or the body has other codes.
    assert said(GAS, both, replace(OTHER_GAS, body=1)) == [(120.0, None), (100.0, None)]
    other = replace(OTHER_GAS, body=1, **late)
    assert said(GAS, OTHER_GAS, both, other) == [(120.0, None), (120.0, None)]


def test_a_forecast_of_some_slots_is_not_missed_among_measured_values() -> None:
    # As RTE's records have both: under codes of their own.
    load = replace(GAS, signal="load", code="consommation")
    ahead = replace(load, code="prevision", issued_at=START)
    later = replace(ahead, start=END, end=END + timedelta(hours=1))
    frame = add_codes([load, ahead, later], "written")
    assert frame["flag"].to_list() == [None] * 3
    split = replace(later, code="prevision_2")
    assert add_codes([load, ahead, later, split], "written")["flag"].drop_nulls().to_list() == [
        "partial"
    ]


@pytest.mark.parametrize(
    ("first", "missed"),
    [(timedelta(hours=23), True), (timedelta(days=1), True), (timedelta(hours=25), False)],
)
def test_a_code_that_begins_a_day_later_is_not_missed_and_one_that_ends_is(
    first: timedelta, *, missed: bool
) -> None:
    def at(statement: Statement, after: timedelta) -> Statement:
        return replace(statement, start=START + after, end=END + after)

    late = timedelta(days=9)
    found = [GAS, at(GAS, first), at(OTHER_GAS, first), at(GAS, late)]
    flags = add_codes(found, "written").sort("start")["flag"].to_list()
    assert flags == ["partial" if missed else None, None, "partial"]


def test_a_fuel_without_a_value_is_a_gap_beside_others_that_have_one() -> None:
    assert sums(GAS, WIND) == {"generation_gas": (100.0, None), "generation_wind": (None, None)}


def test_a_slot_in_which_nothing_has_a_value_is_left_out() -> None:
    late = {"start": END, "end": END + timedelta(hours=1)}
    frame = add_codes([GAS, replace(GAS, value=None, **late), replace(WIND, **late)], "written")
    assert frame["start"].to_list() == [START]
    with pytest.raises(NothingYet, match="written"):
        add_codes([WIND], "written")


def test_a_later_publication_or_body_counts_and_the_same_twice_is_one() -> None:
    assert sums(replace(GAS, order="2"), replace(GAS, value=90.0, order="1")) == {
        "generation_gas": (100.0, None)
    }
    assert sums(replace(GAS, body=1), replace(GAS, value=90.0)) == {
        "generation_gas": (100.0, None)
    }
    assert sums(GAS, GAS) == {"generation_gas": (100.0, None)}


def test_a_body_that_contradicts_itself_is_unknown() -> None:
    assert sums(GAS, replace(GAS, value=90.0), OTHER_GAS) == {
        "generation_gas": (None, "conflict")
    }


def test_a_sum_is_as_uncertain_as_its_worst_part_and_a_forecast_is_one() -> None:
    frame = add_codes([GAS, replace(OTHER_GAS, quality="estimated")], "written")
    assert frame["quality"].to_list() == ["estimated"]
    ahead = add_codes(
        [replace(GAS, issued_at=START), replace(WIND, issued_at=START)], "written"
    )
    assert ahead.select("signal", "quality").rows() == [("generation_gas", "forecast")]


def test_an_error_of_the_publisher_is_not_read() -> None:
    assert read_answer(b'{"data": []}') is None
    assert read_answer(b'{"data": [1]}') == {"data": [1]}
    with pytest.raises(ValueError, match="quota"):
        read_answer(b'{"data": [1], "error": "quota"}')


def test_labels_without_an_offset_are_in_utc() -> None:
    assert instant("2026-03-01T00:00:00") == instant("2026-03-01T01:00:00+01:00") == START
    assert instant("2026-03-01T00:00:00.0000000+00:00") == START
    with pytest.raises(TypeError):
        instant(5)


def test_every_production_type_has_a_name_whatever_its_capitals_and_hyphens() -> None:
    assert set(CODES.values()) == set(FUELS)
    assert (
        fuel_named("Hydro Run-of-River")
        == fuel_named("hydro run-of-river and poundage")
        == "hydro"
    )
    assert fuel_named("Fossil brown coal / lignite") == "coal"
    assert fuel_named("Fusion") is None
    assert fuel_signal("B16", FUELS) == ("generation_solar", None)
    assert fuel_signal("B99", FUELS) == ("generation_unknown", "unmapped_code:B99")
