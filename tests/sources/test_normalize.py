"""What becomes of readings on their way to the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtide.model import Quality
from gridtide_pipelines.ingest.normalize import Normalized, normalize
from gridtide_pipelines.ingest.parsing import readings
from gridtide_pipelines.ingest.source import READING, Body, Kind, Request, Span
from gridtide_pipelines.ingest.sources import uk_carbon_intensity
from gridtide_store.vocabulary import FORECAST, OBSERVATION

SOURCE = uk_carbon_intensity.SOURCE
T0 = datetime(2026, 3, 1, tzinfo=UTC)
KNOWN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HALF = timedelta(minutes=30)


def bodies(
    *zones: str, kind: Kind = Kind.GENERATION, count: int = 1, each: timedelta = HALF
) -> list[Body]:
    """Bodies of one group, each known a little after the one before it."""
    request = Request("GET", "/x", kind=kind, zones=zones)
    return [Body(request, b"", KNOWN + n * each, 70 + n) for n in range(count)]


def rows(
    *given: tuple[str, str, int, float | None],
    flag: Sequence[str | None] | None = None,
    body: Sequence[int] | None = None,
    issued_at: datetime | None = None,
) -> pl.DataFrame:
    """Readings of (zone, signal, half hours after T0, value)."""
    return readings(
        zone=[g[0] for g in given],
        signal=[g[1] for g in given],
        start=[T0 + g[2] * HALF for g in given],
        end=HALF,
        value=[g[3] for g in given],
        quality=Quality.FORECAST if issued_at else Quality.MEASURED,
        issued_at=issued_at,
        flag=flag,
        body=list(body) if body else 0,
    )


def said(found: Normalized) -> list[tuple[Any, ...]]:
    return found.observations.select("zone", "signal", "slot_start", "value").rows()


def test_a_reading_becomes_a_row_known_when_its_body_was() -> None:
    found = normalize(rows(("GB", "share_wind", 0, 0.5)), SOURCE, bodies("GB"))
    assert found.observations.schema == OBSERVATION
    assert found.forecasts.schema == FORECAST
    assert found.observations.row(0, named=True) == {
        "zone": "GB",
        "signal": "share_wind",
        "source": "uk_carbon_intensity",
        "slot_start": T0,
        "slot_end": T0 + HALF,
        "value": 0.5,
        "quality": "measured",
        "known_at": KNOWN,
        "retrieval_id": 70,
    }
    assert found.flags == {}


def test_an_old_file_can_be_known_as_labelled() -> None:
    given = rows(("GB", "share_wind", 0, 0.5), ("GB", "share_wind", 1, 0.4))
    found = normalize(given, SOURCE, bodies(), known_at=pl.col("end"))
    assert found.observations["known_at"].to_list() == [T0 + HALF, T0 + 2 * HALF]


@pytest.mark.parametrize(
    ("signal", "value", "fits"),
    [
        ("ci_direct_consumed", 1095.0, True),
        ("ci_direct_consumed", 98000.0, False),
        ("ci_direct_consumed", -1.0, False),
        ("share_gas", 1.0, True),
        ("share_gas", 1.01, False),
        ("generation_battery_storage", -40.0, True),
        ("generation_gas", 3_296_596.0, False),
        ("load", -1.0, False),
        ("flow", -3000.0, True),
        ("no_such_signal", 1.0, False),
    ],
)
def test_the_implausible_is_counted_and_named_and_not_stored(
    signal: str,
    value: float,
    fits: bool,  # noqa: FBT001
) -> None:
    found = normalize(rows(("GB", signal, 0, value)), SOURCE, bodies("GB"))
    values = found.observations["value"].to_list()
    # A fuel was named, so it is a gap; of other signals there is nothing to say.
    named_fuel = signal.startswith(("share_", "generation_"))
    assert values == ([value] if fits else [None] * named_fuel)
    assert found.flags == ({} if fits else {f"implausible:{signal}": 1})
    named = f"uk_carbon_intensity [GB]: {signal} {value} at 2026-03-01 00:00:00+00:00"
    assert found.refused == (() if fits else (named,))


def test_one_implausible_fuel_is_a_gap_and_the_others_stay() -> None:
    given = rows(("GB", "generation_gas", 0, 3e6), ("GB", "generation_wind", 0, 5.0))
    found = normalize(given, SOURCE, bodies("GB"))
    expected = [("GB", "generation_gas", T0, None), ("GB", "generation_wind", T0, 5.0)]
    assert said(found) == expected


def test_a_later_page_with_a_value_replaces_an_implausible_one() -> None:
    given = rows(("GB", "share_gas", 0, 7.0), ("GB", "share_gas", 0, 0.7), body=(0, 1))
    found = normalize(given, SOURCE, bodies("GB", count=2))
    assert said(found) == [("GB", "share_gas", T0, 0.7)]


def test_a_slot_with_a_negative_total_is_unknown_and_the_rest_is_kept() -> None:
    given = rows(
        ("GB", "generation_gas", 0, 5.0),
        ("GB", "generation_solar", 0, -9.0),
        ("GB", "load", 0, 7.0),
        ("GB", "generation_gas", 1, 5.0),
        ("GB", "generation_solar", 1, -1.0),
        ("GB", "generation_gas", 2, 5.0),
        ("GB", "generation_battery_storage", 2, -9.0),
    )
    found = normalize(given, SOURCE, bodies("GB"))
    values = {(row[1], (row[2] - T0) // HALF): row[3] for row in said(found)}
    assert values == {
        ("generation_gas", 0): None,
        ("generation_solar", 0): None,
        ("load", 0): 7.0,
        ("generation_gas", 1): 5.0,
        ("generation_solar", 1): -1.0,
        ("generation_gas", 2): 5.0,
        ("generation_battery_storage", 2): -9.0,
    }
    assert found.flags == {"negative_total": 1}


SPAN = Span(T0, T0 + 4 * HALF)


def test_a_slot_that_was_not_over_when_it_came_is_counted_and_not_stored() -> None:
    given = rows(("GB", "load", 0, 1.0), ("GB", "load", 1, 2.0), ("GB", "load", 2, 3.0))
    known = [Body(bodies("GB")[0].request, b"", T0 + 2 * HALF, 70)]
    found = normalize(given, SOURCE, known, span=SPAN)
    assert said(found) == [("GB", "load", T0, 1.0), ("GB", "load", T0 + HALF, 2.0)]
    assert found.flags == {"future:load": 1}
    assert found.refused_slots == (("GB", T0 + 2 * HALF),)
    assert "load 3.0" in found.refused[0]
    # A file is not an answer; what is known when is its owner's word.
    assert normalize(given, SOURCE, known).observations.height == 3


def test_a_slot_outside_the_requested_time_is_counted_and_not_stored() -> None:
    # What touches the span is what publishers add; the next one is not.
    given = rows(*[("GB", "load", n, 1.0) for n in (-2, -1, 0, 3, 4, 5, 90_000)])
    known = [Body(bodies("GB")[0].request, b"", T0 + 99_999 * HALF, 70)]
    found = normalize(given, SOURCE, known, span=SPAN)
    assert [row[2] for row in said(found)] == [T0 + n * HALF for n in (-1, 0, 3, 4)]
    assert found.flags == {"unasked_time:load": 3}


def test_a_forecast_reaches_into_the_future_as_far_as_was_requested() -> None:
    given = rows(
        *[("GB", "ci_direct_consumed", n, 1.0) for n in (1, 3, 9)], issued_at=T0 + HALF
    )
    known = [Body(bodies("GB", kind=Kind.FORECAST)[0].request, b"", T0 + HALF, 70)]
    found = normalize(given, SOURCE, known, span=SPAN)
    assert found.forecasts["slot_start"].to_list() == [T0 + HALF, T0 + 3 * HALF]
    assert found.flags == {"unasked_time:ci_direct_consumed": 1}


def test_zones_that_were_not_requested_are_counted_and_not_stored() -> None:
    given = rows(("GB", "load", 0, 1.0), ("US48", "load", 0, 2.0), ("US48", "load", 1, 2.0))
    found = normalize(given, SOURCE, bodies("GB"))
    assert said(found) == [("GB", "load", T0, 1.0)]
    assert found.flags == {"outside:US48": 2}


def test_flags_of_the_parser_are_counted_one_by_one() -> None:
    flags = ["unmapped_code:WIN;conflict", "unmapped_code:WIN"]
    given = rows(("GB", "load", 0, 1.0), ("GB", "load", 1, 1.0), flag=flags)
    assert normalize(given, SOURCE, bodies("GB")).flags == {
        "conflict": 1,
        "unmapped_code:WIN": 2,
    }


def test_a_gap_the_source_states_is_kept_as_one() -> None:
    found = normalize(rows(("GB", "load", 0, None)), SOURCE, bodies("GB"))
    assert said(found) == [("GB", "load", T0, None)]


def test_the_same_reading_twice_is_one() -> None:
    given = rows(("GB", "load", 0, 1.0), ("GB", "load", 0, 1.0), ("GB", "load", 1, 3.0))
    found = normalize(given, SOURCE, bodies("GB"))
    assert said(found) == [("GB", "load", T0, 1.0), ("GB", "load", T0 + HALF, 3.0)]
    assert found.flags == {"duplicate": 1}


def test_where_pages_differ_the_one_known_later_stands() -> None:
    given = rows(("GB", "load", 0, 2.0), ("GB", "load", 0, 1.0), body=[1, 0])
    found = normalize(given, SOURCE, bodies("GB", count=2))
    assert said(found) == [("GB", "load", T0, 2.0)]
    assert found.observations["retrieval_id"].to_list() == [71]
    assert found.flags == {"duplicate": 1}


def test_where_one_body_contradicts_itself_the_value_is_unknown() -> None:
    given = rows(("GB", "load", 0, 1.0), ("GB", "load", 0, 2.0), ("GB", "load", 1, 2.0))
    found = normalize(given, SOURCE, bodies("GB"))
    assert said(found) == [("GB", "load", T0, None), ("GB", "load", T0 + HALF, 2.0)]
    assert found.flags == {"conflict": 1}


def test_an_older_page_s_contradiction_does_not_matter() -> None:
    given = rows(*[("GB", "load", 0, v) for v in (1.0, 2.0, 3.0)], body=[0, 0, 1])
    assert said(normalize(given, SOURCE, bodies("GB", count=2))) == [("GB", "load", T0, 3.0)]


def test_a_flow_is_stored_under_its_pair_in_order_of_name() -> None:
    given = rows(("GB->FR", "flow", 0, 700.0), ("FR->GB", "flow", 1, -650.0))
    found = normalize(given, SOURCE, bodies("GB"))
    # 700 MW from GB to FR are -700 MW from FR to GB.
    assert said(found) == [
        ("FR->GB", "flow", T0, -700.0),
        ("FR->GB", "flow", T0 + HALF, -650.0),
    ]


def test_where_both_ends_report_a_border_the_first_named_stands_without_a_flag() -> None:
    given = rows(("GB->FR", "flow", 0, 700.0), ("FR->GB", "flow", 0, -690.0), body=[1, 0])
    found = normalize(given, SOURCE, bodies("GB", count=2))
    assert said(found) == [("FR->GB", "flow", T0, -690.0)]
    assert found.flags == {}


def test_a_flow_is_kept_where_either_end_was_requested() -> None:
    given = rows(("GB->FR", "flow", 0, 1.0), ("DE->FR", "flow", 0, 1.0))
    found = normalize(given, SOURCE, bodies("GB"))
    assert said(found) == [("FR->GB", "flow", T0, -1.0)]
    assert found.flags == {"outside:DE->FR": 1}


def test_a_requested_forecast_is_a_run_of_the_publisher_s_own_model() -> None:
    issued = T0 + timedelta(minutes=10)
    given = rows(
        *[("GB", "ci_direct_consumed", n, 90.0 + n) for n in range(3)], issued_at=issued
    )
    found = normalize(given, SOURCE, bodies("GB", kind=Kind.FORECAST))
    assert found.observations.is_empty()
    assert found.flags == {}
    assert found.forecasts.row(0, named=True) == {
        "zone": "GB",
        "signal": "ci_direct_consumed",
        "model": "uk_carbon_intensity",
        "issued_at": issued,
        "slot_start": T0,
        "slot_end": T0 + HALF,
        "p10": None,
        "p50": 90.0,
        "p90": None,
        "known_at": KNOWN,
        "source": "uk_carbon_intensity",
        "simulated": False,
    }


def test_what_was_forecast_of_the_past_is_no_run() -> None:
    given = rows(
        *[("GB", "ci_direct_consumed", n, 90.0) for n in range(3)], issued_at=T0 + HALF
    )
    beside_actuals = normalize(given, SOURCE, bodies("GB", kind=Kind.INTENSITY))
    assert beside_actuals.forecasts.is_empty()
    assert beside_actuals.flags == {"hindsight": 3}
    requested = normalize(given, SOURCE, bodies("GB", kind=Kind.FORECAST))
    # The slot that ended at the issue is over; the two after it are not.
    assert requested.forecasts["slot_start"].to_list() == [T0 + HALF, T0 + 2 * HALF]
    assert requested.flags == {"hindsight": 1}


def test_nothing_gives_empty_frames() -> None:
    found = normalize(pl.DataFrame(schema=READING), SOURCE, bodies("GB"))
    assert (found.observations.schema, found.observations.height) == (OBSERVATION, 0)
    assert (found.forecasts.schema, found.forecasts.height) == (FORECAST, 0)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["GB", "FR", "US48"]),
            st.sampled_from(["load", "generation_wind"]),
            st.integers(0, 3),
            st.one_of(st.none(), st.sampled_from([1.0, 2.0, 9e9])),
            st.integers(0, 2),
        ),
        max_size=25,
    )
)
def test_each_slot_is_stored_once_and_no_reading_is_lost_uncounted(
    given: list[tuple[str, str, int, float | None, int]],
) -> None:
    frame = rows(*[g[:4] for g in given], body=[g[4] for g in given])
    found = normalize(frame, SOURCE, bodies("GB", "FR", count=3))
    stored = found.observations
    assert not stored.select("zone", "signal", "slot_start").is_duplicated().any()
    conflicts = found.flags.get("conflict", 0)
    counted = sum(n for name, n in found.flags.items() if name != "conflict")
    # A fuel of which all values are implausible is counted, and stored as a gap.
    fitting = {(g[0], g[1], T0 + g[2] * HALF) for g in given if g[3] != 9e9}
    gaps = [row for row in said(found) if row[:3] not in fitting]
    assert all(row[3] is None for row in gaps)
    if not conflicts:
        assert stored.height - len(gaps) + counted == len(given)

    # Brute force: among the plausible readings of a slot those of the newest body count.
    for zone, signal, start, value in said(found):
        if (zone, signal, start) not in fitting:
            continue
        mine = [
            g
            for g in given
            if (g[0], g[1], T0 + g[2] * HALF) == (zone, signal, start) and g[3] != 9e9
        ]
        newest = max(g[4] for g in mine)
        values = {g[3] for g in mine if g[4] == newest}
        assert value == (values.pop() if len(values) == 1 else None)
