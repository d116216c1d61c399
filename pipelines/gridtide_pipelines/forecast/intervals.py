"""p10 and p90 from a model's own recent errors, as far as they were known at the issue time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from gridtide_pipelines.forecast.forecaster import Floats, Ints

# A forecast of `horizon` hours for each origin, from the hours before it: (values, origins,
# horizon) to one row an origin. An origin is the position of the first hour not yet known.
Rule: TypeAlias = Callable[[Floats, Ints, int], Floats]

# One past issue a day, at the hour of this one. On January to June 2021 of eight zones 60, 75
# and 90 days of plain errors all cover 80 %; errors of logarithms widen the pinball loss.
DAYS = 60
# Errors grow with the horizon and follow the hour of the day.
BLOCK = 6
# What is unknown further back than this hides nothing that a rule still reads: prophet
# corrects by the last 7 days, weekly repeats one of the last 4 weeks.
REACH = 28 * 24
# Fewer errors than this in a block make no tenth percentile.
LEAST_ERRORS = 30
# In a history without end a week without data leaves errors of 50 of the 60 days. On July to
# December 2021 the widest errors of all ages would then cover 85 %, not 77.
ENOUGH_DAYS = 45
QUANTILES = (0.1, 0.9)


def with_interval(
    values: Floats,
    rule: Rule,
    horizon: int,
    *,
    limits: tuple[float, float],
    widen: float = 1.0,
    interval: bool = True,
) -> tuple[Floats, Floats, Floats]:
    """Return p10, p50 and p90 of the `horizon` hours after `values`.

    The rule is replayed at the same hour of each of the last `DAYS` days, on nothing but the
    hours before it, and compared with what came. The 10th and 90th percentile of these errors
    in each block of 6 h of the horizon, times `widen`, are placed around the forecast.

    Hours that are unknown now are hidden at the same distance in each replay: a forecast from
    data three days old is compared with past forecasts from data three days old.

    In a short history few such errors are left, and fewer each day. Where they are of less than
    `ENOUGH_DAYS` days, those of data zero, one, ... days old are computed too, and the widest
    count: no forecast gets surer as its data get older. Errors of few days also spread less
    than those to come, so the percentiles move outwards as in a conformal prediction: of n days
    by the factor (1 + 1/n) over that of `DAYS` days.

    Args:
        values: hourly means, oldest first; NaN is unknown.
        limits: least and greatest possible value.
        widen: by how much more the errors to come spread than the replayed ones.
        interval: whether p10 and p90 are wanted; without them nothing is replayed.

    Returns:
        p50 is NaN where the rule has no answer; p10 and p90 are NaN where errors are too few,
        or where they are not wanted.
    """
    origin = len(values)
    middle = np.clip(rule(values, np.array([origin]), horizon)[0], *limits)
    if not interval:
        unknown = np.full(horizon, np.nan)
        return unknown, middle, unknown
    past = origin - 24 * np.arange(DAYS, 0, -1)
    came = np.concatenate([values, np.full(horizon, np.nan)])
    target = past[:, None] + np.arange(horizon)
    low, high = np.full((2, horizon), np.nan)
    for hidden in _hidden(values):
        replayed = _replay(rule, values, past, horizon, hidden)
        error = np.where(target < 0, np.nan, came[target]) - np.clip(replayed, *limits)
        days = []
        for first in range(0, horizon, BLOCK):
            block = slice(first, first + BLOCK)
            finite = np.isfinite(error[:, block])
            days.append(int(finite.any(axis=1).sum()))
            if finite.sum() >= LEAST_ERRORS:
                levels = _levels(days[-1])
                least, most = np.quantile(error[:, block][finite], levels) * widen
                low[block], high[block] = np.fmin(low[block], least), np.fmax(high[block], most)
        if min(days) >= ENOUGH_DAYS:
            break
    # A rule that is always off to one side would push the interval past its own middle.
    p10 = np.clip(middle + np.minimum(low, 0), *limits)
    p90 = np.clip(middle + np.maximum(high, 0), *limits)
    return p10, middle, p90


def _levels(days: int) -> tuple[float, float]:
    """Return quantiles of errors of so many days that stand for `QUANTILES` of later ones."""
    high = min(1.0, QUANTILES[1] * (1 + 1 / days) / (1 + 1 / DAYS))
    return 1 - high, high


def _hidden(values: Floats) -> list[Ints]:
    """Return the hours to hide in replays, counted back from the issue time: -1 is the newest.

    Those that are unknown now, and the same with fewer whole days missing at the end.
    """
    newest = values[-REACH:]
    hidden = np.flatnonzero(np.isnan(newest)) - len(newest)
    known = np.flatnonzero(np.isfinite(newest))
    missing = len(newest) - 1 - int(known[-1]) if len(known) else len(newest)
    inside = hidden[hidden < -missing]
    return [
        hidden,
        *(np.concatenate([inside, np.arange(-less, 0)]) for less in range(0, missing, 24)),
    ]


def _replay(rule: Rule, values: Floats, origins: Ints, horizon: int, hidden: Ints) -> Floats:
    """Apply the rule at each of `origins`, without the `hidden` hours before it."""
    if not len(hidden):
        return rule(values, origins, horizon)
    rows = np.full((len(origins), horizon), np.nan)
    for row, origin in enumerate(origins):
        blind = values[:origin].copy()
        at = origin + hidden
        blind[at[at >= 0]] = np.nan
        rows[row] = rule(blind, origins[row : row + 1], horizon)[0]
    return rows
