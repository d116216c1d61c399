"""Forecasts from a store: what is used, what is stored, and what is refused with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gridtide.errors import BadInput
from gridtide.model import Signal
from gridtide_pipelines.forecast.issue import forecast_zones
from gridtide_pipelines.forecast.store_history import StoreHistory
from gridtide_store.data_directory import DataDirectory
from gridtide_store.store import Store
from gridtide_store.vocabulary import FORECAST, OBSERVATION

NOW = datetime(2026, 3, 2, 12, 25, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIFECYCLE = Signal.CI_LIFECYCLE_PRODUCED


@pytest.fixture
def home(tmp_path: Path) -> DataDirectory:
    return DataDirectory(tmp_path)


@pytest.fixture
def store(home: DataDirectory) -> Iterator[Store]:
    with Store.open(home) as opened:
        yield opened


def rows(
    values: list[float | None],
    *,
    zone: str = "DE",
    signal: str = LIFECYCLE,
    end: datetime = NOW - timedelta(minutes=25),
    source: str = "derived@ipcc_ar5/eia",
    quality: str = "measured",
    known_at: datetime | None = None,
) -> pl.DataFrame:
    """Hourly slots whose last one ends at `end`, each known when it ended."""
    starts = [end - HOUR * (len(values) - i) for i in range(len(values))]
    return pl.DataFrame(
        {
            "zone": zone,
            "signal": str(signal),
            "source": source,
            "slot_start": starts,
            "slot_end": [start + HOUR for start in starts],
            "value": values,
            "quality": quality,
            "known_at": [known_at or start + HOUR for start in starts],
            "retrieval_id": 1,
        },
        schema=OBSERVATION,
    )


def counted(days: int, *, first: float = 0.0) -> list[float | None]:
    """The hours before 12:00, worth 100 x day + hour; the last one is 11:00 of day `days`."""
    hours = range(12, days * 24 + 12)
    return [first + 100.0 * (hour // 24) + hour % 24 for hour in hours]


def test_72_hours_are_stored_from_the_hour_that_contains_now(
    store: Store, home: DataDirectory
) -> None:
    store.append(rows(counted(10)))
    made = forecast_zones(store, home, NOW, model="naive")
    assert (made.rows, made.runs, made.reasons) == (72, {"naive@1": 1}, {})
    stored = store.forecasts("DE", LIFECYCLE, NOW - 24 * HOUR, NOW + 99 * HOUR, as_of=NOW)
    assert stored.schema == FORECAST
    noon = NOW - timedelta(minutes=25)
    assert stored["slot_start"].to_list() == [noon + HOUR * i for i in range(72)]
    assert set(stored["issued_at"]) == set(stored["known_at"]) == {NOW}
    assert set(stored["source"]) == {"derived@ipcc_ar5/eia"}
    assert set(stored["simulated"]) == {False}
    # Yesterday from 12:00 on (day 9), then this morning (day 10), by hand.
    expected = [900.0 + h for h in range(12, 24)] + [1000.0 + h for h in range(12)]
    assert stored["p50"].to_list() == expected * 3


def test_every_signal_of_a_zone_is_forecast_and_nothing_else(
    store: Store, home: DataDirectory
) -> None:
    store.append(
        pl.concat(
            [
                rows(counted(3)),
                rows([0.5] * 72, signal=Signal.CFE_PRODUCED),
                rows([9.0] * 72, signal="generation_wind"),
                rows([9.0] * 72, zone="DE->FR", signal="flow"),
                rows(counted(3), zone="FR"),
            ]
        )
    )
    made = forecast_zones(store, home, NOW, model="naive")
    assert made.runs == {"naive@1": 3}
    assert made.rows == 216
    cfe = store.forecasts("DE", Signal.CFE_PRODUCED, NOW, NOW + 9 * HOUR, as_of=NOW)
    assert set(cfe["p50"]) == {0.5}


def test_only_the_requested_zones_are_forecast(store: Store, home: DataDirectory) -> None:
    store.append(pl.concat([rows(counted(3)), rows(counted(3), zone="FR")]))
    made = forecast_zones(store, home, NOW, zones=["FR", "PL"], model="naive")
    assert made.runs == {"naive@1": 1}
    assert made.reasons == {"PL": "PL: nothing is stored; import or refresh data first"}
    assert store.forecasts("DE", LIFECYCLE, NOW, NOW + HOUR, as_of=NOW).is_empty()


def test_the_same_issue_is_stored_once(store: Store, home: DataDirectory) -> None:
    store.append(rows(counted(3)))
    assert forecast_zones(store, home, NOW, model="naive").rows == 72
    again = forecast_zones(store, home, NOW, model="naive")
    assert (again.rows, again.runs) == (0, {"naive@1": 1})


def test_a_stale_zone_is_not_forecast_but_named_with_the_remedy(
    store: Store, home: DataDirectory
) -> None:
    old = NOW - timedelta(days=7, minutes=25)
    store.append(pl.concat([rows(counted(3), zone="FR", end=old), rows(counted(3))]))
    made = forecast_zones(store, home, NOW, model="naive")
    assert made.runs == {"naive@1": 1}
    assert list(made.reasons) == ["FR"]
    assert "newest slot ended 2026-02-23T12:00:00Z" in made.reasons["FR"]
    assert "import or refresh newer data" in made.reasons["FR"]
    assert "--now" in made.reasons["FR"]


def test_the_true_age_of_data_older_than_any_memory_is_reported(
    store: Store, home: DataDirectory
) -> None:
    store.append(rows(counted(3), end=datetime(2021, 12, 31, tzinfo=UTC)))
    made = forecast_zones(store, home, NOW)
    assert "newest slot ended 2021-12-31T00:00:00Z" in made.reasons["DE"]


@pytest.mark.parametrize(
    ("model", "missing"), [("naive", 72), ("prophet", 72), ("weekly", 160)]
)
def test_a_zone_whose_newest_days_are_missing_gets_a_wider_interval(
    model: str, missing: int, store: Store, home: DataDirectory
) -> None:
    # A level that wanders by 10 an hour: from older data it is off by more. weekly repeats
    # an older week only where the hours of the last one are missing.
    walk = 5000 + np.random.default_rng(4).normal(0, 10, 100 * 24).cumsum()
    noon = NOW - timedelta(minutes=25)
    late = rows(walk[:-missing].tolist(), zone="FR", end=noon - missing * HOUR)
    store.append(pl.concat([rows(walk.tolist()), late]))
    assert forecast_zones(store, home, NOW, model=model).reasons == {}
    width = {}
    for zone in ("DE", "FR"):
        made = store.forecasts(zone, LIFECYCLE, NOW, NOW + 72 * HOUR, as_of=NOW)
        width[zone] = (made["p90"] - made["p10"]).mean()
    # The deviation over n hours grows with the root of n: for naive from 36 hours on average
    # to 108, for weekly from 7 days to 14.
    assert width["FR"] > 1.3 * width["DE"]


def test_before_anything_was_known_there_is_nothing_to_forecast_from(
    store: Store, home: DataDirectory
) -> None:
    store.append(rows(counted(3)))
    made = forecast_zones(store, home, datetime(2021, 1, 1, tzinfo=UTC))
    assert made.reasons["DE"] == (
        "DE: nothing of it was known by 2021-01-01T00:00:00Z; forecast at a later time"
    )


def test_a_zone_with_too_little_history_says_so_once_for_all_its_signals(
    store: Store, home: DataDirectory
) -> None:
    store.append(pl.concat([rows([1.0] * 9), rows([0.1] * 9, signal=Signal.CFE_PRODUCED)]))
    made = forecast_zones(store, home, NOW, model="naive")
    assert (made.rows, made.runs) == (0, {})
    assert made.reasons["DE"].count("naive@1 [DE]") == 2


def test_a_revision_that_came_after_now_is_not_used(store: Store, home: DataDirectory) -> None:
    store.append(rows(counted(10)))
    store.append(rows([7777.0] * 200, known_at=NOW + HOUR))
    forecast_zones(store, home, NOW, model="naive")
    forecast_zones(store, home, NOW + HOUR, model="naive")
    span = (NOW - HOUR, NOW + 99 * HOUR)
    then = store.forecasts("DE", LIFECYCLE, *span, as_of=NOW)
    later = store.forecasts("DE", LIFECYCLE, *span, as_of=NOW + HOUR)
    assert then["p50"].max() == 1011.0
    assert later["p50"].max() == 7777.0


def test_the_future_drawn_anew_changes_no_forecast_of_the_past(
    tmp_path: Path,
) -> None:
    past = np.random.default_rng(1).normal(300, 30, 70 * 24).tolist()
    forecasts = []
    for luck in (1, 2):
        home = DataDirectory(tmp_path / str(luck))
        draw = np.random.default_rng(luck)
        with Store.open(home) as store:
            store.append(rows(past))
            store.append(rows(draw.uniform(0, 999, 900).tolist(), known_at=NOW + HOUR))
            store.append(rows(draw.uniform(0, 999, 96).tolist(), end=NOW + 97 * HOUR))
            forecast_zones(store, home, NOW)
            made = store.forecasts("DE", LIFECYCLE, NOW - HOUR, NOW + 99 * HOUR, as_of=NOW)
            forecasts.append(made)
    assert set(forecasts[0]["model"]) == {"prophet@1"}
    assert forecasts[0].equals(forecasts[1])


def test_what_is_made_from_simulated_rows_says_so(store: Store, home: DataDirectory) -> None:
    store.append(rows(counted(3), quality="simulated", source="derived@ipcc_ar5/simulated"))
    forecast_zones(store, home, NOW, model="naive")
    stored = store.forecasts("DE", LIFECYCLE, NOW, NOW + HOUR, as_of=NOW)
    assert set(stored["simulated"]) == {True}
    assert set(stored["source"]) == {"derived@ipcc_ar5/simulated"}


def test_the_default_falls_back_zone_by_zone(store: Store, home: DataDirectory) -> None:
    wave = [300 + 50 * np.sin(i / 4) for i in range(35 * 24)]
    store.append(
        pl.concat([rows(wave), rows(counted(10), zone="FR"), rows(counted(2), zone="PL")])
    )
    made = forecast_zones(store, home, NOW)
    assert made.runs == {"prophet@1": 1, "weekly@1": 1, "naive@1": 1}
    assert [path.parts[-3] for path in home.models.rglob("*.fit")] == ["DE"]


def test_a_kept_fit_is_used_again(store: Store, home: DataDirectory) -> None:
    wave = [300 + 50 * np.sin(i / 4) for i in range(35 * 24)]
    store.append(rows(wave))
    forecast_zones(store, home, NOW, model="prophet")
    (path,) = home.models.rglob("*.fit")
    made_at = path.stat().st_mtime_ns
    forecast_zones(store, home, NOW + HOUR, model="prophet")
    assert path.stat().st_mtime_ns == made_at
    assert len(list(home.models.rglob("*"))) == 3


@pytest.mark.slow
def test_processes_side_by_side_give_the_same_forecasts_in_order(tmp_path: Path) -> None:
    forecasts = []
    seen: list[tuple[str, int, int]] = []

    def note(what: str, done: int, of: int) -> None:
        seen.append((what, done, of))

    for workers in (1, 2):
        seen.clear()
        home = DataDirectory(tmp_path / str(workers))
        with Store.open(home) as store:
            for i, zone in enumerate(["AT", "BE", "DE", "FR", "NL"]):
                wave = [300 + 10 * i + 50 * np.sin(j / 4) for j in range(31 * 24)]
                store.append(rows(wave, zone=zone))
            made = forecast_zones(store, home, NOW, workers=workers, progress=note)
            assert made.runs == {"prophet@1": 5}
            assert seen == [("forecast", i, 5) for i in range(1, 6)]
            forecasts += [
                store.forecasts(zone, LIFECYCLE, NOW, NOW + 9 * HOUR, as_of=NOW)
                for zone in ("AT", "NL")
            ]
    assert forecasts[0].equals(forecasts[2])
    assert forecasts[1].equals(forecasts[3])


def test_an_unknown_model_is_refused_before_anything_is_done(
    store: Store, home: DataDirectory
) -> None:
    with pytest.raises(BadInput, match="unknown model"):
        forecast_zones(store, home, NOW, model="oracle")


def test_a_model_gets_the_mix_and_the_publishers_forecasts_it_wants(store: Store) -> None:
    store.append(
        pl.concat(
            [
                rows(counted(3)),
                rows([5.0] * 48, signal="generation_wind", source="eia"),
                rows([7.0] * 48, signal="generation_coal", source="eia"),
                rows([9.0] * 48, signal="generation_coal", source="zz_less_trusted"),
            ]
        )
    )
    foreseen = {
        "zone": "DE",
        "signal": str(LIFECYCLE),
        "slot_start": [NOW + HOUR * i + timedelta(minutes=35) for i in range(4)],
        "slot_end": [NOW + HOUR * i + timedelta(minutes=95) for i in range(4)],
        "p10": None,
        "p50": [1.0, 2.0, 3.0, 4.0],
        "p90": None,
        "source": "eia",
        "simulated": False,
    }
    for model, known_at in (("neso", NOW), ("late", NOW + HOUR), ("naive@1", NOW)):
        printed = foreseen | {"model": model, "issued_at": known_at, "known_at": known_at}
        store.append_forecasts(pl.DataFrame(printed, schema=FORECAST))
    wants = frozenset({"mix", "publishers"})
    history = StoreHistory(store, "DE", LIFECYCLE, timedelta(days=10), wants)
    known = history.known(NOW)
    assert known.mix is not None
    assert known.publishers is not None
    mix = known.mix.group_by("fuel").agg(pl.len(), pl.mean("value")).sort("fuel")
    assert mix.rows() == [("coal", 48, 7.0), ("wind", 48, 5.0)]
    assert known.publishers["model"].unique().to_list() == ["neso"]
    assert known.publishers["p50"].to_list() == [1.0, 2.0, 3.0, 4.0]
    assert known.location.timezone == "Europe/Berlin"
    plain = StoreHistory(store, "DE", LIFECYCLE, timedelta(days=10)).known(NOW)
    assert plain.mix is None
    assert plain.publishers is None
