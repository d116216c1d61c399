"""p10 and p90 are the errors of the last 60 days and of nothing else."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from gridtide_pipelines.forecast.forecaster import Floats, Ints
from gridtide_pipelines.forecast.intervals import Rule, with_interval

FREE = (-np.inf, np.inf)


def zero(values: Floats, origins: Ints, horizon: int) -> Floats:
    """Forecasts nothing but 0, so every value is its own error."""
    return np.zeros((len(origins), horizon))


def test_the_quantiles_are_those_of_the_errors_in_the_block() -> None:
    # Day d (of 60) has the value d in hours 0 to 5 and -d in hours 6 to 11, else 0.
    values = np.zeros((60, 24))
    values[:, :6] = np.arange(60)[:, None]
    values[:, 6:12] = -np.arange(60)[:, None]
    low, middle, high = with_interval(values.ravel(), zero, 12, limits=FREE)
    assert middle.tolist() == [0.0] * 12
    # 360 errors, six of each value: the 90th percentile is at position 0.9 x 359 = 323.1,
    # between the last 53 (position 323) and the first 54.
    np.testing.assert_allclose(low, [0.0] * 6 + [-53.1] * 6)
    np.testing.assert_allclose(high, [53.1] * 6 + [0.0] * 6)


def test_errors_of_more_than_60_days_ago_do_not_count() -> None:
    recent = np.random.default_rng(1).normal(0, 1, 60 * 24)
    old = np.full(30 * 24, 1e6)
    near = with_interval(recent, zero, 24, limits=FREE)
    with_old = with_interval(np.concatenate([old, recent]), zero, 24, limits=FREE)
    np.testing.assert_array_equal(near, with_old)


def test_it_covers_four_fifths_of_what_is_drawn_alike() -> None:
    draw = np.random.default_rng(3)
    covered = []
    for _ in range(40):
        low, _, high = with_interval(draw.gamma(2, 50, 60 * 24), zero, 24, limits=FREE)
        came = draw.gamma(2, 50, 24)
        covered.append((came >= low) & (came <= high))
    # All values are positive and p10 never exceeds the forecast, 0: only the top is cut.
    assert abs(np.mean(covered) - 0.9) < 0.03


def test_widening_multiplies_both_sides() -> None:
    values = np.random.default_rng(5).normal(0, 10, 60 * 24)
    low, middle, high = with_interval(values, zero, 24, limits=FREE)
    wide_low, _, wide_high = with_interval(values, zero, 24, limits=FREE, widen=1.5)
    np.testing.assert_allclose(wide_low - middle, 1.5 * (low - middle))
    np.testing.assert_allclose(wide_high - middle, 1.5 * (high - middle))


def test_a_rule_only_ever_sees_the_hours_before_an_origin() -> None:
    values = np.random.default_rng(6).normal(0, 10, 70 * 24)
    requested: list[int] = []

    def spying(seen: Floats, origins: Ints, horizon: int) -> Floats:
        requested.extend(origins.tolist())
        return np.zeros((len(origins), horizon))

    with_interval(values, spying, 72, limits=FREE)
    assert sorted(requested) == [70 * 24 - 24 * k for k in range(60, -1, -1)]


def last_known(values: Floats, origins: Ints, horizon: int) -> Floats:
    """Forecasts the newest known value for every hour to come."""
    rows = np.full((len(origins), horizon), np.nan)
    for row, origin in enumerate(origins):
        seen = values[: max(origin, 0)]
        known = seen[np.isfinite(seen)]
        rows[row] = known[-1] if len(known) else np.nan
    return rows


@pytest.mark.parametrize("age", [1, 5, 24, 72, 120])
def test_the_interval_is_that_of_errors_from_data_as_old_as_now(age: int) -> None:
    # A drift of 1 an hour: the newest value known `age` hours before is off by exactly
    # 1 + age at the first hour and by 1 more with each hour after it.
    values = np.arange(90 * 24.0)
    values[-age:] = np.nan
    low, middle, high = with_interval(values, last_known, 6, limits=FREE)
    assert middle.tolist() == [90 * 24.0 - age - 1] * 6
    # Six errors a day, 1 + age to 6 + age, equally often: by hand the 90th percentile of
    # them is 6 + age where six in six blocks repeat.
    np.testing.assert_allclose(high - middle, 6 + age)
    np.testing.assert_allclose(low, middle)


def test_a_gap_behind_newer_data_is_hidden_in_the_replays_too() -> None:
    # Repeats the same hour of yesterday, or of the day before where that is unknown.
    def repeating(seen: Floats, origins: Ints, horizon: int) -> Floats:
        step = origins[:, None] + np.arange(horizon) % 24
        one, two = (np.where(step >= back, seen[step - back], np.nan) for back in (24, 48))
        return np.where(np.isnan(one), two, one)

    values = np.arange(90 * 24.0)
    whole = with_interval(values, repeating, 24, limits=FREE)
    values[-24:-18] = np.nan
    _, middle, high = with_interval(values, repeating, 24, limits=FREE)
    # The first six hours come from two days ago now and are off by 48, as in each replay.
    np.testing.assert_allclose(high - middle, [48.0] * 6 + [24.0] * 18)
    np.testing.assert_allclose(whole[2] - whole[1], 24.0)


@pytest.mark.parametrize("hours", [0, 30, 40 * 24])
def test_a_history_that_begins_late_and_ends_early_has_what_errors_there_are(
    hours: int,
) -> None:
    values = np.full(67 * 24, np.nan)
    values[len(values) - 12 - hours : -12] = np.random.default_rng(8).normal(0, 10, hours)
    low, middle, high = with_interval(values, last_known, 24, limits=FREE)
    assert np.isfinite(middle).all() == bool(hours)
    assert np.isfinite(low).all() == np.isfinite(high).all() == (hours > 30 * 24)


def wave(days: int, seed: int) -> Floats:
    """Hourly means with a daily wave, other weekends and errors that last for a day or two."""
    draw = np.random.default_rng(seed).normal(0, 8, days * 24)
    hours = np.arange(days * 24)
    wander = np.zeros(days * 24)
    for at in range(1, days * 24):
        wander[at] = 0.97 * wander[at - 1] + draw[at]
    return 300 + 60 * np.sin(hours / 24 * 2 * np.pi) + 25 * (hours // 24 % 7 >= 5) + wander


def yesterday(seen: Floats, origins: Ints, horizon: int) -> Floats:
    """Repeats the same hour of the newest day that has it."""
    rows = np.full((len(origins), horizon), np.nan)
    for row, origin in enumerate(origins):
        days = seen[: max(origin, 0)][-30 * 24 :]
        days = days[len(days) % 24 :].reshape(-1, 24)
        for day in days:
            known = np.tile(day, horizon // 24)
            rows[row] = np.where(np.isnan(known), rows[row], known)
    return rows


@pytest.mark.parametrize("days", [21, 28, 35, 42])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rule", [last_known, yesterday])
def test_the_interval_does_not_narrow_as_the_newest_days_go_missing(
    days: int, seed: int, rule: Rule
) -> None:
    widths = []
    for missing in (0, 1, 3, 5):
        values = np.concatenate([np.full(90 * 24, np.nan), wave(days, seed)])
        values[len(values) - 24 * missing :] = np.nan
        low, _, high = with_interval(values, rule, 72, limits=FREE)
        widths.append(float(np.mean(high - low)))
    # The errors of the days that went missing can no longer be counted, whatever is done.
    assert all(after >= 0.95 * before for before, after in pairwise(widths)), widths
    assert widths[-1] > widths[0], widths


@pytest.mark.parametrize(("days", "off"), [(40, 1.0), (70, 0.0)])
def test_in_a_short_history_errors_from_newer_data_count_where_they_are_larger(
    days: int, off: float
) -> None:
    # Off by 1 without a gap, by nothing with one: no data that are old are that good.
    def odd(seen: Floats, origins: Ints, horizon: int) -> Floats:
        rows = np.zeros((len(origins), horizon))
        for row, origin in enumerate(origins):
            known = origin <= 0 or np.isfinite(seen[origin - 1])
            rows[row] = -1.0 if known else 0.0
        return rows

    values = np.zeros(90 * 24)
    values[: (90 - days) * 24] = np.nan
    values[-48:] = np.nan
    low, middle, high = with_interval(values, odd, 24, limits=FREE)
    np.testing.assert_array_equal(high - middle, off)
    np.testing.assert_array_equal(low, middle)


def test_errors_of_few_days_are_taken_at_outer_percentiles() -> None:
    # Ten days of errors 1 to 10 in the block, six hours each: 0.9 x 1.1 / (61 / 60) of the 59
    # steps between them is 57.4, within the last ten.
    values = np.full(60 * 24, np.nan)
    for day in range(50, 60):
        values[day * 24 : day * 24 + 6] = day - 49
    values[-18:] = 0.0
    _, middle, high = with_interval(values, zero, 6, limits=FREE)
    np.testing.assert_allclose(high - middle, 10.0)
