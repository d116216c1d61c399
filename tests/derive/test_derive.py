"""Intensity and CFE from the mix, against sums by hand and by brute force."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtide.errors import BadInput
from gridtide_pipelines.derive.factors import factor_set
from gridtide_pipelines.derive.intensity import CONTEXT, derive
from gridtide_store.vocabulary import FUELS, OBSERVATION

T0 = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
IPCC = factor_set("ipcc_ar5")
Cell = tuple[int, str, float | None]


def mix(
    cells: Iterable[Cell],
    *,
    zone: str = "DE",
    source: str = "eia",
    prefix: str = "generation_",
    known_at: datetime | None = None,
    quality: str = "measured",
    retrieval_id: int = 1,
) -> pl.DataFrame:
    """Rows of (hours after T0, fuel, value), known an hour after their slot began."""
    rows = [
        {
            "zone": zone,
            "signal": prefix + fuel,
            "source": source,
            "slot_start": T0 + hour * HOUR,
            "slot_end": T0 + (hour + 1) * HOUR,
            "value": value,
            "quality": quality,
            "known_at": known_at or T0 + (hour + 1) * HOUR,
            "retrieval_id": retrieval_id,
        }
        for hour, fuel, value in cells
    ]
    return pl.DataFrame(rows, schema=OBSERVATION)


def out(
    frame: pl.DataFrame, signal: str = "ci_lifecycle_produced", zone: str = "DE"
) -> dict[int, float | None]:
    """Value by hours after T0."""
    mine = frame.filter(pl.col("signal") == signal, pl.col("zone") == zone)
    return {
        (start - T0) // HOUR: value
        for start, value in mine.select("slot_start", "value").iter_rows()
    }


def test_a_mix_gives_the_three_produced_signals() -> None:
    frame = derive(mix([(0, "coal", 100.0), (0, "wind", 300.0)]), IPCC)
    # By hand: (100 x 820 + 300 x 11) / 400 = 213.25; (100 x 760) / 400 = 190; 300 / 400.
    assert out(frame) == {0: 213.25}
    assert out(frame, "ci_direct_produced") == {0: 190.0}
    assert out(frame, "cfe_produced") == {0: 0.75}
    assert frame.schema == OBSERVATION
    assert set(frame["source"]) == {"derived@ipcc_ar5/eia"}


def test_storage_that_charges_is_no_generation_and_its_discharge_has_a_factor() -> None:
    cells: list[Cell] = [
        *[(0, "gas", 100.0), (0, "battery_storage", -50.0), (0, "hydro", -20.0)],
        *[(1, "gas", 100.0), (1, "battery_storage", 100.0), (1, "hydro", 0.0)],
    ]
    frame = derive(mix(cells), IPCC)
    assert out(frame) == {0: 490.0, 1: 424.22}  # by hand: (490 + 358.44) / 2
    assert out(frame, "cfe_produced") == {0: 0.0, 1: 0.5}


@pytest.mark.parametrize("value", [0.0, -3.0, None])
def test_no_generation_is_an_unknown_value(value: float | None) -> None:
    frame = derive(mix([(0, "gas", value), (0, "solar", value)]), IPCC)
    assert out(frame) == {0: None}
    assert out(frame, "cfe_produced") == {0: None}


def test_a_fuel_reported_as_zero_is_not_absent() -> None:
    cells: list[Cell] = [
        (0, "coal", 90.0),
        (0, "wind", 10.0),
        (1, "coal", 0.0),
        (1, "wind", 9.0),
    ]
    assert out(derive(mix(cells), IPCC))[1] == 11.0


def test_a_slot_that_lacks_a_fuel_of_weight_is_unknown_not_clean() -> None:
    cells: list[Cell] = [
        (0, "coal", 90.0),
        (0, "wind", 10.0),
        (1, "wind", 10.0),
        (2, "wind", 9.0),
    ]
    frame = derive(mix([*cells, (3, "coal", 80.0), (3, "wind", 20.0)]), IPCC)
    values = out(frame)
    assert (values[1], values[2]) == (None, None)
    assert values[3] == pytest.approx((80 * 820 + 20 * 11) / 100)


def test_a_fuel_that_faded_out_before_it_was_left_out_is_not_missed() -> None:
    cells: list[Cell] = [
        (0, "gas", 100.0),
        (0, "solar", 50.0),
        (1, "gas", 100.0),
        (1, "solar", 0.5),
    ]
    assert out(derive(mix([*cells, (2, "gas", 100.0)]), IPCC))[2] == 490.0


def test_a_fuel_last_reported_longer_ago_than_the_context_is_not_missed() -> None:
    hours = CONTEXT // HOUR
    cells: list[Cell] = [(0, "coal", 90.0), (0, "gas", 10.0)]
    cells += [(hour, "gas", 100.0) for hour in range(1, hours + 2)]
    values = out(derive(mix(cells), IPCC))
    assert values[hours] is None
    assert values[hours + 1] == 490.0


def test_a_withdrawn_value_is_missed_even_where_it_was_never_known() -> None:
    frame = derive(mix([(0, "coal", None), (0, "wind", 10.0)]), IPCC)
    assert out(frame) == {0: None}


def test_a_withdrawn_value_of_a_minor_fuel_is_not_missed() -> None:
    cells: list[Cell] = [(0, "oil", 0.1), (0, "gas", 99.9), (1, "oil", None), (1, "gas", 100.0)]
    assert out(derive(mix(cells), IPCC))[1] == 490.0


def test_a_slot_without_generation_says_nothing_about_shares() -> None:
    cells: list[Cell] = [(0, "coal", 100.0), (0, "gas", 50.0), (0, "wind", 50.0)]
    cells += [(1, "coal", 0.0), (1, "gas", 0.0), (1, "wind", 0.0)]
    vanished: list[Cell] = [(2, "gas", 50.0), (2, "wind", 50.0)]
    for last in (vanished, [*vanished, (2, "coal", None)]):
        assert out(derive(mix([*cells, *last]), IPCC)) == {0: 535.25, 1: None, 2: None}
    assert out(derive(mix([*cells, *vanished, (2, "coal", 0.0)]), IPCC))[2] == 250.5


def test_a_fuel_reported_only_without_generation_has_no_share_to_be_minor_by() -> None:
    cells: list[Cell] = [(0, "coal", 0.0), (0, "wind", 0.0), (1, "wind", 10.0)]
    assert out(derive(mix(cells), IPCC)) == {0: None, 1: None}


@pytest.mark.parametrize(("part", "missed"), [(1.0, True), (0.999, False), (1.001, True)])
def test_a_fuel_of_exactly_one_percent_is_missed(part: float, missed: bool) -> None:  # noqa: FBT001
    cells: list[Cell] = [(0, "oil", part), (0, "gas", 100 - part), (1, "gas", 100.0)]
    assert out(derive(mix(cells), IPCC))[1] == (None if missed else 490.0)
    assert out(derive(mix([*cells, (1, "oil", None)]), IPCC))[1] == (None if missed else 490.0)


def test_a_null_is_missed_for_as_long_as_it_is_named() -> None:
    hours = [*range(1, 30), *range(160, 260)]
    cells: list[Cell] = [(0, "gas", 90.0), (0, "wind", 10.0)]
    cells += [(hour, "wind", 10.0) for hour in hours]
    named = [(hour, "gas", None) for hour in hours]
    assert out(derive(mix([*cells, *named]), IPCC)) == {0: 442.1} | dict.fromkeys(hours)
    # At the edge the row itself may come late.
    late = [row for row in named if row[0] != 259]
    assert out(derive(mix([*cells, *late]), IPCC))[259] is None
    # No longer named at all, it is missed for a week: 168 hours after hour 0.
    closed = out(derive(mix(cells), IPCC))
    assert [closed[hour] for hour in (1, 168, 169, 259)] == [None, None, 11.0, 11.0]


# The sun over Germany (51.4 N, 10.5 E) in UTC on 1 March: rises near 06:00, culminates near
# 11:30 at 31 degrees, sets near 17:00; 12 degrees below the horizon before 04:50, after 18:10.
BY_DAY: list[Cell] = [
    (hour, fuel, value)
    for hour in range(24)
    for fuel, value in (("gas", 50.0), ("solar", 50.0 if 6 <= hour < 17 else 0.0))
]


@pytest.mark.parametrize("left_out", [[], [None]], ids=["absent", "null"])
@pytest.mark.parametrize(
    ("hour", "value"), [(24 + 2, 490.0), (24 + 22, 490.0), (24 + 11, None), (24 + 14, None)]
)
def test_solar_left_out_is_zero_at_night_and_unknown_by_day(
    left_out: list[None], hour: int, value: float | None
) -> None:
    last: list[Cell] = [(hour, "gas", 50.0), *((hour, "solar", v) for v in left_out)]
    assert out(derive(mix([*BY_DAY, *last]), IPCC))[hour] == value
    # Noon in Germany is night in New Zealand.
    there = derive(mix([*BY_DAY, *last], zone="NZ"), IPCC)
    assert out(there, zone="NZ")[hour] == 490.0


def test_solar_left_out_at_night_by_habit_never_costs_a_night() -> None:
    habit = [cell for cell in BY_DAY if cell[1] != "solar" or cell[2]]
    nulls = [(h, f, v or None) for h, f, v in BY_DAY]
    for cells in (habit, nulls):
        values = out(derive(mix(cells), IPCC))
        assert [values[h] for h in (0, 3, 20, 23)] == [490.0] * 4
        assert values[11] == 267.5  # (490 + 45) / 2


def test_solar_known_from_nights_alone_is_missed_by_day() -> None:
    cells: list[Cell] = [(0, "gas", 50.0), (0, "solar", 0.0), (11, "gas", 50.0)]
    assert out(derive(mix(cells), IPCC))[11] is None


def test_solar_that_was_closed_is_not_missed_for_ever() -> None:
    later: list[Cell] = [(24 * d + h, "gas", 50.0) for d in range(1, 10) for h in (2, 11)]
    values = out(derive(mix([*BY_DAY, *later]), IPCC))
    assert [values[24 * d + 11] for d in (1, 6, 8, 9)] == [None, None, 490.0, 490.0]


def test_a_fuel_is_missed_in_its_own_zone_only() -> None:
    de = mix([(0, "coal", 50.0), (0, "wind", 50.0), (1, "wind", 50.0)])
    dk = mix([(0, "wind", 50.0), (1, "wind", 50.0)], zone="DK")
    frame = derive(pl.concat([de, dk]), IPCC)
    assert out(frame)[1] is None
    assert out(frame, zone="DK")[1] == 11.0


def test_the_first_slots_serve_as_context_and_can_be_left_out() -> None:
    cells: list[Cell] = [(0, "coal", 90.0), (0, "wind", 10.0), (1, "wind", 10.0)]
    frame = derive(mix(cells), IPCC, start=T0 + HOUR)
    assert out(frame) == {1: None}


def test_shares_count_like_megawatts_and_imports_are_left_out() -> None:
    cells: list[Cell] = [(0, "gas", 0.3), (0, "wind", 0.5), (0, "imports", 0.2)]
    frame = derive(mix(cells, prefix="share_", source="uk_carbon_intensity"), IPCC)
    # By hand: (0.3 x 490 + 0.5 x 11) / 0.8 = 190.625.
    assert out(frame) == {0: 190.625}
    assert out(frame, "cfe_produced") == {0: 0.625}


def test_where_a_source_has_both_generation_counts() -> None:
    both = pl.concat([mix([(0, "gas", 10.0)]), mix([(0, "wind", 1.0)], prefix="share_")])
    assert out(derive(both, IPCC)) == {0: 490.0}


def test_other_signals_are_passed_over_and_an_unknown_fuel_is_refused() -> None:
    rest = pl.concat([mix([(0, "load", 9.0)], prefix=""), mix([(0, "gas", 10.0)])])
    assert out(derive(rest, IPCC)) == {0: 490.0}
    with pytest.raises(BadInput, match="no fuel peat"):
        derive(mix([(0, "peat", 1.0)]), IPCC)


def test_nothing_gives_an_empty_frame() -> None:
    frame = derive(pl.DataFrame(schema=OBSERVATION), IPCC)
    assert (frame.schema, frame.height) == (OBSERVATION, 0)


def test_a_row_is_as_late_and_as_good_as_its_worst_input() -> None:
    early = mix([(0, "gas", 10.0)], retrieval_id=3)
    late = mix([(0, "wind", 1.0)], known_at=T0 + 5 * HOUR, quality="estimated", retrieval_id=9)
    frame = derive(pl.concat([early, late]), IPCC)
    assert frame.select("known_at", "quality", "retrieval_id").unique().rows() == [
        (T0 + 5 * HOUR, "estimated", 9)
    ]


@pytest.mark.parametrize(
    ("given", "out"),
    [
        ("measured", "derived"),
        ("estimated", "estimated"),
        ("nowcast", "nowcast"),
        ("simulated", "simulated"),
    ],
)
def test_a_computed_value_is_never_measured(given: str, out: str) -> None:
    rows = pl.concat([mix([(0, "gas", 10.0)]), mix([(0, "wind", 10.0)], quality=given)])
    assert set(derive(rows, IPCC)["quality"]) == {out}


def test_a_revision_in_the_context_makes_the_belief_newer() -> None:
    # What is missed in hour 1 hangs on hour 0: when that is revised, the new value of hour 1
    # must not claim the age of the old one.
    before = mix([(0, "coal", 90.0), (0, "wind", 10.0), (1, "wind", 10.0)])
    revised = mix([(0, "coal", 0.0)], known_at=T0 + 9 * HOUR, retrieval_id=2)
    after = pl.concat([before.filter(pl.col("signal") != "generation_coal"), revised])
    old, new = derive(before, IPCC), derive(after, IPCC)
    assert (out(old)[1], out(new)[1]) == (None, 11.0)
    hour_1 = pl.col("slot_start") == T0 + HOUR
    assert old.filter(hour_1)["known_at"].unique().to_list() == [T0 + 2 * HOUR]
    assert new.filter(hour_1)["known_at"].unique().to_list() == [T0 + 9 * HOUR]


@pytest.mark.parametrize(("days", "newer"), [(2, True), (7, True), (8, False)])
def test_a_belief_is_as_late_as_the_newest_of_its_seven_days(days: int, newer: bool) -> None:  # noqa: FBT001
    late = T0 + 99 * 24 * HOUR
    early = mix([(0, "gas", 10.0)], known_at=late)
    rows = pl.concat([early, mix([(24 * days, "gas", 10.0)])])
    last = derive(rows, IPCC).filter(pl.col("slot_start") > T0)
    expected = late if newer else T0 + (24 * days + 1) * HOUR
    assert last["known_at"].unique().to_list() == [expected]


def test_a_zone_s_own_factor_counts_there_alone() -> None:
    carboncast = factor_set("carboncast")
    cells: list[Cell] = [(0, "unknown", 10.0)]
    both = pl.concat([mix(cells, zone="SE"), mix(cells, zone="NO")])
    frame = derive(both, carboncast)
    assert (out(frame, zone="SE"), out(frame, zone="NO")) == ({0: 292.9}, {0: 700.0})
    assert out(frame, "ci_direct_produced", "SE") == {0: 575.0}


@settings(deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["DE", "SE"]), st.integers(0, 3), st.sampled_from(FUELS)),
        st.one_of(st.floats(-500, 5000), st.floats(0, 9), st.just(0.0), st.none()),
        min_size=1,
        max_size=60,
    )
)
def test_it_agrees_with_brute_force(
    cells: dict[tuple[str, int, str], float | None],
) -> None:
    factors = factor_set("carboncast")
    frame = derive(
        pl.concat(
            [
                mix([(h, f, v) for (z, h, f), v in cells.items() if z == zone], zone=zone)
                for zone in ("DE", "SE")
            ]
        ),
        factors,
    )
    for zone in ("DE", "SE"):
        expected = brute_force({(h, f): v for (z, h, f), v in cells.items() if z == zone}, zone)
        assert out(frame, zone=zone).keys() == expected.keys()
        for hour, value in out(frame, zone=zone).items():
            assert value == (
                None if expected[hour] is None else pytest.approx(expected[hour], abs=6e-5)
            )


def brute_force(cells: dict[tuple[int, str], float | None], zone: str) -> dict[int, Any]:
    """Lifecycle intensity by hour, one slot and fuel after the other (all within CONTEXT)."""
    factor = dict(factor_set("carboncast").weights["ci_lifecycle_produced"])  # type: ignore[index]  # JSON
    if zone == "SE":
        factor["unknown"] = 292.9
    last: dict[str, float] = {}
    named: set[str] = set()  # in any slot so far, be it with null
    values = {}
    for hour in sorted({hour for hour, _ in cells}):
        power = {
            fuel: max(value, 0.0)
            for (when, fuel), value in cells.items()
            if when == hour and value is not None
        }
        total = sum(power.values())
        nulls = {fuel for (when, fuel), v in cells.items() if when == hour and v is None}
        # All of it is before sunrise, so solar is never missed.
        missed = any(
            last.get(fuel, 1.0) >= 0.01 for fuel in (named | nulls) - power.keys() - {"solar"}
        )
        named |= power.keys() | nulls
        last |= {fuel: mw / total for fuel, mw in power.items() if total}
        weighed = sum(mw * factor[fuel] for fuel, mw in power.items())
        values[hour] = None if missed or not total else weighed / total
    return values
