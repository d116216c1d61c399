"""Slots of any length become exact hourly means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtide_pipelines.forecast.forecaster import hour_of, hourly

END = datetime(2021, 3, 1, 6, tzinfo=UTC)
FIRST = END - timedelta(hours=6)
INSTANT = pl.Datetime("us", "UTC")


def frame(rows: list[tuple[int, int, float | None]]) -> pl.DataFrame:
    """Slots from and to these minutes after `FIRST`."""
    return pl.DataFrame(
        [
            (FIRST + timedelta(minutes=a), FIRST + timedelta(minutes=b), value)
            for a, b, value in rows
        ],
        schema={"start": INSTANT, "end": INSTANT, "value": pl.Float64},
        orient="row",
    )


@settings(deadline=None)
@given(
    lengths=st.lists(
        st.tuples(st.integers(1, 150), st.none() | st.floats(-1e3, 1e3)), max_size=30
    ),
    lead=st.integers(-200, 100),
)
def test_each_hour_is_the_mean_of_its_known_minutes(
    lengths: list[tuple[int, float | None]], lead: int
) -> None:
    rows, minutes, at = [], np.full(360, np.nan), lead
    for length, value in lengths:
        rows.append((at, at + length, value))
        if value is not None:
            minutes[max(at, 0) : max(min(at + length, 360), 0)] = value
        at += length
    got = hourly(frame(rows), END, 6)
    for hour, inside in enumerate(minutes.reshape(6, 60)):
        known = inside[np.isfinite(inside)]
        if len(known) < 30:
            assert np.isnan(got[hour])
        else:
            np.testing.assert_allclose(got[hour], known.mean(), rtol=1e-9, atol=1e-9)


def test_an_hourly_value_comes_through_to_the_last_bit() -> None:
    rows = [(60 * i, 60 * i + 60, 0.1 + i / 7) for i in range(6)]
    assert hourly(frame(rows), END, 6).tolist() == [0.1 + i / 7 for i in range(6)]


def test_a_gap_is_nan_and_not_a_number() -> None:
    got = hourly(frame([(0, 60, 5.0), (120, 180, None), (180, 209, 7.0)]), END, 6)
    assert got[0] == 5.0
    assert np.isnan(got[1:]).all()


def test_no_slots_are_hours_of_nothing() -> None:
    assert np.isnan(hourly(frame([]), END, 3)).all()


def test_the_hour_of_a_moment_starts_at_or_before_it() -> None:
    assert hour_of(datetime(2021, 3, 1, 6, 59, 59, 5, tzinfo=UTC)) == END
    assert hour_of(END) == END
