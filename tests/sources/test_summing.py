"""Generation by codes of a publisher as readings by fuel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from gridtide_pipelines.ingest.summing import by_fuel

START = datetime(2026, 3, 1, tzinfo=UTC)
FUELS = {"large": "hydro", "small": "hydro", "wind": "wind", "other": "unknown"}
Row = tuple[str, float | None, int]


def said(*rows: Row, **parts: tuple[str, ...]) -> list[tuple[object, ...]]:
    """Signal, value and flag of a slot of 5 min with rows of code, value and body."""
    frame = pl.DataFrame(rows, schema=["code", "value", "body"], orient="row").with_columns(
        start=pl.lit(START), end=pl.lit(START + timedelta(minutes=5))
    )
    found = by_fuel(frame, FUELS, zone="GB", parts=parts)
    assert (found["end"] - found["start"]).unique().to_list() == [timedelta(minutes=5)]
    return found.select("signal", "value", "flag").rows()


def test_codes_of_a_fuel_are_added_up_with_their_sign() -> None:
    assert said(("Large", -120.0, 0), ("small ", 200.0, 0)) == [("generation_hydro", 80, None)]


def test_a_fuel_with_a_null_among_its_codes_is_null() -> None:
    rows: list[Row] = [("large", None, 0), ("small", 200.0, 0), ("wind", 1.0, 0)]
    assert said(*rows) == [("generation_hydro", None, None), ("generation_wind", 1, None)]


def test_new_codes_are_added_to_unknown_and_named_once_each() -> None:
    rows: list[Row] = [("Wave", 2.0, 0), ("Tidal", 3.0, 0), ("Other", 5.0, 0)]
    assert said(*rows) == [("generation_unknown", 10, "unmapped_code:Tidal;unmapped_code:Wave")]


def test_a_sum_without_a_needed_code_is_null() -> None:
    assert said(("large", 5.0, 0), hydro=("large", "small")) == [
        ("generation_hydro", None, "partial")
    ]


def test_the_last_body_counts_and_one_that_contradicts_itself_is_null() -> None:
    assert said(("wind", 1.0, 0), ("wind", 2.0, 1)) == [("generation_wind", 2, None)]
    assert said(("wind", 1.0, 0), ("wind", 1.0, 0)) == [("generation_wind", 1, None)]
    assert said(("wind", 1.0, 0), ("wind", 2.0, 0)) == [("generation_wind", None, "conflict")]


def test_a_code_whose_spelling_changed_is_one_code() -> None:
    rows: list[Row] = [("Large", 5.0, 0), ("small", 2.0, 0), ("LARGE ", 6.0, 1)]
    assert said(*rows) == [("generation_hydro", 8, None)]
    assert said(("Large", 5.0, 0), ("large", 6.0, 0)) == [
        ("generation_hydro", None, "conflict")
    ]
    assert said(("Large", 5.0, 0), ("LARGE", 6.0, 1), hydro=("large", "small")) == [
        ("generation_hydro", None, "partial")
    ]
    new: list[Row] = [("Wave", 2.0, 0), ("WAVE", 3.0, 1)]
    assert said(*new) == [("generation_unknown", 3, "unmapped_code:WAVE")]


def test_rows_in_any_order_are_added_by_slot_and_fuel() -> None:
    stated = [
        (hour, code, 10.0 * hour + number, body)
        for body in (1, 0)
        for hour in (2, 0, 1)
        for number, code in enumerate(("small", "wind", "large"))
        if body or hour != 1
    ]
    frame = pl.DataFrame(stated, schema=["hour", "code", "value", "body"], orient="row")
    start = START + pl.duration(hours="hour")
    frame = frame.with_columns(start=start, end=start + timedelta(hours=1))
    found = by_fuel(frame, FUELS, zone="GB")
    assert found["start"].is_sorted()
    assert found.select("signal", "value", "body").rows() == [
        (signal, value, 1)
        for hour in (0, 1, 2)
        for signal, value in (
            ("generation_hydro", 20.0 * hour + 2),
            ("generation_wind", 10.0 * hour + 1),
        )
    ]
