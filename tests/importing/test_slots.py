"""Labels become slots, energy becomes power, and what cannot be is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import BadInput
from gridtide_pipelines.importing.ahead import without_future
from gridtide_pipelines.importing.layouts import Label
from gridtide_pipelines.importing.slots import (
    parse_resolution,
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
            {"label": labels, "signal": f"generation_{fuel}", "value": values},
            schema={
                "label": pl.Datetime("us", "UTC"),
                "signal": pl.String,
                "value": pl.Float64,
            },
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
        ("1h", HOUR),
        ("15min", QUARTER),
        ("1", HOUR),
    ],
)
def test_a_resolution_is_written_as_every_length(text: str, length: timedelta) -> None:
    assert parse_resolution(text) == length


@pytest.mark.parametrize("text", ["PT0S", "60", "P2D", "PT0.5S", "0"])
def test_a_resolution_that_no_grid_has_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="at most a day; write PT1H"):
        parse_resolution(text)


@pytest.mark.parametrize("text", ["", "P", "PT", "PT-1H", "P1M", f"PT{'9' * 17}H", "nan"])
def test_what_is_not_a_length_is_no_resolution(text: str) -> None:
    with pytest.raises(BadInput, match="--resolution"):
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
        ([T0, T0 + HOUR, T0 + 2 * HOUR, T0 + 2.5 * HOUR], None, "not a whole number of slots"),
        ([*every(HOUR, 3), T0 + 2 * HOUR + QUARTER], HOUR, "not a whole number of slots"),
        ([T0], None, "one slot only; say its length: --resolution PT1H"),
        (every(HOUR, 4), QUARTER, "1:00:00 apart, so slots of 0:15:00 would leave a gap"),
        (every(QUARTER, 4), HOUR, "not a whole number of slots of 1:00:00"),
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
    assert slots.row(0) == (T0 - HOUR, T0, "generation_wind", 3.0)


def checked(given: Table) -> tuple[dict[str, list[float | None]], int, int]:
    """Values by fuel, implausible values and negative slots of a table of whole hours."""
    slots, odd, negative = without_bad_values("a.csv", to_slots(given, Label.START, HOUR))
    by_fuel = {
        str(signal).removeprefix("generation_"): rows["value"].to_list()
        for (signal,), rows in slots.group_by("signal")
    }
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
    assert slots.filter(pl.col("signal") == "generation_solar")["value"].to_list() == [
        -1.0,
        0.0,
    ]


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
    without_future("a.csv", slots, T0 + 2 * HOUR)
    with pytest.raises(BadInput, match=r"ends 2021-03-28T02:00:00Z is not over at .*--label"):
        without_future("a.csv", slots, T0 + 2 * HOUR - timedelta(seconds=1))


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
@pytest.mark.parametrize("counts", [(4, 96), (24, 24), (96, 4), (24, 288), (4, 8)])
@pytest.mark.parametrize("label", list(Label))
@pytest.mark.parametrize("hole", [0, 6])
def test_each_stretch_has_slots_of_its_own_length(
    before: timedelta, after: timedelta, counts: tuple[int, int], label: Label, hole: int
) -> None:
    long = max(before, after)
    change = T0 + before * counts[0]
    expected = [(T0 + before * i, T0 + before * (i + 1)) for i in range(counts[0])]
    expected += [
        (change + long * hole + after * i, change + long * hole + after * (i + 1))
        for i in range(counts[1])
    ]
    labels = [slot[label is Label.END] for slot in expected]
    slots = to_slots(table(labels, gas=[1.0] * len(labels)), label, None)
    assert slots.select("slot_start", "slot_end").rows() == expected
    hours = [(end - start) / HOUR for start, end in expected]
    assert slots["value"].to_list() == pytest.approx([1 / length for length in hours])


def steps(*parts: tuple[int, timedelta]) -> list[datetime]:
    """Times from T0 on, so many steps of each length."""
    times = [T0]
    for count, step in parts:
        times += [times[-1] + step * (i + 1) for i in range(count)]
    return times


@pytest.mark.parametrize("label", list(Label))
def test_hours_quarters_and_hours_are_each_read(label: Label) -> None:
    times = steps((24, HOUR), (96, QUARTER), (24, HOUR))
    slots = to_slots(table(times, energy=False, gas=[1.0] * 145), label, None)
    lengths = (slots["slot_end"] - slots["slot_start"]).to_list()
    extra = label is Label.END  # the first time is the end of an hour, not the start of one
    expected = [HOUR] * (24 + extra) + [QUARTER] * 96 + [HOUR] * (25 - extra)
    assert lengths == expected


def test_gaps_within_and_between_stretches_stay_gaps() -> None:
    times = steps(
        *((20, HOUR), (1, 5 * HOUR), (3, HOUR), (1, 7 * HOUR), (5, QUARTER)),
        *((1, HOUR), (6, QUARTER), (2, 2 * QUARTER), (40, QUARTER)),
    )
    slots = to_slots(table(times, energy=False, gas=[1.0] * len(times)), Label.START, None)
    lengths = (slots["slot_end"] - slots["slot_start"]).to_list()
    assert lengths == [HOUR] * 25 + [QUARTER] * (len(times) - 25)


@pytest.mark.parametrize(
    ("parts", "label", "at"),
    [
        # One or two rows are no stretch, at whichever end of the file.
        ([(1, HOUR), (96, QUARTER)], Label.START, T0 + HOUR),
        ([(2, HOUR), (96, QUARTER)], Label.START, T0 + 2 * HOUR),
        ([(96, QUARTER), (2, HOUR)], Label.END, T0 + 24 * HOUR),
        ([(24, HOUR), (1, QUARTER)], Label.START, T0 + 24 * HOUR),
        ([(24, HOUR), (1, QUARTER), (24, HOUR)], Label.START, T0 + 24 * HOUR),
        # A few hours among quarter hours may be gaps.
        ([(96, QUARTER), (8, HOUR), (96, QUARTER)], Label.END, T0 + 24 * HOUR),
        # No publisher has slots of two hours beside ones of one.
        ([(24, HOUR), (24, 2 * HOUR)], Label.START, T0 + 24 * HOUR),
        # A row by itself between a gap after hours and one before quarter hours.
        (
            [(24, HOUR), (1, 3 * HOUR), (1, 4 * HOUR), (24, QUARTER)],
            Label.START,
            T0 + 27 * HOUR,
        ),
    ],
)
def test_a_change_that_may_be_read_in_two_ways_is_refused_with_its_time(
    parts: list[tuple[int, timedelta]], label: Label, at: datetime
) -> None:
    times = steps(*parts)
    with pytest.raises(BadInput, match=rf"the times changes (at|around) {at:%Y-%m-%dT%H:%M}"):
        to_slots(table(times, gas=[1.0] * len(times)), label, None)


def test_a_named_resolution_says_that_a_few_longer_steps_are_gaps() -> None:
    times = steps((1, HOUR), (96, QUARTER))
    slots = to_slots(table(times, gas=[1.0] * 98), Label.START, QUARTER)
    assert (slots["slot_end"] - slots["slot_start"]).unique().to_list() == [QUARTER]


@pytest.mark.parametrize(("first", "then"), [(HOUR, QUARTER), (QUARTER, HOUR)])
def test_a_named_resolution_that_a_stretch_contradicts_is_refused(
    first: timedelta, then: timedelta
) -> None:
    times = steps((24, first), (24, then))
    at = T0 + 24 * first
    for named in (HOUR, QUARTER):
        with pytest.raises(BadInput, match="leave out --resolution") as caught:
            to_slots(table(times, gas=[1.0] * 49), Label.START, named)
        if named == QUARTER:
            assert f"changes at {at:%Y-%m-%dT%H:%M:%SZ}" in str(caught.value)


def test_hours_of_one_fuel_are_refused_from_when_the_others_change() -> None:
    times = steps((24, HOUR), (96, QUARTER))
    wind = table(times, wind=[1.0] * 121)
    gas = table(steps((47, HOUR)), gas=[1.0] * 48)
    both = Table("a.csv", pl.concat([wind.rows, gas.rows]), energy=True, ignored=())
    with pytest.raises(BadInput, match="from 2021-03-29T00:00:00Z on values of gas are 1:00"):
        to_slots(both, Label.START, None)


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
