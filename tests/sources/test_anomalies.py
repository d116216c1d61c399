"""Anomalies among readings: what is left out is kept beside, with what it said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from gridtide_pipelines.ingest.anomalies import split_frozen
from gridtide_pipelines.ingest.normalize import Normalized, normalize
from gridtide_pipelines.ingest.schedule import Span
from gridtide_pipelines.ingest.source import Body
from gridtide_store.anomalies import ANOMALY
from gridtide_store.vocabulary import OBSERVATION
from tests.sources.test_normalize import HALF, KNOWN, SOURCE, T0, bodies, rows

HOUR = timedelta(hours=1)
NOTHING = pl.DataFrame(schema=OBSERVATION).select(
    "zone", "signal", "slot_start", "slot_end", "value"
)


def noted(found: Normalized) -> list[tuple[Any, ...]]:
    assert found.anomalies.schema == ANOMALY
    return sorted(found.anomalies.select("flag", "signal", "slot_start", "value").rows())


def test_an_implausible_value_is_kept_beside_with_its_retrieval() -> None:
    given = rows(("GB", "generation_gas", 0, 3e6), ("GB", "load", 0, 7.0))
    (row,) = normalize(given, SOURCE, bodies("GB")).anomalies.rows(named=True)
    assert row == {
        "zone": "GB",
        "signal": "generation_gas",
        "source": "uk_carbon_intensity",
        "slot_start": T0,
        "slot_end": T0 + HALF,
        "value": 3e6,
        "quality": "measured",
        "issued_at": None,
        "flag": "implausible",
        "known_at": KNOWN,
        "retrieval_id": 70,
    }


def test_slots_of_another_time_and_slots_that_are_not_over_are_kept_beside() -> None:
    given = rows(*[("GB", "load", n, float(n)) for n in (0, 2, 90)])
    known = [Body(bodies("GB")[0].request, b"", T0 + 2 * HALF, 70)]
    found = normalize(given, SOURCE, known, span=Span(T0, T0 + 4 * HALF))
    assert noted(found) == [
        ("future", "load", T0 + 2 * HALF, 2.0),
        ("future", "load", T0 + 90 * HALF, 90.0),
    ]
    late = [Body(known[0].request, b"", T0 + 200 * HALF, 70)]
    found = normalize(given, SOURCE, late, span=Span(T0, T0 + 4 * HALF))
    assert noted(found) == [("unasked_time", "load", T0 + 90 * HALF, 90.0)]


def test_every_value_of_a_conflict_and_each_duplicate_is_kept_beside() -> None:
    contradicting = rows(("GB", "load", 0, 1.0), ("GB", "load", 0, 2.0), ("GB", "load", 1, 9.0))
    assert noted(normalize(contradicting, SOURCE, bodies("GB"))) == [
        ("conflict", "load", T0, 1.0),
        ("conflict", "load", T0, 2.0),
    ]
    pages = rows(*[("GB", "load", 0, v) for v in (1.0, 2.0, 3.0)], body=[0, 1, 1])
    assert noted(normalize(pages, SOURCE, bodies("GB", count=2))) == [
        ("conflict", "load", T0, 2.0),
        ("conflict", "load", T0, 3.0),
    ]
    twice = rows(*[("GB", "load", 0, v) for v in (1.0, 2.0)], body=[0, 1])
    assert noted(normalize(twice, SOURCE, bodies("GB", count=2))) == [
        ("duplicate", "load", T0, 1.0)
    ]
    both_ends = rows(("GB->FR", "flow", 0, 700.0), ("FR->GB", "flow", 0, -690.0))
    assert noted(normalize(both_ends, SOURCE, bodies("GB"))) == []


def test_the_fuels_of_a_negative_total_are_kept_beside() -> None:
    given = rows(
        ("GB", "generation_gas", 0, 5.0),
        ("GB", "generation_wind", 1, None),
        ("GB", "generation_solar", 0, -9.0),
        ("GB", "load", 0, 7.0),
        ("GB", "generation_gas", 1, 5.0),
    )
    assert noted(normalize(given, SOURCE, bodies("GB"))) == [
        ("negative_total", "generation_gas", T0, 5.0),
        ("negative_total", "generation_solar", T0, -9.0),
    ]


def test_flags_of_the_parser_are_remarks_with_the_value_it_read() -> None:
    given = rows(
        ("GB", "generation_unknown", 0, 4.0),
        ("GB->FR", "flow", 0, 8.0),
        ("GB", "load", 0, 5.0),
        flag=["unmapped_code:WIN;unmapped_code:XYZ", "odd", "partial"],
    )
    found = normalize(given, SOURCE, bodies("GB"))
    assert noted(found) == [
        ("odd", "flow", T0, -8.0),
        ("partial", "load", T0, 5.0),
        ("unmapped_code:WIN", "generation_unknown", T0, 4.0),
        ("unmapped_code:XYZ", "generation_unknown", T0, 4.0),
    ]
    stored = found.observations.select("signal", "value").rows()
    assert stored == [("flow", -8.0), ("generation_unknown", 4.0), ("load", None)]


def test_of_other_zones_and_of_good_values_nothing_is_noted() -> None:
    given = rows(("GB", "load", 0, 1.0), ("US48", "load", 0, 9e9))
    assert noted(normalize(given, SOURCE, bodies("GB"))) == []


def hours(
    values: Sequence[float | None],
    *,
    signal: str = "load",
    start: datetime = datetime(2026, 3, 1, tzinfo=UTC),
    step: timedelta = HOUR,
    zone: str = "GB",
) -> pl.DataFrame:
    return pl.DataFrame(
        [
            (
                zone,
                signal,
                "a",
                start + n * step,
                start + (n + 1) * step,
                value,
                "measured",
                KNOWN,
                1,
            )
            for n, value in enumerate(values)
        ],
        schema=OBSERVATION,
        orient="row",
    )


def frozen_at(observations: pl.DataFrame, before: pl.DataFrame = NOTHING) -> list[int]:
    """Hours after the start of March whose values are frozen."""
    _, odd = split_frozen(observations, before.select(NOTHING.columns))
    start = datetime(2026, 3, 1, tzinfo=UTC)
    return sorted((each - start) // HOUR for each in odd["slot_start"].to_list())


def test_a_load_that_repeats_itself_for_more_than_a_day_is_frozen_from_then_on() -> None:
    values = [100.0] * 3 + [500.0] * 27 + [501.0]
    assert frozen_at(hours(values)) == [27, 28, 29]
    rest, odd = split_frozen(hours(values), NOTHING)
    assert rest.height == len(values) - 3
    assert odd.select("flag", "value").unique().rows() == [("frozen", 500.0)]
    # Whole days of quarter hours are judged by their length, not by their number.
    assert frozen_at(hours([500.0] * 96, step=timedelta(minutes=15))) == []


def test_frozen_power_of_a_fuel_is_unknown_for_the_fuel_was_named() -> None:
    rest, odd = split_frozen(hours([500.0] * 25, signal="generation_wind"), NOTHING)
    assert rest["value"].to_list() == [500.0] * 24 + [None]
    assert odd["value"].to_list() == [500.0]


@pytest.mark.parametrize(
    "observations",
    [
        pytest.param(hours([0.0] * 60, signal="generation_solar"), id="zero"),
        pytest.param(hours([99.0] * 60), id="small"),
        pytest.param(hours([500.0] * 60, signal="generation_nuclear"), id="nuclear"),
        pytest.param(hours([500.0] * 60, signal="flow"), id="cable"),
        pytest.param(hours([500.0] * 60, signal="ci_direct_consumed"), id="intensity"),
        pytest.param(hours([500.0, None] * 30), id="gaps"),
        pytest.param(hours([500.0] * 24), id="a day"),
        pytest.param(
            pl.concat([hours([500.0] * 20), hours([500.0] * 20, zone="FR")]),
            id="two zones",
        ),
    ],
)
def test_what_may_well_be_true_is_not_frozen(observations: pl.DataFrame) -> None:
    assert frozen_at(observations) == []


def test_what_was_stored_and_left_out_before_counts_and_the_newer_report_stands() -> None:
    day = datetime(2026, 3, 1, tzinfo=UTC)
    before = hours([500.0] * 24)
    coming = hours([500.0] * 3, start=day + 24 * HOUR)
    assert frozen_at(coming, before) == [24, 25, 26]
    assert frozen_at(coming, before.head(23)) == []
    # A revision within the run ends it.
    revised = hours([400.0, 500.0, 500.0], start=day + 22 * HOUR)
    assert frozen_at(revised, before) == []
