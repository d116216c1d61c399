"""Estimates of zones without a published mix: by hand, through a store, and what they lack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide.model import Signal
from gridtide_pipelines.derive.factors import factor_set
from gridtide_pipelines.ingest.flow import derive_pending
from gridtide_pipelines.ingest.sources import facts_of_estimates
from gridtide_store import catalogue
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.estimates import EstimatedZone, estimated_zones, with_neighbours
from gridtide_store.records import Facts
from gridtide_store.store import Store
from gridtide_store.vocabulary import OBSERVATION

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUARTER = HOUR / 4
LATE = START + timedelta(days=2)
IPCC = factor_set()
MANITOBA = estimated_zones()["CA-MB"]
TO_ONTARIO, TO_MISO = "CA-MB->CA-ON", "CA-MB->US-MIDW-MISO"
PRODUCED, CONSUMED = "ci_lifecycle_produced", "ci_lifecycle_consumed"


def row(
    zone: str,
    signal: str,
    value: float | None,
    *,
    hour: float = 0,
    source: str = "eia",
    length: timedelta = HOUR,
    known_at: datetime = LATE,
    quality: str = "measured",
) -> dict[str, object]:
    start = START + hour * HOUR
    return {
        "zone": zone,
        "signal": signal,
        "source": source,
        "slot_start": start,
        "slot_end": start + length,
        "value": value,
        "quality": quality,
        "known_at": known_at,
        "retrieval_id": 7,
    }


def mix(zone: str, hour: float = 0, **power: float) -> list[dict[str, object]]:
    return [row(zone, f"generation_{fuel}", value, hour=hour) for fuel, value in power.items()]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    home = DataDirectory(tmp_path)
    with writer_lock(home, "test", LATE), Store.open(home) as opened:
        yield opened


def add(store: Store, *rows: dict[str, object]) -> int:
    """Store rows and derive; the number of rows that this added."""
    store.append(pl.DataFrame(list(rows), schema=OBSERVATION))
    return derive_pending(store, IPCC)


def read(store: Store, signal: str, zone: str = "CA-MB") -> list[tuple[int, float | None, str]]:
    """Hour, value and quality of each slot of a signal."""
    found = store.history(zone, signal, START, LATE, as_of=LATE + HOUR)
    rows = found.select("start", "value", "quality").iter_rows()
    return [((start - START) // HOUR, value, quality) for start, value, quality in rows]


def value(store: Store, signal: str) -> float:
    ((_, found, quality),) = read(store, signal)
    assert found is not None
    assert quality == "estimated"
    return found


def mean(power: Mapping[str, float], signal: Signal = Signal.CI_LIFECYCLE_PRODUCED) -> float:
    """The mean factor of a mix, by hand."""
    factors = IPCC.weights[signal]
    return sum(mw * factors[fuel] for fuel, mw in power.items()) / sum(power.values())


def manitoba(total: float) -> dict[str, float]:
    return {**MANITOBA.power, "hydro": total - sum(MANITOBA.power.values())}


def test_the_mix_of_an_hour_follows_the_flows(store: Store) -> None:
    """Hydro power makes what is sold; what flows in counts with its own intensity."""
    add(
        store,
        row(TO_ONTARIO, "flow", 200.0),
        row(TO_MISO, "flow", -700.0),
        *mix("US-MIDW-MISO", coal=300.0, wind=100.0),
    )
    total = MANITOBA.load + 200 - 700
    assert value(store, "generation_hydro") == pytest.approx(manitoba(total)["hydro"], abs=0.1)
    assert value(store, "generation_wind") == pytest.approx(84.9, abs=0.1)  # 2 % of 37.2 TWh
    own, theirs = mean(manitoba(total)), mean({"coal": 300.0, "wind": 100.0})
    assert value(store, PRODUCED) == pytest.approx(own, abs=0.01)
    expected = (total * own + 700 * theirs) / (total + 700)
    assert value(store, CONSUMED) == pytest.approx(expected, abs=0.01)
    assert expected - own > 100  # so that what flows in is seen
    clean = mean(manitoba(total), Signal.CFE_PRODUCED) * total + 700 * 0.25
    assert value(store, "cfe_consumed") == pytest.approx(clean / (total + 700), abs=1e-4)
    assert derive_pending(store, IPCC) == 0


def test_only_hours_whose_flows_are_known_are_estimated(store: Store) -> None:
    """No hour is filled from the hours beside it, however long the flows are missing."""
    add(
        store,
        *(row(TO_ONTARIO, "flow", 100.0, hour=hour) for hour in range(5)),
        *(row(TO_MISO, "flow", 100.0 + hour, hour=hour) for hour in (0, 3)),
        row(TO_MISO, "flow", None, hour=1),
        # Power flows in, and nothing is known of where it comes from.
        row(TO_MISO, "flow", -100.0, hour=4),
    )
    assert [hour for hour, _, _ in read(store, PRODUCED)] == [0, 3, 4]
    assert [hour for hour, _, _ in read(store, CONSUMED)] == [0, 3]
    values = {found for _, found, _ in read(store, "generation_hydro")}
    assert len(values) == 3  # not a constant


def test_a_flow_that_is_withdrawn_takes_the_estimate_with_it(store: Store) -> None:
    add(store, row(TO_ONTARIO, "flow", 100.0), row(TO_MISO, "flow", 100.0))
    assert read(store, PRODUCED)[0][1] is not None
    add(store, row(TO_MISO, "flow", None, known_at=LATE + HOUR))
    assert [found for _, found, _ in read(store, PRODUCED)] == [None]
    assert [found for _, found, _ in read(store, CONSUMED)] == [None]


def test_a_flow_of_a_few_minutes_changes_its_hour_alone(store: Store) -> None:
    """The hour after what was added is not estimated anew from its first minutes."""
    pairs, length = (TO_ONTARIO, TO_MISO), HOUR / 12
    minutes = [(pair, slot) for pair in pairs for slot in range(36)]
    add(
        store,
        *(row(p, "flow", 100.0 + s, hour=s / 12, length=length) for p, s in minutes),
    )
    before = read(store, "generation_hydro")
    add(store, row(TO_MISO, "flow", 0.0, hour=5 / 12, length=length, known_at=LATE + HOUR))
    after = read(store, "generation_hydro")
    assert before[0] != after[0]
    assert before[1:] == after[1:]


def test_values_of_other_sources_are_left_alone(store: Store) -> None:
    """Also where their name ends as that of the estimates does."""
    add(
        store,
        row("CA-MB", "generation_hydro", 5.0, source="my_estimate"),
        row(TO_ONTARIO, "flow", 100.0),
    )
    assert read(store, "generation_hydro") == [(0, 5.0, "measured")]


def test_what_replaces_a_withdrawn_flow_is_known_from_then_on(store: Store) -> None:
    """Not from when the flow was known that is used in its place, or the load's mean."""
    pair = "CA-BC->US-NW-BPAT"
    add(
        store,
        row("CA-AB->CA-BC", "flow", 0.0),
        row(pair, "flow", 1.0, known_at=LATE - HOUR),
        row(pair, "flow", 1000.0, source="statcan_hfed", known_at=LATE - HOUR),
        row("CA-BC", "load", 9000.0, source="statcan_hfed"),
    )
    signals = (("flow", pair), ("load", "CA-BC"))

    def known(at: datetime) -> list[float | None]:
        found = store.history("CA-BC", "generation_hydro", START, LATE, as_of=at)
        return found["value"].to_list()

    for day, (signal, zone) in enumerate(signals, 1):
        at, before = LATE + timedelta(days=day), known(LATE + timedelta(days=day))
        add(store, row(zone, signal, None, source="statcan_hfed", known_at=at))
        assert known(at - HOUR) == before
        assert known(at) != before
        assert None not in known(at)


def test_what_is_measured_comes_before_the_estimate(store: Store) -> None:
    add(store, row(TO_ONTARIO, "flow", 100.0), row(TO_MISO, "flow", 100.0))
    add(store, row("CA-MB", PRODUCED, 3.0, source="own", quality="derived"))
    found = store.history("CA-MB", PRODUCED, START, LATE, as_of=LATE, sources=("own",))
    assert found.select("value", "quality").rows() == [(3.0, "derived")]


def test_an_hour_that_is_not_over_waits(store: Store) -> None:
    soon = START + HOUR / 2
    parts = [
        row(pair, "flow", 100.0, length=QUARTER, known_at=soon)
        for pair in (TO_ONTARIO, TO_MISO)
    ]
    assert add(store, *parts) == 0
    assert add(store, row(TO_MISO, "flow", 300.0, hour=0.75, length=QUARTER)) > 0
    # The mean of the quarters that are known.
    expected = MANITOBA.load + 100 + 200
    assert value(store, "generation_hydro") == pytest.approx(
        manitoba(expected)["hydro"], abs=0.1
    )


def test_the_first_choice_of_flow_and_load_counts(store: Store) -> None:
    """A published load, and the flow by Statistics Canada before EIA's."""
    add(
        store,
        row("CA-BC", "load", 9000.0, source="statcan_hfed"),
        row("CA-BC->US-NW-BPAT", "flow", 1000.0, source="statcan_hfed", quality="estimated"),
        row("CA-BC->US-NW-BPAT", "flow", 1.0),
        row("CA-AB->CA-BC", "flow", -500.0, source="aeso"),
    )
    total = 9000 + 1000 + 500
    zone = estimated_zones()["CA-BC"]
    ((_, found, _),) = read(store, "generation_hydro", "CA-BC")
    assert found == pytest.approx(total - sum(zone.power.values()), abs=0.1)


def test_what_is_simulated_stays_so(store: Store) -> None:
    add(
        store,
        row(TO_ONTARIO, "flow", 100.0, quality="simulated"),
        row(TO_MISO, "flow", 100.0),
    )
    assert {quality for _, _, quality in read(store, CONSUMED)} == {"simulated"}


def test_its_terms_are_those_of_what_it_is_made_from() -> None:
    """Of imported flows too, and of no publisher that has other zones alone."""
    own = Facts("own", "Flows of our own", "", "CC BY 4.0", restricted=True)
    series = [
        (TO_MISO, "own"),
        ("CA-ON", "derived@ipcc_ar5/ieso"),
        ("DE", "entsoe"),
        ("CA-MB", "estimate"),
    ]
    found = facts_of_estimates(series, {"own": own}, simulated=False)
    assert found.licence == "CC BY 4.0, IESO terms of use"
    assert found.attribution.endswith(", Flows of our own")
    assert found.restricted


@pytest.mark.parametrize("zone", estimated_zones().values(), ids=list(estimated_zones()))
def test_the_stated_uncertainty_is_that_of_the_other_fuels(zone: EstimatedZone) -> None:
    """Without them for an hour, or with twice their mean, beside the load of the zone."""
    records = catalogue.load().zones
    assert set(with_neighbours([zone.zone])) - set(records) == set()
    assert zone.cite
    for kind, signal in (
        ("lifecycle", Signal.CI_LIFECYCLE_PRODUCED),
        ("direct", Signal.CI_DIRECT_PRODUCED),
        ("cfe", Signal.CFE_PRODUCED),
    ):
        factors = IPCC.weights[signal]
        moved = sum(
            power * abs(factors[fuel] - factors["hydro"]) for fuel, power in zone.power.items()
        )
        stated, step = zone.least[kind], 0.001 if kind == "cfe" else 1
        assert 0 <= stated - moved / zone.load <= step, kind


def test_a_value_is_as_uncertain_as_half_its_emissions() -> None:
    lifecycle = MANITOBA.least["lifecycle"]
    assert MANITOBA.uncertainty(Signal.CI_LIFECYCLE_CONSUMED, 10.0) == lifecycle
    assert MANITOBA.uncertainty(Signal.CI_LIFECYCLE_CONSUMED, 100.0) == 50.0
    assert MANITOBA.uncertainty(Signal.CI_DIRECT_PRODUCED, 0.0) == MANITOBA.least["direct"]
    assert MANITOBA.uncertainty(Signal.CFE_CONSUMED, 0.8) == pytest.approx(0.1)
