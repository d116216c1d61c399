"""A new forecast changes a plan from the next full five minutes on, and its end counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from gridtide.model import Series, Signal
from gridtide.planning import Job, Kind, Outlook
from gridtide_pipelines.policies.as_issued import PastForecast
from gridtide_pipelines.policies.backtest import Case, simulate
from gridtide_pipelines.policies.execution import replan_at_each
from gridtide_pipelines.policies.policies import Occurrence, make_policies

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
START = datetime(2021, 1, 1, tzinfo=UTC)
SIGNAL = Signal.CI_LIFECYCLE_PRODUCED
MakeCase = Callable[..., Case]


def outlook(*values: float) -> Outlook:
    return Outlook(Series.regular("DE", SIGNAL, START, HOUR, values))


def test_a_new_plan_holds_from_the_next_full_five_minutes_on() -> None:
    (policy,) = make_policies(["replan"], Job(HOUR, Kind.INTERRUPTIBLE))
    when = Occurrence(START, START + 4 * HOUR)
    plan, _ = policy.decide(when, outlook(10, 50, 50, 50))
    assert plan.start == START
    # Known at 00:22; what ran until 00:25 has run, the rest waits for hour 3.
    known = PastForecast(outlook(90, 90, 90, 5), START + 22 * MINUTE, stored=True)
    slots = replan_at_each(policy.job, plan, [known])
    assert [(each.start - START, each.end - START) for each in slots] == [
        (0 * HOUR, 25 * MINUTE),
        (3 * HOUR, 3 * HOUR + 35 * MINUTE),
    ]


def test_a_short_forecast_of_any_zone_is_counted(case: MakeCase) -> None:
    long, short = [9.0] * 6, [9.0] * 3
    scenarios = [
        case("DE", long, {(0, 0): short}),
        case("FR", long, {(0, 0): long}),
        case("NL", long, {(0, 0): long}),
    ]
    outcomes = simulate(
        scenarios, make_policies(["place"], Job(HOUR)), [(START, START + 6 * HOUR)]
    )
    assert [each.short for each in outcomes] == [1, 1, 1]
    alone = simulate(scenarios, make_policies(["now"], Job(HOUR)), [(START, START + 6 * HOUR)])
    assert [each.short for each in alone] == [1, 0, 0]
