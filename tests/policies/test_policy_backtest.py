"""Oracle, planned and realised are what they come to by hand, and keep their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.model import Series, Signal
from gridtide.planning import Cost, Elastic, Job, Kind, Outlook
from gridtide_pipelines.policies.as_issued import PastForecast
from gridtide_pipelines.policies.backtest import Case, Outcome, Scored, cut_series, simulate
from gridtide_pipelines.policies.policies import Occurrence, make_policies
from gridtide_pipelines.policies.results import captured, frame, totals

HOUR = timedelta(hours=1)
START = datetime(2021, 1, 1, 22, tzinfo=UTC)
SIGNAL = Signal.CI_LIFECYCLE_PRODUCED
MakeCase = Callable[..., Case]

TRUTH = [100.0, 80.0, 60.0, 20.0, 40.0, 10.0]
FORECAST = [100.0, 30.0, 70.0, 40.0, 60.0, 50.0]
JOB = Job(2 * HOUR)
PAUSING = Job(2 * HOUR, Kind.INTERRUPTIBLE)
ONCE = [(START, START + 6 * HOUR)]


def one(case: Case, name: str, job: Job = JOB, threshold: float | None = None) -> Scored:
    """The one job that comes at the start, with 4 h of slack, under one policy."""
    (outcome,) = simulate([case], make_policies([name], job, threshold=threshold), ONCE)
    (scored,) = outcome.scored
    return scored


def numbers(scored: Scored) -> tuple[float, float, float, float]:
    """Rounded where floating point leaves something behind."""
    four = (scored.now, scored.planned, scored.realised, scored.oracle)
    now, planned, realised, oracle = (round(each.counted, 9) for each in four)
    return now, planned, realised, oracle


@pytest.mark.parametrize(
    ("name", "job", "threshold", "planned", "realised", "oracle"),
    [
        ("now", JOB, None, 130, 180, 50),
        # Hours 1 and 3 after 22:00 are 23:00 and 01:00; the night's run takes hours 3 and 4.
        ("night", JOB, None, 100, 60, 50),
        ("hour-00", JOB, None, 110, 80, 50),
        # By the forecast hours 1-2 and 3-4 come to 100: the earlier is taken.
        ("best-window", JOB, None, 100, 140, 50),
        ("pause", JOB, None, 70, 100, 30),
        # With both below 75 the earliest two hours are 1 and 2; by 65, hours 1 and 3.
        ("threshold", PAUSING, 75.0, 100, 140, 30),
        ("threshold", PAUSING, 65.0, 70, 100, 30),
        ("now", PAUSING, None, 130, 180, 30),
        ("best-window", PAUSING, None, 100, 140, 50),
    ],
)
def test_each_policy_comes_to_what_it_does_by_hand(
    name: str,
    job: Job,
    threshold: float | None,
    planned: float,
    realised: float,
    oracle: float,
    case: MakeCase,
) -> None:
    scored = one(case(TRUTH, {0: FORECAST}), name, job, threshold)
    assert numbers(scored) == (180, planned, realised, oracle)
    assert scored.note == ""


def test_a_threshold_never_met_runs_at_once_and_says_so(case: MakeCase) -> None:
    scored = one(case(TRUTH, {0: FORECAST}), "threshold", JOB, 45.0)
    assert numbers(scored) == (180, 130, 180, 50)
    assert scored.note == "run at once: not forecast to be under 45 for long enough"
    assert scored.start == START


def test_an_hour_of_day_beyond_the_slack_runs_at_once_and_says_so(case: MakeCase) -> None:
    assert one(case(TRUTH, {0: FORECAST}), "hour-02").start == START + 4 * HOUR
    scored = one(case(TRUTH, {0: FORECAST}), "hour-03")
    assert (scored.start, scored.note) == (
        START,
        "run at once: 03:00 in UTC is beyond its slack",
    )


def test_the_night_is_that_of_the_zone(case: MakeCase) -> None:
    # 01:00 in Berlin is 00:00 UTC in winter: two hours on.
    scored = one(case(TRUTH, {0: FORECAST}, zone="Europe/Berlin"), "night")
    assert scored.start == START + 2 * HOUR


def test_replanning_uses_the_new_forecast_for_what_is_left(case: MakeCase) -> None:
    # Planned were hours 1 and 3. After hour 1 the new issue sees hour 5 as the best.
    past = case(TRUTH, {0: FORECAST, 2: [90.0, 90.0, 90.0, 5.0]})
    scored = one(past, "replan", PAUSING)
    assert numbers(scored) == (180, 70, 90, 30)
    assert (scored.start, scored.end, scored.segments) == (START + HOUR, START + 6 * HOUR, 2)


def test_replanning_an_unbroken_job_moves_it_until_it_runs(case: MakeCase) -> None:
    later = [200.0, 200.0, 200.0, 5.0, 5.0]
    assert numbers(one(case(TRUTH, {0: FORECAST, 1: later}), "replan")) == (180, 100, 50, 50)
    # At hour 2 it has run for an hour, and runs on.
    past = case(TRUTH, {0: FORECAST, 2: later[1:]})
    assert numbers(one(past, "replan")) == (180, 100, 140, 50)


def test_a_new_forecast_too_short_to_go_on_by_is_let_pass(case: MakeCase) -> None:
    past = case(TRUTH, {0: [100.0, 90.0, 90.0, 20.0, 20.0, 90.0], 2: [1.0]})
    assert numbers(one(past, "replan")) == (180, 40, 60, 50)


def test_replanning_counts_each_pause_it_makes_once(case: MakeCase) -> None:
    job = Job(2 * HOUR, Kind.SEGMENTS, pause_cost=Cost(kwh=0.1), restart_cost=Cost(kwh=0.05))
    # It runs hour 1, at hour 2 it stays with the pause before hour 3: the stop counts 0.1 kWh
    # in hour 2, the cleaner of the two it is between, the start 0.05 kWh in hour 3.
    past = case(
        TRUTH, {0: [200.0, 10.0, 200.0, 10.0, 200.0, 200.0], 2: [200.0, 10.0, 200.0, 200.0]}
    )
    scored = one(past, "replan", job)
    assert scored.segments == 2
    assert scored.realised.kwh == pytest.approx(2.15)
    assert scored.realised.counted == pytest.approx(80 + 20 + 0.1 * 60 + 0.05 * 20)
    assert scored.planned.counted == pytest.approx(10 + 10 + 0.1 * 10 + 0.05 * 10)
    assert numbers(one(past, "pause", job))[1:3] == numbers(scored)[1:3]


def test_replanning_a_job_that_runs_does_not_pay_to_run_on(case: MakeCase) -> None:
    job = Job(2 * HOUR, Kind.SEGMENTS, restart_cost=Cost(kwh=0.5))
    # To run on in hour 2 counts 12; to start again in hour 4 counts 10 and half of that.
    past = case(TRUTH, {0: [99.0, 10.0, 12.0, 99.0, 10.0, 99.0], 2: [12.0, 99.0, 10.0, 99.0]})
    scored = one(past, "replan", job)
    assert (scored.start, scored.end, scored.segments) == (START + HOUR, START + 3 * HOUR, 1)


def test_replanning_an_elastic_job_counts_work_not_hours(case: MakeCase) -> None:
    # At up to two workers, two hours of work fit into hour 1; nothing is left to plan again.
    job = Job(2 * HOUR, Kind.ELASTIC, workers=Elastic(2.0))
    past = case(TRUTH, {0: FORECAST, 2: [1.0, 1.0, 1.0, 1.0]})
    assert numbers(one(past, "replan", job)) == (180, 60, 160, 20)
    # Of three hours of work one is left, which takes half of an hour at two workers.
    job = replace(job, duration=3 * HOUR)
    scored = one(case(TRUTH, {0: FORECAST, 2: [90.0, 90.0, 90.0, 5.0]}), "replan", job)
    assert scored.realised.counted == pytest.approx(2 * 80 + 1 * 10)


def test_power_and_cfe_are_counted_in_kwh_that_are_not_carbon_free(case: MakeCase) -> None:
    past = case([0.2, 0.4, 0.9, 0.9], {0: [0.2, 0.4, 0.9, 0.8]}, signal=Signal.CFE_PRODUCED)
    policies = make_policies(["best-window"], Job(2 * HOUR, power=3.0))
    (outcome,) = simulate([past], policies, [(START, START + 4 * HOUR)])
    (total,) = totals([outcome], Signal.CFE_PRODUCED)
    assert [total.now.kwh, total.realised.kwh] == [6.0, 6.0]
    # 3 kW x (0.8 + 0.6) and 3 kW x (0.1 + 0.1), and 0.15 where the forecast says 0.85.
    assert total.now.counted == pytest.approx(4.2)
    assert total.planned.counted == pytest.approx(0.9)
    assert total.realised.counted == pytest.approx(0.6)
    assert total.mean(total.realised) == pytest.approx(0.9)
    # Fraction points: from 0.3 to 0.9.
    assert total.saving(total.realised) == pytest.approx(0.6)
    assert total.captured == pytest.approx(1.0)


# Left out


def outcome_of(case: Case, *names: str) -> Outcome:
    (found,) = simulate([case], make_policies(names, JOB), ONCE)
    return found


@pytest.mark.parametrize(
    ("truth", "runs", "reason"),
    [
        ([*TRUTH[:5]], {0: FORECAST}, "the truth is unknown at 2021-01-02T03:00:00Z"),
        (
            [*TRUTH[:2], None, *TRUTH[3:]],
            {0: FORECAST},
            "the truth is unknown at 2021-01-02T00:00:00Z",
        ),
        ([None, *TRUTH[1:]], {0: FORECAST}, "the truth is unknown at 2021-01-01T22:00:00Z"),
        ([], {0: FORECAST}, "the truth is unknown at 2021-01-01T22:00:00Z"),
        (
            TRUTH,
            {0: [*FORECAST[:3], None, *FORECAST[4:]]},
            "issued 2021-01-01T22:00:00Z has a gap at 2021-01-02T01:00:00Z",
        ),
        (TRUTH, {1: FORECAST}, "nothing is forecast"),
        (TRUTH, {0: FORECAST[:1]}, "no unbroken run of 2 h"),
    ],
)
def test_a_gap_leaves_the_job_out_by_name_under_every_policy(
    truth: list[float | None], runs: dict[int, list[float | None]], reason: str, case: MakeCase
) -> None:
    outcome = outcome_of(case(truth, runs), "now", "best-window")
    assert outcome.scored == ()
    (out,) = outcome.left_out
    assert (out.zone, out.at) == ("DE", START)
    assert reason in out.reason
    rows = frame([outcome], ["now", "best-window"])
    assert rows["policy"].to_list() == ["now", "best-window"]
    assert all(reason in text for text in rows["left_out"])
    assert rows["realised"].to_list() == [None, None]


def test_a_job_that_one_policy_cannot_plan_is_left_out_under_all(case: MakeCase) -> None:
    # The forecast ends before the night's run would.
    outcome = outcome_of(case(TRUTH, {0: FORECAST[:4]}), "best-window", "night")
    assert (len(outcome.scored), len(outcome.left_out)) == (0, 1)
    outcome = outcome_of(case(TRUTH, {0: FORECAST[:4]}), "best-window")
    assert (len(outcome.scored), outcome.short, outcome.stored) == (1, 1, 1)


def test_jobs_are_counted_by_where_their_forecast_came_from(case: MakeCase) -> None:
    past = case(TRUTH * 2, {0: FORECAST * 2})
    comes = [(START + HOUR * i, START + HOUR * (i + 3)) for i in range(4)]
    (outcome,) = simulate([past], make_policies(["best-window"], JOB), comes)
    assert (outcome.stored, outcome.reissued, outcome.short) == (4, 0, 0)
    assert outcome.models == {"m@1": 4}
    assert [each.at for each in outcome.scored] == [at for at, _ in comes]


# Totals


def test_totals_are_sums_over_jobs_and_over_zones(case: MakeCase) -> None:
    scenarios = [case(TRUTH, {0: FORECAST}), case(FORECAST, {0: FORECAST})]
    scenarios[1] = replace(scenarios[1], zone="FR")
    outcomes = simulate(scenarios, make_policies(["best-window", "pause"], JOB), ONCE)
    by_name = {(each.zone, each.policy): each for each in totals(outcomes, SIGNAL)}
    assert list(by_name) == [
        *(("DE", "best-window"), ("DE", "pause")),
        *(("FR", "best-window"), ("FR", "pause")),
        *((None, "best-window"), (None, "pause")),
    ]
    both = by_name[None, "best-window"]
    assert (both.jobs, both.now.counted, both.realised.counted) == (2, 180 + 130, 140 + 100)
    assert both.oracle.counted == 50 + 100
    assert both.mean(both.now) == (180 + 130) / 4
    assert both.saving(both.realised) == pytest.approx(70 / 310)
    assert both.captured == pytest.approx(70 / 160)
    assert by_name["FR", "pause"].captured == 1.0


def test_where_nothing_can_be_saved_no_share_of_it_is_captured(case: MakeCase) -> None:
    scored = one(case([7.0] * 6, {0: FORECAST}), "pause")
    assert captured(scored.now, scored.realised, scored.oracle) is None


# Properties

VALUES = st.lists(st.integers(1, 900), min_size=12, max_size=12)
JOBS = st.sampled_from(
    [
        Job(3 * HOUR),
        Job(2.5 * HOUR, Kind.INTERRUPTIBLE),
        Job(3 * HOUR, Kind.SEGMENTS, restart_cost=Cost(kwh=0.3)),
        Job(3 * HOUR, Kind.SEGMENTS, max_segments=2, restart_cost=Cost(kwh=0.3)),
        Job(3 * HOUR, Kind.SEGMENTS, max_segments=2, min_segment=HOUR),
        Job(3 * HOUR, Kind.ELASTIC, workers=Elastic(2.0)),
    ]
)


class Each:
    """One forecast at any moment."""

    def __init__(self, series: Series) -> None:
        self.series = series

    def at(self, moment: datetime) -> PastForecast:
        return PastForecast(
            Outlook(self.series, issued_at=moment, model="m@1"), moment, stored=True
        )

    def between(self, moment: datetime, until: datetime) -> Iterator[PastForecast]:
        yield from (self.at(moment + HOUR * i) for i in range(1, (until - moment) // HOUR))


def of(truth: list[int], forecast: list[int]) -> Case:
    made = [
        Series.regular("DE", SIGNAL, START, HOUR, [float(each) for each in values])
        for values in (truth, forecast)
    ]
    return Case("DE", made[0], Each(made[1]))


NAMES = ["now", "night", "best-window", "pause", "threshold", "replan"]


@given(VALUES, VALUES, JOBS, st.integers(1, 900))
def test_the_oracle_is_never_worse_and_now_saves_nothing(
    truth: list[int], forecast: list[int], job: Job, threshold: int
) -> None:
    policies = make_policies(NAMES, job, threshold=threshold)
    (outcome,) = simulate([of(truth, forecast)], policies, [(START, START + 12 * HOUR)])
    assert outcome.left_out == ()
    for scored in outcome.scored:
        assert scored.oracle.counted <= scored.realised.counted * (1 + 1e-9), scored.policy
        assert scored.segments <= (job.max_segments or inf), scored.policy
    now = outcome.scored[0]
    assert now.realised == now.now
    by_name = {each.policy: each for each in outcome.scored}
    assert by_name["pause"].oracle.counted <= by_name["best-window"].oracle.counted + 1e-6


@given(VALUES, JOBS)
def test_with_a_perfect_forecast_all_three_are_the_same(truth: list[int], job: Job) -> None:
    policies = make_policies(["best-window", "pause", "replan"], job)
    (outcome,) = simulate([of(truth, truth)], policies, [(START, START + 12 * HOUR)])
    for scored in outcome.scored:
        assert scored.planned.counted == pytest.approx(scored.oracle.counted), scored.policy
        assert scored.realised.counted == pytest.approx(scored.oracle.counted), scored.policy


@given(VALUES, VALUES, JOBS)
def test_what_is_planned_is_what_the_planner_says(
    truth: list[int], forecast: list[int], job: Job
) -> None:
    past = of(truth, forecast)
    (policy,) = make_policies(["pause"], job)
    (outcome,) = simulate([past], [policy], [(START, START + 12 * HOUR)])
    when = Occurrence(START, START + 12 * HOUR)
    plan, _ = policy.decide(when, past.issues.at(START).outlook)
    (scored,) = outcome.scored
    assert scored.planned.counted == pytest.approx(plan.grams)
    assert scored.planned.kwh == pytest.approx(plan.kwh)


def test_known_takes_the_slots_that_a_span_touches() -> None:
    series = Series.regular("DE", SIGNAL, START, HOUR, TRUTH)
    half = timedelta(minutes=30)
    part = cut_series(series, START + half, START + 2 * HOUR + half)
    assert [slot.value for slot in part.slots] == [100, 80, 60]
    part = cut_series(series, START + HOUR, START + 2 * HOUR)
    assert [slot.value for slot in part.slots] == [80]


def test_a_job_that_runs_at_once_runs_unbroken_with_its_own_workers(case: MakeCase) -> None:
    # With two workers it would do all its work in the second hour, at 60.
    elastic = Job(2 * HOUR, Kind.ELASTIC, workers=Elastic(2.0))
    scored = one(case(TRUTH, {0: FORECAST}), "threshold", elastic, threshold=1.0)
    assert scored.note.startswith("run at once")
    assert (scored.start, scored.end) == (START, START + 2 * HOUR)
    assert scored.planned.counted == pytest.approx(130)


def test_a_smallest_saving_does_not_hold_back_the_policy_threshold(case: MakeCase) -> None:
    policies = make_policies(["threshold", "pause"], PAUSING, threshold=65.0, min_saving=0.6)
    (outcome,) = simulate([case(TRUTH, {0: FORECAST})], policies, ONCE)
    threshold, pause = outcome.scored
    # 70 instead of 130 saves less than is worth waiting for.
    assert (threshold.planned.counted, threshold.note) == (pytest.approx(70), "")
    assert (pause.planned.counted, pause.start) == (pytest.approx(130), START)


def test_a_restart_at_an_edge_counts_where_more_is_carbon_free(case: MakeCase) -> None:
    truth = [0.5, 0.9, 0.2, 0.8, 0.0, 0.0]
    job = Job(2 * HOUR, Kind.SEGMENTS, restart_cost=Cost(kwh=1))
    scored = one(case(truth, {0: truth}, signal=Signal.CFE_PRODUCED), "pause", job)
    # Hours 1 and 3, and the restart in hour 3: 3 kWh, of which 0.9 + 2 x 0.8 are free.
    assert scored.segments == 2
    assert scored.realised.counted == pytest.approx(3 - 0.9 - 2 * 0.8)


def test_replanning_counts_the_segments_that_have_run(case: MakeCase) -> None:
    job = Job(4 * HOUR, Kind.SEGMENTS, max_segments=3)
    first, second = [1.0, 9, 1, 9, 1, 1, 9, 9], [20.0, 1, 9, 1, 9]
    one_case = case([1.0] * 8, {0: first, 3: second})
    policies = make_policies(["replan"], job)
    (outcome,) = simulate([one_case], policies, [(START, START + 8 * HOUR)])
    (scored,) = outcome.scored
    # Hours 0 and 2 have run: the two that are left make one segment, hours 4 and 5.
    assert (scored.segments, scored.end) == (3, START + 6 * HOUR)
