"""Labels become slots, energy becomes power, and what cannot be is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import BadInput
from gridtide_pipelines.importing.slots import (
    Label,
    parse_resolution,
    refuse_future,
    to_slots,
    without_bad_values,
)
from gridtide_pipelines.importing.tables import Table

T0 = datetime(2021, 3, 28, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)


def table(labels: list[datetime], *, energy: bool = True, **fuels: list[float | None]) -> Table:
    rows = [
        pl.DataFrame(
            {"label": labels, "fuel": fuel, "value": values},
            schema={"label": pl.Datetime("us", "UTC"), "fuel": pl.String, "value": pl.Float64},
        )
        for fuel, values in fuels.items()
    ]
    return Table("a.csv", pl.concat(rows), energy, ())


def every(step: timedelta, count: int) -> list[datetime]:
    return [T0 + step * i for i in range(count)]


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("PT1H", HOUR),
        ("pt15m", QUARTER),
        ("PT30M", timedelta(minutes=30)),
        ("PT3600S", HOUR),
        ("P1D", timedelta(days=1)),
        ("PT1H30M", timedelta(minutes=90)),
    ],
)
def test_a_resolution_is_an_iso_8601_duration(text: str, length: timedelta) -> None:
    assert parse_resolution(text) == length


@pytest.mark.parametrize("text", ["", "P", "PT", "PT0S", "1h", "60", "PT-1H", "P2D", "P1M"])
def test_another_resolution_is_refused_with_the_way_to_write_it(text: str) -> None:
    with pytest.raises(BadInput, match="write PT1H"):
        parse_resolution(text)


def test_a_quarter_hour_of_1_mwh_is_4_mw() -> None:
    slots = to_slots(table(every(QUARTER, 3), wind=[1.0, 2.0, None]), Label.START, None)
    assert slots["value"].to_list() == [4.0, 8.0, None]
    assert (slots["slot_end"] - slots["slot_start"]).unique().to_list() == [QUARTER]


def test_power_stays_as_it_is_at_any_resolution() -> None:
    slots = to_slots(table(every(QUARTER, 2), energy=False, wind=[1.0, 2.0]), Label.START, None)
    assert slots["value"].to_list() == [1.0, 2.0]


def test_a_label_names_the_start_or_the_end() -> None:
    wind = table(every(HOUR, 2), wind=[1.0, 2.0])
    assert to_slots(wind, Label.START, None)["slot_start"].to_list() == [T0, T0 + HOUR]
    ends = to_slots(wind, Label.END, None)
    assert ends["slot_start"].to_list() == [T0 - HOUR, T0]
    assert ends["slot_end"].to_list() == [T0, T0 + HOUR]


def test_gaps_leave_the_resolution_as_it_is() -> None:
    labels = [T0, T0 + HOUR, T0 + 5 * HOUR, T0 + 6 * HOUR, T0 + 90 * HOUR]
    slots = to_slots(table(labels, wind=[1.0] * 5), Label.START, None)
    assert slots["slot_start"].to_list() == labels
    assert (slots["slot_end"] - slots["slot_start"]).unique().to_list() == [HOUR]


@pytest.mark.parametrize(
    ("labels", "given", "says"),
    [
        ([T0, T0 + HOUR, T0 + 2 * HOUR, T0 + 2.5 * HOUR], None, "no whole number of slots"),
        ([*every(HOUR, 3), T0 + 2 * HOUR + QUARTER], HOUR, "no whole number of slots"),
        ([T0], None, "one slot only; say its length: --resolution PT1H"),
        (every(HOUR, 4), QUARTER, "1:00:00 apart, so slots of 0:15:00 would leave a gap"),
        (every(QUARTER, 4), HOUR, "no whole number of slots of 1:00:00"),
        ([T0, T0 + timedelta(microseconds=5)], HOUR, "not on a whole second"),
    ],
)
def test_times_that_do_not_fit_a_resolution_are_refused(
    labels: list[datetime], given: timedelta | None, says: str
) -> None:
    with pytest.raises(BadInput, match=says):
        to_slots(table(labels, wind=[1.0] * len(labels)), Label.START, given)


def test_one_row_with_a_resolution_is_one_slot() -> None:
    slots = to_slots(table([T0], wind=[3.0]), Label.END, HOUR)
    assert slots.row(0) == (T0 - HOUR, T0, "wind", 3.0)


def checked(given: Table) -> tuple[dict[str, list[float | None]], int, int]:
    """Values by fuel, implausible values and negative slots of a table of whole hours."""
    slots, odd, negative = without_bad_values("a.csv", to_slots(given, Label.START, HOUR))
    by_fuel = {str(f): rows["value"].to_list() for (f,), rows in slots.group_by("fuel")}
    return by_fuel, odd, negative


def test_a_slot_with_a_negative_total_is_unknown_and_the_rest_is_kept() -> None:
    sums = table(every(HOUR, 4), gas=[1.0, 2.0, 2.0, 5.0], solar=[0.5, -2.5, -3.0, -1.0])
    expected = {"gas": [1.0, None, None, 5.0], "solar": [0.5, None, None, -1.0]}
    assert checked(sums) == (expected, 0, 2)
    assert checked(table(every(HOUR, 2), gas=[-5.0, 1.0])) == ({"gas": [None, 1.0]}, 0, 1)


def test_a_negative_fuel_is_kept_as_reported() -> None:
    slots = to_slots(
        table(every(HOUR, 2), gas=[2.0, 2.0], solar=[-1.0, 0.0]), Label.START, None
    )
    assert slots.filter(pl.col("fuel") == "solar")["value"].to_list() == [-1.0, 0.0]


def test_a_total_of_zero_is_stored_as_reported() -> None:
    slots = to_slots(table(every(HOUR, 2), gas=[0.0, 0.0]), Label.START, None)
    assert slots["value"].to_list() == [0.0, 0.0]


def test_a_charging_store_makes_no_total_negative() -> None:
    pumped = table(every(HOUR, 2), gas=[1.0, 1.0], hydro_storage=[-5.0, 5.0])
    assert checked(pumped) == ({"gas": [1.0, 1.0], "hydro_storage": [-5.0, 5.0]}, 0, 0)


def test_a_total_with_a_gap_in_it_is_not_judged() -> None:
    night = table(every(HOUR, 2), gas=[1.0, None], solar=[0.0, -0.1])
    assert checked(night) == ({"gas": [1.0, None], "solar": [0.0, -0.1]}, 0, 0)


def test_a_slot_that_is_not_over_is_refused() -> None:
    slots = to_slots(table(every(HOUR, 2), wind=[1.0, 1.0]), Label.START, None)
    refuse_future("a.csv", slots, T0 + 2 * HOUR)
    with pytest.raises(BadInput, match=r"ends 2021-03-28T02:00:00Z is not over at .*--label"):
        refuse_future("a.csv", slots, T0 + 2 * HOUR - timedelta(seconds=1))


@given(
    st.sampled_from([QUARTER, timedelta(minutes=30), HOUR, timedelta(hours=4)]),
    st.lists(st.booleans(), min_size=3, max_size=40),
    st.sampled_from(list(Label)),
)
def test_energy_is_conserved_and_slots_never_overlap(
    step: timedelta, present: list[bool], label: Label
) -> None:
    """Whatever rows are missing, MW x hours is the MWh of the file."""
    # Two neighbours are there, so that the spacing shows the resolution.
    kept = [i for i, there in enumerate(present) if there or i < 2]
    labels = [T0 + step * i for i in kept]
    slots = to_slots(table(labels, wind=[float(i) for i in kept]), label, step)
    hours = (slots["slot_end"] - slots["slot_start"]).dt.total_seconds() / 3600
    assert (slots["value"] * hours).to_list() == pytest.approx([float(i) for i in kept])
    assert (slots["slot_end"][:-1] <= slots["slot_start"][1:]).all()


def test_one_power_that_no_grid_has_is_unknown_and_many_are_refused() -> None:
    assert checked(table(every(HOUR, 3), gas=[2e6, None, 1.0]))[1:] == (0, 0)
    values = [1.0] * 99
    found, odd, _ = checked(table(every(HOUR, 100), gas=[2.1e6, *values]))
    assert (found["gas"], odd) == ([None, *values], 1)
    with pytest.raises(BadInput, match=r"a\.csv: gas at 2021-03-28T01:00:00Z is 2\.1e\+06 MW"):
        checked(table(every(HOUR, 3), gas=[1.0, 2.1e6, 3e6]))


MINUTES_5 = timedelta(minutes=5)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HOUR, QUARTER),
        (2 * QUARTER, MINUTES_5),
        (HOUR, 2 * QUARTER),
        (QUARTER, HOUR),
        (MINUTES_5, 2 * QUARTER),
        (timedelta(days=1), HOUR),
    ],
)
@pytest.mark.parametrize("counts", [(2, 96), (24, 24), (96, 3), (24, 288)])
@pytest.mark.parametrize("label", list(Label))
def test_slots_that_change_their_length_are_refused(
    before: timedelta, after: timedelta, counts: tuple[int, int], label: Label
) -> None:
    change = T0 + before * counts[0]
    labels = [*every(before, counts[0]), *(change + after * i for i in range(counts[1]))]
    with pytest.raises(BadInput, match="split the file"):
        to_slots(table(labels, gas=[1.0] * len(labels)), label, None)


def test_a_fuel_that_comes_in_longer_slots_is_refused() -> None:
    quarters = table(every(QUARTER, 16), wind=[1.0] * 16)
    hours = table(every(HOUR, 4), gas=[4.0] * 4)
    both = Table("a.csv", pl.concat([quarters.rows, hours.rows]), energy=False, ignored=())
    for length in (None, QUARTER):
        with pytest.raises(BadInput, match="on values of gas are 1:00:00 apart"):
            to_slots(both, Label.START, length)
    wide = table(every(QUARTER, 16), wind=[1.0] * 16, gas=[4.0, None, None, None] * 4)
    with pytest.raises(BadInput, match="on values of gas are 1:00:00 apart"):
        to_slots(wide, Label.START, None)


def test_an_hourly_stretch_is_refused_though_quarters_are_named() -> None:
    labels = [*every(HOUR, 24), *(T0 + 24 * HOUR + QUARTER * i for i in range(96))]
    with pytest.raises(BadInput, match="from 2021-03-28T00:00:00Z on rows are 1:00:00 apart"):
        to_slots(table(labels, gas=[1.0] * 120), Label.START, QUARTER)
