"""The curve is Prophet's own; the correction is the one written down; nothing is printed."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import prophet
import pytest
from scipy.optimize import minimize

from gridtide_pipelines.errors import NotEnoughHistory
from gridtide_pipelines.forecast.forecaster import Known
from gridtide_pipelines.forecast.models.prophet import (
    MODEL,
    Curve,
    FittedProphet,
    corrected,
    most_likely,
)

HORIZON = timedelta(hours=72)
FINE = {"xatol": 1e-10, "fatol": 1e-12, "maxiter": 10_000, "maxfev": 10_000}
MakeKnown = Callable[..., Known]
MakeValues = Callable[[int], list[float]]


@pytest.fixture
def stan() -> Iterator[Callable[..., prophet.Prophet]]:
    """Prophet fitted by its own Stan, on hourly values up to a moment."""
    logger = logging.getLogger("cmdstanpy")
    logger.disabled = True

    def fitted(values: list[float], at: datetime, *, yearly: bool) -> prophet.Prophet:
        model = prophet.Prophet(
            growth="flat",
            daily_seasonality=True,
            weekly_seasonality=True,
            yearly_seasonality=yearly,
            uncertainty_samples=0,
        )
        hours = len(values)
        stamps = pd.date_range(end=at.replace(tzinfo=None), periods=hours + 1, freq="h")[:-1]
        return model.fit(pd.DataFrame({"ds": stamps, "y": values}), seed=1)

    yield fitted
    logger.disabled = False


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("days", "yearly"), [(40, []), (400, ["yearly"])])
def test_the_curve_is_what_prophet_itself_predicts(
    days: int,
    yearly: list[str],
    known: MakeKnown,
    wavy: MakeValues,
    at: datetime,
    stan: Callable[..., prophet.Prophet],
) -> None:
    values = wavy(days * 24)
    fitted = MODEL.fit(known(values), seed=1)
    assert isinstance(fitted, FittedProphet)
    assert list(fitted.curve.seasons) == [*yearly, "weekly", "daily"]
    theirs = stan(values, at, yearly=bool(yearly))
    ahead = pd.DataFrame({"ds": pd.date_range(at.replace(tzinfo=None), periods=96, freq="h")})
    hours = np.arange(96) + (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(hours=1)
    np.testing.assert_allclose(
        fitted.curve.at(hours), theirs.predict(ahead)["yhat"].to_numpy(), rtol=1e-4
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_weights_that_stan_finds_are_likelier(
    wavy: MakeValues, at: datetime, stan: Callable[..., prophet.Prophet]
) -> None:
    noise = np.random.default_rng(7).normal(0, 60, 40 * 24)
    values = (np.array(wavy(40 * 24)) + noise).tolist()
    theirs = stan(values, at, yearly=False)
    again = prophet.Prophet(growth="flat", daily_seasonality=True, yearly_seasonality=False)
    frame = theirs.history[["ds", "y"]]
    requested = again.preprocess(frame)
    features, scaled = np.asarray(requested.X), np.asarray(requested.y)
    scales = np.asarray(requested.sigmas)

    def likelihood(level: float, weights: np.ndarray, noise: float) -> float:
        """The logarithm of the posterior, as prophet.stan writes it, less constants."""
        error = scaled - level - features @ weights
        priors = (level / 5) ** 2 + np.sum((weights / scales) ** 2) + (noise / 0.5) ** 2
        return float(
            -len(scaled) * np.log(noise) - np.sum(error**2) / 2 / noise**2 - priors / 2
        )

    level, weights = most_likely(features, scaled, scales)
    spread = float(theirs.params["sigma_obs"].item())
    stans = float(theirs.params["m"].item()), np.ravel(theirs.params["beta"])
    assert likelihood(level, weights, spread) >= likelihood(*stans, spread) - 1e-6
    # It is a peak: one step aside in any weight is less likely.
    for i in range(len(weights)):
        for step in (-1e-3, 1e-3):
            moved = weights.copy()
            moved[i] += step
            assert likelihood(level, moved, spread) < likelihood(level, weights, spread)


def test_priors_count_where_little_is_seen() -> None:
    draw = np.random.default_rng(11)
    features, scales = draw.normal(size=(8, 2)), np.array([0.1, 10.0])
    values = 3 + features @ np.array([2.0, -1.0]) + draw.normal(0, 1.5, 8)

    def unlikely(at: np.ndarray) -> float:
        level, weights, noise = at[0], at[1:3], np.exp(at[3])
        error = np.sum((values - level - features @ weights) ** 2)
        priors = (level / 5) ** 2 + np.sum((weights / scales) ** 2) + (noise / 0.5) ** 2
        return float(8 * np.log(noise) + error / 2 / noise**2 + priors / 2)

    peak = minimize(unlikely, np.array([1.0, 0, 0, 0]), method="Nelder-Mead", options=FINE).x
    level, weights = most_likely(features, values, scales)
    np.testing.assert_allclose([level, *weights], peak[:3], atol=1e-5)


FLAT = np.zeros(240)
ISSUE = np.array([168])


def test_a_level_error_fades_over_three_days() -> None:
    values = np.zeros(168)
    values[-24:] = 10.0
    made = corrected(FLAT, values, ISSUE, 72)[0]
    # Of the mean residual 83, 61 and 48 % are still there on day 1, 2 and 3.
    np.testing.assert_allclose(made, np.repeat([8.3, 6.1, 4.8], 24))


def test_an_hour_s_own_error_comes_back_at_that_hour() -> None:
    values = np.zeros(168)
    values[-24 + 5] = 24.0
    made = corrected(FLAT, values, ISSUE, 72)[0]
    # The mean is 1, hour 5 deviates by 23, the others by -1.
    assert made[5] == pytest.approx(0.83 + 0.49 * 23)
    assert made[24 + 5] == pytest.approx(0.61 + 0.43 * 23)
    assert made[48 + 5] == pytest.approx(0.48 + 0.45 * 23)
    assert made[6] == pytest.approx(0.83 - 0.49)


def test_only_the_last_24_hours_correct() -> None:
    values = np.zeros(168)
    values[:-24] = 500.0
    assert corrected(FLAT, values, ISSUE, 72)[0].tolist() == [0.0] * 72


def test_unknown_hours_do_not_correct_and_do_not_spoil() -> None:
    values = np.full(168, np.nan)
    values[-24:-12] = 10.0
    values[-1] = 10.0
    np.testing.assert_allclose(corrected(FLAT, values, ISSUE, 24)[0], 8.3)


def test_older_residuals_count_as_their_age_says() -> None:
    values = np.zeros(168)
    values[-48:-24] = 10.0
    values[-24:] = np.nan
    # The newest known hour is a day old: the first day ahead is its second.
    np.testing.assert_allclose(
        corrected(FLAT, values, ISSUE, 72)[0], np.repeat([6.1, 4.8, 4.8], 24)
    )


def test_the_same_hour_is_the_same_hour_of_day_however_old_the_residuals() -> None:
    values = np.full(168, np.nan)
    values[-30:-6] = 0.0
    # Position 168 - 30 + 7 = 145 is hour 1 of its day, as 168 is hour 0.
    values[145] = 24.0
    made = corrected(FLAT, values, ISSUE, 24)[0]
    assert made.argmax() == 1


def test_the_first_origin_has_nothing_before_it() -> None:
    made = corrected(FLAT, np.zeros(168), np.array([-24, 0, 24]), 72)
    assert np.isnan(made[:2]).all()
    assert made[2].tolist() == [0.0] * 72


def test_fewer_than_30_days_are_refused(known: MakeKnown, wavy: MakeValues) -> None:
    with pytest.raises(NotEnoughHistory, match="719 known hours"):
        MODEL.fit(known(wavy(719)), seed=1)


def test_a_week_of_silence_is_refused_although_it_is_fitted(
    known: MakeKnown, wavy: MakeValues, at: datetime
) -> None:
    history = known(wavy(60 * 24))
    fitted = MODEL.fit(history, seed=1)
    later = at + timedelta(days=7)
    stale = known(wavy(60 * 24), at=later, end=at)
    with pytest.raises(NotEnoughHistory, match="7 days"):
        fitted.predict(stale, later, HORIZON)
    nearly = at + timedelta(days=7, hours=-1)
    bridged = known(wavy(60 * 24), at=nearly, end=at)
    assert len(fitted.predict(bridged, nearly, HORIZON).p50) == 72


def test_fitting_tells_nothing(
    known: MakeKnown, wavy: MakeValues, capfd: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("cmdstanpy").disabled = False
    MODEL.fit(known(wavy(40 * 24)), seed=1)
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")
    assert not logging.getLogger("cmdstanpy").disabled


def test_predicting_needs_no_prophet() -> None:
    content = FittedProphet(Curve(300.0, {"daily": (1.0, 2.0)})).to_bytes()
    script = (
        "import sys\n"
        "from gridtide_pipelines.forecast.models.prophet import MODEL\n"
        f"MODEL.from_bytes({content!r}).curve.at(__import__('numpy').arange(5))\n"
        "sys.stdout.write(str({'prophet', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout == b"set()"
