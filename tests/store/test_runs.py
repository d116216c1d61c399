"""Forecast runs: whole, unmixed, as issued."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide.errors import BadInput
from gridtide_store.database import columns, transaction
from gridtide_store.forecast_runs import append_runs
from gridtide_store.store import Store
from gridtide_store.vocabulary import FORECAST
from tests.store.recording import Recording

SIGNAL = "ci_lifecycle_produced"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

Frame = Callable[..., pl.DataFrame]


def test_a_run_comes_back_as_it_was_issued(store: Store, steps: Frame, now: datetime) -> None:
    run = steps([100.0, 110.0, 90.0], now, spread=5.0, simulated=True)
    assert store.append_forecasts(run) == 3
    found = store.forecasts("DE", SIGNAL, now, now + DAY, as_of=now)
    assert found.schema == FORECAST
    assert found.equals(run)


def test_a_run_that_is_there_is_not_added_again(
    store: Store, steps: Frame, now: datetime
) -> None:
    store.append_forecasts(steps([1.0, 2.0], now))
    assert store.append_forecasts(steps([5.0, 6.0, 7.0], now)) == 0
    both = pl.concat([steps([1.0, 2.0], now), steps([3.0], now, zone="AT")])
    assert store.append_forecasts(both) == 1
    found = store.forecasts("DE", SIGNAL, now, now + DAY, as_of=now)
    assert found["p50"].to_list() == [1.0, 2.0]


def test_each_model_shows_its_newest_run_known_then_and_no_other(
    store: Store, steps: Frame, now: datetime
) -> None:
    store.append_forecasts(steps([1.0, 1.0, 1.0], now))
    store.append_forecasts(steps([2.0], now + HOUR, known_at=now + 2 * HOUR))
    store.append_forecasts(steps([3.0], now, model="naive@1"))
    early = store.forecasts("DE", SIGNAL, now, now + DAY, as_of=now + HOUR)
    assert early.select("model", "p50").rows() == [
        ("naive@1", 3.0),
        ("weekly@1", 1.0),
        ("weekly@1", 1.0),
        ("weekly@1", 1.0),
    ]
    late = store.forecasts(
        "DE", SIGNAL, now, now + DAY, as_of=now + 2 * HOUR, models=["weekly@1"]
    )
    assert late["p50"].to_list() == [2.0]


def test_steps_are_taken_by_start_from_the_half_open_range(
    store: Store, steps: Frame, now: datetime
) -> None:
    store.append_forecasts(steps([1.0, 2.0, 3.0], now))
    found = store.forecasts("DE", SIGNAL, now + HOUR, now + 2 * HOUR, as_of=now)
    assert found["p50"].to_list() == [2.0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (pl.lit(5.0).alias("p10"), "p10 5.0 lies above p50"),
        (pl.lit(0.5).alias("p90"), "p90 0.5 lies below p50"),
        (pl.lit(None, pl.Float64).alias("p50"), "p50 None is missing"),
        (pl.lit(float("nan")).alias("p50"), "p50 nan is not a number"),
        (pl.col("slot_end") + HOUR, "slot_start .* overlaps the step before it"),
        (pl.col("slot_start").alias("known_at"), "known_at .* changes within one run"),
        (pl.col("issued_at").dt.replace_time_zone(None), "column issued_at is"),
    ],
)
def test_a_malformed_run_is_refused_whole(
    store: Store, steps: Frame, now: datetime, change: pl.Expr, said: str
) -> None:
    with pytest.raises(BadInput, match=rf"{said}"):
        store.append_forecasts(steps([1.0, 2.0], now).with_columns(change))
    assert store.forecasts("DE", SIGNAL, now, now + DAY, as_of=now + DAY).is_empty()


def test_the_same_slot_twice_in_a_run_is_refused(
    store: Store, steps: Frame, now: datetime
) -> None:
    with pytest.raises(BadInput, match="overlaps"):
        store.append_forecasts(pl.concat([steps([1.0], now), steps([2.0], now)]))


def publishers_runs(store: Store) -> list[tuple[float, float | None]]:
    """When each stored run of publisher a was issued and last seen, in seconds since 1970."""
    found = store.connection.execute(
        "SELECT epoch(issued_at), epoch(seen_at) FROM run WHERE model = 'a' ORDER BY 1"
    ).fetchall()
    return [(at, seen) for at, seen in found]


def test_an_unchanged_forecast_of_a_publisher_is_only_seen_again(
    store: Store, steps: Frame, now: datetime
) -> None:
    first = steps([1.0, 2.0, 3.0], now, model="a", spread=0.5)
    assert store.append_forecasts(first) == 3
    cut = store.cut
    # Later it lacks the slot that is over.
    again = steps([2.0, 3.0], now + HOUR, start=now + HOUR, model="a", spread=0.5)
    assert store.append_forecasts(again) == 0
    assert publishers_runs(store) == [(now.timestamp(), (now + HOUR).timestamp())]
    assert store.cut == cut
    found = store.forecasts("DE", SIGNAL, now, now + DAY, as_of=now + HOUR)
    assert found["issued_at"].unique().to_list() == [now]
    assert found["p50"].to_list() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"p50": [2.0, 3.5]}, id="a value"),
        pytest.param({"p50": [2.0, 3.0, 4.0]}, id="a further slot"),
        pytest.param({"spread": 0.25}, id="a quantile"),
        pytest.param({"spread": None}, id="no quantile"),
        pytest.param({"step": HOUR / 2}, id="another resolution"),
        pytest.param({"zone": "FR"}, id="another zone"),
    ],
)
def test_a_changed_forecast_of_a_publisher_is_a_run(
    store: Store, steps: Frame, now: datetime, change: dict[str, object]
) -> None:
    store.append_forecasts(steps([1.0, 2.0, 3.0], now, model="a", spread=0.5))
    later = {"p50": [2.0, 3.0], "start": now + HOUR, "model": "a", "spread": 0.5} | change
    assert store.append_forecasts(steps(issued_at=now + HOUR, **later)) > 0
    assert [seen for _, seen in publishers_runs(store)] == [None, None]


def test_only_the_newest_forecast_counts_and_only_of_publishers(
    store: Store, steps: Frame, now: datetime
) -> None:
    for hours, value in enumerate([1.0, 2.0, 1.0]):
        run = steps([value], now + hours * HOUR, start=now + DAY, model="a")
        assert store.append_forecasts(run) == 1
    # An older run that comes late is not compared with a newer one.
    late = steps([1.0], now - HOUR, start=now + DAY, model="a", known_at=now + 3 * HOUR)
    assert store.append_forecasts(late) == 1
    # Two runs of a model of ours are two, though they agree.
    for hours in (0, 1):
        assert store.append_forecasts(steps([1.0], now + hours * HOUR, start=now + DAY)) == 1


def test_a_forecast_is_compared_with_runs_of_its_own_zone_alone(
    store: Store, steps: Frame, now: datetime, tmp_path: Path
) -> None:
    """Of a publisher of fifty zones a forecast for one of them reads one zone's runs."""
    for zone in ("DE", "FR", "ES"):
        store.append_forecasts(steps([1.0], now, start=now + DAY, model="a", zone=zone))
    recording = Recording(store.connection)
    with transaction(store.connection):
        again = steps([1.0], now + HOUR, start=now + DAY, model="a", zone="FR")
        added = append_runs(recording, again, batch=99, scratch=tmp_path)  # type: ignore[arg-type]  # all it needs
    assert added == 0
    read = [
        set(columns(store.connection, query, values)["zone"])
        for query, values in recording.executed
        if query.startswith("SELECT id, zone")
    ]
    assert read == [{"FR"}]


def test_of_two_publishers_each_is_compared_with_itself(
    store: Store, steps: Frame, now: datetime
) -> None:
    both = [
        steps([value], now, start=now + DAY, model="a", zone=zone)
        for zone, value in (("DE", 1.0), ("FR", 2.0))
    ]
    store.append_forecasts(pl.concat(both))
    later = [
        steps([value], now + HOUR, start=now + DAY, model="a", zone=zone)
        for zone, value in (("DE", 1.0), ("FR", 3.0))
    ]
    assert store.append_forecasts(pl.concat(later)) == 1
