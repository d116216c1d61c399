"""What a snapshot answers is what the store answers, now and as of any moment."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.publish import Rebase, publish
from gridtide_store.snapshot import Observed, Snapshot
from gridtide_store.store import Store

SIGNAL = "ci_lifecycle_produced"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

Frame = Callable[..., pl.DataFrame]
Publish = Callable[..., str]


def rows(found: Observed) -> list[tuple[object, ...]]:
    frame = pl.DataFrame(
        {
            "start": found.start_us,
            "end": found.end_us,
            "value": pl.Series(found.value, nan_to_null=True),
            "quality": found.quality.tolist(),
            "source": found.source.tolist(),
            "known_at": found.known_at_us,
        }
    )
    return frame.with_columns(
        pl.col("start", "end", "known_at").cast(pl.Datetime("us", "UTC"))
    ).rows()


# A publication, or an append: source, first slot, hour known at, values.
events = st.lists(
    st.one_of(
        st.sampled_from([Rebase(), Rebase(age=timedelta(0))]),
        st.tuples(
            st.sampled_from("ab"),
            st.integers(0, 3),
            st.integers(0, 5),
            st.lists(st.sampled_from([None, 1.0, 2.0]), min_size=1, max_size=3),
        ),
    ),
    max_size=8,
)
zone_numbers = itertools.count()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    home = DataDirectory(Path(tmp_path_factory.mktemp("snapshots")) / "home")
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    with writer_lock(home, "test", moment), Store.open(home) as store:
        yield store


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=events)
def test_a_snapshot_answers_like_the_store_at_every_moment(
    shared: Store, slots: Frame, now: datetime, drawn: list[object]
) -> None:
    zone = f"Z{next(zone_numbers)}"
    latest: dict[tuple[str, int], int] = {}
    for event in [*drawn, Rebase()]:
        if isinstance(event, Rebase):
            name = publish(
                shared,
                Ledger(shared.home.ledger),
                shared.home,
                now + DAY * 9,  # later than all that is known, as clocks have it
                replay=False,
                trust=lambda zone: ["b", "a"],
                rebase=event,
            )
            continue
        source, first, known, values = event  # type: ignore[misc]  # the other kind of event
        touched = [(source, first + offset) for offset in range(len(values))]
        # Only what the store takes: known after all it replaces.
        known = max([known, *(latest.get(key, -1) + 1 for key in touched)])
        latest.update(dict.fromkeys(touched, known))
        start = now + HOUR * first
        shared.append(slots(values, now + HOUR * known, start=start, source=source, zone=zone))
    with Snapshot.open(shared.home.snapshots / name) as snapshot:
        for hour in [None, *range(-1, 9)]:
            as_of = None if hour is None else now + HOUR * hour
            expected = shared.history(
                zone, SIGNAL, now, now + DAY, as_of=as_of or now + DAY * 9, sources=["b", "a"]
            )
            found = snapshot.observations(zone, SIGNAL, now, now + DAY, as_of=as_of)
            assert rows(found) == expected.rows()
        ends = shared.series().filter(pl.col("zone") == zone).drop("rows").rows()
        assert [
            (s.zone, s.signal, s.source, s.first_start, s.last_end, s.newest_known_at)
            for s in snapshot.series
            if s.zone == zone
        ] == ends


def test_values_are_rounded_to_hundredths_and_fractions_to_ten_thousandths(
    home: DataDirectory, store: Store, slots: Frame, publish_at: Publish, now: datetime
) -> None:
    store.append(slots([123.456789], now))
    store.append(slots([0.456789], now, signal="cfe_produced"))
    with Snapshot.open(home.snapshots / publish_at(now)) as snapshot:
        found = {
            signal: snapshot.observations("DE", signal, now, now + DAY).value.tolist()
            for signal in (SIGNAL, "cfe_produced")
        }
    assert found == {SIGNAL: [123.46], "cfe_produced": [0.4568]}
    exact = store.history("DE", SIGNAL, now, now + DAY, as_of=now)
    assert exact["value"].to_list() == [123.456789]


@pytest.mark.parametrize(("withdrawn", "first", "last"), [(0, 1, 3), (1, 0, 3), (2, 0, 2)])
def test_a_withdrawal_at_either_end_shows_in_what_the_series_spans(
    home: DataDirectory,
    store: Store,
    slots: Frame,
    publish_at: Publish,
    now: datetime,
    withdrawn: int,
    first: int,
    last: int,
) -> None:
    store.append(slots([1.0, 2.0, 3.0], now))
    publish_at(now)
    store.append(slots([None], now + HOUR, start=now + HOUR * withdrawn))
    with Snapshot.open(home.snapshots / publish_at(now + HOUR)) as snapshot:
        (info,) = snapshot.series
    assert (info.first_start, info.last_end) == (now + HOUR * first, now + HOUR * last)
    assert info.newest_known_at == now + HOUR


def test_beliefs_the_base_has_superseded_are_answered_as_of_their_time(
    home: DataDirectory, store: Store, slots: Frame, publish_at: Publish, now: datetime
) -> None:
    for hour, value in enumerate((1.0, 2.0, 3.0)):
        store.append(slots([value], now + HOUR * hour))
    with Snapshot.open(home.snapshots / publish_at(now + DAY)) as snapshot:
        found = [
            snapshot.observations("DE", SIGNAL, now, now + DAY, as_of=now + HOUR * hour).value
            for hour in range(4)
        ]
    assert [one.tolist() for one in found] == [[1.0], [2.0], [3.0], [3.0]]


def test_an_import_with_old_known_at_after_the_base_is_in_the_delta(
    home: DataDirectory, store: Store, slots: Frame, publish_at: Publish, now: datetime
) -> None:
    store.append(slots([1.0], now))
    publish_at(now)
    store.append(slots([7.0], now - 9 * DAY, start=now - 10 * DAY))
    with Snapshot.open(home.snapshots / publish_at(now)) as snapshot:
        found = snapshot.observations("DE", SIGNAL, now - 20 * DAY, now + DAY)
        early = snapshot.observations(
            "DE", SIGNAL, now - 20 * DAY, now + DAY, as_of=now - 9 * DAY
        )
    assert found.value.tolist() == [7.0, 1.0]
    assert early.value.tolist() == [7.0]


def test_many_threads_read_one_snapshot(
    home: DataDirectory, store: Store, slots: Frame, publish_at: Publish, now: datetime
) -> None:
    zones = [f"Z{number}" for number in range(20)]
    store.append(
        pl.concat([slots([float(n)] * 24, now, zone=zone) for n, zone in enumerate(zones)])
    )
    publish_at(now)
    store.append(slots([99.0], now + HOUR, zone="Z3"))
    with Snapshot.open(home.snapshots / publish_at(now + HOUR)) as snapshot:

        def mean(zone: str) -> float:
            return float(snapshot.observations(zone, SIGNAL, now, now + DAY).value.mean())

        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(mean, zones * 10))
    expected = [float(n) for n in range(20)]
    expected[3] = (99.0 + 23 * 3.0) / 24
    assert found == pytest.approx(expected * 10)


def test_the_newest_run_is_served_from_its_matrix_as_it_was_issued(
    home: DataDirectory, store: Store, steps: Frame, publish_at: Publish, now: datetime
) -> None:
    store.append_forecasts(steps([100.125, 110.0], now, spread=5.0))
    store.append_forecasts(steps([7.0, 8.0, 9.0], now, zone="AT", start=now + HOUR / 2))
    folder = home.snapshots / publish_at(now)
    assert np.load(folder / f"{SIGNAL}_3600s.npy").shape == (2, 3, 3)
    with Snapshot.open(folder) as snapshot:
        run = snapshot.run("DE", SIGNAL, as_of=now)
        other = snapshot.run("AT", SIGNAL, as_of=now)
    assert run is not None
    assert (run.model, run.issued_at, run.known_at, run.source) == ("weekly@1", now, now, "a")
    assert [run.p10.tolist(), run.p50.tolist(), run.p90.tolist()] == [
        [95.125, 105.0],
        [100.125, 110.0],
        [105.125, 115.0],
    ]
    first = int(now.timestamp()) * 1_000_000
    hour = 3_600_000_000
    assert run.start_us.tolist() == [first, first + hour]
    assert run.end_us.tolist() == [first + hour, first + 2 * hour]
    assert other is not None
    assert other.start_us.tolist()[0] == first + hour // 2
    assert np.isnan(other.p10).all()


def test_a_run_is_the_newest_issue_known_then_from_base_delta_or_memory(
    home: DataDirectory, store: Store, steps: Frame, publish_at: Publish, now: datetime
) -> None:
    store.append_forecasts(steps([1.0], now))
    publish_at(now)
    store.append_forecasts(steps([2.0], now + HOUR))
    store.append_forecasts(steps([3.0], now + 2 * HOUR, known_at=now + 3 * HOUR))
    with Snapshot.open(home.snapshots / publish_at(now + 3 * HOUR)) as snapshot:
        runs = [
            snapshot.run("DE", SIGNAL, as_of=now + HOUR * hour) for hour in (-1, 0, 1, 2, 3)
        ]
    assert [run and run.p50.tolist() for run in runs] == [None, [1.0], [2.0], [2.0], [3.0]]


def test_of_runs_issued_together_the_preferred_model_is_served(
    home: DataDirectory, store: Store, steps: Frame, publish_at: Publish, now: datetime
) -> None:
    for value, model in ((1.0, "naive@1"), (2.0, "weekly@1"), (3.0, "extra@1")):
        store.append_forecasts(steps([value], now, model=model))
    served = ["weekly@1", "naive@1"]
    with Snapshot.open(home.snapshots / publish_at(now, served=served)) as snapshot:
        by_model = {
            model: snapshot.run("DE", SIGNAL, as_of=now, model=model)
            for model in (None, "naive@1", "extra@1", "other@1")
        }
    assert {model: run and run.p50.tolist() for model, run in by_model.items()} == {
        None: [2.0],
        "naive@1": [1.0],
        "extra@1": [3.0],
        "other@1": None,
    }


def test_a_newer_issue_of_a_less_preferred_model_is_served(
    home: DataDirectory, store: Store, steps: Frame, publish_at: Publish, now: datetime
) -> None:
    store.append_forecasts(steps([1.0], now, model="prophet@1"))
    store.append_forecasts(steps([2.0], now + HOUR, model="naive@1"))
    with Snapshot.open(
        home.snapshots / publish_at(now + HOUR, served=["prophet@1"])
    ) as snapshot:
        run = snapshot.run("DE", SIGNAL, as_of=now + HOUR)
    assert run is not None
    assert run.model == "naive@1"


def test_a_run_with_a_gap_keeps_its_gap(
    home: DataDirectory, store: Store, steps: Frame, publish_at: Publish, now: datetime
) -> None:
    store.append_forecasts(pl.concat([steps([1.0], now), steps([3.0], now, start=now + DAY)]))
    with Snapshot.open(home.snapshots / publish_at(now)) as snapshot:
        run = snapshot.run("DE", SIGNAL, as_of=now)
    assert run is not None
    assert run.p50.tolist() == [1.0, 3.0]
    assert (run.start_us[1] - run.start_us[0]) // 1_000_000 == 86_400


def test_a_run_with_steps_of_two_lengths_is_read_from_the_tables(
    home: DataDirectory, store: Store, steps: Frame, publish_at: Publish, now: datetime
) -> None:
    store.append_forecasts(
        pl.concat([steps([1.0], now), steps([2.0], now, start=now + HOUR, step=HOUR / 2)])
    )
    folder = home.snapshots / publish_at(now)
    assert list(folder.glob("*.npy")) == []
    with Snapshot.open(folder) as snapshot:
        run = snapshot.run("DE", SIGNAL, as_of=now)
    assert run is not None
    assert run.p50.tolist() == [1.0, 2.0]
    assert ((run.end_us - run.start_us) // 60_000_000).tolist() == [60, 30]
