"""Goals, cost series and what they make of a forecast."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import BadInput, NoData
from gridtide.model import Quality, Series, Signal, Slot
from gridtide.planning.problem.costs import CostSeries
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.objective import Goal, Objective, Quantile
from gridtide.planning.solvers.costs import Curve, curve
from tests.examples import examples
from tests.planning.settings import CFE, CI, HOUR, MINUTE, T0, at, us

EUROS = CostSeries.regular("EUR", T0, HOUR, [0.3, 0.1, -0.2])


def by_minute(curve: Curve) -> dict[int, Fraction]:
    intervals, found = curve.intervals, {}
    for start, end, rate in zip(intervals.starts, intervals.ends, intervals.rates, strict=True):
        for minute in range((start - us(0)) // 60_000_000, (end - us(0)) // 60_000_000):
            found[minute] = Fraction(rate, 10**9)
    return found


def hourly(*values: float | None, signal: Signal = CI) -> Series:
    return Series.regular("DE", signal, T0, HOUR, values)


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_a_cost_that_is_no_number_is_bad_input(value: float) -> None:
    with pytest.raises(
        BadInput, match=r"at 2026-03-01T01:00:00Z is .*; give a finite number, or None"
    ):
        CostSeries.regular("EUR", T0, HOUR, [0.1, value])
    with pytest.raises(BadInput, match="an unknown value is None"):
        CostSeries("EUR", (Slot(T0, T0 + HOUR, value, Quality.FORECAST),))


def test_cost_slots_do_not_overlap() -> None:
    twice = (
        Slot(at(0), at(60), 1.0, Quality.FORECAST),
        Slot(at(30), at(90), 1.0, Quality.FORECAST),
    )
    with pytest.raises(BadInput, match="sort the slots by start"):
        CostSeries("EUR", twice)
    assert [run.values for run in EUROS.runs] == [[0.3, 0.1, -0.2]]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            {"objective": "fastest"},
            "goal.objective is 'fastest'; give one of carbon, cfe, cost, weighted",
        ),
        ({"quantile": "p75"}, "goal.quantile is 'p75'; give one of p50, p90"),
        ({"costs": EUROS}, "goal carbon: costs and currency go with the objectives cost and"),
        ({"currency": "EUR"}, "use one of them, or leave the costs out"),
        ({"objective": "cost", "costs": EUROS, "currency": "EUR"}, "leave one of them out"),
        ({"carbon_price": 1.0}, "goal carbon does not take weights or a carbon price"),
        (
            {"objective": "weighted", "carbon_price": 1.0, "cost_weight": 1.0},
            "carbon_price stands for both weights",
        ),
        ({"objective": "weighted", "carbon_price": -1.0}, "carbon_price is -1.0; give 0 or mo"),
        ({"objective": "weighted"}, "give carbon_price, the price of a tonne"),
        ({"carbon_weight": 1.0}, "does not take weights"),
        ({"objective": "weighted", "costs": EUROS, "carbon_weight": 1.0}, "not both 0"),
        (
            {"objective": "weighted", "costs": EUROS, "carbon_weight": 0.0, "cost_weight": 0.0},
            "not both 0",
        ),
        (
            {"objective": "weighted", "costs": EUROS, "carbon_weight": nan, "cost_weight": 1.0},
            "carbon_weight is nan, which is not finite",
        ),
        ({"objective": "cfe", "budget_grams": 5.0}, "goes with the objective carbon only"),
        ({"budget_grams": -5.0}, r"budget_grams is -5.0; give 0 or more \(gCO2e\)"),
        ({"budget_grams": 5.0, "threshold": 100.0}, "give one"),
        ({"threshold": nan}, "give a finite number"),
        ({"threshold": 5.0, "min_saving": 0.1}, "drop min_saving"),
        ({"min_saving": 1.0}, "give 0 or more and less than 1"),
        ({"min_saving": -0.1}, "give 0 or more and less than 1"),
    ],
)
def test_goals_that_make_no_sense_are_refused(members: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Goal(**members)


@pytest.mark.parametrize(
    ("series", "objective", "message"),
    [
        (
            hourly(1),
            Objective.CFE,
            "carbon intensity goes with the objectives carbon, cost and weighted",
        ),
        (
            hourly(0.5, signal=CFE),
            Objective.CARBON,
            "a CFE fraction goes with the objectives cfe and cost",
        ),
    ],
)
def test_a_goal_fits_the_signal(series: Series, objective: Objective, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        curve(Outlook(series), Goal(objective), [(us(0), us(60))])


def test_cost_and_weights_count_where_both_series_are_known() -> None:
    carbon = hourly(100, None, 300)
    everywhere = [(us(0), us(600))]
    cost = curve(Outlook(carbon), Goal(Objective.COST, EUROS), everywhere)
    assert set(by_minute(cost)) == {*range(60), *range(120, 180)}
    assert cost.intervals.rates == [3 * 10**8, -2 * 10**8]
    # A price of 100 EUR a tonne: 100 g are 0.01 EUR, 300 g are 0.03 EUR.
    both = Goal(Objective.WEIGHTED, EUROS, carbon_weight=1e-4, cost_weight=1.0)
    assert curve(Outlook(carbon), both, everywhere).intervals.rates == [31 * 10**7, -17 * 10**7]


VALUE = st.one_of(st.none(), st.integers(0, 5).map(float))


@st.composite
def slots(draw: st.DrawFn) -> tuple[Slot, ...]:
    found, clock = [], draw(st.integers(0, 3))
    for _ in range(draw(st.integers(0, 6))):
        clock += draw(st.sampled_from([0, 0, 2]))
        length = draw(st.integers(1, 5))
        found.append(Slot(at(clock), at(clock + length), draw(VALUE), Quality.FORECAST))
        clock += length
    return tuple(found)


def values(slots: tuple[Slot, ...]) -> dict[int, Fraction]:
    return {
        minute: Fraction(slot.value)
        for slot in slots
        if slot.value is not None
        for minute in range((slot.start - T0) // MINUTE, (slot.end - T0) // MINUTE)
    }


@examples(100)
@given(slots(), slots(), st.integers(0, 8), st.integers(9, 30), st.none() | st.integers(0, 5))
def test_a_minute_counts_what_both_series_say_of_it(
    carbon: tuple[Slot, ...],
    cost: tuple[Slot, ...],
    first: int,
    last: int,
    threshold: int | None,
) -> None:
    goal = Goal(
        Objective.WEIGHTED,
        CostSeries("EUR", cost),
        carbon_weight=2,
        cost_weight=0.5,
        threshold=threshold,
    )
    outlook = Outlook(Series("DE", CI, carbon))
    grams, euros = values(carbon), values(cost)
    expected = {
        minute: 2 * grams[minute] + euros[minute] / 2
        for minute in range(first, last)
        if minute in grams
        and minute in euros
        and (threshold is None or grams[minute] <= threshold)
    }
    assert by_minute(curve(outlook, goal, [(us(first), us(last))])) == expected


def test_a_threshold_leaves_what_is_at_least_as_clean() -> None:
    everywhere = [(us(0), us(180))]
    under = curve(Outlook(hourly(100, 150, 200)), Goal(threshold=150), everywhere)
    assert by_minute(under).keys() == set(range(120))
    over = Goal(Objective.CFE, threshold=0.5)
    clean = curve(Outlook(hourly(0.4, 0.5, 0.6, signal=CFE)), over, everywhere)
    assert by_minute(clean).keys() == set(range(60, 180))


def test_robust_is_the_dirtier_quantile_of_either_direction() -> None:
    robust = Goal(quantile=Quantile.P90)
    carbon = Outlook(hourly(2), p10=hourly(1), p90=hourly(3))
    assert carbon.deciding(robust.quantile).slots[0].value == 3
    free = Outlook(
        hourly(0.5, signal=CFE), p10=hourly(0.4, signal=CFE), p90=hourly(0.7, signal=CFE)
    )
    assert free.deciding(robust.quantile).slots[0].value == 0.4
    assert free.deciding(Quantile.P50).slots[0].value == 0.5
    with pytest.raises(NoData, match="none can be robust; use the quantile p50"):
        Outlook(hourly(2)).deciding(Quantile.P90)


def test_an_outlook_is_of_one_signal_and_an_instant() -> None:
    with pytest.raises(BadInput, match="are of other signals"):
        Outlook(hourly(2), p90=hourly(0.4, signal=CFE))
    with pytest.raises(BadInput, match=r"issued_at .* has no UTC offset"):
        Outlook(hourly(2), issued_at=datetime(2026, 3, 1))  # noqa: DTZ001  # what is refused
    zoned = datetime.fromisoformat("2026-03-01T01:00+01:00")
    assert Outlook(hourly(2), issued_at=zoned).issued_at == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_value_too_large_to_be_a_rate_is_refused() -> None:
    with pytest.raises(BadInput, match="beyond 1e12 a kWh; check its unit"):
        _ = curve(Outlook(hourly(1, 2e12)), Goal(), [(us(0), us(120))]).intervals


def test_what_is_free_can_be_cut_short() -> None:
    whole = curve(Outlook(hourly(1, None, 3)), Goal(), [(us(0), us(150))])
    short = whole.before(us(130))
    assert [(start, end) for _, start, end in short.stretches] == [
        (us(0), us(60)),
        (us(120), us(130)),
    ]
    intervals = whole.intervals.before(us(130))
    assert (intervals.starts, intervals.ends) == (short.intervals.starts, short.intervals.ends)
    assert whole.before(us(0)).stretches == ()
    assert whole.intervals.before(us(60)).ends == [us(60)]
    assert whole.intervals.before(us(0)).ends == []
