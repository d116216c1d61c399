"""What an export reads of the store is its history, pair by pair."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import polars as pl
import pytest

from gridtide.errors import BadInput
from gridtide_store import export
from gridtide_store.export import Range, check_signals, choose_pairs, read_store, series_of
from gridtide_store.snapshot import Observed
from gridtide_store.store import Store
from tests.store.conftest import Frame

SOURCES = ("a", "b", "c")
TRUST = ("c", "a")
HOUR = timedelta(hours=1)


def fill(store: Store, slots: Frame, now: datetime, seed: int) -> None:
    """Three zones from three sources in slots of several lengths, revised now and then."""
    lot = random.Random(seed)  # noqa: S311  # the same numbers in every run
    for revision in range(3):
        for zone in ("AT", "DE", "FR"):
            for source in lot.sample(SOURCES, lot.randint(1, 3)):
                values = [lot.choice([None, lot.random()]) for _ in range(lot.randint(1, 30))]
                start = now - lot.randint(10, 40) * HOUR
                step = lot.choice([HOUR / 4, HOUR / 2, HOUR])
                known = now + revision * HOUR
                store.append(
                    slots(values, known, start=start, step=step, zone=zone, source=source)
                )


def as_rows(found: Observed) -> list[tuple[object, ...]]:
    value = [None if each != each else each for each in found.value.tolist()]
    columns = found.quality, found.source, found.known_at_us
    return list(
        zip(
            found.start_us.tolist(),
            found.end_us.tolist(),
            value,
            *(each.tolist() for each in columns),
            strict=True,
        )
    )


@pytest.mark.parametrize("seed", range(4))
def test_groups_of_pairs_are_read_as_the_history_of_each(
    store: Store,
    slots: Frame,
    now: datetime,
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export, "ROWS", (1, 60, 90, 10_000)[seed])
    fill(store, slots, now, seed)
    pairs = choose_pairs(series_of(store), (), (), knows=lambda pair: True)
    for start, end in ((now - 30 * HOUR, now - 5 * HOUR), (None, now)):
        for as_of in (now, now + HOUR, now + 5 * HOUR):
            wanted = Range(start, end, as_of)
            read = list(read_store(store, pairs, wanted, trust=lambda zone: TRUST))
            assert [(each.zone, each.signal) for each in read] == pairs
            for found in read:
                history = store.history(
                    *(found.zone, found.signal, start or export.BEGINNING, end),
                    as_of=as_of,
                    sources=TRUST,
                ).select("start", "end", "value", "quality", "source", "known_at")
                times = pl.col("start", "end", "known_at").to_physical()
                assert as_rows(found) == history.with_columns(times).rows()


def test_a_flow_belongs_to_both_its_ends_and_a_family_to_its_signals() -> None:
    there = [
        *(("DE", "load"), ("DE->FR", "flow"), ("FR->IT", "flow"), ("AT", "load")),
        *(("DE", "generation_wind"), ("DE", "price_eur"), ("DE", "ci_lifecycle_produced")),
    ]

    def choose(zones: tuple[str, ...], *signals: str) -> list[tuple[str, str]]:
        return choose_pairs(there, zones, signals, knows=lambda pair: True)

    assert choose(("FR",), "flow", "load") == [("DE->FR", "flow"), ("FR->IT", "flow")]
    assert choose((), "load") == [("AT", "load"), ("DE", "load")]
    assert choose(("DE",), "generation", "price_eur") == [
        ("DE", "generation_wind"),
        ("DE", "price_eur"),
    ]
    assert choose(()) == [("DE", "ci_lifecycle_produced")]


def test_an_unknown_signal_is_refused_with_those_that_are_known() -> None:
    assert check_signals(["load", "generation", "generation_wind", "load"]) == (
        *("load", "generation", "generation_wind"),
    )
    with pytest.raises(BadInput, match="unknown signal 'generation_'"):
        check_signals(["generation_"])
