"""Which region, which region and window, which signal, and what it saves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import BadInput, NoCommonSignal, NoData, NoFeasibleWindow
from gridtide.model import Series, Signal
from gridtide.windows import (
    RegionWindow,
    Window,
    best_region,
    best_region_and_window,
    best_window,
    common_signal,
    default_signal,
    saving,
)

T0 = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
CONSUMED, PRODUCED = Signal.CI_LIFECYCLE_CONSUMED, Signal.CI_LIFECYCLE_PRODUCED
CFE = Signal.CFE_PRODUCED


def hourly(zone: str, *values: float | None, signal: Signal = CONSUMED) -> Series:
    return Series.regular(zone, signal, T0, HOUR, values)


def test_the_place_alone_is_chosen_at_the_given_start() -> None:
    series = {"DE": hourly("DE", 9, 1), "FR": hourly("FR", 3, 8), "PL": hourly("PL", 5, 5)}
    assert best_region(series, HOUR, start=T0) == [
        RegionWindow("FR", Window(T0, T0 + HOUR, 3)),
        RegionWindow("PL", Window(T0, T0 + HOUR, 5)),
        RegionWindow("DE", Window(T0, T0 + HOUR, 9)),
    ]


def test_place_and_time_are_chosen_jointly() -> None:
    series = {"DE": hourly("DE", 9, 1), "FR": hourly("FR", 3, 8)}
    best, *_ = best_region_and_window(series, HOUR)
    assert best == RegionWindow("DE", Window(T0 + HOUR, T0 + 2 * HOUR, 1))
    bounded, *_ = best_region_and_window(series, HOUR, deadline=T0 + HOUR)
    assert bounded.region == "FR"


def test_more_carbon_free_energy_ranks_first() -> None:
    series = {
        "DE": hourly("DE", 0.4, signal=CFE),
        "FR": hourly("FR", 0.9, signal=CFE),
        "PL": hourly("PL", 0.2, signal=CFE),
    }
    assert [c.region for c in best_region(series, HOUR, start=T0)] == ["FR", "DE", "PL"]


def test_of_equal_means_the_earlier_window_then_the_given_order_is_first() -> None:
    series = {"A": hourly("A", 5, 1), "B": hourly("B", 1, 5), "C": hourly("C", 1, 5)}
    assert [c.region for c in best_region_and_window(series, HOUR)] == ["B", "C", "A"]


def test_a_region_without_a_window_is_last_with_its_reason() -> None:
    series = {"DE": hourly("DE", None, 1), "FR": hourly("FR", 30, 8)}
    best, without = best_region(series, HOUR, start=T0)
    assert best.region == "FR"
    assert (without.region, without.window) == ("DE", None)
    assert without.reason is not None
    assert "DE: no unbroken run of 1 h" in without.reason


def test_no_region_with_a_window_is_no_feasible_window_naming_each() -> None:
    series = {"DE": hourly("DE", 1), "FR": hourly("FR", 2)}
    with pytest.raises(NoFeasibleWindow, match=r"DE: .* 2 h .*FR: .* 2 h"):
        best_region(series, 2 * HOUR, start=T0)


def test_a_region_is_named_once_beside_the_zone_it_is_in() -> None:
    series = {"DE": hourly("DE", 1), "aws:eu-west-3": hourly("FR", 2)}
    with pytest.raises(NoFeasibleWindow) as caught:
        best_region(series, 2 * HOUR, start=T0)
    assert str(caught.value).count("DE: ") == 1
    assert "aws:eu-west-3: FR: no unbroken run" in str(caught.value)


def test_regions_of_different_signals_are_not_compared() -> None:
    series = {"DE": hourly("DE", 1), "FR": hourly("FR", 2, signal=PRODUCED)}
    with pytest.raises(NoCommonSignal) as caught:
        best_region_and_window(series, HOUR)
    assert caught.value.extra["signals"] == {"DE": [CONSUMED], "FR": [PRODUCED]}


def test_no_region_at_all_is_bad_input() -> None:
    with pytest.raises(BadInput, match="no region"):
        best_region_and_window({}, HOUR)
    with pytest.raises(BadInput, match=r"start .* has no UTC offset"):
        best_region({"DE": hourly("DE", 1)}, HOUR, start=datetime(2026, 3, 1))  # noqa: DTZ001
    with pytest.raises(BadInput, match="give a number above 0"):
        best_region({"DE": hourly("DE", 1)}, -HOUR, start=T0)


@given(
    st.dictionaries(
        st.sampled_from("ABCDEF"),
        st.lists(st.integers(0, 9), min_size=2, max_size=6),
        min_size=1,
    ),
    st.sampled_from([CONSUMED, CFE]),
)
def test_the_ranking_is_every_regions_own_best_window_in_order(
    values: dict[str, list[int]], signal: Signal
) -> None:
    series = {name: hourly(name, *found, signal=signal) for name, found in values.items()}
    ranking = best_region_and_window(series, 2 * HOUR)
    means = [choice.window.mean for choice in ranking if choice.window]
    assert means == sorted(means, reverse=signal is CFE)
    assert {c.region: c.window for c in ranking} == {
        name: best_window(one, 2 * HOUR) for name, one in series.items()
    }


def test_saving_is_a_fraction_of_now_for_intensity_and_points_for_cfe() -> None:
    assert saving(75, 100, CONSUMED) == 0.25
    assert saving(125, 100, CONSUMED) == -0.25
    assert saving(0.75, 0.5, CFE) == 0.25
    assert saving(0.25, 0.0, CFE) == 0.25


def test_saving_against_an_unknown_or_a_carbon_free_now_is_unknown() -> None:
    assert saving(75, None, CONSUMED) is None
    assert saving(0.5, None, CFE) is None
    assert saving(0, 0, CONSUMED) is None
    # A site with a negative value of its own: a share of less than nothing says nothing.
    assert saving(-10, -5, CONSUMED) is None


def test_the_default_signal_is_consumed_then_produced_lifecycle_intensity() -> None:
    assert default_signal([CFE, PRODUCED, CONSUMED]) is CONSUMED
    assert default_signal([CFE, PRODUCED]) is PRODUCED


def test_no_lifecycle_intensity_is_no_data_and_names_what_there_is() -> None:
    with pytest.raises(NoData, match="give one of cfe_produced, ci_direct_produced"):
        default_signal([Signal.CI_DIRECT_PRODUCED, CFE])
    with pytest.raises(NoData, match="nor is any other"):
        default_signal([])


def test_the_common_signal_is_the_first_default_all_have() -> None:
    assert common_signal({"DE": [CONSUMED, PRODUCED], "FR": [PRODUCED, CONSUMED]}) is CONSUMED
    assert common_signal({"DE": [CONSUMED, PRODUCED], "FR": [PRODUCED]}) is PRODUCED


def test_no_common_signal_says_which_has_what() -> None:
    with pytest.raises(NoCommonSignal, match="DE has ci_lifecycle_consumed; FR has none") as e:
        common_signal({"DE": [CONSUMED], "FR": []})
    assert e.value.extra["signals"] == {"DE": [CONSUMED], "FR": []}
    with pytest.raises(BadInput, match="no region is given"):
        common_signal({})
