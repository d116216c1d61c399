"""Jobs that policies move to another zone come to what they do by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridtide.errors import BadInput
from gridtide.model import Signal
from gridtide.planning import Cost, Elastic, Job, Kind
from gridtide_pipelines.policies.backtest import Case, Outcome, Scored, simulate
from gridtide_pipelines.policies.policies import MOVING, Occurrence, make_policies
from gridtide_pipelines.policies.results import frame, totals

HOUR = timedelta(hours=1)
START = datetime(2021, 1, 1, tzinfo=UTC)
SIGNAL = Signal.CI_LIFECYCLE_PRODUCED
ONCE = [(START, START + 6 * HOUR)]
JOB = Job(2 * HOUR)
PAUSING = Job(2 * HOUR, Kind.INTERRUPTIBLE)
MakeCase = Callable[..., Case]

DE = [100.0, 80.0, 60.0, 20.0, 40.0, 10.0]
DE_SEEN = [100.0, 30.0, 70.0, 40.0, 60.0, 50.0]
FR = [90.0, 70.0, 90.0, 90.0, 15.0, 90.0]
FR_SEEN = [60.0, 60.0, 90.0, 20.0, 20.0, 90.0]


def simulated(scenarios: Sequence[Case], name: str, job: Job) -> tuple[list[Outcome], Scored]:
    outcomes = simulate(scenarios, make_policies([name], job), ONCE)
    return outcomes, outcomes[0].scored[0]


@pytest.mark.parametrize(
    ("name", "job", "planned", "realised", "oracle", "regions"),
    [
        # At once 130 in DE and 120 in FR are forecast. The oracle waits, for hours 3 and 4 of
        # DE; pausing it takes hours 5 and 3 there, following hour 5 of DE and 4 of FR.
        ("place", JOB, 120, 160, 50, ("FR",)),
        ("place", PAUSING, 120, 160, 30, ("FR",)),
        ("place-and-time", JOB, 40, 105, 50, ("FR",)),
        ("place-and-time", PAUSING, 40, 105, 30, ("FR",)),
        ("follow", PAUSING, 40, 105, 25, ("FR",)),
        ("pause", PAUSING, 70, 100, 30, ("DE",)),
    ],
)
def test_each_comes_to_what_it_does_by_hand(
    name: str,
    job: Job,
    planned: float,
    realised: float,
    oracle: float,
    regions: tuple[str, ...],
    case: MakeCase,
) -> None:
    scenarios = [case("DE", DE, {(0, 0): DE_SEEN}), case("FR", FR, {(0, 0): FR_SEEN})]
    _, scored = simulated(scenarios, name, job)
    found = [scored.planned, scored.realised, scored.oracle, scored.now]
    assert [each.counted for each in found] == pytest.approx([planned, realised, oracle, 180])
    assert scored.regions == regions


def test_following_runs_each_hour_where_it_is_forecast_to_be_cleanest(case: MakeCase) -> None:
    scenarios = [
        case("DE", DE, {(0, 0): [90.0, 10.0, 90.0, 90.0, 90.0, 90.0]}),
        case("FR", FR, {(0, 0): [90.0, 90.0, 20.0, 90.0, 90.0, 90.0]}),
    ]
    _, scored = simulated(scenarios, "follow", PAUSING)
    assert scored.regions == ("DE", "FR")
    assert (scored.start, scored.end, scored.segments) == (START + HOUR, START + 3 * HOUR, 1)
    assert scored.planned.counted == pytest.approx(10 + 20)
    assert scored.realised.counted == pytest.approx(80 + 90)


def test_of_equal_places_its_own_is_taken_and_others_do_not_count_as_elsewhere(
    case: MakeCase,
) -> None:
    scenarios = [case("DE", DE, {(0, 0): DE_SEEN}), case("FR", FR, {(0, 0): DE_SEEN})]
    outcomes, scored = simulated(scenarios, "place", JOB)
    assert scored.regions == ("DE",)
    assert outcomes[1].scored[0].regions == ("FR",)
    assert [dict(each.elsewhere) for each in totals(outcomes, SIGNAL)] == [{}, {}, {}]


def test_jobs_of_every_zone_move_and_are_counted_by_where_to(case: MakeCase) -> None:
    scenarios = [case("DE", DE, {(0, 0): DE_SEEN}), case("FR", FR, {(0, 0): FR_SEEN})]
    outcomes, _ = simulated(scenarios, "place-and-time", JOB)
    by_zone = {each.zone: each for each in totals(outcomes, SIGNAL)}
    assert {zone: dict(each.elsewhere) for zone, each in by_zone.items()} == {
        "DE": {"FR": 1},
        "FR": {},
        None: {"FR": 1},
    }
    assert by_zone["FR"].now.counted == 160
    assert by_zone[None].realised.counted == pytest.approx(2 * 105)
    assert frame(outcomes, ["place-and-time"])["regions"].to_list() == ["FR", "FR"]


def test_without_a_policy_that_moves_zones_know_nothing_of_each_other(case: MakeCase) -> None:
    scenarios = [case("DE", DE, {(0, 0): DE_SEEN}), case("FR", FR[:2], {(0, 0): FR_SEEN})]
    german, french = simulate(scenarios, make_policies(["pause"], JOB), ONCE)
    assert (len(german.scored), len(french.scored)) == (1, 0)


@pytest.mark.parametrize(
    ("truth", "seen", "reason"),
    [
        (FR[:5], FR_SEEN, "FR: the truth is unknown at 2021-01-01T05:00:00Z"),
        (FR, [*FR_SEEN[:3], None, *FR_SEEN[4:]], "FR: the forecast of m@1 issued .* has a gap"),
    ],
)
def test_a_gap_elsewhere_leaves_the_job_out_and_says_where(
    truth: list[float], seen: list[float | None], reason: str, case: MakeCase
) -> None:
    scenarios = [case("DE", DE, {(0, 0): DE_SEEN}), case("FR", truth, {(0, 0): seen})]
    (german, _) = simulate(scenarios, make_policies(["now", "place"], JOB), ONCE)
    assert german.scored == ()
    (out,) = german.left_out
    assert re.match(reason, out.reason)


def test_a_stop_counts_in_the_cleaner_hour_beside_it_as_in_a_plan(case: MakeCase) -> None:
    # Hours 0 and 1, then 4: 1 + 4 + 1. The stop at 02:00 counts 0.1 kWh of hour 2, which is
    # cleaner than hour 1; the start at 04:00 counts 0.3 kWh of hour 4. As it came true, hour 1
    # was cleaner than hour 2, and hour 3 than hour 4.
    job = Job(3 * HOUR, Kind.SEGMENTS, pause_cost=Cost(kwh=0.1), restart_cost=Cost(kwh=0.3))
    truth = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
    scenario = case("DE", truth, {(0, 0): [1.0, 4.0, 3.0, 4.0, 1.0, 5.0]})
    (outcome,) = simulate([scenario], make_policies(["pause"], job), ONCE)
    (scored,) = outcome.scored
    assert scored.planned.counted == pytest.approx(6 + 0.3 + 0.3)
    assert scored.planned.kwh == pytest.approx(3.4)
    assert scored.realised.counted == pytest.approx(10 + 20 + 50 + 0.1 * 20 + 0.3 * 40)


VALUES = st.lists(st.integers(1, 900).map(float), min_size=6, max_size=6)
JOBS = st.sampled_from(
    [
        Job(2 * HOUR),
        Job(2.5 * HOUR, Kind.INTERRUPTIBLE),
        Job(3 * HOUR, Kind.SEGMENTS, restart_cost=Cost(kwh=0.3), pause_cost=Cost(kwh=0.1)),
        Job(3 * HOUR, Kind.ELASTIC, workers=Elastic(2.0)),
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VALUES, VALUES, VALUES, VALUES, JOBS)
def test_what_is_planned_is_what_the_planner_says_and_wider_reach_is_never_worse(
    case: MakeCase,
    de: list[float],
    fr: list[float],
    de_seen: list[float],
    fr_seen: list[float],
    job: Job,
) -> None:
    scenarios = [case("DE", de, {(0, 0): de_seen}), case("FR", fr, {(0, 0): fr_seen})]
    own_zone = "best-window" if job.kind is Kind.UNBROKEN else "pause"
    moving = [name for name in MOVING if name != "follow" or not job.restart_cost.kwh]
    policies = make_policies([own_zone, *moving], job)
    outcome, _ = simulate(scenarios, policies, ONCE)
    outlooks = [scenario.issues.at(START).outlook for scenario in scenarios]
    for policy, scored in zip(policies, outcome.scored, strict=True):
        plan, _ = policy.decide(Occurrence(START, ONCE[0][1]), outlooks[0], outlooks[1:])
        assert scored.planned.counted == pytest.approx(plan.grams), policy.name
        assert scored.planned.kwh == pytest.approx(plan.kwh), policy.name
        assert scored.oracle.counted <= scored.realised.counted * (1 + 1e-9), policy.name
    own, place, placed, *following = (each.oracle.counted for each in outcome.scored)
    assert place == placed
    assert placed <= own * (1 + 1e-9)
    assert all(each <= placed * (1 + 1e-9) for each in following)


def test_following_is_refused_where_a_move_would_cost() -> None:
    job = Job(2 * HOUR, Kind.SEGMENTS, restart_cost=Cost(kwh=0.1))
    with pytest.raises(BadInput, match="take place-and-time, or drop the costs"):
        make_policies(["follow"], job)
