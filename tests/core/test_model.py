"""What a slot, a series, a time and a length refuse, and what they keep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from gridtide.errors import BadInput
from gridtide.model import (
    Quality,
    Series,
    Signal,
    Slot,
    format_time,
    parse_hours,
    parse_time,
    utc,
)

T0 = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
CI = Signal.CI_LIFECYCLE_CONSUMED


def slot(start: float, end: float, value: float | None = 1.0) -> Slot:
    return Slot(T0 + start * HOUR, T0 + end * HOUR, value, Quality.MEASURED)


def test_intensity_is_cleaner_when_lower_and_cfe_when_higher() -> None:
    assert {s for s in Signal if s.lower_is_cleaner} == {
        Signal.CI_LIFECYCLE_CONSUMED,
        Signal.CI_LIFECYCLE_PRODUCED,
        Signal.CI_DIRECT_CONSUMED,
        Signal.CI_DIRECT_PRODUCED,
    }
    assert Signal.CI_DIRECT_PRODUCED.unit == "gCO2e/kWh"
    assert Signal.CFE_CONSUMED.unit == "fraction"


def test_a_slot_is_kept_in_utc_whatever_offset_it_came_with() -> None:
    plus_two = timezone(timedelta(hours=2))
    kept = Slot(
        datetime(2026, 3, 1, 2, tzinfo=plus_two),
        datetime(2026, 3, 1, 3, tzinfo=plus_two),
        5.0,
        Quality.FORECAST,
    )
    assert (kept.start, kept.end) == (T0, T0 + HOUR)
    assert kept.start.tzinfo is UTC


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_slot_refuses_a_value_that_is_not_finite(value: float) -> None:
    with pytest.raises(BadInput, match="an unknown value is None"):
        slot(0, 1, value)


def test_a_slot_refuses_naive_times_and_no_length() -> None:
    naive = datetime(2026, 3, 1)  # noqa: DTZ001  # what is refused
    with pytest.raises(BadInput, match="slot start 2026-03-01T00:00:00 has no UTC offset"):
        Slot(naive, T0 + HOUR, 1.0, Quality.MEASURED)
    with pytest.raises(BadInput, match="does not end after it starts"):
        slot(1, 1)


def test_a_series_refuses_slots_that_overlap_or_are_out_of_order() -> None:
    with pytest.raises(BadInput, match="starts before the one before it ends"):
        Series("DE", CI, (slot(0, 1), slot(0.5, 1.5)))
    with pytest.raises(BadInput, match="sort the slots by start"):
        Series("DE", CI, (slot(1, 2), slot(0, 1)))


def test_a_series_knows_its_signal_by_name_and_refuses_another() -> None:
    series = Series("DE", "ci_direct_produced", ())  # type: ignore[arg-type]  # the test passes what the type refuses
    assert series.signal is Signal.CI_DIRECT_PRODUCED
    with pytest.raises(BadInput, match=r"'ci_direct'; give one of .*ci_direct_produced"):
        Series("DE", "ci_direct", ())  # type: ignore[arg-type]  # the test passes what the type refuses


def test_a_series_takes_gaps_mixed_lengths_and_any_sequence() -> None:
    series = Series("DE", CI, [slot(0, 1), slot(3, 3.25, None), slot(3.25, 6)])  # type: ignore[arg-type]  # a list does too
    assert series.slots == (slot(0, 1), slot(3, 3.25, None), slot(3.25, 6))


def test_a_regular_series_has_slots_end_to_end() -> None:
    series = Series.regular("DE", CI, T0, timedelta(minutes=30), [1.0, None, 3.0])
    assert [(s.start, s.end, s.value) for s in series.slots] == [
        (T0, T0 + HOUR / 2, 1.0),
        (T0 + HOUR / 2, T0 + HOUR, None),
        (T0 + HOUR, T0 + 1.5 * HOUR, 3.0),
    ]
    assert {s.quality for s in series.slots} == {Quality.FORECAST}


def test_a_series_is_prepared_once_and_cut_at_gaps_and_unknown_values() -> None:
    series = Series(
        "DE", CI, (slot(0, 1), slot(1, 2), slot(2, 3, None), slot(3, 4), slot(5, 6))
    )
    assert [len(run.values) for run in series.runs] == [2, 1, 1]
    assert series.runs is series.runs
    assert Series("DE", CI, ()).runs == ()
    assert Series("DE", CI, (slot(0, 1, None),)).runs == ()


@pytest.mark.parametrize("text", ["2026-03-01", "2026-03-01T00:00", "2026-03-01 00:00:00"])
def test_a_time_without_offset_is_refused_with_how_to_write_it(text: str) -> None:
    with pytest.raises(BadInput, match=r"earliest .* has no UTC offset; write .*Z for UTC"):
        parse_time(text, name="earliest")


def test_what_is_no_time_is_refused_with_an_example() -> None:
    with pytest.raises(BadInput, match="'tomorrow' is not an ISO 8601 time; write it as 2026"):
        parse_time("tomorrow")


def test_times_are_read_with_any_offset_and_written_with_a_z() -> None:
    assert format_time(parse_time("2026-03-01T01:00+01:00")) == "2026-03-01T00:00:00Z"
    assert parse_time("2026-03-01T00:00Z") == T0
    assert utc(datetime(2026, 3, 1, 1, tzinfo=timezone(HOUR))) == T0


@pytest.mark.parametrize("hours", [float("nan"), float("inf"), -float("inf"), 1e300])
def test_hours_that_are_no_length_are_refused(hours: float) -> None:
    with pytest.raises(BadInput, match="give a finite number"):
        parse_hours(hours)


@pytest.mark.parametrize("hours", [0, -1, -0.0, 1e-12])
def test_hours_must_be_above_zero(hours: float) -> None:
    with pytest.raises(BadInput, match="give a number above 0"):
        parse_hours(hours)


def test_hours_may_be_a_fraction() -> None:
    assert parse_hours(1.5) == timedelta(minutes=90)


def test_an_instant_outside_the_calendar_is_refused() -> None:
    with pytest.raises(BadInput, match="outside the calendar"):
        parse_time("0001-01-01T00:00+02:00")
