"""What every forecaster keeps to. They are found, not listed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from gridtide.errors import BadInput
from gridtide.model import Signal
from gridtide_pipelines.errors import NotEnoughHistory
from gridtide_pipelines.forecast.forecaster import Forecaster, ForecastSlots, Known, Location
from gridtide_pipelines.forecast.history_files import FileHistory
from gridtide_pipelines.forecast.models import models

HORIZON = timedelta(hours=72)
HOUR = timedelta(hours=1)
DAYS = 110
EVERY = pytest.mark.parametrize("model", models().values(), ids=lambda model: model.name)


def run(model: Forecaster, known: Known, horizon: timedelta = HORIZON) -> ForecastSlots:
    return model.fit(known, seed=3).predict(known, known.at, horizon)


def same(one: ForecastSlots, other: ForecastSlots) -> bool:
    return one.frame().equals(other.frame())


def test_there_are_models() -> None:
    assert {"naive@1", "weekly@1", "prophet@1"} <= set(models())


@EVERY
def test_a_name_has_a_version(model: Forecaster) -> None:
    name, _, version = model.name.partition("@")
    assert name.isidentifier()
    assert version.isdigit()


@EVERY
def test_without_an_interval_the_middle_is_the_same(
    model: Forecaster, known: Callable[..., Known], wavy: Callable[[int], list[float]]
) -> None:
    history = known(wavy(DAYS * 24))
    fitted = model.fit(history, seed=3)
    whole, middle = (
        fitted.predict(history, history.at, HORIZON, interval=interval)
        for interval in (True, False)
    )
    assert middle.start == whole.start
    assert middle.p50.tolist() == whole.p50.tolist()
    assert np.isfinite(whole.p10).all()
    assert np.isnan([middle.p10, middle.p90]).all()


@EVERY
@pytest.mark.parametrize(
    ("minutes", "steps"), [(72 * 60, 72), (60, 1), (90, 2), (200 * 60, 200)]
)
def test_steps_cover_the_horizon_hour_by_hour(
    model: Forecaster,
    minutes: int,
    steps: int,
    known: Callable[..., Known],
    wavy: Callable[[int], list[float]],
    at: datetime,
) -> None:
    frame = run(model, known(wavy(DAYS * 24)), timedelta(minutes=minutes)).frame()
    assert frame["start"].to_list() == [at + HOUR * i for i in range(steps)]
    assert (frame["end"] - frame["start"] == HOUR).all()
    assert frame.null_count().sum_horizontal().item() == 0


@EVERY
def test_the_first_step_is_the_hour_that_contains_the_issue(
    model: Forecaster,
    known: Callable[..., Known],
    wavy: Callable[[int], list[float]],
    at: datetime,
) -> None:
    made = run(model, known(wavy(DAYS * 24), at=at + timedelta(minutes=25)))
    assert made.frame()["start"][0] == at
    assert same(made, run(model, known(wavy(DAYS * 24))))


@EVERY
def test_quantiles_are_in_order_and_apart(
    model: Forecaster, known: Callable[..., Known], wavy: Callable[[int], list[float]]
) -> None:
    made = run(model, known(wavy(DAYS * 24)))
    assert (made.p10 <= made.p50).all()
    assert (made.p50 <= made.p90).all()
    # Four fifths of the noise (deviation 8) lie within 20; the weekly swing spans 60, the
    # daily one 120.
    assert 15 < np.mean(made.p90 - made.p10) < 120


@EVERY
def test_the_same_history_and_seed_give_the_same_steps(
    model: Forecaster, known: Callable[..., Known], wavy: Callable[[int], list[float]]
) -> None:
    history = known(wavy(DAYS * 24))
    assert same(run(model, history), run(model, history))
    one, other = model.fit(history, seed=5), model.fit(history, seed=5)
    assert one.to_bytes() == other.to_bytes()


@EVERY
def test_a_fit_survives_being_written_and_read(
    model: Forecaster, known: Callable[..., Known], wavy: Callable[[int], list[float]]
) -> None:
    history = known(wavy(DAYS * 24))
    fitted = model.fit(history, seed=1)
    content = fitted.to_bytes()
    again = model.from_bytes(content)
    assert again.to_bytes() == content
    assert len(content) < 20_000
    assert same(
        again.predict(history, history.at, HORIZON),
        fitted.predict(history, history.at, HORIZON),
    )


@EVERY
@pytest.mark.parametrize("content", [b"junk", b"{}", b"[1]", b'{"level": "x"}', b"\xff"])
def test_bytes_it_did_not_write_are_refused(model: Forecaster, content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        model.from_bytes(content)


@EVERY
@pytest.mark.parametrize("hours", [0, 20])
def test_a_short_history_is_refused(
    model: Forecaster, hours: int, known: Callable[..., Known]
) -> None:
    with pytest.raises(NotEnoughHistory, match="import or refresh"):
        run(model, known([300.0] * hours))


@EVERY
def test_a_history_that_ended_long_ago_is_refused(
    model: Forecaster,
    known: Callable[..., Known],
    wavy: Callable[[int], list[float]],
    at: datetime,
) -> None:
    old = known(wavy(DAYS * 24), end=at - timedelta(days=40))
    with pytest.raises(NotEnoughHistory):
        run(model, old)


@EVERY
def test_gaps_are_survived(
    model: Forecaster, known: Callable[..., Known], wavy: Callable[[int], list[float]]
) -> None:
    values: list[float | None] = list(wavy(DAYS * 24))
    for i in np.random.default_rng(1).choice(len(values), len(values) // 5, replace=False):
        values[i] = None
    values[-30:-6] = [None] * 24
    made = run(model, known(values))
    assert np.isfinite(made.p50).all()
    assert np.abs(made.p50 - 300).max() < 200


# Whether an hour of the history, counted from its start and from its end, is never known.
MISSING: dict[str, Callable[[int, int], bool]] = {
    "one hour each day": lambda hour, left: hour % 24 == 13,
    "every night": lambda hour, left: hour % 24 >= 20 or hour % 24 < 8,
    "each Monday": lambda hour, left: hour // 24 % 7 == 0,
    "each weekend": lambda hour, left: hour // 24 % 7 >= 5,
    "every second hour": lambda hour, left: hour % 2 == 1,
    "the last 6 hours": lambda hour, left: left <= 6,
}


@EVERY
@pytest.mark.parametrize("kind", MISSING)
def test_one_kind_of_missing_hour_costs_no_forecast(
    model: Forecaster,
    kind: str,
    known: Callable[..., Known],
    wavy: Callable[[int], list[float]],
) -> None:
    count = DAYS * 24
    values = [
        None if MISSING[kind](hour, count - hour) else value
        for hour, value in enumerate(wavy(count))
    ]
    made = run(model, known(values))
    assert len(made.p50) == 72
    assert np.isfinite(made.p50).all()
    there = [value for value in values if value is not None]
    spread = max(there) - min(there)
    assert min(there) - spread <= made.p50.min()
    assert made.p50.max() <= max(there) + spread


@EVERY
@pytest.mark.parametrize("signal", [Signal.CI_DIRECT_CONSUMED, Signal.CFE_PRODUCED])
def test_no_step_lies_outside_what_the_signal_can_be(
    model: Forecaster, signal: Signal, known: Callable[..., Known]
) -> None:
    wild = np.random.default_rng(2).choice([0.0, 1.0], DAYS * 24).tolist()
    made = run(model, known(wild, signal=signal))
    assert min(made.p10) >= 0
    if signal is Signal.CFE_PRODUCED:
        assert max(made.p90) <= 1


@EVERY
def test_a_constant_history_is_forecast_as_it_is(
    model: Forecaster, known: Callable[..., Known]
) -> None:
    made = run(model, known([24.0] * DAYS * 24))
    np.testing.assert_allclose(made.p50, 24.0, atol=1e-6)
    np.testing.assert_allclose(made.p90 - made.p10, 0.0, atol=1e-6)


@EVERY
def test_what_was_learned_after_the_issue_is_refused(
    model: Forecaster,
    known: Callable[..., Known],
    wavy: Callable[[int], list[float]],
    at: datetime,
) -> None:
    later = known(wavy(DAYS * 24))
    fitted = model.fit(later, seed=1)
    with pytest.raises(BadInput, match="cut it at the issue"):
        fitted.predict(later, at - HOUR, HORIZON)


def scenario(
    past: list[float], slots: Callable[..., pl.DataFrame], at: datetime, luck: int
) -> FileHistory:
    """A zone's files, the same before `at` and different from then on."""
    draw = np.random.default_rng(luck)
    future = draw.uniform(1, 2000, 96).tolist()
    hours = slots([*past, *future], end=at + timedelta(hours=96))
    mix = hours.with_columns(pl.lit("wind").alias("fuel"))
    weather = pl.DataFrame(
        {
            "issued_at": [at - HOUR * 6, at + HOUR * 6],
            "lead_h": [0, 0],
            "wind_speed_m_s": [5.0, draw.uniform(0, 20)],
        },
        schema_overrides={"issued_at": pl.Datetime("us", "UTC")},
    )
    return FileHistory("DE", Location("Europe/Berlin"), hours, mix, weather, hours)


@EVERY
def test_changing_the_future_changes_nothing(
    model: Forecaster,
    slots: Callable[..., pl.DataFrame],
    wavy: Callable[[int], list[float]],
    at: datetime,
) -> None:
    past = wavy(DAYS * 24)
    one, other = (scenario(past, slots, at, luck) for luck in (1, 2))
    assert not one.intensity.equals(other.intensity)
    assert model.fit(one.known(at), seed=1).to_bytes() == (
        model.fit(other.known(at), seed=1).to_bytes()
    )
    assert same(run(model, one.known(at)), run(model, other.known(at)))


@EVERY
def test_slots_that_slip_in_from_the_future_are_not_looked_at(
    model: Forecaster, known: Callable[..., Known], wavy: Callable[[int], list[float]]
) -> None:
    past = wavy(DAYS * 24)
    honest = known(past)
    leaky = known([*past, *[2000.0] * 72], end=honest.at + HORIZON)
    assert same(run(model, honest), run(model, leaky))


@EVERY
def test_the_latest_day_does_matter(
    model: Forecaster, known: Callable[..., Known], wavy: Callable[[int], list[float]]
) -> None:
    past = wavy(DAYS * 24)
    moved = [*past[: -7 * 24], *(value + 100 for value in past[-7 * 24 :])]
    gain = run(model, known(moved)).p50[:24] - run(model, known(past)).p50[:24]
    assert gain.mean() > 50
