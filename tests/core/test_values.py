"""Values as callers have them: what is taken as what, and that anything else is `BadInput`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gridtide import calls
from gridtide.errors import BadInput
from gridtide.model import Series, Signal
from gridtide.planning import (
    Bounds,
    CostSeries,
    Elastic,
    Job,
    PowerProfile,
    Recurring,
)
from gridtide.values import read_length, read_moment, read_number, read_whole

T0 = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    "number",
    [
        2,
        2.0,
        np.int64(2),
        np.uint8(2),
        np.float16(2),
        np.float32(2),
        np.longdouble(2),
        Decimal("2"),
        Fraction(4, 2),
        np.array(2),
        pd.Series([2])[0],
    ],
)
def test_every_kind_of_number_is_one(number: Any) -> None:  # noqa: ANN401
    found = read_number(number, "x")
    assert (found, type(found)) == (2.0, float)
    assert read_whole(number, "x") == 2
    assert read_length(number, "x") == 2 * HOUR
    assert Job(number, power=number).kwh == 4.0


@pytest.mark.parametrize(
    ("length", "hours"),
    [
        (timedelta(hours=4), 4),
        (np.timedelta64(4, "h"), 4),
        (np.timedelta64(240, "m"), 4),
        (np.timedelta64(4 * 3600 * 10**9, "ns"), 4),
        (pd.Timedelta("4h"), 4),
        ("4h", 4),
        (" 4 Hours ", 4),
        ("90min", 1.5),
        ("1h30m", 1.5),
        ("1h 30min", 1.5),
        ("0.5d", 12),
        ("PT4H", 4),
        ("PT90M", 1.5),
        ("P1DT12H", 36),
        ("P1W", 168),
        ("pt0,5h", 0.5),
        ("1800s", 0.5),
    ],
)
def test_a_length_is_read_in_every_form(length: Any, hours: float) -> None:  # noqa: ANN401
    found = read_length(length, "x")
    assert (found, type(found)) == (hours * HOUR, timedelta)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4",
        "4.5",
        "nan",
        "inf",
        "h",
        "-1h",
        "1e3h",
        "5ms",
        "1w",
        "P",
        "PT",
        "P1DT",
        "P1Y",
        "P1M",
        "PT1D",
        "1h1h",
        "4h,",
        "4 5h",
        "٤h",
        "PT4H4H",
        "9" * 400 + "h",
    ],
)
def test_text_that_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"hours is .*; give a finite number"):
        read_length(text, "hours")


@pytest.mark.parametrize(
    "moment",
    [
        T0,
        T0.astimezone(timezone(HOUR)),
        "2026-03-01T01:00+01:00",
        pd.Timestamp("2026-03-01T00:00Z"),
        pd.Timestamp("2026-03-01T01:00", tz="Europe/Berlin"),
        np.datetime64("2026-03-01T00:00"),
        np.datetime64("2026-03-01", "D"),
        np.datetime64("2026-03-01T00:00", "ns"),
    ],
)
def test_a_moment_is_read_in_every_form(moment: Any) -> None:  # noqa: ANN401
    found = read_moment(moment, "x")
    assert (found, type(found), found.tzinfo) == (T0, datetime, UTC)


def test_a_day_is_its_start_where_a_range_is_asked_for_and_else_refused() -> None:
    asked = calls.intensity("DE", start=date(2026, 3, 1), end=date(2026, 3, 2))
    assert asked.params == (("start", "2026-03-01T00:00:00Z"), ("end", "2026-03-02T00:00:00Z"))
    with pytest.raises(BadInput, match=r"earliest is .*a day without a time; give a time with"):
        Bounds(earliest=date(2026, 3, 1))  # type: ignore[arg-type]  # the test passes what the type refuses


UNKNOWN = [
    pd.NaT,
    pd.NA,
    np.datetime64("NaT"),
    np.timedelta64("NaT"),
    np.timedelta64("NaT", "h"),
]


@pytest.mark.parametrize("value", UNKNOWN)
@pytest.mark.parametrize("read", [read_number, read_whole, read_length, read_moment])
def test_an_unknown_value_is_refused_as_what_it_is(
    read: Callable[[Any, str], Any],
    value: Any,  # noqa: ANN401
) -> None:
    with pytest.raises(BadInput, match=r"start is .*N(aT|A).*, an unknown value; give"):
        read(value, "start")


def test_slack_is_hours_everywhere_and_a_share_has_its_own_name() -> None:
    for slack in (24, "24h", "PT24H", timedelta(days=1), np.int64(24)):
        assert Bounds(slack=slack).limits(T0, HOUR)[1] == T0 + 25 * HOUR
        assert Recurring("@daily", slack).bounds(T0).limits(T0, HOUR)[1] == T0 + 25 * HOUR
    assert Bounds(slack_fraction=0.5).limits(T0, 2 * HOUR)[1] == T0 + 3 * HOUR
    with pytest.raises(BadInput, match="slack is missing"):
        Recurring("@daily")


@pytest.mark.parametrize("count", [3, 3.0, np.int8(3), np.float64(3), Decimal(3), Fraction(3)])
def test_a_count_is_whole(count: Any) -> None:  # noqa: ANN401
    found = read_whole(count, "retries")
    assert (found, type(found)) == (3, int)
    with pytest.raises(BadInput, match=r"retries is .* give a whole number") as caught:
        read_whole(count / 2, "retries")
    (error,) = caught.value.extra["errors"]  # type: ignore[misc]  # one error is expected
    assert error == {"parameter": "retries", "message": str(caught.value)}


@pytest.mark.parametrize("unordered", [{3.0, 1.0}, frozenset([1.0]), {1.0: 3.0}])
def test_what_has_no_order_is_no_list_where_the_order_counts(unordered: Any) -> None:  # noqa: ANN401
    steps: Any = {(1, 2.0), (2, 1.0)}
    pair: Any = [unordered]
    for ask in (
        lambda: Series.regular("DE", Signal.CI_LIFECYCLE_CONSUMED, T0, HOUR, unordered),
        lambda: CostSeries.regular("EUR/kWh", T0, HOUR, unordered),
        lambda: PowerProfile(steps),
        lambda: Elastic(3, throughput=pair),
    ):
        with pytest.raises(BadInput, match=r"a list|a pair"):
            ask()
    # Holidays have no order, and the usual package keeps their names with them.
    assert Bounds(holidays={date(2026, 5, 1): "May Day"})  # type: ignore[arg-type]  # the test passes what the type refuses


@pytest.mark.parametrize("number", [3, np.int64(3), np.float32(3), Decimal(3)])
def test_the_sizes_of_an_elastic_job_are_any_numbers(number: Any) -> None:  # noqa: ANN401
    table: Any = [[1, 1], np.array([3, 2])]
    sizes = Elastic(number, ramp=number, throughput=table)
    assert sizes == Elastic(3.0, ramp=3.0, throughput=((1.0, 1.0), (3.0, 2.0)))
    assert type(sizes.maximum) is float


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            (field, value)
            for field in ("maximum", "minimum", "base", "ramp")
            for value in (True, "3", np.nan, pd.NaT, pd.NA, [1])
        ),
        *(("maximum", value) for value in (None, 10**400)),
        *(("throughput", value) for value in (5, "ab", [5], [(1, 2, 3)], [(1, True)], None)),
        ("fractional_workers", "yes"),
        ("fractional_workers", 1),
    ],
)
def test_sizes_that_are_no_numbers_are_named(field: str, value: Any) -> None:  # noqa: ANN401
    with pytest.raises(BadInput, match=field):
        Elastic(**{"maximum": 3, field: value})
