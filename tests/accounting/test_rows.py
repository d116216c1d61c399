"""Metered rows over a series, minute by minute and by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.accounting.emissions import Metered, integrate
from gridtide.errors import BadInput
from gridtide.model import Quality, Series, Signal, Slot
from gridtide.planning.solvers.cancellation import cancellable
from tests.examples import examples

T0 = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
CI = Signal.CI_LIFECYCLE_CONSUMED
Row = tuple[int, int, int]


def at(minutes: int) -> datetime:
    return T0 + minutes * MINUTE


def hourly(*values: float | None) -> Series:
    return Series.regular("DE", CI, T0, HOUR, values)


@st.composite
def series(draw: st.DrawFn) -> Series:
    slots, clock = [], draw(st.integers(0, 10))
    while clock < 180:
        length = draw(st.sampled_from([15, 30, 45, 60]))
        value = draw(st.one_of(st.none(), *[st.integers(0, 9).map(float)] * 5))
        slots.append(Slot(at(clock), at(clock + length), value, Quality.MEASURED))
        clock += length + draw(st.sampled_from([0, 0, 0, 5]))
    return Series("DE", CI, tuple(slots))


ROWS = st.lists(
    st.tuples(st.integers(0, 170), st.integers(1, 120), st.integers(0, 20)), max_size=5
)


def moments(rows: list[Row]) -> list[tuple[datetime, datetime, float]]:
    return [(at(start), at(start + length), float(kwh)) for start, length, kwh in rows]


def by_minute(rows: list[Row]) -> dict[int, Fraction]:
    found: dict[int, Fraction] = {}
    for start, length, kwh in rows:
        for minute in range(start, start + length):
            found[minute] = found.get(minute, Fraction(0)) + Fraction(kwh, length)
    return found


@examples(150)
@given(series(), ROWS, ROWS)
def test_every_minute_s_energy_counts_at_its_own_intensity(
    series: Series, rows: list[Row], clean: list[Row]
) -> None:
    rates = {
        minute: Fraction(slot.value)
        for slot in series.slots
        if slot.value is not None
        for minute in range((slot.start - T0) // MINUTE, (slot.end - T0) // MINUTE)
    }
    found = integrate(moments(rows), series, pue=1.5, clean=moments(clean))
    assert found.total.kwh == pytest.approx(1.5 * sum(kwh for *_, kwh in rows))
    known = []
    for (start, length, kwh), row in zip(rows, found.rows, strict=True):
        minutes = range(start, start + length)
        if all(minute in rates for minute in minutes):
            mean = sum((rates[minute] for minute in minutes), Fraction(0)) / length
            assert row.g_per_kwh == pytest.approx(float(mean))
            assert row.gross_g == pytest.approx(float(mean * kwh) * 1.5)
            known.append(float(mean * kwh) * 1.5)
        else:
            assert (row.g_per_kwh, row.gross_g) == (None, None)
    per_minute = by_minute(rows)
    parts = {minute: kwh for minute, kwh in per_minute.items() if minute in rates}
    covered = sum(parts.values(), Fraction(0)) * Fraction(3, 2)
    grams = sum((kwh * rates[minute] for minute, kwh in parts.items()), Fraction(0))
    assert found.total.known_kwh == pytest.approx(float(covered))
    assert found.total.known_g == pytest.approx(float(grams * Fraction(3, 2)))
    if len(known) < len(rows):
        assert (found.total.gross_g, found.total.net_g) == (None, None)
        return
    bought = by_minute(clean)
    net = Fraction(0)
    for hour in range(6):
        inside = [m for m in range(60 * hour, 60 * hour + 60) if m in per_minute]
        drawn = sum((per_minute[m] for m in inside), Fraction(0)) * Fraction(3, 2)
        emitted = sum((per_minute[m] * rates[m] for m in inside), Fraction(0)) * Fraction(3, 2)
        cover = sum((bought.get(60 * hour + m, Fraction(0)) for m in range(60)), Fraction(0))
        net += emitted * max(Fraction(0), 1 - cover / drawn) if drawn else 0
    assert found.total.gross_g == pytest.approx(sum(known))
    assert found.total.net_g == pytest.approx(float(net), abs=1e-9)


@examples(150)
@given(series(), ROWS, ROWS, st.data())
def test_splitting_rows_anywhere_and_giving_them_in_any_order_changes_nothing(
    series: Series, rows: list[Row], clean: list[Row], data: st.DataObject
) -> None:
    def split(each: list[Row]) -> list[tuple[datetime, datetime, float]]:
        parts = []
        for start, end, kwh in moments(each):
            share = data.draw(st.integers(1, 99)) / 100
            middle = start + (end - start) * share
            parts += [(start, middle, kwh * share), (middle, end, kwh * (1 - share))]
        return data.draw(st.permutations(parts))

    one = integrate(moments(rows), series, clean=moments(clean)).total
    two = integrate(split(rows), series, clean=split(clean)).total
    assert (two.gross_g is None, two.net_g is None) == (one.gross_g is None, one.net_g is None)
    for name in ("kwh", "gross_g", "net_g", "known_kwh", "known_g"):
        assert getattr(two, name) == pytest.approx(getattr(one, name), abs=1e-6), name


def test_a_row_over_the_change_of_clocks_lasts_as_long_as_it_does() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    spring = Series.regular(
        "DE", CI, datetime(2026, 3, 29, tzinfo=UTC), HOUR, [100.0, 200.0, 300.0]
    )
    # From 01:30 to 03:30 on the wall is one hour, from 00:30 to 01:30 UTC.
    span = (
        datetime(2026, 3, 29, 1, 30, tzinfo=berlin),
        datetime(2026, 3, 29, 3, 30, tzinfo=berlin),
    )
    assert integrate([(*span, 2.0)], spring).total.gross_g == pytest.approx(2 * 150)
    autumn = Series.regular("DE", CI, datetime(2026, 10, 25, tzinfo=UTC), HOUR, [100.0, 200.0])
    # From 02:00 to 02:00 on the wall is the hour that comes twice.
    first = datetime(2026, 10, 25, 2, tzinfo=berlin)
    found = integrate([(first, first.replace(fold=1), 2.0)], autumn)
    assert found.total.gross_g == pytest.approx(200)


def test_a_row_over_two_slots_by_hand() -> None:
    # 3 kWh from 00:30 to 02:00: 1 kWh at 300 g, 2 kWh at 60 g; 0.5 kWh clean from 01:00 on.
    rows = [(at(30), at(120), 3.0)]
    found = integrate(rows, hourly(300, 60), clean=[(at(60), at(120), 0.5)])
    assert found.rows[0].g_per_kwh == pytest.approx(140)
    assert (found.total.gross_g, found.total.net_g) == pytest.approx((420, 420 - 30))
    assert integrate(rows, hourly(300, 60)).total.net_g == pytest.approx(420)


def test_a_surplus_of_clean_energy_covers_no_other_hour() -> None:
    rows = [(at(0), at(120), 2.0)]
    found = integrate(rows, hourly(300, 60), clean=[(at(60), at(120), 9.0)])
    assert found.total.net_g == pytest.approx(300)


def test_a_gap_is_unknown_and_not_zero() -> None:
    rows = [(at(0), at(60), 1.0), (at(60), at(120), 2.0)]
    total = integrate(rows, hourly(100, None)).total
    assert (total.kwh, total.gross_g, total.net_g) == (3, None, None)
    assert (total.known_kwh, total.known_g) == (1, 100)
    # One row of both is unknown as a row; its first hour is not.
    both = integrate([(at(0), at(120), 3.0)], hourly(100, None))
    assert both.rows[0].gross_g is None
    assert (both.total.known_kwh, both.total.known_g) == (1.5, 150)


def test_energy_before_and_after_the_series_is_unknown() -> None:
    total = integrate([(at(-60), at(180), 4.0)], hourly(100, 200)).total
    assert (total.kwh, total.gross_g, total.known_kwh, total.known_g) == (4, None, 2, 300)
    assert integrate([(at(300), at(360), 1.0)], hourly(100)).total.known_kwh == 0


def test_a_row_by_name_is_refused() -> None:
    row = {"start": T0, "end": T0 + HOUR, "kwh": 1.0}
    with pytest.raises(BadInput, match=r"a row is {.*; give rows of \(start, end, kWh\)"):
        integrate([row], hourly(1.0))  # type: ignore[list-item]  # what the type refuses


def test_more_than_a_number_holds_is_refused() -> None:
    rows = [(at(0), at(60), 1e308)] * 2
    with pytest.raises(BadInput, match="energy of all rows in kWh comes to more"):
        integrate(rows, hourly(0.0))
    with pytest.raises(BadInput, match="emissions of all rows in g comes to more"):
        integrate(rows[:1], hourly(100.0))


def test_rows_read_back_from_json() -> None:
    found = integrate([(at(0), at(60), 1.0)], hourly(100))
    assert Metered.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(datetime(2026, 3, 1), at(60), 1.0)], "row .* has no UTC offset"),  # noqa: DTZ001
        ([(at(60), at(60), 1.0)], "row from 2026-03-01T01:00:00Z does not end after it starts"),
        ([(at(0), at(60), -1.0)], "kWh is -1.0; give a finite number of 0 or more"),
        ([(at(0), at(60), float("nan"))], "kWh is nan"),
    ],
)
def test_rows_that_cannot_be_are_refused(
    rows: list[tuple[datetime, datetime, float]], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        integrate(rows, hourly(100))
    with pytest.raises(BadInput, match=message.replace("row", "clean purchase")):
        integrate([], hourly(100), clean=rows)


def test_a_share_of_clean_energy_is_no_intensity() -> None:
    free = Series.regular("DE", Signal.CFE_PRODUCED, T0, HOUR, [0.5])
    with pytest.raises(BadInput, match="cfe_produced is not a carbon intensity"):
        integrate([], free)


def test_an_offset_is_refused_with_where_to_put_clean_energy() -> None:
    with pytest.raises(BadInput, match="goes in as `clean`"):
        integrate([], hourly(100), offset_g=5.0)


def test_long_rows_count_as_their_hours_do() -> None:
    """Rows over thousands of slots and hundreds of gaps, against the same energy by hour."""
    hours = 24 * 70
    values = [None if k % 17 == 5 else float(k * 7919 % 600) for k in range(hours)]
    rows = [(at(30), at(60 * (hours - 1) + 15), 5000.0), (at(7), at(60 * 400 + 1), 30.0)]
    found = integrate(rows, hourly(*values), pue=1.2)
    known = kwh = 0.0
    for start, end, energy in rows:
        length = end - start
        for k, value in enumerate(values):
            part = min(end, at(60 * (k + 1))) - max(start, at(60 * k))
            if value is not None and part > timedelta(0):
                kwh += 1.2 * energy * (part / length)
                known += 1.2 * energy * (part / length) * value
    assert found.total.gross_g is None
    assert found.total.known_g == pytest.approx(known, rel=1e-12)
    assert found.total.known_kwh == pytest.approx(kwh, rel=1e-12)


def test_long_purchases_cover_each_hour_as_short_ones_do() -> None:
    hours = 24 * 70
    series = hourly(*(float(k * 7919 % 600) for k in range(hours)))
    rows = [(at(30), at(60 * 1600 + 15), 5000.0), (at(60 * 200), at(60 * 300), 100.0)]
    clean = [(at(45), at(60 * 900), 2000.0), (at(60 * 1000), at(60 * 1100), 900.0)]

    def by_hour(
        long: list[tuple[datetime, datetime, float]],
    ) -> list[tuple[datetime, datetime, float]]:
        found = []
        for start, end, kwh in long:
            for k in range(hours):
                first, last = max(start, at(60 * k)), min(end, at(60 * (k + 1)))
                if first < last:
                    found.append((first, last, kwh * ((last - first) / (end - start))))
        return found

    long = integrate(rows, series, clean=clean).total
    short = integrate(by_hour(rows), series, clean=by_hour(clean)).total
    assert long.net_g is not None
    assert long.net_g == pytest.approx(short.net_g, rel=1e-11)
    assert long.gross_g == pytest.approx(short.gross_g, rel=1e-11)
    assert 0 < long.net_g < long.known_g


def test_a_footprint_looks_at_the_time_as_it_goes() -> None:
    class Stopped(BaseException):
        pass

    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped), cancellable(stop):
        integrate([(at(0), at(60), 1.0)], hourly(1.0))


@pytest.mark.parametrize("hours", [3, 4, 5, 6, 17, 48, 167, 168, 169, 170, 1200])
@pytest.mark.parametrize("gap", [0, 3])
def test_rows_of_any_length_count_as_their_hours_do(hours: int, gap: int) -> None:
    """Short rows are summed slot by slot and longer ones by prepared sums: the same grams."""
    values = [None if gap and k % gap == 1 else float(k * 7919 % 600) for k in range(1300)]
    long = (at(45), at(45 + 60 * hours), 7.0 * hours)
    clean = (at(20), at(20 + 60 * hours), 3.0 * hours)

    def by_hour(
        row: tuple[datetime, datetime, float],
    ) -> list[tuple[datetime, datetime, float]]:
        start, end, kwh = row
        edges = [start, *(at(60 * k) for k in range(1300)), end]
        edges = sorted(each for each in edges if start <= each <= end)
        return [
            (low, high, kwh * ((high - low) / (end - start)))
            for low, high in pairwise(edges)
            if low < high
        ]

    whole = integrate([long], hourly(*values), clean=[clean]).total
    parts = integrate(by_hour(long), hourly(*values), clean=by_hour(clean)).total
    assert (whole.net_g is None) == bool(gap)
    assert (whole.gross_g is None, parts.gross_g is None) == (bool(gap), bool(gap))
    for name in ("kwh", "net_g", "known_kwh", "known_g"):
        if getattr(parts, name) is not None:
            assert getattr(whole, name) == pytest.approx(getattr(parts, name), rel=1e-9), name
