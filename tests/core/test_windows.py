"""Windows against brute force over every minute, and by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import BadInput, NoFeasibleWindow
from gridtide.model import Quality, Series, Signal, Slot
from gridtide.windows import Window, best_region_and_window, best_window, mean_over
from tests.examples import examples

T0 = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
CI = Signal.CI_LIFECYCLE_CONSUMED
CFE = Signal.CFE_PRODUCED
NAIVE = datetime(2026, 3, 1)  # noqa: DTZ001  # what is refused


def hourly(*values: float | None, signal: Signal = CI) -> Series:
    return Series.regular("DE", signal, T0, HOUR, values)


def at(minutes: int) -> datetime:
    return T0 + minutes * MINUTE


def brute(
    series: Series, duration: int, low: int | None, high: int | None
) -> tuple[int, Fraction] | None:
    """Earliest best start in minutes and its exact mean, by trying every minute."""
    by_minute: dict[int, Fraction] = {}
    for slot in series.slots:
        if slot.value is not None:
            first, last = (slot.start - T0) // MINUTE, (slot.end - T0) // MINUTE
            by_minute |= dict.fromkeys(range(first, last), Fraction(slot.value))
    best: tuple[int, Fraction] | None = None
    for start in sorted(by_minute):
        run = range(start, start + duration)
        if (low is not None and start < low) or (high is not None and run.stop > high):
            continue
        if all(minute in by_minute for minute in run):
            mean = sum((by_minute[minute] for minute in run), Fraction(0)) / duration
            sign = 1 if series.signal.lower_is_cleaner else -1
            if best is None or sign * mean < sign * best[1]:
                best = start, mean
    return best


# Few small values make ties common; gaps, unknown values and odd lengths come in every series.
VALUES = st.one_of(st.none(), st.integers(0, 4).map(float), st.integers(0, 4).map(float))


@st.composite
def mixed_series(draw: st.DrawFn) -> Series:
    slots, clock = [], 0
    for _ in range(draw(st.integers(1, 9))):
        clock += draw(st.sampled_from([0, 0, 0, 0, 7, 30]))
        length = draw(st.sampled_from([5, 7, 15, 30, 30, 60]))
        slots.append(Slot(at(clock), at(clock + length), draw(VALUES), Quality.FORECAST))
        clock += length
    return Series("DE", draw(st.sampled_from([CI, CFE])), tuple(slots))


@st.composite
def regular_series(draw: st.DrawFn) -> Series:
    values = draw(st.lists(VALUES, min_size=1, max_size=14))
    step = draw(st.sampled_from([5, 15])) * MINUTE
    return Series.regular("DE", draw(st.sampled_from([CI, CFE])), T0, step, values)


BOUND = st.one_of(st.none(), st.integers(-20, 240))


@examples(400)
@given(st.one_of(mixed_series(), regular_series()), st.integers(1, 90), BOUND, BOUND)
def test_no_minute_is_a_better_or_an_earlier_equal_start(
    series: Series, duration: int, low: int | None, high: int | None
) -> None:
    if low is not None and high is not None and high < low:
        low, high = high, low
    expected = brute(series, duration, low, high)
    earliest = None if low is None else at(low)
    deadline = None if high is None else at(high)
    if expected is None:
        error = BadInput if low is not None and low == high else NoFeasibleWindow
        with pytest.raises(error):
            best_window(series, duration * MINUTE, earliest=earliest, deadline=deadline)
        return
    start, mean = expected
    window = best_window(series, duration * MINUTE, earliest=earliest, deadline=deadline)
    assert window.start == at(start)
    assert window.end == at(start + duration)
    assert window.mean == pytest.approx(float(mean), rel=1e-12, abs=1e-12)
    assert mean_over(series, window.start, window.end) == window.mean


@examples(200)
@given(
    st.lists(st.floats(0, 2000), min_size=4, max_size=40),
    st.sampled_from([15, 30, 45, 60, 120]),
    st.sampled_from([CI, CFE]),
)
def test_whole_slots_and_the_general_search_agree(
    values: list[float], minutes: int, signal: Signal
) -> None:
    step = 15 * MINUTE
    series = Series.regular("DE", signal, T0, step, values)
    *most, last = series.slots
    middle = last.start + step / 3
    cut = Series(  # the same values, in slots that are not all of one length
        "DE",
        signal,
        (
            *most,
            Slot(last.start, middle, last.value, last.quality),
            Slot(middle, last.end, last.value, last.quality),
        ),
    )
    duration = min(minutes, 15 * len(values)) * MINUTE
    whole, general = best_window(series, duration), best_window(cut, duration)
    assert whole.start == general.start
    assert whole.mean == pytest.approx(general.mean, rel=1e-12)


def test_the_cleanest_two_hours_by_hand() -> None:
    assert best_window(hourly(5, 3, 1, 2, 9), 2 * HOUR) == Window(
        T0 + 2 * HOUR, T0 + 4 * HOUR, 1.5
    )
    best_cfe = best_window(hourly(0.1, 0.9, 0.7, 0.2, signal=CFE), 2 * HOUR)
    assert (best_cfe.start, best_cfe.mean) == (T0 + HOUR, pytest.approx(0.8))


def test_a_start_off_the_edges_is_found() -> None:
    # 90 minutes: all of the 1 and half of a 3; the later half hour is as good as the earlier.
    window = best_window(hourly(9, 3, 1, 3, 9), 1.5 * HOUR)
    assert window == Window(T0 + 1.5 * HOUR, T0 + 3 * HOUR, pytest.approx(5 / 3))


def test_a_job_may_start_at_earliest_and_end_at_the_deadline_off_the_edges() -> None:
    falling = hourly(4, 3, 2, 1)
    late = best_window(falling, HOUR, deadline=T0 + 3.5 * HOUR)
    assert late == Window(T0 + 2.5 * HOUR, T0 + 3.5 * HOUR, 1.5)
    rising = hourly(1, 2, 3, 4)
    early = best_window(rising, HOUR, earliest=T0 + 0.25 * HOUR)
    assert early == Window(T0 + 0.25 * HOUR, T0 + 1.25 * HOUR, 1.25)


def test_ties_go_to_the_earliest_start_within_a_run_and_across_a_gap() -> None:
    assert best_window(hourly(2, 1, 1, 2, 1, 1), 2 * HOUR).start == T0 + HOUR
    assert best_window(hourly(1, None, 1), HOUR).start == T0
    assert best_window(hourly(3, 3, 3, 3), 1.5 * HOUR).start == T0


def test_rounding_does_not_decide_a_tie() -> None:
    # 0.1 + 0.2 + 0.3 is not 0.6 in binary, and 0.3 + 0.2 + 0.1 is another number again.
    series = hourly(0.3, 0.2, 0.1, 9, 0.1, 0.2, 0.3, 9, 0.2, 0.2, 0.2)
    assert best_window(series, 3 * HOUR).start == T0
    backwards = hourly(0.2, 0.2, 0.2, 9, 0.1, 0.2, 0.3)
    assert best_window(backwards, 3 * HOUR).start == T0
    # A long and heavy past must not blur what comes after it.
    heavy = hourly(*[1999.9] * 20_000, 0.1, 0.2, 9, 0.2, 0.1)
    assert best_window(heavy, 2 * HOUR).start == T0 + 20_000 * HOUR


def test_values_count_as_equal_from_a_billionth_of_their_unit_on() -> None:
    assert best_window(hourly(1.00000001, 1.0), HOUR).start == T0 + HOUR
    assert best_window(hourly(1.0000000001, 1.0), HOUR).start == T0


def test_values_of_any_size_are_compared_exactly() -> None:
    assert best_window(hourly(1e300, 3, 1, 1e300, 2, 1), 2 * HOUR).start == T0 + 4 * HOUR
    assert best_window(hourly(-1.5, -2.25, -2), 2 * HOUR).mean == -2.125


def test_a_window_never_spans_an_unknown_slot_or_a_gap() -> None:
    unknown = hourly(1, None, 1, 8, 8)
    assert best_window(unknown, 2 * HOUR).start == T0 + 2 * HOUR
    before, after = hourly(1, 1, 8, 8).slots[:1], hourly(0, 0, 1, 8, 8).slots[2:]
    gap = Series("DE", CI, before + after)
    assert best_window(gap, 2 * HOUR).start == T0 + 2 * HOUR


def test_deadline_before_start_is_bad_input() -> None:
    with pytest.raises(BadInput, match="deadline before start"):
        best_window(hourly(1, 2), HOUR, earliest=T0 + HOUR, deadline=T0)
    # As for a plan: without any time between them it is the bounds that are wrong.
    with pytest.raises(BadInput, match="is not after the earliest start"):
        best_window(hourly(1, 2), HOUR, earliest=T0, deadline=T0)


@pytest.mark.parametrize("duration", [timedelta(0), -HOUR])
def test_a_run_without_length_is_bad_input(duration: timedelta) -> None:
    with pytest.raises(BadInput, match=r"duration is -?\d; give a number above 0"):
        best_window(hourly(1, 2), duration)


def test_naive_times_are_bad_input() -> None:
    with pytest.raises(BadInput, match=r"earliest .* has no UTC offset"):
        best_window(hourly(1, 2), HOUR, earliest=NAIVE)
    with pytest.raises(BadInput, match=r"deadline .* has no UTC offset"):
        best_window(hourly(1, 2), HOUR, deadline=NAIVE)
    with pytest.raises(BadInput, match=r"start .* has no UTC offset"):
        mean_over(hourly(1, 2), NAIVE, T0)
    with pytest.raises(BadInput, match=r"end .* has no UTC offset"):
        mean_over(hourly(1, 2), T0, NAIVE)


@pytest.mark.parametrize(
    ("series", "hours", "bounds", "message"),
    [
        (
            hourly(1, 2, 3),
            4,
            {},
            "DE: no unbroken run of 4 h of ci_lifecycle_consumed: it is known from "
            "2026-03-01T00:00:00Z to 2026-03-01T03:00:00Z; the longest possible run is 3 h, "
            "from 2026-03-01T00:00:00Z to 2026-03-01T03:00:00Z: ask for at most that",
        ),
        (
            hourly(1, 2, None, 3),
            3,
            {},
            "but not from 2026-03-01T02:00:00Z to 2026-03-01T03:00:00Z; the longest possible "
            "run is 2 h",
        ),
        (hourly(1, None, 1, None, 1, None, 1, None, 1, None, 1), 2, {}, "and 2 more gaps"),
        (
            hourly(1, 2, 3, 4),
            3,
            {"earliest": T0 + 1.5 * HOUR},
            "the longest possible run is 2.5 h, from 2026-03-01T01:30:00Z",
        ),
        (
            hourly(1, 2, 3, 4),
            3,
            {"deadline": T0 + 2 * HOUR},
            "the longest possible run is 2 h",
        ),
        (
            hourly(1, 2, 3, 4),
            3,
            {"earliest": T0, "deadline": T0 + 2 * HOUR},
            "from earliest to deadline there are only 2 h; ask for fewer hours or a later",
        ),
        (
            hourly(1, 2),
            1,
            {"earliest": T0 + 5 * HOUR},
            "within the bounds: it is known from .*; move earliest or deadline",
        ),
        (hourly(None), 1, {}, "no slot of it is known"),
    ],
)
def test_no_feasible_window_says_why_and_what_is_possible(
    series: Series, hours: float, bounds: dict[str, datetime], message: str
) -> None:
    with pytest.raises(NoFeasibleWindow, match=message):
        best_window(series, hours * HOUR, **bounds)


def test_a_mean_weighs_each_slot_by_the_part_of_it_used() -> None:
    series = hourly(10, 20, 40)
    assert mean_over(series, T0 + 0.5 * HOUR, T0 + 2.25 * HOUR) == pytest.approx(
        (0.5 * 10 + 1 * 20 + 0.25 * 40) / 1.75
    )
    assert mean_over(series, T0 + 0.1 * HOUR, T0 + 0.2 * HOUR) == 10


def test_a_mean_over_anything_unknown_is_unknown() -> None:
    series = hourly(10, None, 40, 50)
    assert mean_over(series, T0, T0 + 1.01 * HOUR) is None
    assert mean_over(series, T0 - HOUR, T0 + HOUR) is None
    assert mean_over(series, T0 + 3 * HOUR, T0 + 5 * HOUR) is None
    assert mean_over(series, T0 + 2 * HOUR, T0 + 4 * HOUR) == 45


def test_a_mean_needs_an_end_after_the_start() -> None:
    with pytest.raises(BadInput, match="is not after start"):
        mean_over(hourly(1), T0, T0)


@pytest.mark.parametrize("signal", [Signal.CI_LIFECYCLE_PRODUCED, Signal.CFE_PRODUCED])
def test_means_that_differ_by_rounding_alone_are_a_tie(signal: Signal) -> None:
    """0.1 + 0.2 is not 0.3 in floats; the earlier window wins, then the order given."""
    start, hour = datetime(2026, 3, 2, tzinfo=UTC), timedelta(hours=1)
    sum_, whole = 0.1 + 0.2, 0.3
    assert sum_ != whole
    worse = 0.9 if signal.lower_is_cleaner else 0.0
    for early, late in ((sum_, whole), (whole, sum_)):
        series = {
            "late": Series.regular("late", signal, start, hour, [worse, late]),
            "early": Series.regular("early", signal, start, hour, [early, worse]),
            "same": Series.regular("same", signal, start, hour, [late, worse]),
        }
        ranked = [each.region for each in best_region_and_window(series, hour)]
        assert ranked == ["early", "same", "late"]
        # One part in a billion of the unit is a difference.
        cleaner = late + (-2e-9 if signal.lower_is_cleaner else 2e-9)
        series["late"] = Series.regular("late", signal, start, hour, [worse, cleaner])
        assert best_region_and_window(series, hour)[0].region == "late"
