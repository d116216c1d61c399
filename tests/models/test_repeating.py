"""naive and weekly, step by step, against values counted by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pytest

from gridtide.model import Signal
from gridtide_pipelines.errors import NotEnoughHistory
from gridtide_pipelines.forecast.forecaster import Known
from gridtide_pipelines.forecast.models import chain

HORIZON = timedelta(hours=72)
MakeKnown = Callable[..., Known]


def p50(name: str, known: Known, horizon: timedelta = HORIZON) -> list[float]:
    (model,) = chain(name)
    return model.fit(known, seed=1).predict(known, known.at, horizon).p50.tolist()


def counted(days: int) -> list[float]:
    """Hour h of day d is 100 d + h; the last day is `days` - 1."""
    return [100.0 * day + hour for day in range(days) for hour in range(24)]


def test_naive_repeats_the_last_24_hours_three_times(known: MakeKnown) -> None:
    assert p50("naive", known(counted(10))) == [900.0 + h for h in range(24)] * 3


def test_naive_goes_by_the_issue_s_hour_of_day(known: MakeKnown, at: datetime) -> None:
    six = at + timedelta(hours=6)
    made = p50("naive", known([*counted(10), *[7.0] * 6], at=six, end=six))
    # From 06:00: yesterday's 6 to 23, then today's six.
    assert made[:24] == [900.0 + h for h in range(6, 24)] + [7.0] * 6
    assert made[24:48] == made[:24]


def test_naive_fills_an_unknown_hour_from_the_day_before(known: MakeKnown) -> None:
    values: list[float | None] = list(counted(10))
    values[9 * 24 + 5] = None
    values[9 * 24 + 6] = values[8 * 24 + 6] = None
    made = p50("naive", known(values))
    assert made[4:8] == [904.0, 805.0, 706.0, 907.0]
    assert made[28:32] == made[4:8]


# Last known six days ago it is 312; unknown on all seven days it lies between 911 and 913.
@pytest.mark.parametrize(("unknown_days", "value"), [(6, 312.0), (7, 912.0)])
def test_naive_looks_seven_days_back_and_no_further(
    unknown_days: int, value: float, known: MakeKnown
) -> None:
    values: list[float | None] = list(counted(10))
    for day in range(10 - unknown_days, 10):
        values[day * 24 + 12] = None
    assert p50("naive", known(values))[12::24] == [value] * 3


@pytest.mark.parametrize("hours", [range(5), [12], [23, 0], range(16), range(0, 24, 2)])
def test_a_zone_that_lacks_the_same_hours_each_day_has_a_forecast(
    hours: list[int] | range, known: MakeKnown
) -> None:
    values = [None if h % 24 in hours else v for h, v in enumerate(counted(70))]
    steps = p50("naive", known(values))
    there = [6900.0 + h for h in range(24) if h not in hours]
    assert [v for h, v in enumerate(steps[:24]) if h not in hours] == there
    assert all(min(there) <= value <= max(there) for value in steps)


def test_half_a_day_of_history_is_too_short_to_fill(known: MakeKnown) -> None:
    with pytest.raises(NotEnoughHistory, match="import or refresh"):
        p50("naive", known(counted(1)[:12]))


def test_naive_bridges_hours_that_have_not_come_in_yet(known: MakeKnown) -> None:
    values: list[float | None] = [*counted(10)[:-5], *[None] * 5]
    made = p50("naive", known(values))
    assert made[:24] == [900.0 + h for h in range(19)] + [800.0 + h for h in range(19, 24)]


def test_weekly_repeats_the_same_hours_a_week_earlier(known: MakeKnown) -> None:
    # The last of 28 days is day 27, so a week before the issue begins day 21.
    assert p50("weekly", known(counted(28))) == [
        100.0 * day + hour for day in (21, 22, 23) for hour in range(24)
    ]


@pytest.mark.parametrize(("weeks", "day"), [(1, 14), (2, 7), (3, 0)])
def test_weekly_fills_an_unknown_hour_from_weeks_before(
    weeks: int, day: int, known: MakeKnown
) -> None:
    values: list[float | None] = list(counted(28))
    for week in range(weeks):
        values[(21 - 7 * week) * 24 + 3] = None
    assert p50("weekly", known(values))[3] == 100.0 * day + 3


def test_weekly_looks_four_weeks_back_and_no_further(known: MakeKnown) -> None:
    values: list[float | None] = list(counted(40))
    for day in (33, 26, 19, 12):
        values[day * 24 + 3] = None
    # Five weeks back it is 503; it is drawn between 3302 and 3304.
    assert p50("weekly", known(values))[3] == 3303.0


def test_beyond_its_period_weekly_repeats_the_week(known: MakeKnown) -> None:
    made = p50("weekly", known(counted(28)), timedelta(days=9))
    assert made[168:] == made[: 9 * 24 - 168]


def test_the_interval_is_made_of_the_errors_of_each_day_ahead(known: MakeKnown) -> None:
    # Every day is 1 higher than the one before, so naive is 1, 2 and 3 too low, always.
    rising = [100.0 + day for day in range(80) for _ in range(24)]
    history = known(rising)
    (model,) = chain("naive")
    made = model.fit(history, seed=1).predict(history, history.at, HORIZON)
    np.testing.assert_allclose(made.p50, 179.0)
    np.testing.assert_allclose(made.p10, 179.0)
    np.testing.assert_allclose(made.p90, np.repeat([180.0, 181.0, 182.0], 24))


def test_the_interval_is_cut_at_what_a_signal_can_be(known: MakeKnown) -> None:
    # Every other day 0 and 1: tomorrow is wrong by 1 either way, the day after never.
    turning = [float(day % 2) for day in range(80) for _ in range(24)]
    history = known(turning, signal=Signal.CFE_PRODUCED)
    (model,) = chain("naive")
    made = model.fit(history, seed=1).predict(history, history.at, HORIZON)
    np.testing.assert_allclose(made.p50, 1.0)
    np.testing.assert_allclose(made.p10, np.repeat([0.0, 1.0, 0.0], 24))
    np.testing.assert_allclose(made.p90, 1.0)


def test_too_few_errors_make_no_interval(known: MakeKnown) -> None:
    history = known(counted(6))
    (model,) = chain("naive")
    frame = model.fit(history, seed=1).predict(history, history.at, HORIZON).frame()
    # Five past issues have a day before and a day after: 5 x 6 errors in a block of day 1.
    # Of day 2 there are 4 x 6, of day 3 there are 3 x 6, fewer than the 30 it takes.
    for name in ("p10", "p90"):
        assert frame[name].is_null().to_list() == [False] * 24 + [True] * 48
