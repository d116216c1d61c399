"""The usual knowledge time: history received late, read as if it had been requested in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

import polars as pl
import pytest

from gridtide_store.store import Store
from gridtide_store.usual import Usual

SIGNAL = "ci_lifecycle_produced"
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LAG = 2 * HOUR
CONTEXT = 7 * DAY
USUAL = Usual({"a": LAG}, CONTEXT)

Frame = Callable[..., pl.DataFrame]


def read(
    store: Store, start: datetime, as_of: datetime, usual: Usual | None = USUAL
) -> list[tuple[float | None, datetime]]:
    found = store.history("DE", SIGNAL, start, start + 9 * DAY, as_of=as_of, usual=usual)
    return list(found.select("value", "known_at").rows())


def test_what_was_received_late_is_known_with_the_usual_lag(
    store: Store, slots: Frame, now: datetime
) -> None:
    received = now + 1000 * DAY
    store.append(slots([1.0, 2.0, 3.0], received))
    assert read(store, now, now + 4 * HOUR) == [
        (1.0, now + HOUR + LAG),
        (2.0, now + 2 * HOUR + LAG),
    ]
    assert read(store, now, now + 4 * HOUR, None) == []
    assert read(store, now, received, None) == [(value, received) for value in (1.0, 2.0, 3.0)]


def test_what_was_received_sooner_is_known_since_then(
    store: Store, slots: Frame, now: datetime
) -> None:
    store.append(slots([1.0], now + HOUR))
    assert read(store, now, now + HOUR) == [(1.0, now + HOUR)]


def test_a_source_without_a_known_lag_keeps_what_is_stored(
    store: Store, slots: Frame, now: datetime
) -> None:
    received = now + 10 * DAY
    store.append(slots([1.0], received, source="b"))
    assert read(store, now, received - HOUR) == []
    assert read(store, now, received) == [(1.0, received)]


@pytest.mark.parametrize("usual", [None, USUAL], ids=["stored", "usual"])
def test_changing_what_was_revised_later_changes_nothing_before(
    store: Store, slots: Frame, now: datetime, usual: Usual | None
) -> None:
    random = Random(5)  # noqa: S311  # no secret
    first, revised = now + 3 * DAY, now + 5 * DAY
    store.append(slots([random.random() for _ in range(24)], first))
    moments = [now + 6 * HOUR, now + 2 * DAY, first, revised - timedelta(microseconds=1)]
    before = [read(store, now, moment, usual) for moment in moments]
    store.append(slots([random.random() for _ in range(24)], revised))
    assert [read(store, now, moment, usual) for moment in moments] == before
    assert read(store, now, revised, usual) != before[-1]
    # By the usual time the first revisions were known long before they were received.
    known = [0, 0, 24, 24] if usual is None else [4, 24, 24, 24]
    assert [len(each) for each in before] == known


def derived(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(source=pl.lit("derived@x/a"))


@pytest.fixture
def late(store: Store, slots: Frame, now: datetime) -> Callable[..., None]:
    """Stores two hours of gas, wind, and what is derived from them, received `days` later."""

    def build(
        gas: Sequence[float], wind: Sequence[float], derived_value: float, days: int
    ) -> None:
        known_at = now + days * DAY
        for fuel, values in (("gas", gas), ("wind", wind)):
            if values:
                store.append(slots(values, known_at, signal=f"generation_{fuel}"))
        store.append(derived(slots([derived_value] * 2, known_at)))

    return build


def test_a_derived_value_is_as_old_as_its_inputs(
    store: Store, late: Callable[..., None], now: datetime
) -> None:
    late([1.0, 2.0], [3.0, 4.0], 100.0, days=10)
    early = now + DAY
    assert [value for value, _ in read(store, now, early)] == [100.0, 100.0]
    # A later revision of an input, and what is derived from it, is known when it came.
    late([9.0, 2.0], [], 200.0, days=20)
    assert [value for value, _ in read(store, now, early)] == [100.0, 100.0]
    assert [value for value, _ in read(store, now, now + 19 * DAY)] == [100.0, 100.0]
    assert [value for value, _ in read(store, now, now + 20 * DAY)] == [200.0, 200.0]


def test_a_derived_value_in_which_a_revision_may_be_keeps_its_stored_time(
    store: Store, slots: Frame, now: datetime
) -> None:
    # Two revisions of gas came before anything was derived: the first derived value has the
    # second one in it.
    for days, gas in ((10, 1.0), (11, 9.0)):
        store.append(slots([gas], now + days * DAY, signal="generation_gas"))
    store.append(derived(slots([300.0], now + 11 * DAY)))
    # Of slots within the context of it as well.
    store.append(derived(slots([301.0], now + 11 * DAY, start=now + 2 * HOUR)))
    store.append(derived(slots([302.0], now + 11 * DAY, start=now + CONTEXT + HOUR)))
    as_of = now + CONTEXT + 4 * HOUR + LAG
    found = store.history("DE", SIGNAL, now, now + 9 * DAY, as_of=as_of, usual=USUAL)
    assert found["value"].to_list() == [302.0]
    later = store.history("DE", SIGNAL, now + HOUR, now + 9 * DAY, as_of=as_of, usual=USUAL)
    assert later["value"].to_list() == [302.0]
    assert [value for value, _ in read(store, now, now + 11 * DAY)] == [300.0, 301.0, 302.0]


def test_inputs_are_read_by_the_same_rule(store: Store, slots: Frame, now: datetime) -> None:
    store.append(slots([1.0, 2.0], now + 10 * DAY, signal="generation_gas"))
    span = now, now + DAY
    found = store.inputs("DE", "a", *span, as_of=now + HOUR + LAG, usual=USUAL)
    assert found["value"].to_list() == [1.0]
    assert store.inputs("DE", "a", *span, as_of=now + HOUR + LAG).is_empty()


def test_any_history_read_at_any_moment_agrees_with_a_plain_reading(
    store: Store, slots: Frame, now: datetime
) -> None:
    random = Random(11)  # noqa: S311  # no secret
    for number in range(12):
        zone = f"Z{number}"
        revisions: dict[int, list[tuple[datetime, float]]] = {}
        moments = sorted(now + timedelta(minutes=random.randrange(6000)) for _ in range(6))
        for moment in dict.fromkeys(moments):
            first = random.randrange(8)
            values = [float(random.randrange(3)) for _ in range(random.randrange(1, 5))]
            store.append(slots(values, moment, start=now + first * HOUR, zone=zone))
            for slot, value in enumerate(values, start=first):
                known = revisions.setdefault(slot, [])
                if not known or known[-1][1] != value:
                    known.append((moment, value))
        for as_of in (now + timedelta(minutes=random.randrange(6000)) for _ in range(15)):
            expected = {}
            for slot, known in revisions.items():
                (received, _), *_ = known
                early = min(received, now + (slot + 1) * HOUR + LAG)
                times = [early, *(moment for moment, _ in known[1:])]
                seen = [
                    value for at, (_, value) in zip(times, known, strict=True) if at <= as_of
                ]
                if seen:
                    expected[now + slot * HOUR] = seen[-1]
            found = store.history(zone, SIGNAL, now, now + DAY, as_of=as_of, usual=USUAL)
            assert dict(found.select("start", "value").iter_rows()) == expected
