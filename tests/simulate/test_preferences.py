"""A smallest saving and a robust choice, by hand; and what cannot be wished for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from gridtide.errors import BadInput
from gridtide.planning import Job, Kind, Quantile
from gridtide_pipelines.policies.backtest import Case, Scored, simulate
from gridtide_pipelines.policies.policies import make_policies

HOUR = timedelta(hours=1)
START = datetime(2021, 1, 1, tzinfo=UTC)
ONCE = [(START, START + 4 * HOUR)]
JOB = Job(HOUR)
TRUTH = [100.0, 95.0, 90.0, 80.0]
SEEN = [100.0, 90.0, 80.0, 70.0]
MakeCase = Callable[..., Case]


def one(scenario: Case, name: str, **preferences: object) -> Scored:
    (outcome,) = simulate([scenario], make_policies([name], JOB, **preferences), ONCE)  # type: ignore[arg-type]  # the test passes what the type refuses
    (scored,) = outcome.scored
    return scored


@pytest.mark.parametrize("name", ["best-window", "pause", "replan"])
def test_waiting_for_less_than_the_smallest_saving_runs_at_once_and_says_so(
    name: str, case: MakeCase
) -> None:
    scenario = case("DE", TRUTH, {(0, 0): SEEN})
    # 70 against 100 is a saving of 0.3.
    assert one(scenario, name, min_saving=0.3).realised.counted == 80
    scored = one(scenario, name, min_saving=0.31)
    assert (scored.start, scored.realised.counted, scored.planned.counted) == (START, 100, 100)
    assert scored.oracle.counted == 80
    assert scored.note == "run at once: forecast to save less than 0.31"


def test_the_robust_choice_is_the_hour_whose_bad_case_is_best(case: MakeCase) -> None:
    # p90 is 110, 95, 130, 120: hour 1 is surest, hour 3 is expected to be cleanest.
    scenario = case("DE", TRUTH, {(0, 0): SEEN}, spread=[10, 5, 50, 50], quantiles=True)
    expected, robust = (one(scenario, "best-window", quantile=each) for each in Quantile)
    assert (expected.start, robust.start) == (START + 3 * HOUR, START + HOUR)
    # Both are counted by what was expected, and by what came true.
    assert (robust.planned.counted, robust.realised.counted) == (90, 95)


def test_quantiles_are_read_only_where_they_are_requested(case: MakeCase) -> None:
    runs = {(0, 0): SEEN}
    without = case("DE", TRUTH, runs, spread=[10, 5, 50, 50]).issues.at(START).outlook
    assert (without.p10, without.p90) == (None, None)
    partly = case("DE", TRUTH, runs, spread=[10, None, 50, 50], quantiles=True)
    assert partly.issues.at(START).outlook.p90 is None


def test_a_job_whose_forecast_has_no_quantiles_is_left_out(case: MakeCase) -> None:
    scenario = case("DE", TRUTH, {(0, 0): SEEN}, quantiles=True)
    (outcome,) = simulate(
        [scenario], make_policies(["pause"], JOB, quantile=Quantile.P90), ONCE
    )
    assert outcome.scored == ()
    assert "has no quantiles" in outcome.left_out[0].reason


@pytest.mark.parametrize(
    ("names", "min_saving", "remedy"),
    [
        (["pause"], 1.0, "give 0 or more and less than 1"),
        (["pause"], float("nan"), "is not finite; give a finite number"),
        (["now", "night", "place"], 0.1, "for policies that plan"),
    ],
)
def test_savings_that_nothing_waits_for_are_refused(
    names: list[str], min_saving: float, remedy: str
) -> None:
    with pytest.raises(BadInput, match=remedy):
        make_policies(names, JOB, min_saving=min_saving)


def test_a_threshold_beside_a_smallest_saving_holds_for_its_own_policy(case: MakeCase) -> None:
    policies = make_policies(["threshold", "pause"], JOB, threshold=90.0, min_saving=0.5)
    (outcome,) = simulate([case("DE", TRUTH, {(0, 0): SEEN})], policies, ONCE)
    as_soon, waiting = outcome.scored
    assert (as_soon.start, as_soon.note) == (START + HOUR, "")
    assert (waiting.start, waiting.realised.counted) == (START, 100)
    assert make_policies(["pause"], JOB)[0].job.kind is Kind.INTERRUPTIBLE
