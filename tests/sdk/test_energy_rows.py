"""Rows of energy are read and written in short where they are plain, with the same outcome."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.accounting.emissions import EnergyRow, RowFootprint
from gridtide.errors import ApiError, BadInput
from gridtide.schema.decode import decode_response, decoder_of
from gridtide.schema.definition import Field
from gridtide.schema.encode import encode_request
from gridtide.schema.footprints import MOST_ROWS, FootprintRequest, read_rows
from gridtide.schema.json_values import Faults

T0, HOUR = datetime(2026, 3, 1, tzinfo=UTC), timedelta(hours=1)
PLAIN = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-01T01:00:00Z", "kwh": 2.5}
MOMENTS = [
    *("2026-03-01T00:00Z", "2026-03-01T00:00:00+00:00", "2026-03-01T01:00+01:00"),
    *("20260301T000000Z", "2026-03-01T00:00:00.000001Z", "1970-01-01T00:00Z"),
    *("1969-12-31T23:59:59Z", "2199-12-31T23:59Z", "2200-01-01T00:00Z", "2026-03-01"),
    *("2026-03-01T00:00", "yesterday", "", 1, None, True, ["2026-03-01T00:00Z"], {}),
]
ENERGIES = [
    *(0, 1, 2.5, -1, 1e15, -1e15, 1.1e15, 10**400, float("nan"), float("inf"), True, None),
    *("1", [1], {}),
]


FAST = decoder_of(tuple[EnergyRow, ...], Field(most=MOST_ROWS))


def walk(rows: object, where: str) -> object:
    """Decode rows one by one, without msgspec."""
    one = decoder_of(EnergyRow)
    if not isinstance(rows, list):
        return FAST(rows, where)
    with Faults() as faults:
        return tuple(faults.attempt(one, row, f"{where}[{i}]") for i, row in enumerate(rows))


def outcome(read: Any, value: object) -> object:  # noqa: ANN401
    """What is read, or the words it is refused with."""
    try:
        return read(value, "rows")
    except BadInput as error:
        return str(error)


def test_a_row_in_python_is_no_mapping() -> None:
    row = {"start": T0, "end": T0 + HOUR, "kwh": 1.0}
    with pytest.raises(BadInput, match=r"rows\[0\] is {.*; give \(start, end, kWh\)"):
        read_rows([row], "rows")


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "start": st.sampled_from(MOMENTS),
                "end": st.sampled_from(MOMENTS),
                "kwh": st.sampled_from(ENERGIES),
                "kw": st.just(1),
            },
        )
        | st.just(PLAIN)
        | st.sampled_from([None, 1, "row", [1, 2, 3]]),
        max_size=4,
    )
)
def test_every_list_is_read_as_row_by_row(rows: list[Any]) -> None:
    assert outcome(FAST, rows) == outcome(walk, rows)


@pytest.mark.parametrize("key", ["start", "end"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_every_time_is_read_as_by_itself(key: str, moment: object) -> None:
    rows = [PLAIN | {key: moment}]
    assert outcome(FAST, rows) == outcome(walk, rows)


@pytest.mark.parametrize("kwh", ENERGIES)
def test_every_energy_is_read_as_by_itself(kwh: object) -> None:
    rows = [PLAIN, PLAIN | {"kwh": kwh}]
    assert outcome(FAST, rows) == outcome(walk, rows)
    assert all(type(energy) is float for *_, energy in FAST([PLAIN | {"kwh": 1}], ""))


def test_too_many_rows_are_refused_before_they_are_read() -> None:
    with pytest.raises(BadInput, match=f"rows: {MOST_ROWS + 1} entries; at most {MOST_ROWS}"):
        FAST([None] * (MOST_ROWS + 1), "rows")


def test_rows_are_written_with_the_times_of_their_own() -> None:
    east = timezone(timedelta(hours=2))
    rows = [
        (T0, T0 + HOUR, 1.0),
        (T0 + HOUR, T0 + 2 * HOUR, 2.0),
        (T0 + 3 * HOUR, T0 + 4 * HOUR, 3.0),
        ((T0 + 4 * HOUR).astimezone(east), T0 + timedelta(hours=4, microseconds=5), 4.0),
    ]
    written = encode_request(FootprintRequest(rows=rows, region="DE"))["rows"]
    assert [(each["start"], each["end"]) for each in written] == [
        ("2026-03-01T00:00:00Z", "2026-03-01T01:00:00Z"),
        ("2026-03-01T01:00:00Z", "2026-03-01T02:00:00Z"),
        ("2026-03-01T03:00:00Z", "2026-03-01T04:00:00Z"),
        ("2026-03-01T04:00:00Z", "2026-03-01T04:00:00.000005Z"),
    ]
    assert FAST(written, "rows") == tuple(rows)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ((T0, T0 + HOUR), r"rows\[1\]"),
        ((T0.replace(tzinfo=None), T0 + HOUR, 1.0), r"rows\[1\]\.start .*no UTC offset"),
        ((T0, "soon", 1.0), r"rows\[1\]\.end"),
        ((T0, T0 + HOUR, float("nan")), r"rows\[1\]\.kwh .*not finite"),
        ((T0, T0 + HOUR, True), r"rows\[1\]\.kwh .*not a number"),
    ],
)
def test_a_row_that_cannot_be_is_named(row: Any, told: str) -> None:  # noqa: ANN401
    with pytest.raises(BadInput, match=told):
        read_rows([(T0, T0 + HOUR, 1.0), row], "rows")


def test_times_of_answers_with_another_offset_are_in_utc() -> None:
    answered = {**PLAIN, "start": "2026-03-01T01:00:00+02:00", "g_per_kwh": 1, "gross_g": None}
    read = decode_response(RowFootprint, answered)
    assert (read.start, read.start.tzinfo) == (T0 - HOUR, UTC)
    assert (read.g_per_kwh, read.gross_g) == (1.0, None)
    for wrong in ("2026-03-01T00:00", "soon", 5, None):
        with pytest.raises(ApiError, match="start"):
            decode_response(RowFootprint, answered | {"start": wrong})
